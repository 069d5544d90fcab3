"""What came since a moment, passes over midnight, older and large indexes."""

import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sm_platform.grid.ease2 import LEVEL_100M, window_around
from sm_platform.sources.archive import ArchiveSource, advance_clock
from sm_platform.sources.archive_folder import INDEX_SCHEMA
from sm_platform.sources.archive_listing import count_between
from sm_platform.sources.protocol import Product
from sm_platform_tests.sources.made_archive import DAY, WINDOW, archive_of, frame, ids, row

CAME = datetime(2025, 3, 8, 5, tzinfo=UTC)
MOMENT = timedelta(microseconds=1)
MIDNIGHT = datetime(2025, 3, 11, tzinfo=UTC)
BEFORE, ACROSS, AFTER = (MIDNIGHT + timedelta(seconds=n) for n in (-40, -15, 10))
"""Starts of three frames of one pass."""
MOST_SECONDS = 3.0


def test_what_came_at_the_moment_or_later_is_listed_by_day_then_id(tmp_path: Path) -> None:
    later = DAY + timedelta(days=1)
    source = archive_of(
        tmp_path,
        row(granule_id="d", available_utc=CAME),
        row(granule_id="c", product="ndvi", available_utc=CAME + MOMENT),
        row(granule_id="b", available_utc=CAME - MOMENT),
        row(granule_id="a", day=later, available_utc=CAME),
        row(granule_id="e", product="soil", day=None, available_utc=None),
    )
    asked = (Product.WEATHER, Product.NDVI, Product.SOIL)
    assert ids(source.listed_since(asked, WINDOW, CAME, DAY)) == ["c", "d", "a"]
    assert ids(source.listed_since(asked, WINDOW, None, DAY)) == ["b", "c", "d", "a"]
    assert ids(source.listed_since(asked, WINDOW, None, later)) == ["a"]
    assert ids(source.listed_since([Product.WEATHER], WINDOW, CAME + MOMENT, DAY)) == []


def test_what_the_clock_does_not_show_or_lies_beside_is_not_listed(tmp_path: Path) -> None:
    source = archive_of(tmp_path, row(granule_id="beside", west=107.0, east=108.0), row())
    assert ids(source.listed_since([Product.WEATHER], WINDOW, None, DAY)) == ["one"]
    source = archive_of(tmp_path, row(), today="2025-03-06")
    assert source.listed_since([Product.WEATHER], WINDOW, None, DAY) == []
    advance_clock(tmp_path, timedelta(hours=23))
    assert ids(source.listed_since([Product.WEATHER], WINDOW, source.now(), DAY)) == []
    advance_clock(tmp_path, timedelta(hours=1))
    assert ids(source.listed_since([Product.WEATHER], WINDOW, source.now(), DAY)) == ["one"]


def test_listing_in_steps_gives_each_granule_once(tmp_path: Path) -> None:
    came = [CAME + timedelta(hours=7 * n) for n in range(40)]
    rows = [frame(one - timedelta(hours=9), one, datatake=f"{n:06X}") for n, one in enumerate(came)]
    source = archive_of(tmp_path, *rows, today="2025-03-07")
    found, since = [], None
    while source.now() < datetime(2025, 3, 30, tzinfo=UTC):
        found += ids(source.listed_since([Product.S1_GRD], WINDOW, since, date(2025, 1, 1)))
        since = source.now() + MOMENT
        advance_clock(tmp_path, timedelta(hours=5))
    assert sorted(found) == sorted(str(one["granule_id"]) for one in rows)


def test_frames_of_a_pass_over_midnight_have_the_day_of_the_first(tmp_path: Path) -> None:
    starts = (BEFORE, ACROSS, AFTER)
    own = frame(AFTER + timedelta(hours=5), CAME, datatake="ABCDEF")
    source = archive_of(tmp_path, *(frame(one, one + timedelta(hours=3)) for one in starts), own)
    of_day = {
        day: ids(source.granules(Product.S1_GRD, WINDOW, [date(2025, 3, day)]))
        for day in (9, 10, 11, 12)
    }
    assert {day: len(found) for day, found in of_day.items()} == {9: 0, 10: 3, 11: 1, 12: 0}
    assert of_day[11] == [own["granule_id"]]
    both = source.granules(Product.S1_GRD, WINDOW, [date(2025, 3, 11), date(2025, 3, 10)])
    assert [one.day for one in both] == [date(2025, 3, 10)] * 3 + [date(2025, 3, 11)]


def test_a_late_frame_of_a_pass_over_midnight_is_listed_under_the_day_of_the_first(
    tmp_path: Path,
) -> None:
    first, second = frame(ACROSS, CAME), frame(AFTER, CAME + timedelta(hours=3))
    source = archive_of(tmp_path, first, second)
    (late,) = source.listed_since([Product.S1_GRD], WINDOW, CAME + MOMENT, date(2025, 3, 10))
    assert (late.granule_id, late.day) == (second["granule_id"], date(2025, 3, 10))
    assert source.listed_since([Product.S1_GRD], WINDOW, CAME + MOMENT, date(2025, 3, 11)) == []


