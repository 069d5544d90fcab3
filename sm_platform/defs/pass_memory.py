"""Earlier passes of a track, remembered for flooded fields, within a bound on memory."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from sm_platform.defs.radar_quantity import stored_quantity
from sm_platform.defs.scenes import Scene, read_backscatter, read_scenes
from sm_platform.grid.calendar import days_between
from sm_platform.grid.window import Raster
from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.schema.driver_tables import S1_BACKSCATTER
from sm_platform.schema.recipes import RadarQuantity

MEMORY_DAYS = 150
"""A rice season and the time before it, in which its fields are seen dry."""
MOST_BYTES = 256 << 20
"""Rasters kept between days; with more they are read again."""


@dataclass(frozen=True, slots=True)
class PassMemory:
    """Passes of one region as the lake has them."""

    layout: Layout
    region_id: str
    quantity: RadarQuantity = RadarQuantity.SIGMA0_ELLIPSOID
    """Passes of another one are not remembered."""
    _scenes: dict[date, list[Scene]] = field(default_factory=dict)
    _rasters: OrderedDict[date, Mapping[str, Raster]] = field(default_factory=OrderedDict)
    _hashes: dict[date, str | None] = field(default_factory=dict)

    def of_track(self, scene: Scene, day: date) -> list[tuple[datetime, Raster]]:
        """Start and backscatter of the passes of the scene's track before the day, oldest first."""
        if scene.relative_orbit is None:
            return []
        found = []
        for when in self._days(day):
            same = [one for one in self._scenes_of(when) if one.track == scene.track]
            stored = self._rasters_of(when) if same else {}
            found += [
                (one.start_utc, stored[one.scene_id]) for one in same if one.scene_id in stored
            ]
        return found

    def hashes(self, day: date) -> list[str]:
        """Input hashes of the days remembered."""
        known = (self._hash_of(when) for when in self._days(day))
        return [hashed for hashed in known if hashed]

    def _days(self, day: date) -> list[date]:
        return days_between(day - timedelta(MEMORY_DAYS), day - timedelta(1))

    def _hash_of(self, day: date) -> str | None:
        if day not in self._hashes:
            note = store.note_of(self.layout, S1_BACKSCATTER, self.region_id, day)
            is_same = stored_quantity(note) is self.quantity
            self._hashes[day] = note["inputs"] if note and note["rows"] and is_same else None
        return self._hashes[day]

    def _scenes_of(self, day: date) -> list[Scene]:
        if self._hash_of(day) is None:
            return []
        if day not in self._scenes:
            self._scenes[day] = read_scenes(self.layout, self.region_id, day)
        return self._scenes[day]

    def _rasters_of(self, day: date) -> Mapping[str, Raster]:
        if day not in self._rasters:
            self._rasters[day] = read_backscatter(self.layout, self.region_id, day)
            while len(self._rasters) > 1 and self._size() > MOST_BYTES:
                self._rasters.popitem(last=False)
        return self._rasters[day]

    def _size(self) -> int:
        return sum(
            array.nbytes
            for rasters in self._rasters.values()
            for raster in rasters.values()
            for array in raster.values.values()
        )
