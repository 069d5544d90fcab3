"""Local times of a region, for asking and showing: its zone, and its passes told both ways."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import shapely

from sm_platform.defs.map_index import Row
from sm_platform.defs.resources import settings
from sm_platform.errors import UsageError
from sm_platform.grid.calendar import utc
from sm_platform.grid.local_days import both_times, local_day, local_time, utc_days_of
from sm_platform.grid.window import lonlat_bounds
from sm_platform.schema.region import Region
from sm_platform.sites.time_zones import FoundZone, time_zone_at

JUST_BEFORE = timedelta(microseconds=1)
"""A clock at midnight still has the day that ends with it."""
NO_TIME = "X"
"""Ends the platform of a pass of which only the day is known."""


def day_of(clock_utc: datetime) -> date:
    """The UTC day that a source's clock stands on."""
    return (clock_utc - JUST_BEFORE).date()


def found_zone(region: Region) -> FoundZone:
    """The zone of a region's middle; of one with an outline, of a place inside it."""
    if region.outline_wkt:
        inside = shapely.from_wkt(region.outline_wkt).representative_point()
        return time_zone_at(inside.x, inside.y)
    west, south, east, north = lonlat_bounds(region.window)
    return time_zone_at((west + east) / 2, (south + north) / 2)


def zone_of(region: Region) -> str:
    """IANA name of a region's zone; of one that was stored without, that of its middle."""
    return region.time_zone or found_zone(region).name


def utc_offset_h(region: Region, moment: datetime) -> float:
    """Local time minus UTC (h) of a region at a moment; for display only."""
    offset = local_time(moment, zone_of(region)).utcoffset() or timedelta()
    return offset / timedelta(hours=1)


def has_time(row: Row) -> bool:
    """Whether more than the UTC day of a row's pass is known."""
    return not row["platform"].endswith(NO_TIME)


def pass_told(row: Row, time_zone: str) -> str:
    """When the pass of a row was, in UTC and local time; of some only the UTC day is known.

    Args:
        row: `pass_start_utc` and `platform`, as `sm_maps` has them.
        time_zone: IANA name.
    """
    start: datetime = row["pass_start_utc"]
    if not has_time(row):
        return f"{start:%Y-%m-%d} UTC (time of the pass not known)"
    return both_times(start, time_zone)


def passes_told(rows: Sequence[Row], time_zone: str) -> dict[str, str]:
    """Starts of the passes of these rows, in UTC and in local time, for the metadata of a day."""
    timed = [utc(row["pass_start_utc"]) for row in rows if has_time(row)]
    there = [local_time(start, time_zone) for start in timed]
    not_known = ["not known"] * (len(rows) - len(timed))
    return {
        "passes_utc": ", ".join([*(f"{start:%Y-%m-%d %H:%M}" for start in timed), *not_known]),
        "passes_local": ", ".join([*(f"{at:%Y-%m-%d %H:%M}" for at in there), *not_known]),
    }


def check_has_times(region: Region) -> None:
    """Raises UsageError when the passes of a region have a day but no time, so no local day."""
    if region.source == "seed_layout":
        raise UsageError(
            f"The passes of {region.region_id} have a UTC day but no time: leave --local out."
        )


def utc_span(region: Region, first: date, last: date, now_utc: datetime) -> tuple[date, date]:
    """First and last UTC day that these local days touch, as far as they have begun.

    Args:
        region: whose local days they are.
        first: first local day.
        last: last local day.
        now_utc: clock of the region's source.

    Raises:
        UsageError: a day that has not begun there yet; passes without a time; end before start.
    """
    check_has_times(region)
    zone, clock = zone_of(region), now_utc - JUST_BEFORE
    if last > local_day(clock, zone):
        raise UsageError(
            f"{last} has not begun in {region.region_id} ({zone}): its source's clock stands at "
            f"{both_times(now_utc, zone)}, end with {local_day(clock, zone)} or before."
        )
    begun = settings().first_day, clock.date()
    days = [day for day in utc_days_of(first, last, zone) if begun[0] <= day <= begun[1]]
    if not days:
        raise UsageError(f"{first}..{last} lies before {begun[0]}: set SM_FIRST_DAY earlier.")
    return days[0], days[-1]
