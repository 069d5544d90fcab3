"""Calendars: UTC days, the MODIS 8-day composites, and steps of 8 whole days before a pass."""

from datetime import UTC, date, datetime, timedelta

from sm_platform.errors import UsageError

ONE_DAY = timedelta(days=1)
STEP = timedelta(days=8)
N_STEPS = 46
"""Length of each look-back series of the network (46 x 8 days = 368 days)."""


def parse_day(text: str) -> date:
    """A UTC day from `YYYY-MM-DD`; raises UsageError naming the text."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or day.isoformat() != text:  # Python reads 20250103 and 2025-W01-5 too
        raise UsageError(f"'{text}' is not a day: write it as YYYY-MM-DD.")
    return day


def days_between(start: date, end: date) -> list[date]:
    """All days from start to end, both included; raises UsageError when end is before start."""
    if end < start:
        raise UsageError(f"The end {end} lies before the start {start}: swap them.")
    return [start + timedelta(days=n) for n in range((end - start).days + 1)]


def utc(moment: datetime) -> datetime:
    """The moment with an explicit UTC zone; a naive one is taken as UTC."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def day_of_year(day: date) -> int:
    """1 on 1 January."""
    return day.timetuple().tm_yday


def composite_start(day: date) -> date:
    """First day of the 8-day calendar step that holds the day (steps restart each 1 January).

    Terra composites begin on days 1, 17, ..., Aqua ones on 9, 25, ...; together every 8 days
    (MOD13 user guide, collection 6.1).
    """
    return day - timedelta(days=(day_of_year(day) - 1) % 8)


def is_composite(day: date) -> bool:
    """Whether an 8-day step of the MODIS calendar begins on this day."""
    return (day_of_year(day) - 1) % 8 == 0


def composites_ending(last: date, count: int = N_STEPS) -> list[date]:
    """The `count` composite dates up to and including `last` (itself one), oldest first."""
    if not is_composite(last):
        raise UsageError(
            f"{last} is not a MODIS composite date: the nearest is {composite_start(last)}."
        )
    found = [last]
    while len(found) < count:
        found.append(composite_start(found[-1] - ONE_DAY))
    return found[::-1]


def steps_before(day: date, count: int = N_STEPS) -> list[tuple[date, date]]:
    """`count` steps of 8 whole UTC days, oldest first; the last one ends the day before `day`.

    Each step is (first day, last day), both included.
    """
    ends = [day - ONE_DAY - STEP * n for n in range(count)][::-1]
    return [(end - STEP + ONE_DAY, end) for end in ends]
