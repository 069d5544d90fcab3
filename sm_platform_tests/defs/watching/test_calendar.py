"""The calendar of passes: what came, what is due, what is overdue."""

from datetime import timedelta

from sm_platform.defs.watching.calendar import PassRow, passes_of, write_calendar
from sm_platform.defs.watching.scene_log import register
from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.schema.region import Region
from sm_platform.schema.watch_tables import PASS_CALENDAR
from sm_platform_tests.defs.watching.frames import START, frame

LISTED = START + timedelta(days=40)


def statuses(layout: Layout, region: Region, hours_later: float) -> list[tuple[str, str]]:
    now = START + timedelta(days=36, hours=hours_later)
    rows = passes_of(layout, region, now, 30)
    write_calendar(layout, region.region_id, rows)
    made = store.read(layout, PASS_CALENDAR, region.region_id)
    assert made is not None
    assert [PassRow(**row) for row in made.rows.to_pylist()] == rows
    return [(f"{one.pass_start_utc:%m-%d}", one.pass_status) for one in rows]


def test_a_pass_is_expected_then_overdue_then_listed(layout: Layout, region: Region) -> None:
    register(layout, region.region_id, [frame(0, cycles=n) for n in (0, 1, 2)], LISTED)
    assert statuses(layout, region, 23) == [
        ("04-01", "listed"),
        ("04-13", "listed"),
        ("04-25", "expected"),
        ("05-07", "expected"),
    ]
    assert statuses(layout, region, 25)[2:] == [("04-25", "overdue"), ("05-07", "expected")]
    register(layout, region.region_id, [frame(0, cycles=3)], LISTED)
    assert statuses(layout, region, 25)[2:] == [("04-25", "listed"), ("05-07", "expected")]


def test_what_was_seen_once_makes_nothing_expected(layout: Layout, region: Region) -> None:
    register(layout, region.region_id, [frame(0, cycles=2)], LISTED)
    assert statuses(layout, region, 25) == [("04-13", "listed")]


def test_a_morning_pass_lies_on_the_utc_day_before(layout: Layout, region: Region) -> None:
    register(layout, region.region_id, [frame(0, cycles=2)], LISTED)
    (row,) = passes_of(layout, region, START + timedelta(days=25), 30)
    assert (row.pass_day.isoformat(), row.local_day) == ("2026-04-13", "2026-04-14")
