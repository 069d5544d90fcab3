"""The UI in a real browser: graph, maps, sites, labels, checks, a region added, a run by hand."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError
from urllib.parse import quote
from urllib.request import urlopen

import pytest

pytestmark = pytest.mark.browser
sync_api = pytest.importorskip("playwright.sync_api")

CHECKOUT = Path(__file__).resolve().parents[1]
START_S = 90
PATIENCE_MS = 60_000
BROWSER_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
REGION, DAY = "paddy", "2025-01-04"
LAUNCHPAD = "locations/__repository__@sm_platform/jobs/add_region_job/playground/setup"
NEW_REGION = "new-farm"
ADD_REGION = f"""ops:
  make_region:
    config:
      name: {NEW_REGION}
      bbox: [106.35, 20.40, 106.40, 20.45]
"""


@pytest.fixture(scope="module")
def address(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A platform with one mapped and labelled region behind `sm-platform up`."""
    root = tmp_path_factory.mktemp("ui")
    places = {"SM_DATA_LAKE": "lake", "SM_MODELS": "models", "DAGSTER_HOME": "home"}
    env = {**os.environ, **{name: str(root / folder) for name, folder in places.items()}}
    env |= {"SM_FIRST_DAY": "2024-12-18", "SM_MIN_LOOKBACK_SHARE": "0.02"}
    port = _free_port()
    server = subprocess.Popen(_command("up", "--port", str(port)), env=env, cwd=CHECKOUT)
    try:
        story = [sys.executable, "-m", "sm_platform_tests.ui_story", str(root), REGION]
        subprocess.run(story, env=env, cwd=CHECKOUT, check=True)
        _wait_for(f"http://127.0.0.1:{port}/server_info")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(30)


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator["sync_api.Browser"]:
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=BROWSER_FLAGS)
        yield started
        started.close()


@pytest.fixture
def page(browser: "sync_api.Browser") -> Iterator["sync_api.Page"]:
    opened = browser.new_page(viewport={"width": 1700, "height": 1100})
    opened.set_default_timeout(PATIENCE_MS)
    yield opened
    opened.close()


def partition(address: str, asset: str, key: str) -> str:
    return f"{address}/assets/{asset}?view=partitions&partition={quote(key, safe='')}"


def look_at_picture(page: "sync_api.Page", link: "sync_api.Locator") -> None:
    """Open the Markdown of a link, see that its picture is drawn, close it."""
    link.click()
    picture = page.locator("img[src^='data:image/png']")
    sync_api.expect(picture).to_be_visible(timeout=20_000)
    width = picture.evaluate("img => img.decode().then(() => img.naturalWidth)")
    assert width > 200
    box = picture.bounding_box()
    assert box is not None
    assert box["width"] >= 0.5 * width, "shrunk until nobody can read it"
    page.keyboard.press("Escape")


def see(page: "sync_api.Page", *texts: str) -> None:
    for text in texts:
        found = page.get_by_text(text, exact=True).first
        sync_api.expect(found).to_be_visible(timeout=PATIENCE_MS)


def test_a_map_shows_its_picture_status_and_granules(address: str, page: "sync_api.Page") -> None:
    page.goto(partition(address, "sm_maps", f"{DAY}|{REGION}"))
    look_at_picture(page, page.get_by_text("Show Markdown"))
    sync_api.expect(page.get_by_text(f"S1_{DAY}").first).to_be_visible()
    see(page, "mapped")


def test_sites_show_their_map_classes_and_why_cells_are_none(
    address: str, page: "sync_api.Page"
) -> None:
    page.goto(partition(address, "site_catalog", REGION))
    row = page.locator("tr", has=page.get_by_text("map", exact=True))
    look_at_picture(page, row.get_by_text("Show Markdown"))
    for told in ("crop", "wetland", "not_drawn"):
        sync_api.expect(page.get_by_text(f'"{told}"').first).to_be_visible()


def test_labels_show_their_histogram_and_what_was_rejected(
    address: str, page: "sync_api.Page"
) -> None:
    page.goto(partition(address, "label_report", REGION))
    for name in ("histograms", "rejections"):
        row = page.locator("tr", has=page.get_by_text(name, exact=True))
        look_at_picture(page, row.get_by_text("Show Markdown"))
    for told in ("user_csv", "good", "out_of_range"):
        sync_api.expect(page.get_by_text(f'"{told}"').first).to_be_visible()


