"""What Dagster is doing: whether its daemon runs, and which runs wait or work."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import dagster as dg

from sm_platform.defs.home import CONFIG
from sm_platform.defs.instance import home_explained, open_instance
from sm_platform.defs.launch_tags import scope_of
from sm_platform.defs.resources import settings
from sm_platform.defs.serving.up_lock import is_held
from sm_platform.errors import LakeError

ALIVE_FOR = timedelta(minutes=2)
"""A daemon is heard every 30 s; silent for so long it is taken to have ended."""
QUEUED = (dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.NOT_STARTED)
WORKING = (
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
)
MOST_RUNS = 500


@dataclass(frozen=True, slots=True)
class OpenRun:
    """A run that waits or works."""

    run_id: str
    is_working: bool
    what: str
    """Region and days; empty where its tags do not tell."""


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """The Dagster instance of this platform."""

    heard_utc: datetime | None
    """When its daemon was last heard; None: never."""
    runs: Sequence[OpenRun] = ()
    problem: str | None = None
    """Why nothing can be told."""
    is_up: bool | None = None
    """Whether `up` serves it; None where it never did."""

    def is_alive(self, now_utc: datetime) -> bool:
        """Whether a daemon runs."""
        is_heard = self.heard_utc is not None and now_utc - self.heard_utc < ALIVE_FOR
        return is_heard and self.is_up is not False


def engine_status() -> EngineStatus:
    """The state of the instance; one that was never made or cannot be read is told, not raised."""
    if not (settings().dagster_home / CONFIG).is_file():
        return EngineStatus(None)
    try:
        with home_explained(), open_instance() as instance:
            is_up = is_held(settings().dagster_home)
            return EngineStatus(_heard(instance), _open_runs(instance), is_up=is_up)
    except LakeError as error:
        return EngineStatus(None, problem=str(error))


def _heard(instance: dg.DagsterInstance) -> datetime | None:
    beats = instance.get_daemon_heartbeats().values()
    return max((datetime.fromtimestamp(one.timestamp, UTC) for one in beats), default=None)


def _open_runs(instance: dg.DagsterInstance) -> list[OpenRun]:
    """Those that work first, then those that wait, the oldest first."""
    wanted = dg.RunsFilter(statuses=[*QUEUED, *WORKING])
    runs = instance.get_runs(wanted, limit=MOST_RUNS, ascending=True)
    found = [OpenRun(one.run_id, one.status in WORKING, _what(one)) for one in runs]
    return sorted(found, key=lambda one: not one.is_working)


def _what(run: dg.DagsterRun) -> str:
    scope = scope_of(run.tags)
    days = "" if scope.first is None else f" {scope.first}..{scope.last}"
    return f"{scope.region or ''}{days}".strip()
