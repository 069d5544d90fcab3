"""What the records of an instance tell about the processes that serve it, for `doctor`."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
from dagster._core.scheduler.instigation import InstigatorState, InstigatorStatus, TickStatus

from sm_platform.defs.home import MADE, keeps_sqlite
from sm_platform.defs.instance import home_explained
from sm_platform.defs.resources import point_dagster_at, run_limits, said
from sm_platform.defs.serving import pools
from sm_platform.defs.serving.up_lock import is_held
from sm_platform.defs.variables import POSTGRES
from sm_platform.errors import LakeError

SILENT_SECONDS = 120.0
"""A daemon that runs tells so every 30 s."""
LONGEST_REASON = 200

Finding = tuple[bool, str]
"""Whether it is in order, and what is to be said."""


def serving_findings(home: Path) -> Iterator[Finding]:
    """Database, daemon, sensors and schedules, limits; nothing is made that is not there."""
    if not (home / MADE).exists():
        yield True, f"no Dagster records in {home} yet: `make up` or a run makes them"
        return
    point_dagster_at(home)
    try:
        with home_explained(), dg.DagsterInstance.from_config(str(home)) as instance:
            yield True, _where(home)
            yield from _daemon(instance, is_held(home))
            yield from _instigators(instance)
            yield _limits(instance)
    except LakeError as error:
        yield False, str(error)


def _where(home: Path) -> str:
    if keeps_sqlite(home):
        return f"Dagster's records: SQLite in {home}"
    return f"Dagster's records: PostgreSQL, {POSTGRES} {said(POSTGRES)}, reachable"


def _daemon(instance: dg.DagsterInstance, is_up: bool | None) -> Iterator[Finding]:  # noqa: FBT001
    beats = instance.get_daemon_heartbeats()
    last = max((beat.timestamp for beat in beats.values()), default=None)
    if last is None:
        yield True, "daemon: has never run; `make up` starts it"
    elif is_up is False or time.time() - last > SILENT_SECONDS:
        yield True, f"daemon: not running since {_told(last)}; `make up` starts it"
        return
    else:
        yield True, f"daemon: running, heard of at {_told(last)}"
    for name, beat in sorted(beats.items()):
        for error in (beat.errors or [])[:1]:
            yield False, f"daemon: {name} met an error: {_in_short(error.message)}"


def _instigators(instance: dg.DagsterInstance) -> Iterator[Finding]:
    """A line for each sensor and schedule that has ever been on."""
    states = sorted(instance.all_instigator_state(), key=lambda state: state.instigator_name)
    for state in states:
        is_on = state.status != InstigatorStatus.STOPPED
        is_good, told = _last_tick(instance, state)
        kind = state.instigator_type.value.lower().replace("_", " ")
        yield is_good or not is_on, f"{kind} {state.name}: {'on' if is_on else 'off'}, {told}"
    if not states:
        yield True, "sensors and schedules: none has been on yet"


def _last_tick(instance: dg.DagsterInstance, state: InstigatorState) -> Finding:
    ticks = instance.get_ticks(state.instigator_origin_id, state.selector_id, limit=1)
    if not ticks:
        return True, "no tick yet"
    tick = ticks[0]
    reason = tick.error.message if tick.error else tick.skip_reason
    told = f"last tick {_told(tick.timestamp)} {tick.status.value.lower()}"
    is_good = tick.status != TickStatus.FAILURE
    return is_good, f"{told}{f' ({_in_short(reason)})' if reason else ''}"


def _limits(instance: dg.DagsterInstance) -> Finding:
    found = pools.limits_of(instance)
    told = ", ".join(f"{name} {slots}" for name, slots in sorted(found.items()))
    pending = "" if found == pools.wanted_limits() else "; the settings count from its next start"
    return (
        True,
        f"limits: {run_limits().runs} runs; steps by pool as the last daemon set them: "
        + (f"{told or 'none yet'}{pending}"),
    )


def _told(timestamp: float) -> str:
    return datetime.fromtimestamp(timestamp, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _in_short(text: str) -> str:
    return " ".join(text.split())[:LONGEST_REASON]
