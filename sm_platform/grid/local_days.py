"""Days as people at a place count them: a morning in Vietnam lies on the UTC day before.

Everything that is stored or partitioned goes by UTC days; local days are for asking and showing.
"""

import difflib
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

from sm_platform.errors import UsageError
from sm_platform.grid.calendar import ONE_DAY, days_between, utc

LAST_INSTANT = timedelta(microseconds=1)
"""What a span that ends at a moment, itself not included, ends with."""


def check_time_zone(name: str) -> str:
    """The name itself; raises UsageError, with what is spelt like it, unless it is an IANA name."""
    known = available_timezones()
    if name in known:
        return name
    by_lower_case = {one.lower(): one for one in known}
    alike = difflib.get_close_matches(name.lower(), by_lower_case, n=3)
    hint = ", ".join(by_lower_case[one] for one in alike) or "Asia/Ho_Chi_Minh or UTC"
    raise UsageError(f"'{name}' is no time zone: write its IANA name, for example {hint}.")


def zone_named(time_zone: str | None) -> ZoneInfo:
    """The rules of a zone, UTC without a name; raises UsageError when this machine has none."""
    try:
        return ZoneInfo(time_zone or "UTC")
    except (OSError, ValueError, KeyError) as error:  # ZoneInfoNotFoundError is a KeyError
        raise UsageError(
            f"The time zone '{time_zone}' is not known on this machine: "
            "bring its rules up to date (pip install --upgrade tzdata)."
        ) from error


def local_time(moment: datetime, time_zone: str | None) -> datetime:
    """The moment as the clocks of a zone show it; a naive one is taken as UTC."""
    return utc(moment).astimezone(zone_named(time_zone))


def local_day(moment: datetime, time_zone: str | None) -> date:
    """The day of a moment in a zone."""
    return local_time(moment, time_zone).date()


def utc_days_of(first: date, last: date, time_zone: str | None) -> list[date]:
    """The UTC days that the local days from first to last, both included, touch, in order.

    A local day begins when the clocks first show its midnight, or pass over it where summer time
    begins at midnight.

    Raises:
        UsageError: the last day lies before the first, or the zone had no such day (Samoa left out
            30 December 2011).
    """
    days_between(first, last)
    try:
        begin, end = _midnight(first, time_zone), _midnight(last + ONE_DAY, time_zone)
    except OverflowError as error:
        raise UsageError(f"{first}..{last} lies beyond the calendar: name other days.") from error
    if end <= begin:
        raise UsageError(f"There was no {first} in {time_zone}: name another day.")
    return days_between(begin.date(), (end - LAST_INSTANT).date())


def _midnight(day: date, time_zone: str | None) -> datetime:
    """The moment (UTC) at which a local day begins."""
    return datetime.combine(day, time(), zone_named(time_zone)).astimezone(UTC)


def both_times(moment: datetime, time_zone: str | None) -> str:
    """A moment for people: `2026-03-20 22:45 UTC (21 March 05:45 local)`."""
    there = local_time(moment, time_zone)
    return f"{utc(moment):%Y-%m-%d %H:%M} UTC ({_said(there, utc(moment))} local)"


def _said(there: datetime, seen: datetime) -> str:
    """Day and time at a place; the year only where it is another one than that of UTC."""
    year = "" if there.year == seen.year else f" {there.year}"
    return f"{there.day} {there:%B}{year} {there:%H:%M}"
