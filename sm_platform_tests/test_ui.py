"""The UI in a real browser: the graph, a map's picture, its lineage, a run started by hand."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
import torch

from sm_platform.densesm.checkpoint import Checkpoint, Member, save
from sm_platform.densesm.network import Architecture, DenseSM
from sm_platform.schema.recipes import EOV_2025
from sm_platform_tests.defs.seed_folder import write_folder

pytestmark = pytest.mark.browser
sync_api = pytest.importorskip("playwright.sync_api")

CHECKOUT = Path(__file__).resolve().parents[1]
START_S = 90
BROWSER_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
REGION, DAY = "paddy", "2025-01-04"


@pytest.fixture(scope="module")
def address(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A platform with one mapped region behind `sm-platform up`."""
    root = tmp_path_factory.mktemp("ui")
    places = {"SM_DATA_LAKE": "lake", "SM_MODELS": "models", "DAGSTER_HOME": "home"}
    env = {**os.environ, **{name: str(root / folder) for name, folder in places.items()}}
    env |= {"SM_FIRST_DAY": "2024-12-18", "SM_MIN_LOOKBACK_SHARE": "0.02"}
    write_folder(root / "folder", REGION)
    _store_network(root / "models" / "random")
    words = ["--region", REGION, "--start", "2025-01-03", "--end", "2025-01-05"]
    more = ["--archive", str(root / "folder"), "--checkpoint", "random"]
    subprocess.run(_command("run", *words, *more), env=env, cwd=CHECKOUT, check=True)
    port = _free_port()
    server = subprocess.Popen(_command("up", "--port", str(port)), env=env, cwd=CHECKOUT)
    try:
        _wait_for(f"http://127.0.0.1:{port}/server_info")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(30)


@pytest.fixture
def page(chromium: str) -> Iterator["sync_api.Page"]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=BROWSER_FLAGS)
        yield browser.new_page(viewport={"width": 1700, "height": 1100})
        browser.close()


def test_a_map_shows_its_picture_status_and_granules(address: str, page: "sync_api.Page") -> None:
    page.goto(f"{address}/assets/sm_maps?view=partitions&partition={DAY}%7C{REGION}")
    page.get_by_text("Show Markdown").click(timeout=60_000)
    sync_api.expect(page.locator("img[src^='data:image/png']")).to_be_visible(timeout=20_000)
    page.keyboard.press("Escape")
    sync_api.expect(page.get_by_text(f"S1_{DAY}").first).to_be_visible()
    sync_api.expect(page.get_by_text("mapped", exact=True).first).to_be_visible()


def test_lineage_goes_back_to_the_granules(address: str, page: "sync_api.Page") -> None:
    page.goto(f"{address}/assets/sm_maps?view=lineage&lineageScope=upstream&lineageDepth=10")
    for asset in ("scene_features", "s1_backscatter", "s1_granules", "checkpoints"):
        sync_api.expect(page.get_by_text(asset, exact=True).first).to_be_visible(timeout=60_000)


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
    page.goto(f"{address}/assets/sm_maps?view=partitions&partition={DAY}%7C{REGION}")
    page.get_by_text("Show Markdown").wait_for(timeout=60_000)
    page.get_by_role("button", name="Materialize").first.click()
    page.get_by_role("button", name="Launch 1 run").click(timeout=20_000)
    page.get_by_text("Launched").first.wait_for(timeout=20_000)
    count = page.get_by_text("View all historical events (2)")
    until = time.monotonic() + START_S
    while not count.is_visible() and time.monotonic() < until:
        page.wait_for_timeout(4_000)
        page.reload()
        page.get_by_text("View all historical events").wait_for(timeout=30_000)
    assert count.is_visible()


def _store_network(folder: Path) -> None:
    torch.manual_seed(1)
    one = Architecture(1, 8)
    member = Member(one.name, one, DenseSM(one).state_dict())
    told = {"trained_until": "2024-12-18"}
    folder.mkdir(parents=True)
    save(Checkpoint("random", EOV_2025.recipe_id, EOV_2025.fingerprint, (member,), told), folder)


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
