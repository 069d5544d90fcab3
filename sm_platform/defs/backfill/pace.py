"""How long the partitions of a backfill take here, from the runs that were made before."""

from collections.abc import Mapping
from datetime import date

import dagster as dg

from sm_platform.defs.backfill.planning import Plan
from sm_platform.defs.launch_tags import RANGE_END, RANGE_START
from sm_platform.defs.map_chain import CHAIN

RUNS_SEEN = 100
START_S = 8.0
"""From asking for a run to its first step: its process loads Python and the platform."""
TICKS_S = 90.0
"""Dagster looks every 30 s what may come next: passes and drivers, then maps, then figures."""


def estimate_s(instance: dg.DagsterInstance, plan: Plan) -> float | None:
    """Seconds that a plan will take, about; None when nothing like it was ever run here."""
    seconds, keys = 0.0, 0
    done = dg.RunsFilter(statuses=[dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE])
    for record in instance.get_run_records(done, limit=RUNS_SEEN):
        selected = record.dagster_run.asset_selection or ()
        n_assets = sum(key.to_user_string() in CHAIN for key in selected)
        n_days = _days_of(record.dagster_run.tags)
        if n_assets and n_days and record.start_time and record.end_time:
            seconds += record.end_time - record.start_time
            keys += n_assets * n_days
    if not keys:
        return None
    at_once = instance.get_concurrency_config().run_queue_config
    n_at_once = at_once.max_concurrent_runs if at_once and at_once.max_concurrent_runs > 0 else 1
    work = plan.n_keys * seconds / keys + plan.n_runs * START_S
    return work / min(n_at_once, max(1, plan.n_runs)) + TICKS_S


def _days_of(tags: Mapping[str, str]) -> int:
    """Days of a run over a range of one region, 0 of another run."""
    if RANGE_START not in tags or "|" not in tags[RANGE_START]:
        return 0
    ends = [date.fromisoformat(tags[one].split("|")[0]) for one in (RANGE_START, RANGE_END)]
    return (ends[1] - ends[0]).days + 1
