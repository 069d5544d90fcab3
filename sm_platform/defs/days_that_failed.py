"""Days that failed, told for a person: of which assets, why, and what to do next."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from sm_platform.defs.reasons_told import Cause, causes_of
from sm_platform.lake.failures import FailedDay, failures_of
from sm_platform.lake.layout import Layout


@dataclass(frozen=True, slots=True)
class Problem:
    """A day that failed for one reason, of all assets that failed of it."""

    region_id: str
    day: date
    assets: tuple[str, ...]
    reason: str
    is_passing: bool
    """Whether it may pass by itself for one of the assets."""

    @property
    def next_step(self) -> str:
        """What to do, with a command that can be pasted."""
        return _next_step(self.region_id, (self.day,), is_passing=self.is_passing)


@dataclass(frozen=True, slots=True)
class CommonProblem:
    """Days of a region on which the same assets failed of one cause."""

    region_id: str
    assets: tuple[str, ...]
    cause: Cause
    is_passing: bool

    @property
    def next_step(self) -> str:
        """What to do; days between them that are finished are left alone by the command."""
        return _next_step(self.region_id, self.cause.days, is_passing=self.is_passing)


def problems_of(layout: Layout, region: str, first: date) -> list[Problem]:
    """What failed in a region from a day on, newest day first."""
    by_reason: dict[tuple[date, str], list[FailedDay]] = defaultdict(list)
    for one in failures_of(layout, region):
        if one.day >= first:
            by_reason[one.day, one.reason].append(one)
    found = [
        Problem(region, day, _assets(failed), reason, any(one.is_passing for one in failed))
        for (day, reason), failed in by_reason.items()
    ]
    return sorted(found, key=lambda one: (one.day, one.assets), reverse=True)


def common_problems(problems: Iterable[Problem]) -> list[CommonProblem]:
    """Problems of one cause together, those with the newest days first."""
    alike = defaultdict[tuple[str, tuple[str, ...], bool], list[tuple[date, str]]](list)
    for one in problems:
        alike[one.region_id, one.assets, one.is_passing].append((one.day, one.reason))
    found = [
        CommonProblem(region, assets, cause, is_passing)
        for (region, assets, is_passing), reasons in alike.items()
        for cause in causes_of(reasons)
    ]
    return sorted(found, key=lambda one: (one.cause.days[-1], one.assets), reverse=True)


def _assets(failed: Sequence[FailedDay]) -> tuple[str, ...]:
    return tuple(one.asset for one in failed)


def _next_step(region: str, days: Sequence[date], *, is_passing: bool) -> str:
    again = f"`sm-platform run --region {region} --start {days[0]} --end {days[-1]}`"
    if is_passing:
        return f"tried again by itself while `up` runs; at once: {again}"
    return f"put right what the reason names, then {again}"