def test_checks_of_the_labels_are_there_and_have_run(address: str, page: "sync_api.Page") -> None:
    page.goto(f"{address}/assets/sm_observations?view=checks")
    see(page, "few_rejected", "labels_in_range", "no_label_twice", "Passed")
    see(page, "At most half of a source's passes lack a good reading.")
    assert page.get_by_text("Succeeded", exact=True).count() == 3


def test_columns_are_shown_with_unit_and_meaning(address: str, page: "sync_api.Page") -> None:
    page.goto(f"{address}/assets/site_catalog?view=overview")
    see(page, "mean_sm_m3m3", "mean label there when it was drawn [m3/m3]")


def test_a_region_is_added_from_the_launchpad(address: str, page: "sync_api.Page") -> None:
    page.goto(f"{address}/{LAUNCHPAD}?config={quote(ADD_REGION)}")
    see(page, "No errors")
    page.get_by_role("button", name="Launch Run").click()
    page.wait_for_url("**/runs/*")
    see(page, "Success")
    page.get_by_text("View full message").first.click()
    look_at_picture(page, page.get_by_role("dialog").get_by_text("Show Markdown"))
    page.goto(partition(address, "site_catalog", NEW_REGION))
    see(page, NEW_REGION)


def test_a_region_that_cannot_be_is_refused_in_the_launchpad(
    address: str, page: "sync_api.Page"
) -> None:
    wrong = ADD_REGION.replace("bbox: [106.35", "bbox: [west")
    page.goto(f"{address}/{LAUNCHPAD}?config={quote(wrong)}")
    sync_api.expect(page.get_by_text("Invalid scalar").first).to_be_visible(timeout=PATIENCE_MS)
    sync_api.expect(page.get_by_role("button", name="Launch Run")).to_be_disabled()


@pytest.mark.parametrize(
    ("asset", "sources"),
    [
        ("sm_maps", ("scene_features", "s1_backscatter", "s1_granules", "checkpoints")),
        ("sample_splits", ("training_samples", "sm_observations", "swc_granules")),
    ],
)
def test_lineage_goes_back_to_the_granules(
    address: str, page: "sync_api.Page", asset: str, sources: tuple[str, ...]
) -> None:
    page.goto(f"{address}/assets/{asset}?view=lineage&lineageScope=upstream&lineageDepth=10")
    see(page, *sources)


def test_the_graph_reads_from_granules_to_maps(address: str, page: "sync_api.Page") -> None:
    page.goto(f"{address}/asset-groups")
    places = []
    for group in ("granules", "drivers", "features", "maps"):
        node = page.locator("svg, foreignObject").get_by_text(group, exact=True).first
        node.wait_for(timeout=60_000)
        box = node.bounding_box()
        assert box is not None
        places.append(box["x"])
    assert places == sorted(places)


def test_a_day_is_mapped_again_by_hand(address: str, page: "sync_api.Page") -> None:
    page.goto(partition(address, "sm_maps", f"{DAY}|{REGION}"))
    page.get_by_text("Show Markdown").wait_for(timeout=60_000)
    page.get_by_role("button", name="Materialize").first.click()
    page.get_by_text("evaluations", exact=True).wait_for()  # its imported networks have none
    page.get_by_role("button", name="Confirm").click()
    page.get_by_role("button", name="Launch 1 run").click(timeout=20_000)
    page.get_by_text("Launched").first.wait_for()
    page.goto(f"{address}/runs?q=[]")
    page.locator("a[href^='/runs/']").first.click()
    see(page, "Success")
    page.goto(partition(address, "sm_maps", f"{DAY}|{REGION}"))
    page.get_by_text("View all historical events (2)").wait_for()


def _command(*words: str) -> list[str]:
    return [sys.executable, "-m", "sm_platform.cli", *words]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(url: str) -> None:
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        try:
            with urlopen(url, timeout=5):  # noqa: S310 - our own server on loopback
                return
        except (URLError, OSError):
            time.sleep(1)
    pytest.fail(f"{url} did not answer within {START_S} s")
