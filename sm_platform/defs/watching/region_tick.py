"""One tick of the scene sensor over one region: list, register, ask for what is open.

Drivers come first: passes of a region wait while its drivers are being brought, so that a pass is
mapped with what there is on its day and not twice.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import dagster as dg

from sm_platform.defs.local_time import day_of
from sm_platform.defs.partitions import LOOK_BACK_DAYS
from sm_platform.defs.region_source import open_source
from sm_platform.defs.registry import Stage, entries
from sm_platform.defs.resources import WatchSettings, settings
from sm_platform.defs.watching.cursor import RegionCursor
from sm_platform.defs.watching.preparing import MOST_DAYS, preparation
from sm_platform.defs.watching.requests import (
    DRIVER_ASSETS,
    REGION_TAG,
    WHY_TAG,
    Ask,
    Why,
    ask_for_pass,
    attempts,
    run_request,
    spans,
)
from sm_platform.defs.watching.scene_log import ListedPass, listed_passes, read_log, register
from sm_platform.defs.watching.standing import State, standing, usual_frames
from sm_platform.lake.failures import failure_of
from sm_platform.lake.granules import is_landed
from sm_platform.lake.layout import Layout
from sm_platform.schema.region import Region
from sm_platform.sources.protocol import Granule, Product

PRODUCTS = (Product.S1_GRD, Product.NDVI, Product.WEATHER)
OVERLAP = timedelta(days=1)
"""Listed once more: catalogues do not show granules in the order of their time stamps."""
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


def tick_region(watch: Watch, region: Region, before: RegionCursor) -> Found:
    """List what is new of a region, register it, ask for runs.

    Raises:
        SourceError: the source does not answer; nothing was registered, the cursor stays.
        LakeError: the lake cannot be read or written.
    """
    source, name = open_source(region), region.region_id
    there_now = source.now()
    first_day = day_of(there_now) - timedelta(watch.how.days)
    listed = source.listed_since(
        PRODUCTS,
        region.window,
        before.since and before.since - OVERLAP,
        day_of(there_now) - timedelta(LOOK_BACK_DAYS),
    )
    frames = [one for one in listed if one.product is Product.S1_GRD]
    watched = [one for one in frames if one.day is not None and one.day >= first_day]
    register(watch.layout, name, watched, watch.now)
    drivers = [one for one in listed if one.product is not Product.S1_GRD]
    lacking = lacking_drivers(watch.layout, name, drivers)
    found = Found(replace(before, since=_since(listed, lacking, before.since)))
    preparing = preparation(watch.layout, region, day_of(there_now))
    if preparing:
        found.notes.append(f"{name} is being prepared: {', '.join(a.subject for a in preparing)}.")
    is_busy = _is_busy(watch.instance, name)
    asks = preparing or ([] if is_busy else driver_asks(name, lacking))
    must_wait = bool(_ask(watch, found, asks)) or is_busy or bool(preparing)
    _look_after(watch, region, found, (there_now, must_wait))
    return found


def _since(
    listed: Sequence[Granule], lacking: Sequence[Granule], before: datetime | None
) -> datetime | None:
    """Where to list from next: drivers are listed again until they have landed."""
    waiting = [one.available_utc for one in lacking if one.available_utc]
    if waiting:
        return min(waiting)
    told = [one.available_utc for one in listed if one.available_utc]
    return max([*told, *([before] if before else [])], default=None)


def lacking_drivers(layout: Layout, region: str, listed: Sequence[Granule]) -> list[Granule]:
    """Those that are not in the lake in the listed version, but for those known to be damaged."""
    return [
        one
        for one in listed
        if one.day is not None
        and one.day >= settings().first_day
        and not is_landed(layout.granule(one.product, region, one.day, one.granule_id), one.stamp)
        and not _is_hopeless(layout, region, one)
    ]


def _is_hopeless(layout: Layout, region: str, granule: Granule) -> bool:
    """Whether the granule's day failed of wrong data: fetching it again brings the same."""
    asset = f"{granule.product.value}_granules"
    failed = failure_of(layout, region, [asset], granule.day) if granule.day else None
    return failed is not None and not failed.is_passing


def driver_asks(region: str, lacking: Sequence[Granule]) -> Iterator[Ask]:
    """Runs over the days of drivers that are not in the lake."""
    by_day = {one.day: one for one in lacking if one.day}
    for first, last in spans(list(by_day), MOST_DAYS):
        names = sorted(
            f"{one.granule_id}@{one.stamp}"
            for one in lacking
            if one.day and first <= one.day <= last
        )
        hashed = hashlib.sha256("\n".join(names).encode()).hexdigest()[:12]
        yield Ask(region, Why.DRIVERS, f"{first}..{last}", hashed, DRIVER_ASSETS, (first, last))


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


def _look_after(watch: Watch, region: Region, found: Found, when: tuple[datetime, bool]) -> None:
    """Ask for the open passes; those that end are forgotten."""
    there_now, must_wait = when
    name, cursor = region.region_id, found.cursor
    log = read_log(watch.layout, name)
    first_day = day_of(there_now) - timedelta(watch.how.days)
    new = {one.scene_id for one in log if cursor.logged is None or one.listed_utc > cursor.logged}
    looked_at = [
        one
        for one in listed_passes(name, log, first_day)
        if one.scene_id in new or one.scene_id in cursor.open_scenes
    ]
    still_open = set()
    for one in looked_at:
        note = _step(watch, region, found, one) if not must_wait else "waits for its drivers"
        if note is not None:
            still_open.add(one.scene_id)
            if note:
                found.notes.append(f"{name} {one.scene_id}: {note}")
    logged = max((one.listed_utc for one in log), default=cursor.logged)
    found.cursor = replace(cursor, logged=logged, open_scenes=frozenset(still_open))


def _step(watch: Watch, region: Region, found: Found, listed: ListedPass) -> str | None:
    """What keeps a pass open, after asking for its run where that is due; None: it has ended."""
    now = standing(watch.layout, listed)
    if now.state in (State.MAPPED, State.NO_DATA):
        return None
    lacking = _waits_for(watch, region, listed)
    if lacking:
        return lacking
    one = ask_for_pass(listed)
    earlier = attempts(watch.instance, one)
    if now.state is State.FAILED and earlier.n_over and not earlier.is_running:
        return None  # of wrong data: another attempt does not help, other frames are another ask
    if earlier.may_try(watch.now):
        found.requests.append(run_request(one, earlier.n_over))
        return ""
    if earlier.is_running:
        return ""
    return f"attempt {earlier.n_over} did not map it ({now.reason or 'see its run'}), tried later"


def _waits_for(watch: Watch, region: Region, listed: ListedPass) -> str | None:
    """What a pass waits for before it is mapped; None when it can be."""
    if listed.day > watch.now.date():
        return f"lies after this machine's day {watch.now.date()}: set its clock right"
    if listed.day < settings().first_day:
        return None
    if not region.checkpoint_id and not _has_checkpoint(watch.layout, region.region_id):
        return "the region has no accepted checkpoint: train or promote one"
    usual, n_frames = usual_frames(watch.layout, listed), len(listed.frames)
    newest = listed.newest_utc
    if n_frames >= usual or newest is None:
        return None
    until = newest + timedelta(hours=watch.how.frame_wait_hours)
    source_now = open_source(region).now()
    if source_now >= until:
        return None
    return (
        f"has {n_frames} of {usual} frames, waits for the others until {until:%Y-%m-%d %H:%M} UTC"
    )


def _has_checkpoint(layout: Layout, region: str) -> bool:
    return any(one.stage is Stage.ACCEPTED for one in entries(layout, region))
