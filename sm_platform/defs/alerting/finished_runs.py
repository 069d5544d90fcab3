"""Alerts of a run that is over: it failed, days of it failed, checks of it said no."""

import time
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime

import dagster as dg

from sm_platform.defs.alerting.alert import Alert, AlertKind, days_text, one_line, shortened
from sm_platform.defs.alerting.alert_log import NotedAlert
from sm_platform.defs.alerting.run_faults import RunFaults, faults_of
from sm_platform.defs.days import BACKFILL, request_of
from sm_platform.defs.instance import HOST_TAG
from sm_platform.defs.launch_tags import Scope, scope_of
from sm_platform.defs.reasons_told import causes_of
from sm_platform.defs.watching.requests import ATTEMPT_TAG, WAITS, WILL_RETRY
from sm_platform.lake.failures import FailedDay
from sm_platform.lake.layout import Layout

SETTLING_TRIES, SETTLING_S = 5, 0.2
MOST_NAMES = 4
WORKER_ENDED = (
    "Its process ended before it was done, most often for want of memory or as the machine was "
    "restarted ({})."
)
OF_FAILED_DAYS = (AlertKind.RUN_FAILED, AlertKind.DAYS_FAILED)
FAILURE = dg.DagsterRunStatus.FAILURE


def settled_run(instance: dg.DagsterInstance, run_id: str) -> dg.DagsterRun | None:
    """A run that has just failed, with Dagster's word on whether it is tried again.

    The failure is there to be seen a moment before that word is.
    """
    for _ in range(SETTLING_TRIES):
        run = instance.get_run_by_id(run_id)
        if run is None or not instance.run_retries_enabled or WILL_RETRY in run.tags:
            return run
        time.sleep(SETTLING_S)
    return run


def alerts_of_run(
    instance: dg.DagsterInstance, layout: Layout, run: dg.DagsterRun, now_utc: datetime
) -> list[Alert]:
    """What a person must know of a run; [] also where it is tried again by itself.

    Args:
        instance: that holds its events.
        layout: the lake, which holds its failed days.
        run: that is over.
        now_utc: of the wall clock.
    """
    if HOST_TAG in run.tags or run.tags.get(WILL_RETRY) == "true":
        return []  # a command told its person itself; the next try will tell
    faults = faults_of(instance, layout, run)
    if faults.is_passing and _is_asked_for_again(run):
        return []
    day = now_utc.astimezone(UTC).date()
    told = _told(run, faults, day)
    return [*([told] if told else []), *_verdicts(run, faults, day)]


def _is_asked_for_again(run: dg.DagsterRun) -> bool:
    """Whether it is a request of the sensors that has attempts left within the next hours."""
    attempt = run.tags.get(ATTEMPT_TAG, "")
    return attempt.isdecimal() and int(attempt) < len(WAITS)


def _told(run: dg.DagsterRun, faults: RunFaults, day: date) -> Alert | None:
    """The one alert of what failed in a run, checks aside."""
    is_failed = run.status is FAILURE
    found = [*_day_lines(faults), *faults.reasons]
    if not found and (not is_failed or faults.verdicts):
        return None
    scope = scope_of(run.tags)
    lines = shortened(found) or [WORKER_ENDED.format(faults.end or "no word of it")]
    failed = sorted({one for days in faults.days.values() for one in days})
    what = f"{len(failed)} days failed" if len(failed) > 1 else "a day failed"
    made = _made(run, faults)
    place = _place(scope, made)
    head = f"Run {run.run_id[:8]} ({made})" + (":" if place == made else f" of {place}:")
    return Alert(
        AlertKind.RUN_FAILED if is_failed else AlertKind.DAYS_FAILED,
        scope.region,
        f"{place}: {what if failed else 'a run failed'}",
        "\n".join([head, *lines, _next(run, faults, failed)]),
        f"{'run' if is_failed else 'days'}_failed/{_subject(run, scope, made)}",
        day,
    )


def _day_lines(faults: RunFaults) -> list[str]:
    """A line for each cause, with its days."""
    reasons = ((day, reason) for reason, days in faults.days.items() for day in days)
    return [cause.told for cause in causes_of(reasons)]


def _next(run: dg.DagsterRun, faults: RunFaults, failed: Sequence[date]) -> str:
    """What to do, with a command that can be pasted."""
    if faults.is_passing and ATTEMPT_TAG in run.tags:
        return (
            "Next: look whether the provider announces an outage; the days are tried again once "
            "a day by themselves."
        )
    if faults.is_of_settings:
        return (
            "Next: launch it again in the UI with that setting changed (of an asset: Open "
            "launchpad, beside Materialize); Re-execute would take the same settings."
        )
    region = scope_of(run.tags).region
    again = f"open run {run.run_id[:8]} in the UI and choose Re-execute"
    if region and failed:
        again += (
            f", or `sm-platform run --region {region} --start {failed[0]} --end {failed[-1]}`; "
            'all failed days: `sm-platform sql "from failed_days"`'
        )
    return f"Next: put right what is named above, then {again}."


def _verdicts(run: dg.DagsterRun, faults: RunFaults, day: date) -> Iterator[Alert]:
    """An alert for each check that said no."""
    scope = scope_of(run.tags)
    for one in faults.verdicts:
        asset = one.asset_key.to_user_string()
        place = _place(scope, _made(run, faults))
        effect = "what is made from it was not made" if one.blocking else "nothing was stopped"
        said = one_line(one.description or f"see {one.check_name} in the UI")
        yield Alert(
            AlertKind.CHECK_FAILED,
            scope.region,
            f"{place}: check {one.check_name} of {asset} failed",
            f"Check {one.check_name} of {asset} in run {run.run_id[:8]} of {place} failed; "
            f"{effect}.\n{said}\n"
            f"Next: look at the check's figures in the UI (asset {asset}, Checks) before using "
            "these data; its further failures in the region are not told one by one today.",
            f"check_failed/{scope.region or '-'}/{asset}/{one.check_name}",
            day,
        )


def _place(scope: Scope, made: str) -> str:
    """Region and days of a run, or what it makes."""
    name = scope.region or ("several regions" if scope.first else made)
    return f"{name}, {days_text(scope.first, scope.last)}" if scope.first and scope.last else name


def _made(run: dg.DagsterRun, faults: RunFaults) -> str:
    """The assets of a run, the first ones where they are many; its job when it makes none."""
    names = list(faults.assets) or [run.job_name]
    return ", ".join([*names[:MOST_NAMES], *(["..."] if len(names) > MOST_NAMES else [])])


def tells_of(alert: NotedAlert, failed: FailedDay) -> bool:
    """Whether an alert of a run tells of a failed day: by its days, or by its backfill."""
    if alert.region_id != failed.region_id or alert.alert_kind not in OF_FAILED_DAYS:
        return False
    subject = "".join(alert.alert_key.split("/")[2:3])  # as `_subject` begins, after the region
    first, _, last = subject.partition("..")
    is_between = bool(last) and first <= failed.day.isoformat() <= last
    return is_between or (bool(failed.request) and subject == failed.request)


def _subject(run: dg.DagsterRun, scope: Scope, made: str) -> str:
    """What runs share that are told once a day: a backfill of a region, or the same work again."""
    region = scope.region or "-"
    if BACKFILL in run.tags:
        return f"{region}/{request_of(run)}"
    days = f"{scope.first}..{scope.last}" if scope.first else "-"
    return f"{region}/{days}/{made}"
