"""Telling alerts when the lake cannot be written: then above all something must be told.

Nothing can be noted in the lake, so Dagster's own storage remembers what was told today.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime

import dagster as dg

from sm_platform.defs.alerting.alert import Alert
from sm_platform.defs.alerting.alert_log import noted
from sm_platform.defs.alerting.delivery import Channel, Outcome, message_of, send
from sm_platform.errors import LakeError

MEMORY = "sm_platform/alerts_without_lake"


def tell_without_lake(
    instance: dg.DagsterInstance,
    alerts: Sequence[Alert],
    channels: Sequence[Channel],
    why: LakeError,
) -> list[Outcome]:
    """Send alerts at once, each key once a day; one that no channel takes is lost.

    Args:
        instance: that remembers.
        alerts: clean of secrets.
        channels: that are configured.
        why: what the lake says; told along.
    """
    now = datetime.now(UTC)
    day, told = f"{now:%Y-%m-%d}", _told(instance)
    new = [one for one in alerts if one.key not in told.get(day, ())]
    if not new or not channels:
        return []
    subject, text = message_of([noted(one, now) for one in new])
    outcomes = [send(one, subject, f"{text}\n\nAlerts cannot be kept: {why}") for one in channels]
    if any(one.problem is None for one in outcomes):
        keys = [*told.get(day, ()), *(one.key for one in new)]
        instance.daemon_cursor_storage.set_cursor_values({MEMORY: json.dumps({day: keys})})
    return outcomes


def _told(instance: dg.DagsterInstance) -> dict[str, list[str]]:
    """Keys by day, those of the last day on which something was told."""
    found = instance.daemon_cursor_storage.get_cursor_values({MEMORY}).get(MEMORY)
    told: dict[str, list[str]] = json.loads(found) if found else {}
    return told
