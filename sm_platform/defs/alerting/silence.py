"""Silence as a failure: passes that are due and do not come, regions without a new map.

Nothing has failed then, and no run tells. What is due is known by the repeat of the tracks
(`pass_calendar`); a region whose satellite was not due is not silent. A silence that outlasts the
tracks is told by the age of the newest map.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from sm_platform.defs.alerting.alert import Alert, AlertKind
from sm_platform.defs.alerting.alert_log import raise_alerts, read_alerts
from sm_platform.defs.alerting.last_map import LastMap, last_map, readiness
from sm_platform.defs.alerting.silence_told import (
    IN_WORDS,
    OVERDUE,
    Silence,
    overdue_told,
    silence_told,
)
from sm_platform.defs.local_time import day_of
from sm_platform.defs.resources import secret_values
from sm_platform.defs.watching.calendar import PassRow
from sm_platform.lake.layout import Layout
from sm_platform.sources.repeat import CYCLE

KINDS = (AlertKind.SILENT, AlertKind.OVERDUE)
LATE = timedelta(hours=24)
"""Scenes are published 3 to 24 hours after the pass: one that is younger is awaited."""
WITHOUT_TRACK = CYCLE + LATE
"""So long a region of which no track is known is left alone: any satellite has passed by then."""
OVERDUE_TOLD = timedelta(days=4)
"""After that a pass that never came is history: satellites leave out passes, too."""


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

    Arguments are those of `alert_silence`; no alert is noted yet.
    """
    last = last_map(layout, region, rows, now_utc)
    ready = None if last.newest else readiness(layout, region, day_of(now_utc))
    silence = Silence(region, now_utc, last, tuple(_missing(rows, last, now_utc)), ready)
    if _is_silent(silence, rows, timedelta(days=silent_days)):
        return [silence_told(silence)]
    overdue = [
        one
        for one in rows
        if one.pass_status == OVERDUE and now_utc - one.pass_start_utc < OVERDUE_TOLD
    ]
    return [overdue_told(region, overdue, now_utc)] if overdue else []


def _is_silent(silence: Silence, rows: Sequence[PassRow], longest: timedelta) -> bool:
    """Whether maps are missing for long enough: passes without one, or no pass to be told at all.

    A region that has neither a map nor anything that is made for one is not at work.
    """
    if silence.missing:
        return silence.age >= longest
    has_track = any(_is_after(one, silence.last) for one in rows)
    ready = silence.ready
    is_at_work = ready is None or ready.is_prepared or ready.has_checkpoint
    return is_at_work and not has_track and silence.age >= max(longest, WITHOUT_TRACK)


def _missing(rows: Sequence[PassRow], last: LastMap, now_utc: datetime) -> Iterator[PassRow]:
    """Passes since the newest map that have none and could have one by now."""
    for one in rows:
        is_old = now_utc - one.pass_start_utc >= LATE
        if one.pass_status in IN_WORDS and is_old and _is_after(one, last):
            yield one


def _is_after(one: PassRow, last: LastMap) -> bool:
    return last.newest is None or one.pass_start_utc > last.newest.pass_start_utc
