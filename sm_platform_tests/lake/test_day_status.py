"""What became of each day: the four ends told apart, in SQL and read day by day alike."""

from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sm_platform.lake import store
from sm_platform.lake.day_status import DayStatus, day_status
from sm_platform.lake.failures import FailedDay, clear_failure, write_failure
from sm_platform.lake.layout import Layout
from sm_platform.lake.views import connect
from sm_platform.schema.driver_tables import REGIONS
from sm_platform.schema.model_tables import SM_MAPS

REGION = "delta"
DAYS = [date(2026, 3, n) for n in range(1, 7)]
QUERY = "select day, status, reason from day_status where region_id = 'delta' order by day"
EMPTY = {column.name: None for column in SM_MAPS.columns} | {"is_latest": False, "is_pruned": False}


def row(status: str, reason: str | None = None, **more: object) -> dict[str, Any]:
    return EMPTY | {"status": status, "status_reason": reason} | more


def mapped(name: str, *, is_latest: bool = True) -> dict[str, Any]:
    start = datetime(2026, 3, 1, 22, 45, tzinfo=UTC)
    told = {"map_id": name, "is_latest": is_latest, "pass_start_utc": start, "scene_id": name}
    return row("mapped", **told)


def unseen(scene: str, hour: int) -> dict[str, Any]:
    start = datetime(2026, 3, 2, hour, tzinfo=UTC)
    return row("no_data", f"no pixel of {scene}", scene_id=scene, pass_start_utc=start)


def index(layout: Layout, day: date, *rows: dict[str, Any], region: str = REGION) -> None:
    status = "mapped" if any(one["is_latest"] for one in rows) else rows[-1]["status"]
    table = pa.Table.from_pylist(list(rows), schema=SM_MAPS.arrow_schema)
    store.write(layout, SM_MAPS, table, region=region, day=day, note={"status": status})


def fail(layout: Layout, asset: str, day: date, reason: str) -> None:
    write_failure(layout, FailedDay(REGION, asset, day, reason, is_passing=False))


def in_sql(layout: Layout) -> list[tuple[date, str, str | None]]:
    found: list[tuple[date, str, str | None]] = connect(layout, [SM_MAPS]).execute(QUERY).fetchall()
    return found


def one_by_one(layout: Layout) -> list[DayStatus]:
    found = (day_status(layout, REGION, day) for day in DAYS)
    return [one for one in found if one is not None]


@pytest.fixture
def told(layout: Layout) -> Layout:
    """A day of each end, one that was never looked at, and the same days of another region."""
    index(layout, DAYS[0], mapped("old", is_latest=False), mapped("new"), unseen("b", 23))
    index(layout, DAYS[1], unseen("a", 10), unseen("b", 22))
    index(layout, DAYS[2], row("no_pass", "no Sentinel-1 pass on this day"))
    index(layout, DAYS[3], mapped("was"))
    fail(layout, "sm_maps", DAYS[3], "the checkpoint is damaged")
    fail(layout, "scene_features", DAYS[4], "VV is damaged")
    fail(layout, "s1_backscatter", DAYS[4], "VV is damaged")
    index(layout, DAYS[4], row("no_pass", "another region"), region="hills")
    return layout


def test_each_end_of_a_day_is_told_apart(told: Layout) -> None:
    assert in_sql(told) == [
        (DAYS[0], "mapped", None),
        (DAYS[1], "no_data", "no pixel of b"),
        (DAYS[2], "no_pass", "no Sentinel-1 pass on this day"),
        (DAYS[3], "failed", "the checkpoint is damaged"),
        (DAYS[4], "failed", "s1_backscatter: VV is damaged"),
    ]


@pytest.mark.parametrize("status", ["no_pass", "no_data", "mapped"])
def test_what_came_after_a_day_was_looked_at_and_is_damaged_is_told(
    status: str, layout: Layout
) -> None:
    """The look goes before the frame; the frame's step then stops the run, so no map is tried."""
    index(layout, DAYS[0], mapped("early") if status == "mapped" else row(status, "a reason"))
    fail(layout, "scene_features", DAYS[0], "no backscatter")
    fail(layout, "s1_granules", DAYS[0], "half a file")
    expected = (status, None) if status == "mapped" else ("failed", "s1_granules: half a file")
    assert in_sql(layout) == [(DAYS[0], *expected)]
    (found,) = one_by_one(layout)
    assert (found.status, found.reason) == expected
    clear_failure(layout, REGION, "s1_granules", DAYS[0])
    clear_failure(layout, REGION, "scene_features", DAYS[0])
    assert [one[1] for one in in_sql(layout)] == [one_by_one(layout)[0].status] == [status]


def test_day_by_day_the_same_is_told(told: Layout) -> None:
    listed = in_sql(told)
    found = one_by_one(told)
    assert [(one.day, one.status) for one in found] == [(day, status) for day, status, _ in listed]
    failed = {one.day: one.reason for one in found if one.status == "failed"}
    assert failed == {day: reason for day, status, reason in listed if status == "failed"}


def test_a_day_that_succeeds_has_not_failed(told: Layout) -> None:
    clear_failure(told, REGION, "sm_maps", DAYS[3])
    index(told, DAYS[4], mapped("late"))
    assert [status for _, status, _ in in_sql(told)[3:]] == ["mapped", "mapped"]
    assert [one.status for one in one_by_one(told)[3:]] == ["mapped", "mapped"]


def test_what_maps_do_not_need_of_the_day_leaves_it_alone(told: Layout) -> None:
    fail(told, "weather", DAYS[5], "half a file")
    fail(told, "map_figures", DAYS[0], "no font")
    assert [day for day, *_ in in_sql(told)] == DAYS[:5]
    assert in_sql(told)[0][1] == one_by_one(told)[0].status == "mapped"


@pytest.mark.parametrize("has_maps", [True, False])
def test_the_view_stands_with_maps_alone_and_with_failures_alone(
    layout: Layout, *, has_maps: bool
) -> None:
    if has_maps:
        index(layout, DAYS[0], mapped("new"))
    else:
        fail(layout, "sm_maps", DAYS[0], "the checkpoint is damaged")
    assert [status for _, status, _ in in_sql(layout)] == ["mapped" if has_maps else "failed"]


def test_a_damaged_index_is_a_failed_day(told: Layout) -> None:
    told.part("sm_maps", REGION, DAYS[0]).write_bytes(b"no Parquet")
    found = day_status(told, REGION, DAYS[0])
    assert found is not None
    assert found.status == "failed"


def test_regions_stored_before_and_after_a_column_came_are_read_together(layout: Layout) -> None:
    plain = {"crs": "EPSG:6933", "affine": [1.0], "rows": 1, "cols": 1, "source": "archive"}
    plain |= {"source_path": "/a", "recipe_id": None, "checkpoint_id": None, "outline_wkt": None}
    for name in ("aa", "bb"):
        told = plain | {"region_id": name, "time_zone": "Asia/Bangkok"}
        rows = pa.Table.from_pylist([told], schema=REGIONS.arrow_schema)
        part = store.write(layout, REGIONS, rows, region=name)
        if name == "aa":  # as a release before wrote it
            pq.write_table(rows.drop_columns("time_zone"), part)
    query = "select region_id, time_zone from regions order by all"
    found = connect(layout, [REGIONS]).execute(query).fetchall()
    assert found == [("aa", None), ("bb", "Asia/Bangkok")]
