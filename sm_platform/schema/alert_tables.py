"""The table of alerts: what was told to a person, when, and over which channel it went out."""

import pyarrow as pa

from sm_platform.schema.tables import Column, Table, moment, text

ALERT_KINDS = (
    "run_failed",
    "days_failed",
    "check_failed",
    "overdue",
    "silent",
    "stale",
    "source_down",
    "lake_down",
)
"""What an alert can be about, as `alerts` tells it."""
NO_REGION = "no.region"
"""Partition of alerts that are about no region; a region cannot have a name with a dot."""

ALERTS = Table(
    "alerts",
    "What was told to a person: failures, overdue passes, silence, staleness; those of the last "
    f"year, in {NO_REGION} what is about no region",
    ("alert_key", "alert_day"),
    (
        text("alert_key", "what the alert is about: the same is told once a day"),
        Column("alert_day", pa.date32(), "", "day (UTC) that the alert is about"),
        text("alert_kind", ", ".join(ALERT_KINDS)),
        text("subject", "one line, the subject of the mail"),
        text("alert_text", "what happened and what to do next, without secrets"),
        moment("raised_utc", "when it was raised"),
        moment("posted_utc", "when the webhook took it; null when not yet", is_nullable=True),
        moment("mailed_utc", "when the mail server took it; null when not yet", is_nullable=True),
    ),
    is_dated=False,
)
