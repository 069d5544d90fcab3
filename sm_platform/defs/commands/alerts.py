"""`sm-platform alerts`: list what was told, send a test."""

from collections.abc import Collection, Iterator
from datetime import UTC, datetime, timedelta

from sm_platform.defs.alerting.alert import moment_text
from sm_platform.defs.alerting.alert_log import NotedAlert, all_alerts
from sm_platform.defs.alerting.delivery import channels_of, send
from sm_platform.defs.alerting.tried_again import days_tried_again
from sm_platform.defs.lake_access import find_region, stored_region
from sm_platform.defs.local_time import zone_of
from sm_platform.defs.resources import alert_settings, secret_values, settings
from sm_platform.defs.talk import Say, counted
from sm_platform.errors import LakeError, UsageError
from sm_platform.grid.local_days import both_times
from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.schema.driver_tables import REGIONS
from sm_platform.sources.masking import masked

NO_CHANNEL = "the settings of this terminal name no channel"
TEST_SUBJECT = "a test"
TEST_TEXT = "This is a test: alerts of the soil moisture platform arrive here. Nothing has failed."


def alerts_command(region: str | None, days: int, say: Say) -> None:
    """Print the alerts of the last days, a block each; raises UsageError for an unknown region."""
    layout = Layout(settings().data_lake)
    if region is not None:
        find_region(layout, region)
    now = datetime.now(UTC)
    alerts = all_alerts(layout)
    found = [one for one in alerts if one.raised_utc >= now - timedelta(days)]
    chosen = [one for one in found if region in (None, one.region_id)]
    for one in chosen:
        print("\n".join(_lines(layout, one)))
    span = "day" if days == 1 else f"{days} days"
    say(f"{counted(len(chosen), 'alert')} of the last {span}; {_where()}")
    regions = [region] if region else store.regions_made(layout, REGIONS)
    for line in _tried_again(layout, regions, alerts, now):
        say(line)


def test_command() -> int:
    """Send a test to each channel and print what became of it; 1 when one does not take it.

    Raises:
        UsageError: no channel is configured, or one wrongly.
    """
    channels = channels_of(alert_settings())
    if not channels:
        raise UsageError(
            f"{NO_CHANNEL.capitalize()}: set SM_ALERT_WEBHOOK, or SM_ALERT_EMAIL with SM_SMTP_URL, "
            "as where `sm-platform up` is started."
        )
    outcomes = [send(channel, TEST_SUBJECT, TEST_TEXT) for channel in channels]
    for one in outcomes:
        print(masked(one.told, secret_values()))
    return 1 if any(one.problem for one in outcomes) else 0


def _where() -> str:
    """How alerts are sent, by the settings here: those of a running `up` may be others."""
    channels = alert_settings().channels
    if channels:
        return f"by the settings of this terminal they are sent by {' and '.join(channels)}."
    return (
        f"{NO_CHANNEL}. What `sm-platform up` was started with counts for sending: what went out "
        "is marked posted or mailed."
    )


def _tried_again(
    layout: Layout, regions: Collection[str], alerts: Collection[NotedAlert], now: datetime
) -> Iterator[str]:
    """A line about failed days that no alert of today tells of, as they may still pass."""
    today = [one for one in alerts if one.alert_day == now.date()]
    try:
        n_days = days_tried_again(layout, regions, today, now)
    except LakeError as error:
        yield f"Whether failed days are tried again is not known: {error}"
        return
    if n_days:
        verb, who = ("is", "itself") if n_days == 1 else ("are", "themselves")
        yield (
            f"{counted(n_days, 'failed day')} {verb} being tried again by {who} while "
            "`sm-platform up` runs; no alert tells of it so far: sm-platform status"
        )


def _lines(layout: Layout, alert: NotedAlert) -> Iterator[str]:
    """Head and text of an alert, the time in UTC and as the region's clocks show it."""
    region = stored_region(layout, alert.region_id) if alert.region_id else None
    when = (
        both_times(alert.raised_utc, zone_of(region)) if region else moment_text(alert.raised_utc)
    )
    sent = {"posted": alert.posted_utc, "mailed": alert.mailed_utc}
    told = ", ".join(f"{how} {moment_text(at)}" for how, at in sent.items() if at) or "not sent"
    yield f"{when}  {alert.alert_kind}  {alert.subject}  ({told})"
    yield from (f"    {line}" for line in alert.alert_text.splitlines())
