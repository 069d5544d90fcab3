"""The alerts of the lake: noted once a day, then marked as they go out over each channel.

Several sensors raise alerts, and two ticks may do so at the same moment: a key is looked up and
noted under the lake's lock, so one of them comes second and finds it told.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

import pyarrow as pa

from sm_platform.defs.alerting.alert import (
    LONGEST_LINE,
    LONGEST_SUBJECT,
    LONGEST_TEXT,
    Alert,
    cut,
    one_line,
)
from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.lake.lock import locked
from sm_platform.schema.alert_tables import ALERTS, NO_REGION
from sm_platform.sources.masking import masked

LOCK = "alerts"
KEPT = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class NotedAlert:
    """One row of `alerts`, with the partition that it lies in."""

    alert_key: str
    alert_day: date
    alert_kind: str
    subject: str
    alert_text: str
    raised_utc: datetime
    posted_utc: datetime | None
    mailed_utc: datetime | None
    partition: str

    @property
    def region_id(self) -> str | None:
        """The region; None when it is about none."""
        return None if self.partition == NO_REGION else self.partition

    @property
    def identity(self) -> tuple[str, str, date]:
        """What tells it from the others."""
        return self.partition, self.alert_key, self.alert_day


def raise_alerts(
    layout: Layout, alerts: Iterable[Alert], secrets: Collection[str], now_utc: datetime
) -> list[Alert]:
    """Note alerts to be sent, those of a key already told that day left out; gives the new ones.

    Args:
        layout: the lake.
        alerts: in the order in which they are to be told.
        secrets: values that must not be told (`defs/resources.py: secret_values`).
        now_utc: of the wall clock.

    Raises:
        LakeError: the lake cannot be written, so that nothing is noted.
    """
    by_partition = defaultdict(list)
    for alert in alerts:
        by_partition[alert.region_id or NO_REGION].append(clean(alert, secrets))
    new: list[Alert] = []
    for partition, raised in by_partition.items():
        with locked(layout, LOCK):
            before = read_alerts(layout, partition)
            added = _untold(before, raised)
            if added:
                kept = [one for one in before if now_utc - one.raised_utc < KEPT]
                _write(layout, partition, [*kept, *(noted(one, now_utc) for one in added)])
        new += added
    return new


def clean(alert: Alert, secrets: Collection[str]) -> Alert:
    """The alert as it may be stored and sent: without secrets, each line of a length to read."""
    lines = (cut(masked(line, secrets).rstrip(), LONGEST_LINE) for line in alert.text.splitlines())
    return replace(
        alert,
        subject=cut(masked(one_line(alert.subject), secrets), LONGEST_SUBJECT),
        text=cut("\n".join(lines), LONGEST_TEXT),
        key=masked(alert.key, secrets),
    )


def noted(alert: Alert, raised_utc: datetime) -> NotedAlert:
    """The alert as a row, not sent yet."""
    return NotedAlert(
        alert_key=alert.key,
        alert_day=alert.day,
        alert_kind=alert.kind.value,
        subject=alert.subject,
        alert_text=alert.text,
        raised_utc=raised_utc,
        posted_utc=None,
        mailed_utc=None,
        partition=alert.region_id or NO_REGION,
    )


def read_alerts(layout: Layout, partition: str) -> list[NotedAlert]:
    """The noted alerts of a region, or of NO_REGION, in the order in which they were raised."""
    part = store.read(layout, ALERTS, partition)
    rows = part.rows.to_pylist() if part else []
    return [NotedAlert(**row, partition=partition) for row in rows]


def all_alerts(layout: Layout) -> list[NotedAlert]:
    """The noted alerts of all regions and of none, in the order in which they were raised."""
    found = [
        one for name in store.regions_stored(layout, ALERTS) for one in read_alerts(layout, name)
    ]
    return sorted(found, key=lambda one: one.raised_utc)


def mark_sent(
    layout: Layout, sent: Sequence[NotedAlert], column: str, sent_utc: datetime | None
) -> None:
    """Note in `posted_utc` or `mailed_utc` that alerts went out, or (None) take it back.

    Raises:
        LakeError: the lake cannot be written.
    """
    identities = {one.identity for one in sent}
    change: dict[str, Any] = {column: sent_utc}
    for partition in {one.partition for one in sent}:
        with locked(layout, LOCK):
            rows = [
                replace(one, **change) if one.identity in identities else one
                for one in read_alerts(layout, partition)
            ]
            _write(layout, partition, rows)


def _untold(before: Sequence[NotedAlert], raised: Sequence[Alert]) -> list[Alert]:
    told = {(one.alert_key, one.alert_day) for one in before}
    found: list[Alert] = []
    for alert in raised:
        ever = {key for key, _ in told}
        is_told = alert.key in ever if alert.is_told_once else (alert.key, alert.day) in told
        if not is_told:
            found.append(alert)
            told.add((alert.key, alert.day))
    return found


def _write(layout: Layout, partition: str, rows: Iterable[NotedAlert]) -> None:
    found = [asdict(one) for one in rows]
    for row in found:
        del row["partition"]
    table = pa.Table.from_pylist(found, schema=ALERTS.arrow_schema)
    store.write(layout, ALERTS, table, region=partition)
