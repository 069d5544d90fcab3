"""`sm-platform alerts`: list what was told, send a test."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from sm_platform.defs.alerting.alert import moment_text
from sm_platform.defs.alerting.alert_log import NotedAlert, all_alerts
from sm_platform.defs.alerting.delivery import channels_of, send
from sm_platform.defs.alerting.masking import masked
from sm_platform.defs.lake_access import find_region, stored_region
from sm_platform.defs.local_time import zone_of
from sm_platform.defs.resources import alert_settings, secret_values, settings
from sm_platform.defs.talk import Say
from sm_platform.errors import UsageError
from sm_platform.grid.local_days import both_times
from sm_platform.lake.layout import Layout

TEST_SUBJECT = "a test"
TEST_TEXT = "This is a test: alerts of the soil moisture platform arrive here. Nothing has failed."


def alerts_command(region: str | None, days: int, say: Say) -> None:
    """Print the alerts of the last days, a block each; raises UsageError for an unknown region."""
    layout = Layout(settings().data_lake)
    if region is not None:
        find_region(layout, region)
    since = datetime.now(UTC) - timedelta(days)
    found = [one for one in all_alerts(layout) if one.raised_utc >= since]
    chosen = [one for one in found if region in (None, one.region_id)]
    for one in chosen:
        print("\n".join(_lines(layout, one)))
    say(f"{len(chosen)} alerts of the last {days} days; {_where()}")


def test_command() -> int:
    """Send a test to each channel and print what became of it; 1 when one does not take it.

    Raises:
        UsageError: no channel is configured, or one wrongly.
    """
    channels = channels_of(alert_settings())
    if not channels:
        raise UsageError(
            "No channel is configured: set SM_ALERT_WEBHOOK, or SM_ALERT_EMAIL with SM_SMTP_URL."
        )
    outcomes = [send(channel, TEST_SUBJECT, TEST_TEXT) for channel in channels]
    for one in outcomes:
        print(masked(one.told, secret_values()))
    return 1 if any(one.problem for one in outcomes) else 0


def _where() -> str:
    channels = alert_settings().channels
    return f"sent by {' and '.join(channels)}." if channels else "no channel is configured."


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
