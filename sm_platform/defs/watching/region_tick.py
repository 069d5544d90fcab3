"""One tick of the scene sensor over one region: list, register, ask for what is open.

Drivers come first: passes of a region wait while its drivers are being brought, so that a pass is
mapped with what there is on its day and not twice.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

import dagster as dg

from sm_platform.defs.booked_source import BookedSource
from sm_platform.defs.late_rain import takes_late_rain
from sm_platform.defs.local_time import day_of
from sm_platform.defs.partitions import LOOK_BACK_DAYS
from sm_platform.defs.region_source import open_source
from sm_platform.defs.registry import Stage, entries
from sm_platform.defs.resources import WatchSettings, settings
from sm_platform.defs.service_choice import chosen_service
from sm_platform.defs.watching.cursor import RegionCursor
from sm_platform.defs.watching.lacking import driver_asks, lacking_drivers
from sm_platform.defs.watching.preparing import preparation
from sm_platform.defs.watching.refreshing import unlooked
from sm_platform.defs.watching.requests import (
    DAILY,
    REGION_TAG,
    WHY_TAG,
    Ask,
    Why,
    ask_for_pass,
    attempts,
    run_request,
)
from sm_platform.defs.watching.scene_log import ListedPass, listed_passes, read_log, register
from sm_platform.defs.watching.standing import State, standing, usual_frames
from sm_platform.lake.layout import Layout
from sm_platform.schema.region import Region
from sm_platform.sources.protocol import Granule, Product, Source, named

PRODUCTS = (Product.S1_GRD, Product.NDVI, Product.WEATHER)
OVERLAP = timedelta(days=1)
"""Listed once more: catalogues do not show granules in the order of their time stamps."""
WHOLE_EVERY = timedelta(hours=3)
AT_WORK = [
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]


@dataclass(frozen=True, slots=True)
class Watch:
    """What a tick works with."""

    instance: dg.DagsterInstance
    layout: Layout
    how: WatchSettings
    now: datetime


@dataclass(slots=True)
class Found:
    """What a tick over a region leads to."""

    cursor: RegionCursor
    requests: list[dg.RunRequest] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Grounds:
    """What all passes of a region stand on in one tick."""

    region: Region
    source_now: datetime
    """Clock of its source, UTC."""
    must_wait: bool
    """Whether its drivers are being brought."""
    _has_checkpoint: bool | None = None

    def has_checkpoint(self, layout: Layout) -> bool:
        """Whether a checkpoint is accepted; the registry is read when it is first asked."""
        if self._has_checkpoint is None:
            known = entries(layout, self.region.region_id)
            self._has_checkpoint = any(one.stage is Stage.ACCEPTED for one in known)
        return self._has_checkpoint


def tick_region(watch: Watch, region: Region, before: RegionCursor) -> Found:
    """List what is new of a region, register it, ask for runs.

    Raises:
        SourceError: the source does not answer; nothing was registered, the cursor stays.
        LakeError: the lake cannot be read or written.
    """
    source, name = open_source(region), region.region_id
    there_now = source.now()
    span = _watched(watch, there_now)
    since = None if _is_whole(watch, before) else before.since and before.since - OVERLAP
    first_driver = day_of(there_now) - timedelta(LOOK_BACK_DAYS)
    products = (*PRODUCTS, Product.LATE_RAIN) if takes_late_rain(region) else PRODUCTS
    listed, lost = _listed(source, region, products, (since, first_driver))
    frames = [one for one in listed if one.product is Product.S1_GRD]
    watched = [one for one in frames if one.day is not None and one.day >= span[0]]
    own = chosen_service(region, Product.S1_GRD)
    register(watch.layout, name, watched, watch.now, service=own)
    drivers = [one for one in listed if one.product is not Product.S1_GRD]
    lacking = lacking_drivers(watch.layout, name, drivers, watch.now)
    found = Found(replace(before, since=_since(listed, lacking, before.since)), notes=lost)
    must_wait = _bring_drivers(watch, region, found, (span[1], lacking))
    _look_after(watch, Grounds(region, there_now, must_wait), found, span[0])
    if since is None:
        found.cursor = replace(found.cursor, whole=watch.now)
    if not found.requests and not found.cursor.open_scenes and not must_wait:
        _settle(watch, region, found, span)
    return found


def _listed(
    source: Source, region: Region, products: Sequence[Product], span: tuple[datetime | None, date]
) -> tuple[list[Granule], list[str]]:
    """What came since a moment, and what cannot be listed: found again when all is listed anew."""
    if isinstance(source, BookedSource):
        return source.listed_apart(products, region.window, *span)
    return named(source, source.listed_since(products, region.window, *span)), []


def _settle(watch: Watch, region: Region, found: Found, span: tuple[date, date]) -> None:
    """Once in a day of the source's clock: tell the days on which no pass came."""
    first, today = span
    if found.cursor.settled != today:
        found.cursor = replace(found.cursor, settled=today)
        _ask(watch, found, unlooked(watch.layout, region, first, today))


def _watched(watch: Watch, there_now: datetime) -> tuple[date, date]:
    """First and last day that are looked after; the last is no later than this machine's."""
    today = day_of(there_now)
    first = max(today - timedelta(watch.how.days), settings().first_day)
    return first, min(today, watch.now.date())


