"""The calendar of a region's passes: seen ones with what became of them, and those that are due.

A pass is due by the repeat of its track, learned from the passes seen. One that is due and was not
listed a day later is overdue: nothing has failed then, and yet something is wrong.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pyarrow as pa

from sm_platform.defs.local_time import day_of, zone_of
from sm_platform.defs.map_index import Row, read_index
from sm_platform.defs.scenes import Scene, read_scenes
from sm_platform.defs.service_choice import chosen_service
from sm_platform.defs.watching.scene_log import ListedPass, listed_passes, read_log
from sm_platform.defs.watching.standing import State, standing, usual_frames
from sm_platform.errors import SmPlatformError
from sm_platform.grid.calendar import days_between
from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.schema.driver_tables import S1_SCENES
from sm_platform.schema.region import Region
from sm_platform.schema.watch_tables import PASS_CALENDAR
from sm_platform.sources.protocol import Product
from sm_platform.sources.repeat import DuePass, SeenPass, due_passes

LEARNED_DAYS = 76
"""Six cycles of 12 days and some: passes of so long ago tell the repeat."""
AHEAD = timedelta(days=12)
LATE = timedelta(hours=24)
"""Scenes are published 3 to 24 hours after the pass."""
SAME = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class PassRow:
    """One row of `pass_calendar`."""

    platform: str
    orbit_state: str
    relative_orbit: int | None
    pass_start_utc: datetime
    pass_day: date
    local_day: str
    seen_scene_id: str | None
    pass_status: str
    pass_status_reason: str | None
    current_map_id: str | None


def passes_of(layout: Layout, region: Region, now: datetime, days: int) -> list[PassRow]:
    """Passes of the last `days` and the next twelve, in order of time.

    Args:
        layout: the lake.
        region: the region.
        now: of the region's source, UTC.
        days: how far back.
    """
    name, first = region.region_id, now - timedelta(days)
    zone, service = ZoneInfo(zone_of(region)), chosen_service(region, Product.S1_GRD)
    scenes = _scenes(layout, name, days_between(day_of(now) - timedelta(LEARNED_DAYS), day_of(now)))
    listed = {
        one.scene_id: one
        for one in listed_passes(name, read_log(layout, name), first.date(), service)
        if one.start_utc is not None
    }
    seen = {one.scene_id: _of_scene(one) for one in scenes}
    seen |= {name: _of_listed(one, scenes) for name, one in listed.items() if name not in seen}
    rows = [
        _row(one, zone, scene_id, _told(layout, name, one, (scene_id, listed.get(scene_id))))
        for scene_id, one in seen.items()
        if one.start_utc >= first
    ]
    due = due_passes(seen.values(), first, now + AHEAD)
    rows += [
        _row(one, zone, None, _awaited(one, now))
        for one in due
        if not one.is_seen and not _is_among(one, seen.values())
    ]
    return sorted(rows, key=lambda one: (one.pass_start_utc, one.platform))


def write_calendar(layout: Layout, region: str, rows: Sequence[PassRow]) -> None:
    """Replace the region's calendar; raises LakeError when the lake cannot be written."""
    table = pa.Table.from_pylist([asdict(one) for one in rows], schema=PASS_CALENDAR.arrow_schema)
    store.write(layout, PASS_CALENDAR, table, region=region)


def _scenes(layout: Layout, region: str, days: Sequence[date]) -> list[Scene]:
    """The extracted passes of these days that have a track; a damaged day tells nothing."""
    made, found = set(store.days_made(layout, S1_SCENES, region)), []
    for day in days:
        if day in made:
            try:
                found += read_scenes(layout, region, day)
            except SmPlatformError:
                continue
    return [one for one in found if not one.is_day_only]


def _of_scene(scene: Scene) -> SeenPass:
    return SeenPass(scene.platform, scene.orbit_state, scene.relative_orbit, scene.start_utc)


def _of_listed(listed: ListedPass, scenes: Iterable[Scene]) -> SeenPass:
    """A pass that is listed only; its direction is that of its track before, if there was one."""
    states = {one.relative_orbit: one.orbit_state for one in scenes}
    state = states.get(listed.relative_orbit, "X")
    start = listed.start_utc or listed.frames[0].listed_utc
    return SeenPass(listed.scene_id.split("_")[0], state, listed.relative_orbit, start)


def _told(
    layout: Layout, region: str, seen: SeenPass, known: tuple[str, ListedPass | None]
) -> tuple[str, str | None, str | None]:
    """Status, reason and map of a pass that was seen."""
    scene_id, listed = known
    if listed is None:
        rows = [row for row in _rows(layout, region, seen) if row["scene_id"] == scene_id]
        current = next((row["map_id"] for row in rows if row["is_latest"]), None)
        status = "mapped" if current else rows[-1]["status"] if rows else "not_mapped"
        return status, None, current
    now = standing(layout, listed)
    orbit, n = listed.relative_orbit, len(listed.frames)
    usual = usual_frames(layout, region, listed.day, orbit, service=listed.service)
    frames = f"{n} of {usual} frames are there" if n < usual else None
    if now.state is not State.OPEN:
        return now.state.value, now.reason or frames, now.map_id
    if frames:
        return "waiting_for_frames", frames, now.map_id
    return "listed", now.reason, now.map_id


def _rows(layout: Layout, region: str, seen: SeenPass) -> list[Row]:
    try:
        return read_index(layout, region, seen.start_utc.date())
    except SmPlatformError:
        return []


def _awaited(due: DuePass, now: datetime) -> tuple[str, str | None, str | None]:
    late = now - due.start_utc
    if late <= LATE:
        return "expected", None, None
    hours = late.total_seconds() / 3600
    return "overdue", f"due by the repeat of its track, not listed {hours:.0f} h later", None


def _is_among(due: DuePass, seen: Iterable[SeenPass]) -> bool:
    """Whether a pass was seen when it was due, if not in a series of its track."""
    return any(
        one.platform == due.platform and abs(one.start_utc - due.start_utc) <= SAME for one in seen
    )


def _row(
    one: SeenPass | DuePass,
    zone: ZoneInfo,
    scene_id: str | None,
    told: tuple[str, str | None, str | None],
) -> PassRow:
    status, reason, map_id = told
    return PassRow(
        platform=one.platform,
        orbit_state=one.orbit_state,
        relative_orbit=one.relative_orbit,
        pass_start_utc=one.start_utc,
        pass_day=one.start_utc.date(),
        local_day=one.start_utc.astimezone(zone).date().isoformat(),
        seen_scene_id=scene_id,
        pass_status=status,
        pass_status_reason=reason,
        current_map_id=map_id,
    )
