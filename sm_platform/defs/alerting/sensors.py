"""The sensors that raise alerts of runs and of stale assets, and send what was raised.

Raising notes in the lake and touches no network; one sensor sends, so that a channel that is down
costs its own tick a while and nothing else.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

import dagster as dg

from sm_platform.defs.alerting.alert import Alert, lake_down
from sm_platform.defs.alerting.alert_log import clean, raise_alerts
from sm_platform.defs.alerting.delivery import Outcome, channels_of, deliver
from sm_platform.defs.alerting.finished_runs import alerts_of_run, settled_run
from sm_platform.defs.alerting.staleness import policies_of, stale_assets
from sm_platform.defs.alerting.without_lake import tell_without_lake
from sm_platform.defs.resources import LakeResource, alert_settings, secret_values, watch_settings
from sm_platform.errors import LakeError
from sm_platform.lake.atomic import check_takes_writing
from sm_platform.lake.layout import Layout
from sm_platform.sources.masking import masked

FAILURE_SECONDS, SENDING_SECONDS = 30, 60
MOST_RUNS = 50
"""Looked at in one tick; of more the next tick sees to the rest."""


def _status() -> dg.DefaultSensorStatus:
    """As the platform is set; a wrong address is refused now, not when it is first needed."""
    alert_settings()
    is_on = watch_settings().is_on
    return dg.DefaultSensorStatus.RUNNING if is_on else dg.DefaultSensorStatus.STOPPED


@dg.run_failure_sensor(
    name="alert_failed_runs",
    description="Notes an alert of each failed run, with region, days and reason; not of one that "
    "is tried again by itself.",
    minimum_interval_seconds=FAILURE_SECONDS,
    default_status=_status(),
)
def alert_failed_runs(context: dg.RunFailureSensorContext, lake: LakeResource) -> None:
    """A failed run to its alerts."""
    run = settled_run(context.instance, context.dagster_run.run_id)
    if run is not None:
        now = datetime.now(UTC)
        found = alerts_of_run(context.instance, lake.layout, run, now)
        for line in raise_or_tell(context.instance, lake.layout, found, now):
            context.log.info(line)


@dg.sensor(
    name="send_alerts",
    description="Notes alerts of runs that ended well but for some days or checks, and of stale "
    "assets; sends what was noted by webhook and mail, as far as they are configured.",
    minimum_interval_seconds=SENDING_SECONDS,
    default_status=_status(),
)
def send_alerts(context: dg.SensorEvaluationContext, lake: LakeResource) -> dg.SkipReason:
    """One tick: look, note, send."""
    now, instance = datetime.now(UTC), context.instance
    runs, cursor = ended_runs(instance, context.cursor, now)
    found = [one for run in runs for one in alerts_of_run(instance, lake.layout, run, now)]
    if context.repository_def is not None:
        policies = policies_of(context.repository_def.asset_graph)
        found += stale_assets(instance, policies, now)
    found += lake_state(lake.layout, now)
    lines = raise_or_tell(instance, lake.layout, found, now)
    context.update_cursor(cursor)
    lines += told(deliver(lake.layout, channels_of(alert_settings()), now))
    for line in lines:
        context.log.info(line)
    return dg.SkipReason(" ".join(lines) or "Nothing to tell.")


def ended_runs(
    instance: dg.DagsterInstance, cursor: str | None, now_utc: datetime
) -> tuple[list[dg.DagsterRun], str]:
    """Runs that ended well since the cursor, and the next cursor; none at the first tick."""
    if not cursor:
        return [], now_utc.isoformat()
    since = datetime.fromisoformat(cursor)
    records = instance.get_run_records(
        dg.RunsFilter(statuses=[dg.DagsterRunStatus.SUCCESS], updated_after=since),
        limit=MOST_RUNS,
        order_by="update_timestamp",
        ascending=True,
    )
    last = max((one.update_timestamp for one in records), default=since)
    return [one.dagster_run for one in records], last.isoformat()


def lake_state(layout: Layout, now_utc: datetime) -> list[Alert]:
    """An alert where the lake takes no writing: the sensors then only skip, and no run fails."""
    try:
        check_takes_writing(layout.aside)
    except LakeError as error:
        return [lake_down(str(error), now_utc)]
    return []


def raise_or_tell(
    instance: dg.DagsterInstance, layout: Layout, alerts: Sequence[Alert], now_utc: datetime
) -> list[str]:
    """Note alerts, or send them at once when the lake cannot be written; a line for each."""
    secrets = secret_values()
    try:
        return [one.subject for one in raise_alerts(layout, alerts, secrets, now_utc)]
    except LakeError as error:
        channels = channels_of(alert_settings())
        cleaned = [clean(one, secrets) for one in alerts]
        return told(tell_without_lake(instance, cleaned, channels, error))


def told(outcomes: Sequence[Outcome]) -> list[str]:
    """What became of each channel's message, without secrets."""
    secrets = secret_values()
    return [masked(one.told, secrets) for one in outcomes]


ALERT_SENSORS = [alert_failed_runs, send_alerts]
