"""Local days of a region as UTC days to be run, its zone, and its passes told both ways."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from sm_platform.defs.local_time import pass_told, passes_told, utc_offset_h, utc_span, zone_of
from sm_platform.errors import UsageError
from sm_platform.grid.ease2 import LEVEL_100M, window_around
from sm_platform.schema.region import Region
from sm_platform.sites.areas import area_from_bbox, outline_wkt

DELTA = Region("delta", window_around(LEVEL_100M, 106.4, 20.45, (6, 9)), "archive", "/a")
TAVEUNI = Region("taveuni", window_around(LEVEL_100M, 179.97, -16.8, (6, 9)), "archive", "/a")
BERLIN = replace(DELTA, time_zone="Europe/Berlin")
NOON = datetime(2026, 3, 21, 12, tzinfo=UTC)
MORNING = {"pass_start_utc": datetime(2026, 3, 20, 22, 45, 12, tzinfo=UTC), "platform": "S1A"}


def march(day: int) -> date:
    return date(2026, 3, day)


def test_the_local_day_of_a_morning_pass_runs_the_utc_day_before_too() -> None:
    assert utc_span(DELTA, march(21), march(21), NOON) == (march(20), march(21))
    assert utc_span(DELTA, march(18), march(19), NOON) == (march(17), march(19))


def test_of_today_the_part_that_has_begun_is_run() -> None:
    midnight = datetime(2026, 3, 21, tzinfo=UTC)
    assert utc_span(DELTA, march(21), march(21), midnight) == (march(20), march(20))
    seen = MORNING["pass_start_utc"]
    assert utc_span(DELTA, march(21), march(21), seen) == (march(20), march(20))


def test_a_day_that_has_not_begun_there_is_refused_with_both_clocks() -> None:
    evening = datetime(2026, 3, 20, 16, 59, tzinfo=UTC)
    with pytest.raises(UsageError, match="2026-03-21 has not begun in delta") as refused:
        utc_span(DELTA, march(20), march(21), evening)
    assert "2026-03-20 16:59 UTC (20 March 23:59 local), end with 2026-03-20" in str(refused.value)
    later = evening + timedelta(minutes=2)
    assert utc_span(DELTA, march(20), march(21), later) == (march(19), march(20))


def test_west_of_greenwich_the_day_ends_on_the_next_utc_day() -> None:
    pago = replace(DELTA, time_zone="Pacific/Pago_Pago")
    assert utc_span(pago, march(19), march(19), NOON) == (march(19), march(20))
    assert utc_span(pago, march(21), march(21), NOON) == (march(21), march(21))


def test_days_before_the_first_partition_are_left_out_or_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SM_FIRST_DAY", "2026-03-18")
    assert utc_span(DELTA, march(18), march(19), NOON) == (march(18), march(19))
    with pytest.raises(UsageError, match="set SM_FIRST_DAY"):
        utc_span(DELTA, march(15), march(16), NOON)


def test_passes_without_a_time_have_no_local_day() -> None:
    seed = replace(DELTA, source="seed_layout")
    with pytest.raises(UsageError, match="no time: leave --local out"):
        utc_span(seed, march(18), march(19), NOON)
    told = pass_told(MORNING | {"platform": "S1X"}, zone_of(seed))
    assert told == "2026-03-20 UTC (time of the pass not known)"


def test_the_passes_of_a_day_are_told_by_both_clocks() -> None:
    evening = {"pass_start_utc": datetime(2026, 3, 20, 10, 56, tzinfo=UTC), "platform": "S1C"}
    assert passes_told([evening, MORNING], zone_of(DELTA)) == {
        "passes_utc": "2026-03-20 10:56, 2026-03-20 22:45",
        "passes_local": "2026-03-20 17:56, 2026-03-21 05:45",
    }
    assert passes_told([MORNING | {"platform": "S1X"}], "UTC")["passes_local"] == "not known"


def test_a_region_stored_without_a_zone_has_that_of_its_middle() -> None:
    assert zone_of(DELTA) == "Asia/Bangkok"
    assert zone_of(TAVEUNI) == "Pacific/Fiji"
    assert zone_of(BERLIN) == "Europe/Berlin"
    assert pass_told(MORNING, zone_of(DELTA)) == "2026-03-20 22:45 UTC (21 March 05:45 local)"


def test_a_place_inside_the_outline_counts_not_the_middle_of_its_box() -> None:
    """Chile with its islands: the middle of the box lies in the ocean."""
    island = outline_wkt(area_from_bbox(-71.0, -33.6, -70.9, -33.5))
    wide = replace(DELTA, window=window_around(LEVEL_100M, -90.0, -33.5, (6, 9)))
    assert zone_of(wide).startswith("Etc/GMT")
    assert zone_of(replace(wide, outline_wkt=island)) == "America/Santiago"


def test_the_offset_of_a_picture_follows_summer_time() -> None:
    winter, summer = (datetime(2026, month, 20, 5, tzinfo=UTC) for month in (3, 4))
    assert (utc_offset_h(BERLIN, winter), utc_offset_h(BERLIN, summer)) == (1.0, 2.0)
    nepal = replace(DELTA, time_zone="Asia/Kathmandu")
    assert utc_offset_h(nepal, winter) == 5.75
