"""What went wrong in a run, as its events and the lake tell it, without stacks."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import dagster as dg

from sm_platform.defs.alerting.alert import one_line
from sm_platform.defs.checking.failed import NAME as OF_FAILED_DAYS
from sm_platform.defs.days import request_of
from sm_platform.defs.launch_tags import scope_of
from sm_platform.defs.run_settings import REFUSED
from sm_platform.defs.step_failures import is_verdict, named_days, why
from sm_platform.grid.calendar import days_between
from sm_platform.lake.failures import FailedDay, failure_of
from sm_platform.lake.layout import Layout

TOLD = {
    dg.DagsterEventType.STEP_FAILURE,
    dg.DagsterEventType.RUN_FAILURE,
    dg.DagsterEventType.ASSET_CHECK_EVALUATION,
}


@dataclass(frozen=True, slots=True)
class RunFaults:
    """Faults of one run."""

    days: Mapping[str, frozenset[date]]
    """Reason to the days (UTC) that failed of it, whatever the asset."""
    reasons: tuple[str, ...]
    """Of steps that failed as a whole, not on named days."""
    verdicts: tuple[dg.AssetCheckEvaluation, ...]
    """Checks that said no; those that only warn are left out."""
    assets: tuple[str, ...]
    """What the run was to make."""
    is_passing: bool
    """Whether there are failed days and all failed of what may pass (network, quota)."""
    is_of_settings: bool
    """Whether a step refused its settings, so that the same ones fail again."""
    end: str
    """What the run's own end says; empty when it ended well."""


def faults_of(instance: dg.DagsterInstance, layout: Layout, run: dg.DagsterRun) -> RunFaults:
    """The faults of a run that is over."""
    entries = instance.all_logs(run.run_id, of_type=TOLD)
    events = [entry.dagster_event for entry in entries if entry.dagster_event]
    assets = asset_names(instance, run)
    failed = _failed_days(layout, run, assets)
    days = defaultdict[str, set[date]](set)
    for one in failed:
        days[one_line(one.reason)].add(one.day)
    failures = [event for event in events if event.is_step_failure]
    for event in failures:
        for day, reason in named_days(event).items():
            days[one_line(reason)].add(day)
    whole = [one_line(why(one)) for one in failures if not (named_days(one) or is_verdict(one))]
    return RunFaults(
        days={reason: frozenset(those) for reason, those in days.items()},
        reasons=tuple(dict.fromkeys(reason for reason in whole if reason)),
        verdicts=tuple(_verdicts(events)),
        assets=tuple(assets),
        is_passing=bool(failed) and all(one.is_passing for one in failed),
        is_of_settings=any(one.startswith(REFUSED) for one in whole),
        end=one_line(" ".join(event.message or "" for event in events if event.is_run_failure)),
    )


def asset_names(instance: dg.DagsterInstance, run: dg.DagsterRun) -> list[str]:
    """The assets that a run was to make, in order; [] of a job without assets."""
    keys = set(run.asset_selection or ())
    if not keys:  # the whole of a job: what it planned tells
        entries = instance.all_logs(run.run_id, dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED)
        planned = (entry.dagster_event for entry in entries)
        keys = {one.asset_key for one in planned if one is not None and one.asset_key}
    return sorted(key.to_user_string() for key in keys)


def _failed_days(layout: Layout, run: dg.DagsterRun, assets: Sequence[str]) -> list[FailedDay]:
    """Days of the run on which an asset failed, as far as they have not succeeded since."""
    scope = scope_of(run.tags)
    if scope.region is None or scope.first is None or scope.last is None:
        return []
    found = (
        failure_of(layout, scope.region, [asset], day)
        for day in days_between(scope.first, scope.last)
        for asset in assets
    )
    return [one for one in found if one is not None and one.request == request_of(run)]


def _verdicts(events: list[dg.DagsterEvent]) -> Iterator[dg.AssetCheckEvaluation]:
    for event in events:
        if event.event_type is dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            found = event.asset_check_evaluation_data
            is_error = found.severity is dg.AssetCheckSeverity.ERROR
            if not found.passed and is_error and found.check_name != OF_FAILED_DAYS:  # told anyway
                yield found
