"""Silence as a failure: passes that are due and do not come, regions without a new map.

Nothing has failed then, and no run tells. What is due is known by the repeat of the tracks
(`pass_calendar`); a region whose satellite was not due is not silent.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from sm_platform.defs.alerting.alert import Alert, AlertKind, moment_text, shortened
from sm_platform.defs.alerting.alert_log import raise_alerts, read_alerts
from sm_platform.defs.resources import secret_values
from sm_platform.defs.watching.calendar import PassRow
from sm_platform.lake.layout import Layout
from sm_platform.schema.driver_tables import REGIONS

MAPPED, OVERDUE = "mapped", "overdue"
KINDS = (AlertKind.SILENT, AlertKind.OVERDUE)
LATE = timedelta(hours=24)
"""Scenes are published 3 to 24 hours after the pass: one that is younger is awaited."""
OVERDUE_TOLD = timedelta(days=4)
"""After that a pass that never came is history: satellites leave out passes, too."""
IN_WORDS = {
    "overdue": "due, but not listed by the source",
    "listed": "listed, not mapped yet",
    "waiting_for_frames": "waiting for frames",
    "no_data": "seen, without data for a map",
    "failed": "failed",
    "not_mapped": "seen, not mapped",
}
"""Of `schema/watch_tables.py: PASS_STATUSES`, those of a pass without a map."""


def alert_silence(
    layout: Layout,
    region: str,
    rows: Sequence[PassRow],
    now_utc: datetime,
    *,
    silent_days: int,
) -> list[Alert]:
    """Note what the calendar of a region gives reason to tell, once a day; gives what is new.

    Args:
        layout: the lake.
        region: its id.
        rows: of `pass_calendar`.
        now_utc: of the region's source, by which passes are due.
        silent_days: so many days without a new map are told.

    Raises:
        LakeError: the lake cannot be written.
    """
    today = now_utc.astimezone(UTC).date()
    if any(
        one.alert_kind in KINDS and one.alert_day == today for one in read_alerts(layout, region)
    ):
        return []
    found = raise_silence(layout, region, rows, now_utc, silent_days=silent_days)
    return raise_alerts(layout, found, secret_values(), datetime.now(UTC))


def raise_silence(
    layout: Layout,
    region: str,
    rows: Sequence[PassRow],
    now_utc: datetime,
    *,
    silent_days: int,
) -> list[Alert]:
    """At most one alert of a region: silent for so many days, or else passes overdue.

    Arguments are those of `alert_silence`; nothing is noted yet.
    """
    newest = max((one for one in rows if one.pass_status == MAPPED), key=_start, default=None)
    missing = [
        one
        for one in rows
        if one.pass_status in IN_WORDS
        and now_utc - _start(one) >= LATE
        and (newest is None or _start(one) > _start(newest))
    ]
    since = _start(newest) if newest else now_utc - _age(layout, region)
    if missing and now_utc - since >= timedelta(days=silent_days):
        return [_silent(region, newest, missing, (since, now_utc))]
    overdue = [
        one for one in rows if one.pass_status == OVERDUE and now_utc - _start(one) < OVERDUE_TOLD
    ]
    return [_overdue(region, overdue, now_utc)] if overdue else []


def _silent(
    region: str,
    newest: PassRow | None,
    missing: Sequence[PassRow],
    span: tuple[datetime, datetime],
) -> Alert:
    """No map for a while, though passes were due."""
    since, now_utc = span
    n_days = (now_utc - since).days
    last = f"The newest map is of {_told(newest)}." if newest else "There is no map yet."
    is_unlisted = all(one.pass_status == OVERDUE for one in missing)
    what = "its source lists no pass" if is_unlisted else "no map"
    counts = Counter(IN_WORDS[one.pass_status] for one in missing)
    passes = ", ".join(f"{n} {words}" for words, n in counts.items())
    return Alert(
        AlertKind.SILENT,
        region,
        f"{region}: {what} for {n_days} days",
        "\n".join(
            [
                f"{region} has had no new map for {n_days} days. {last}",
                f"Passes without a map since then: {passes}.",
                *shortened(_lines(missing)),
                _next(region, is_unlisted=is_unlisted),
            ]
        ),
        f"silent/{region}",
        now_utc.astimezone(UTC).date(),
    )


def _overdue(region: str, overdue: Sequence[PassRow], now_utc: datetime) -> Alert:
    """Passes that did not come; named by the newest one, as each is told once."""
    newest = max(overdue, key=_start)
    n_passes = f"{len(overdue)} passes are" if len(overdue) > 1 else "a pass is"
    return Alert(
        AlertKind.OVERDUE,
        region,
        f"{region}: {n_passes} overdue",
        "\n".join(
            [
                f"By the repeat of their tracks these passes over {region} were due and are not "
                "listed a day later:",
                *shortened(_lines(overdue)),
                _next(region, is_unlisted=True),
            ]
        ),
        f"overdue/{region}/{_start(newest).astimezone(UTC).date()}",
        now_utc.astimezone(UTC).date(),
        is_told_once=True,
    )


def _next(region: str, *, is_unlisted: bool) -> str:
    if is_unlisted:
        return (
            "Next: look whether the provider announces an outage or left out the acquisition. "
            "What comes late is mapped by itself."
        )
    query = f"from pass_calendar where region_id = '{region}' and pass_status <> 'mapped'"
    return f'Next: look at the reasons, `sm-platform sql "{query}"`, and at the runs in the UI.'


def _lines(passes: Sequence[PassRow]) -> Iterator[str]:
    """A line a pass, the newest first."""
    for one in sorted(passes, key=_start, reverse=True):
        reason = f" ({one.pass_status_reason})" if one.pass_status_reason else ""
        yield f"- {_told(one)}: {IN_WORDS[one.pass_status]}{reason}"


def _told(one: PassRow) -> str:
    """A pass for people, with both of its days."""
    orbit = "" if one.relative_orbit is None else f" {one.orbit_state}{one.relative_orbit:03d}"
    return f"{one.platform}{orbit} at {moment_text(_start(one))} (local day {one.local_day})"


def _start(one: PassRow) -> datetime:
    return one.pass_start_utc


def _age(layout: Layout, region: str) -> timedelta:
    """How long a region has been there, by this machine's clock; a removed one is new."""
    part = layout.part(REGIONS.name, region, None)
    if not part.is_file():
        return timedelta(0)
    return datetime.now(UTC) - datetime.fromtimestamp(part.stat().st_mtime, UTC)
