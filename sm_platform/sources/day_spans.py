"""Days as the spans that a catalogue is asked for."""

from collections.abc import Collection
from datetime import date, timedelta

LONGEST_GAP = timedelta(days=32)
"""Days further apart are asked for in requests of their own."""


def spans(days: Collection[date], longest_gap: timedelta = LONGEST_GAP) -> list[tuple[date, date]]:
    """First and last day of the spans that cover the days, in order.

    Args:
        days: in any order.
        longest_gap: from one day to the next within a span.
    """
    found: list[tuple[date, date]] = []
    for day in sorted(set(days)):
        if found and day - found[-1][1] <= longest_gap:
            found[-1] = (found[-1][0], day)
        else:
            found.append((day, day))
    return found