def test_while_the_first_frame_is_late_the_others_have_the_day_after(tmp_path: Path) -> None:
    first = frame(ACROSS, MIDNIGHT + timedelta(hours=30))
    second = frame(AFTER, MIDNIGHT + timedelta(hours=3))
    source = archive_of(tmp_path, first, second, today="2025-03-11")
    asked = Product.S1_GRD, WINDOW, [date(2025, 3, 10), date(2025, 3, 11)]
    assert [one.day for one in source.granules(*asked)] == [date(2025, 3, 11)]
    advance_clock(tmp_path, timedelta(days=1))
    assert [one.day for one in source.granules(*asked)] == [date(2025, 3, 10)] * 2


def test_names_that_are_none_of_sentinel_1_keep_their_day(tmp_path: Path) -> None:
    source = archive_of(tmp_path, row(product="s1_grd", granule_id="scene"))
    (found,) = source.granules(Product.S1_GRD, WINDOW, [DAY])
    assert found.day == DAY


def test_an_index_without_sizes_and_checksums_is_read(tmp_path: Path) -> None:
    source = archive_of(tmp_path, row())
    table = pq.read_table(tmp_path / "index.parquet")
    pq.write_table(table.drop_columns(["sha256", "size_bytes"]), tmp_path / "index.parquet")
    (found,) = source.granules(Product.WEATHER, WINDOW, [DAY])
    assert (found.size_bytes, found.sha256) == (None, None)


def test_an_index_that_was_written_anew_is_read_anew(tmp_path: Path) -> None:
    source = archive_of(tmp_path, row())
    assert ids(source.granules(Product.WEATHER, WINDOW, [DAY])) == ["one"]
    archive_of(tmp_path, row(), row(granule_id="two"))
    assert ids(source.granules(Product.WEATHER, WINDOW, [DAY])) == ["one", "two"]


def test_what_came_between_two_moments_is_counted_by_product(tmp_path: Path) -> None:
    hour = timedelta(hours=1)
    rows = [row(available_utc=CAME + n * hour) for n in range(4)]
    rows += [row(product="ndvi", available_utc=CAME), row(product="soil", available_utc=None)]
    archive_of(tmp_path, *rows)
    assert count_between(tmp_path, CAME - hour, CAME) == {"ndvi": 1, "weather": 1}
    assert count_between(tmp_path, CAME, CAME + 2 * hour) == {"weather": 2}
    assert count_between(tmp_path, CAME + 9 * hour, CAME + 10 * hour) == {}


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """30 regions side by side, 5000 granules each over eight years."""
    root = tmp_path_factory.mktemp("large") / "archive"
    archive_of(root, today="2026-03-31", last="2026-03-31")
    n, regions = 5000, 30
    days = [date(2018, 1, 1) + timedelta(days=k * 3000 // n) for k in range(n)]
    names = [frame(datetime(2018, 1, 1), CAME, datatake=f"{k:06X}")["granule_id"] for k in range(n)]
    came = [datetime(one.year, one.month, one.day, 7, tzinfo=UTC) for one in days]
    west = [100 + 0.3 * region for region in range(regions) for _ in range(n)]
    columns = {
        "product": ["s1_grd", "weather", "ndvi", "planet_swc", "spl3smp_e"] * (n // 5) * regions,
        "region_id": [f"r{region}" for region in range(regions) for _ in range(n)],
        "granule_id": names * regions,
        "day": days * regions,
        "files": [["one.tif", "one.json"]] * n * regions,
        "format": ["x"] * n * regions,
        "available_utc": came * regions,
        "licence": ["none"] * n * regions,
        "west": west,
        "south": [10.0] * n * regions,
        "east": [one + 0.2 for one in west],
        "north": [10.2] * n * regions,
        "size_bytes": [1] * n * regions,
        "sha256": [f"{k:064x}" for k in range(n * regions)],
    }
    pq.write_table(pa.table(columns, schema=INDEX_SCHEMA), root / "index.parquet")
    return root


def test_thirty_regions_are_listed_quickly_from_a_large_index(large: Path) -> None:
    """Three products of the last month, as a sensor asks: far under the five seconds of a tick."""
    source = ArchiveSource(large)
    asked = (Product.S1_GRD, Product.WEATHER, Product.NDVI)
    windows = [
        window_around(LEVEL_100M, 100.1 + 0.3 * region, 10.1, (20, 20)) for region in range(30)
    ]
    begun = time.process_time()
    found = [
        source.listed_since(asked, one, datetime(2026, 3, 1, tzinfo=UTC), date(2026, 2, 1))
        for one in windows
    ]
    assert time.process_time() - begun < MOST_SECONDS
    assert len({len(one) for one in found}) == 1
    assert len(found[0]) > 10