def _is_whole(watch: Watch, before: RegionCursor) -> bool:
    """Whether all watched days are due to be listed and looked at again, as with a lost cursor.

    It finds what was listed late, what was lost in the lake, and what a wrong clock has hidden.
    """
    if before.whole is None:
        return True
    return not timedelta(0) <= watch.now - before.whole < WHOLE_EVERY


def _bring_drivers(
    watch: Watch, region: Region, found: Found, what: tuple[date, Sequence[Granule]]
) -> bool:
    """Ask for what a region needs before its passes; whether they must wait for it."""
    today, lacking = what
    name = region.region_id
    if _is_busy(watch.instance, name):
        return True
    preparing = preparation(watch.layout, region, today)
    asks = preparing or list(driver_asks(name, lacking))
    n_asked = _ask(watch, found, asks)
    if preparing:
        subjects = ", ".join(one.subject for one in preparing)
        later = "" if n_asked else " failed, see its runs; it is tried later"
        found.notes.append(f"Preparing {name}: {subjects}{later}.")
    return bool(n_asked) or bool(preparing)


def _since(
    listed: Sequence[Granule], lacking: Sequence[Granule], before: datetime | None
) -> datetime | None:
    """Where to list from next: drivers are listed again until they have landed."""
    waiting = [one.available_utc for one in lacking if one.available_utc]
    if waiting:
        return min(waiting)
    told = [one.available_utc for one in listed if one.available_utc]
    return max([*told, *([before] if before else [])], default=None)


def _ask(watch: Watch, found: Found, asks: Iterable[Ask]) -> int:
    """Add those whose next attempt is due; how many."""
    n_asked = 0
    for one in asks:
        earlier = attempts(watch.instance, one)
        if earlier.may_try(watch.now):
            found.requests.append(run_request(one, earlier.n_over))
            n_asked += 1
    return n_asked


def _is_busy(instance: dg.DagsterInstance, region: str) -> bool:
    """Whether drivers of the region are being brought right now."""
    return any(
        instance.get_runs(
            dg.RunsFilter(statuses=AT_WORK, tags={REGION_TAG: region, WHY_TAG: why}), limit=1
        )
        for why in (Why.DRIVERS, Why.PREPARE)
    )


def _look_after(watch: Watch, grounds: Grounds, found: Found, first_day: date) -> None:
    """Ask for the open passes; those that end are forgotten."""
    region = grounds.region
    name, cursor = region.region_id, found.cursor
    log = read_log(watch.layout, name, first_day)
    is_whole, logged = _is_whole(watch, cursor), cursor.logged
    new = {one.scene_id for one in log if logged is None or one.listed_utc > logged}
    still_open, n_waiting = set(), 0
    for one in listed_passes(name, log, first_day, chosen_service(region, Product.S1_GRD)):
        if not is_whole and one.scene_id not in new and one.scene_id not in cursor.open_scenes:
            continue
        if grounds.must_wait:
            still_open.add(one.scene_id)
            n_waiting += 1
            continue
        note = _step(watch, grounds, found, one)
        if note is not None:
            still_open.add(one.scene_id)
            if note:
                found.notes.append(f"{name} {one.scene_id}: {note}")
    if n_waiting:
        passes = "1 pass waits" if n_waiting == 1 else f"{n_waiting} passes wait"
        found.notes.append(f"{name}: {passes} for vegetation, weather or ground being brought.")
    newest = max((one.listed_utc for one in log), default=logged)
    found.cursor = replace(cursor, logged=newest, open_scenes=frozenset(still_open))


def _step(watch: Watch, grounds: Grounds, found: Found, listed: ListedPass) -> str | None:
    """What keeps a pass open, after asking for its run where that is due; None: it has ended."""
    now = standing(watch.layout, listed)
    if now.state in (State.MAPPED, State.NO_DATA):
        return None
    lacking = _waits_for(watch, grounds, listed)
    if lacking:
        return lacking
    one = ask_for_pass(listed)
    earlier = attempts(watch.instance, one)
    if now.state is State.FAILED and earlier.is_within(DAILY, watch.now):
        return None  # of wrong data: other frames are another ask, mended ones are tried daily
    if earlier.may_try(watch.now):
        found.requests.append(run_request(one, earlier.n_over))
        return ""
    if earlier.is_running:
        return ""
    return f"attempt {earlier.n_over} did not map it ({now.reason or 'see its run'}), tried later"


def _waits_for(watch: Watch, grounds: Grounds, listed: ListedPass) -> str | None:
    """What a pass waits for before it is mapped; None when it can be."""
    if listed.day > watch.now.date():
        return f"lies after this machine's day {watch.now.date()}: set its clock right"
    if not grounds.region.checkpoint_id and not grounds.has_checkpoint(watch.layout):
        return "the region has no accepted checkpoint: train or promote one"
    track = watch.layout, listed.region_id, listed.day, listed.relative_orbit
    usual = usual_frames(*track, service=listed.service)
    n_frames = len(listed.frames)
    newest = listed.newest_utc
    if n_frames >= usual or newest is None:
        return None
    until = newest + timedelta(hours=watch.how.frame_wait_hours)
    if grounds.source_now >= until:
        return None
    return (
        f"has {n_frames} of {usual} frames, waits for the others until {until:%Y-%m-%d %H:%M} UTC"
    )
