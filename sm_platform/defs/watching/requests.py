"""What sensors and schedules ask for: runs of a region and days, with keys that never repeat work.

A run key is used once and for all by Dagster, after a failure as well. So it names what is asked
for (region, pass or days, hash of the granules) and the attempt; how many attempts there were is
told by the stored runs.
"""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

import dagster as dg

from sm_platform.defs.launch_tags import RANGE_END, RANGE_START
from sm_platform.defs.map_chain import FIGURES, PASS_TO_MAP
from sm_platform.defs.watching.scene_log import ListedPass

REGION_TAG = "sm_platform/region"
PASS_TAG = "sm_platform/pass"  # noqa: S105 - a radar pass
GRANULES_TAG = "sm_platform/granules"
ATTEMPT_TAG = "sm_platform/attempt"
WHY_TAG = "sm_platform/why"
MAP_JOB, PREPARE_JOB = "map_passes", "prepare_region"
"""Of what has a partition a region and day, and of what has one a region."""
WILL_RETRY = "dagster/will_retry"
"""Tag of a run that the daemon is going to launch once more."""
RETRY_WITHIN = timedelta(minutes=15)
"""A retry that was announced and did not come by then does not come."""
WAITS = (timedelta(minutes=1), timedelta(minutes=10), timedelta(hours=1))
"""Before the second, third and fourth attempt; later ones come once a day."""
DAILY = timedelta(days=1)
OVER = {dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED}


class Why(StrEnum):
    """What led to an automatic run."""

    NEW_SCENE = "new_scene"
    DRIVERS = "drivers"
    PREPARE = "prepare"
    REFRESH = "refresh"


@dataclass(frozen=True, slots=True)
class Ask:
    """What is asked for, before it is known whether it was asked for before."""

    region_id: str
    why: Why
    subject: str
    """What it is about within the region: a scene id, or the days."""
    granules_hash: str
    assets: tuple[str, ...]
    days: tuple[date, date] | None
    """First and last day; None for what has one partition a region."""

    @property
    def tags(self) -> dict[str, str]:
        """Tags that tell this request from others, whatever the attempt."""
        return {
            REGION_TAG: self.region_id,
            WHY_TAG: self.why.value,
            PASS_TAG: self.subject,
            GRANULES_TAG: self.granules_hash,
        }


@dataclass(frozen=True, slots=True)
class Attempts:
    """Earlier runs of the same request."""

    n_over: int
    is_running: bool
    last_end_utc: datetime | None

    def is_within(self, span: timedelta, now: datetime) -> bool:
        """Whether the last attempt is over and ended within a span of time."""
        is_over = bool(self.n_over) and not self.is_running and self.last_end_utc is not None
        return is_over and now - (self.last_end_utc or now) < span

    def may_try(self, now: datetime) -> bool:
        """Whether another attempt is due."""
        if self.is_running:
            return False
        if not self.n_over or self.last_end_utc is None:
            return True
        wait = WAITS[self.n_over - 1] if self.n_over <= len(WAITS) else DAILY
        return now - self.last_end_utc >= wait


def ask_for_pass(listed: ListedPass) -> Ask:
    """The map of a pass, with all that is needed of its day.

    Where a first frame came late over midnight, the day on which the others stood before as well.
    """
    last = max(one.pass_day for one in listed.frames)
    return Ask(
        listed.region_id,
        Why.NEW_SCENE,
        listed.scene_id,
        listed.granules_hash,
        (*PASS_TO_MAP, FIGURES),
        (listed.day, last),
    )


def attempts(instance: dg.DagsterInstance, ask: Ask) -> Attempts:
    """What became of earlier runs of a request; retries of a run count with it."""
    records = instance.get_run_records(dg.RunsFilter(tags=ask.tags))
    runs = [one.dagster_run for one in records]
    parents = {run.parent_run_id for run in runs}
    ended = [one.end_time or one.update_timestamp.timestamp() for one in records]
    last = datetime.fromtimestamp(max(ended), UTC) if ended else None
    is_recent = last is not None and datetime.now(UTC) - last < RETRY_WITHIN
    is_running = any(
        run.status not in OVER
        or (is_recent and run.tags.get(WILL_RETRY) == "true" and run.run_id not in parents)
        for run in runs
    )
    numbers = {run.tags.get(ATTEMPT_TAG, "") for run in runs}
    return Attempts(len(numbers), is_running, last)


def run_request(ask: Ask, attempt: int) -> dg.RunRequest:
    """The run of a request; `attempt` counts from 0."""
    key = "/".join([ask.region_id, ask.why, ask.subject, ask.granules_hash, str(attempt)])
    return dg.RunRequest(
        run_key=key,
        job_name=PREPARE_JOB if ask.days is None else MAP_JOB,
        tags={**ask.tags, ATTEMPT_TAG: str(attempt), **_range(ask)},
        asset_selection=[dg.AssetKey(name) for name in ask.assets],
        partition_key=_one_partition(ask),
    )


def _one_partition(ask: Ask) -> str | None:
    if ask.days is None:
        return ask.region_id
    first, last = ask.days
    if first != last:
        return None
    return dg.MultiPartitionKey({"day": first.isoformat(), "region": ask.region_id})


def _range(ask: Ask) -> Mapping[str, str]:
    if _one_partition(ask) is not None or ask.days is None:
        return {}
    first, last = (f"{day.isoformat()}|{ask.region_id}" for day in ask.days)
    return {RANGE_START: first, RANGE_END: last}


def spans(
    days: Sequence[date], longest: int, barred: Container[date] = ()
) -> list[tuple[date, date]]:
    """First and last day of few runs that hold these days.

    Each is of at most `longest` days and holds none that is barred.
    """
    found: list[tuple[date, date]] = []
    for day in sorted(set(days)):
        first, last = found[-1] if found else (day, day)
        between = (last + timedelta(n) for n in range(1, (day - last).days))
        is_near = found and (day - first).days < longest
        if is_near and not any(one in barred for one in between):
            found[-1] = first, day
        else:
            found.append((day, day))
    return found
