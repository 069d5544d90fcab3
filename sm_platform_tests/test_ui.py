"""The UI in a real browser: what a person sees there, asks for, and is told."""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

import pytest

from sm_platform_tests.ui_pages import (
    PATIENCE_MS,
    ask,
    go,
    leave,
    look_at_picture,
    partition,
    read,
    running_browser,
    see,
    sync_api,
    type_config,
    type_days,
)
from sm_platform_tests.ui_platform import Platform, running_platform

pytestmark = pytest.mark.browser

REGION, DAY, LAST_DAY, DAMAGED = "paddy", "2025-01-04", "2025-01-05", "2025-01-06"
LAUNCHPAD = "/locations/__repository__@sm_platform/jobs/add_region_job/playground/setup"
NEW_REGION = "new-farm"
ADD_REGION = f"""ops:
  make_region:
    config:
      name: {NEW_REGION}
      bbox: [106.35, 20.40, 106.40, 20.45]
"""
WRONG_SITES = """ops:
  site_catalog:
    config:
      level: 2km
      seed: one
"""
NO_DATA = "is a web page (an expired link or a login) instead of data"
"""What is told of the damaged file."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Addresses of what was asked for in the UI; it goes on while other pages are looked at."""

    region_run: str
    backfill: str


@pytest.fixture(scope="module")
def platform(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with running_platform(tmp_path_factory.mktemp("ui"), REGION, DAMAGED) as running:
        yield running


@pytest.fixture(scope="module")
def window(chromium: str, platform: Platform) -> Iterator["sync_api.Page"]:
    with running_browser(chromium, platform.address) as session:
        yield session.new_page()


@pytest.fixture(scope="module")
def asked(platform: Platform, window: "sync_api.Page") -> Asked:
    """A region to add, a backfill of a good day and one whose radar failed, a day to map again."""
    page = window
    go(page, f"{LAUNCHPAD}?config={quote(ADD_REGION)}")
    see(page, "No errors")
    page.get_by_role("button", name="Launch Run").click()
    page.wait_for_url("**/runs/*")
    region_run = page.url
    platform.hear_story()
    go(page, partition("sm_maps", f"{LAST_DAY}|{REGION}"))
    dialog = ask(page, "sm_maps", is_missing_told=True)  # its imported networks have no evaluations
    type_days(dialog, f"[{LAST_DAY}...{DAMAGED}]")
    dialog.get_by_role("button", name="Launch backfill").click()
    backfill = page.get_by_text("Created backfill").inner_text().split()[-1]
    platform.let_daemon_look()
    leave(page)
    go(page, partition("sm_maps", f"{DAY}|{REGION}"))
    ask(page, "sm_maps", is_missing_told=True).get_by_role("button", name="Launch 1 run").click()
    page.get_by_text("Launched").first.wait_for()
    return Asked(region_run, f"/runs/b/{backfill}")


@pytest.fixture
def page(window: "sync_api.Page", asked: Asked) -> Iterator["sync_api.Page"]:
    yield window
    leave(window)


def test_a_map_shows_its_picture_status_and_granules(page: "sync_api.Page") -> None:
    go(page, partition("sm_maps", f"2025-01-03|{REGION}"))
    look_at_picture(page, page.get_by_text("Show Markdown"))
    read(page, "S1_2025-01-03")
    see(page, "mapped")


def test_sites_show_their_map_classes_and_why_cells_are_none(page: "sync_api.Page") -> None:
    go(page, partition("site_catalog", REGION))
    row = page.locator("tr", has=page.get_by_text("map", exact=True))
    look_at_picture(page, row.get_by_text("Show Markdown"))
    read(page, '"crop"', '"wetland"', '"not_drawn"')


def test_labels_show_their_histogram_and_what_was_rejected(page: "sync_api.Page") -> None:
    go(page, partition("label_report", REGION))
    for name in ("histograms", "rejections"):
        row = page.locator("tr", has=page.get_by_text(name, exact=True))
        look_at_picture(page, row.get_by_text("Show Markdown"))
    read(page, '"user_csv"', '"good"', '"out_of_range"')


def test_checks_of_the_labels_are_there_and_have_run(page: "sync_api.Page") -> None:
    go(page, "/assets/sm_observations?view=checks")
    see(page, "few_rejected", "labels_in_range", "no_label_twice", "Passed")
    see(page, "At most half of a source's passes lack a good reading.")
    n_checks = page.get_by_text("Succeeded", exact=True).count()
    see(page, f"Checks ({n_checks})")


def test_a_failed_day_tells_its_reason_on_its_partition(page: "sync_api.Page") -> None:
    go(page, partition("s1_backscatter", f"{DAMAGED}|{REGION}"))
    see(page, "status", "failed", "reason")
    read(page, NO_DATA)


def test_a_failed_check_tells_what_is_wrong(page: "sync_api.Page") -> None:
    go(page, "/assets/s1_backscatter?view=checks&checkDetail=no_failed_day")
    see(page, "Every day of the run was made; one that failed is named with its reason.")
    see(page, "Failed")
    read(page, f"{REGION}, {DAMAGED}: S1_{DAMAGED}: S1_{DAMAGED}.tif {NO_DATA}")


def test_columns_are_shown_with_unit_and_meaning(page: "sync_api.Page") -> None:
    go(page, "/assets/site_catalog?view=overview")
    see(page, "mean_sm_m3m3", "mean label there when it was drawn [m3/m3]")


@pytest.mark.parametrize(
    ("asset", "sources"),
    [
        ("sm_maps", ("scene_features", "s1_backscatter", "s1_granules", "checkpoints")),
        ("sample_splits", ("training_samples", "sm_observations", "swc_granules")),
    ],
)
def test_lineage_goes_back_to_the_granules(
    page: "sync_api.Page", asset: str, sources: tuple[str, ...]
) -> None:
    go(page, f"/assets/{asset}?view=lineage&lineageScope=upstream&lineageDepth=10")
    see(page, *sources)


def test_the_graph_reads_from_granules_to_maps(page: "sync_api.Page") -> None:
    go(page, "/asset-groups")
    places = []
    for group in ("granules", "drivers", "features", "maps"):
        node = page.locator("svg, foreignObject").get_by_text(group, exact=True).first
        node.wait_for(timeout=PATIENCE_MS)
        box = node.bounding_box()
        assert box is not None
        places.append(box["x"])
    assert places == sorted(places)


def test_sensors_and_schedules_are_named_and_described(page: "sync_api.Page") -> None:
    go(page, "/automation")
    see(page, "new_scenes_archive", "new_scenes_seed_layout", "alert_failed_runs", "send_alerts")
    see(page, "find_missed_passes", "daily_refresh")
    go(page, "/locations/__repository__@sm_platform/sensors/new_scenes_archive")
    read(page, "Maps new Sentinel-1 passes of regions whose source is")


def test_days_that_are_none_are_refused_where_they_are_typed(page: "sync_api.Page") -> None:
    go(page, partition("s1_scenes", f"{DAY}|{REGION}"))
    dialog = ask(page, "s1_scenes")
    for days, told in [
        ("2199-01-01", "Could not find partition: 2199-01-01"),
        (f"[{DAY}...2199-01-01]", f"Could not find partitions for provided range: {DAY}...2199"),
    ]:
        type_days(dialog, days)
        read(page, told)
        page.get_by_role("button", name="OK").click()
    type_days(dialog, f"[{LAST_DAY}...{DAY}]")
    see(page, "0 partitions")
    sync_api.expect(dialog.get_by_role("button", name="Launch")).to_be_disabled()


def test_a_configuration_that_cannot_be_is_refused_where_it_is_typed(
    page: "sync_api.Page",
) -> None:
    go(page, partition("site_catalog", REGION))
    type_config(page, ask(page, "site_catalog"), WRONG_SITES)
    read(page, "not in enum type Literal['100m', '1km', '3km', '9km']")
    read(page, 'Value "one" of type "<class \'str\'>" is not valid for expected type "Int"')
    sync_api.expect(page.get_by_role("button", name="Save config")).to_be_disabled()


def test_a_region_that_cannot_be_is_refused_in_the_launchpad(page: "sync_api.Page") -> None:
    wrong = ADD_REGION.replace("bbox: [106.35", "bbox: [west")
    go(page, f"{LAUNCHPAD}?config={quote(wrong)}")
    read(page, "Invalid scalar")
    sync_api.expect(page.get_by_role("button", name="Launch Run")).to_be_disabled()


def test_a_region_is_added_from_the_launchpad(page: "sync_api.Page", asked: Asked) -> None:
    go(page, asked.region_run)
    see(page, "Success")
    page.get_by_text("View full message").first.click()
    look_at_picture(page, page.get_by_role("dialog").get_by_text("Show Markdown"))
    go(page, partition("site_catalog", NEW_REGION))
    see(page, NEW_REGION)


def test_a_backfill_ends_with_its_good_day_mapped_and_the_other_one_red(
    page: "sync_api.Page", platform: Platform, asked: Asked
) -> None:
    go(page, f"{asked.backfill}?tab=runs")
    see(page, "Failure")
    platform.let_daemon_look()
    go(page, asked.backfill)
    read(page, "100% completed")
    go(page, partition("sm_maps", f"{DAMAGED}|{REGION}"))
    read(page, "failed, and did not materialize this asset")
    page.get_by_role("button", name="View logs").click()
    read(
        page, f"{REGION}, {DAMAGED}: Sentinel-1 passes of {REGION} on {DAMAGED} are not in the lake"
    )


def test_a_day_is_mapped_again_by_hand(page: "sync_api.Page") -> None:
    go(page, partition("sm_maps", f"{DAY}|{REGION}"))
    page.get_by_text("View all historical events (2)").wait_for()
