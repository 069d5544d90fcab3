"""Where the maps of a region stand: the newest one, or since when the first one is awaited.

The newest map is looked up in the lake: after a long silence it lies before all that the calendar
of passes holds.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from sm_platform.defs.lake_access import stored_region
from sm_platform.defs.local_time import NO_TIME, day_of, zone_of
from sm_platform.defs.map_chain import STATIC_TABLES
from sm_platform.defs.map_index import Row
from sm_platform.defs.newest import newest_map
from sm_platform.defs.registry import accepted
from sm_platform.defs.watching.calendar import PassRow
from sm_platform.defs.watching.scene_log import read_log
from sm_platform.errors import LakeError
from sm_platform.grid.calendar import utc
from sm_platform.grid.local_days import local_day
from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.lake.watched import watched_since
from sm_platform.schema.model_tables import SM_MAPS
from sm_platform.schema.region import Region

MAPPED = "mapped"


@dataclass(frozen=True, slots=True)
class LastMap:
    """The newest map of a region, or since when it has been without one."""

    newest: PassRow | None
    """Its pass; None: there is no map yet."""
    since_utc: datetime
    """Start of its pass; without a map when the region was first watched."""
    listed_utc: datetime | None
    """Start of the pass that the source listed last; None: none was ever listed."""

    @property
    def is_of_a_day(self) -> bool:
        """Whether of its pass the day alone is known, so that nothing can be due by its track."""
        return self.newest is not None and self.newest.platform.endswith(NO_TIME)


@dataclass(frozen=True, slots=True)
class Readiness:
    """What a region has of all that its first map needs."""

    is_prepared: bool
    """Soil, terrain or land cover were made: the platform has begun to work on it."""
    has_checkpoint: bool


def last_map(layout: Layout, region_id: str, rows: Sequence[PassRow], now_utc: datetime) -> LastMap:
    """The newest map of a region, by its calendar and the lake.

    Args:
        layout: the lake.
        region_id: the region.
        rows: of `pass_calendar`.
        now_utc: of the region's source.

    Raises:
        LakeError: the lake cannot be read or written.
    """
    stored = _newest(layout, region_id, day_of(now_utc))
    known = [one for one in rows if one.pass_status == MAPPED]
    known += [_as_pass(stored, stored_region(layout, region_id))] if stored else []
    newest = max(known, key=lambda one: one.pass_start_utc, default=None)
    since = newest.pass_start_utc if newest else watched_since(layout, region_id, now_utc)
    begun = (_begun(one.frame_start_utc, one.pass_day) for one in read_log(layout, region_id))
    return LastMap(newest, since, max(begun, default=None))


def readiness(layout: Layout, region_id: str, day: date) -> Readiness:
    """What a region without a map has; raises LakeError when the registry is damaged."""
    region = stored_region(layout, region_id)
    return Readiness(
        any(store.written_ns(layout, table, region_id) is not None for table in STATIC_TABLES),
        bool(region and region.checkpoint_id) or accepted(layout, region_id, day) is not None,
    )


def _newest(layout: Layout, region: str, until: date) -> Row | None:
    """Row of the newest map that can be read: a damaged day must not end the watch."""
    with suppress(LakeError):
        return newest_map(layout, region, until)
    for day in reversed(store.days_made(layout, SM_MAPS, region)):
        if day < until:
            with suppress(LakeError):
                return newest_map(layout, region, day)
    return None


def _as_pass(row: Row, region: Region | None) -> PassRow:
    """The pass of a map, as the calendar has passes."""
    start = utc(row["pass_start_utc"])
    return PassRow(
        platform=row["platform"],
        orbit_state=row["orbit_state"],
        relative_orbit=row["relative_orbit"],
        pass_start_utc=start,
        pass_day=start.date(),
        local_day=local_day(start, zone_of(region) if region else None).isoformat(),
        seen_scene_id=row["scene_id"],
        pass_status=MAPPED,
        pass_status_reason=None,
        current_map_id=row["map_id"],
    )


def _begun(start: datetime | None, day: date) -> datetime:
    return start or datetime.combine(day, time(), UTC)
