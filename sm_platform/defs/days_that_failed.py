"""Days that failed, told for a person: of which assets, why, and what to do next."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sm_platform.lake.failures import FailedDay, failures_of
from sm_platform.lake.layout import Layout


@dataclass(frozen=True, slots=True)
class Problem:
    """A day that failed for one reason, of all assets that failed of it."""

    day: date
    assets: tuple[str, ...]
    reason: str
    next_step: str


def problems_of(layout: Layout, region: str, first: date) -> list[Problem]:
    """What failed in a region from a day on, newest day first."""
    by_reason: dict[tuple[date, str], list[FailedDay]] = defaultdict(list)
    for one in failures_of(layout, region):
        if one.day >= first:
            by_reason[one.day, one.reason].append(one)
    found = [
        Problem(day, tuple(one.asset for one in failed), reason, _next_step(region, day, failed))
        for (day, reason), failed in by_reason.items()
    ]
    return sorted(found, key=lambda one: (one.day, one.assets), reverse=True)


def _next_step(region: str, day: date, failed: Sequence[FailedDay]) -> str:
    again = f"`sm-platform run --region {region} --start {day} --end {day}`"
    if any(one.is_passing for one in failed):
        return f"tried again by itself while `up` runs; at once: {again}"
    return f"put right what the reason names, then {again}"
