"""What features of a region and stretch of days are built from, read from the lake once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from sm_platform.defs.lake_access import dated_rasters, hash_of, static_raster
from sm_platform.defs.partitions import LOOK_AHEAD_DAYS, LOOK_BACK_DAYS
from sm_platform.defs.pass_memory import PassMemory
from sm_platform.defs.radar_quantity import check_quantity, stored_quantity
from sm_platform.defs.scenes import Scene, empty_backscatter, read_backscatter, read_scenes
from sm_platform.errors import MissingInputError
from sm_platform.features.drivers import Drivers, ScenePass
from sm_platform.features.prepare import PreparedDrivers, prepare
from sm_platform.grid.calendar import days_between
from sm_platform.grid.window import Raster
from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.lake.rasters import window_note
from sm_platform.schema import driver_tables as tables
from sm_platform.schema.recipes import LateRain, Recipe
from sm_platform.schema.region import Region


@dataclass(frozen=True, slots=True)
class FeatureInputs:
    """Drivers of one region, prepared for one recipe, for passes on `days`."""

    layout: Layout
    region: Region
    recipe: Recipe
    drivers: Drivers
    prepared: PreparedDrivers
    static_hash: str
    dated_hashes: Mapping[date, str]
    """Input hashes of the stored vegetation, weather and late rain days."""
    memory: PassMemory

    def hash_for(self, day: date, scenes: Sequence[Scene]) -> str:
        """One hash over all that the features of this day's passes are made from."""
        first, last = day - timedelta(LOOK_BACK_DAYS), day + timedelta(LOOK_AHEAD_DAYS)
        dated = [hashed for when, hashed in self.dated_hashes.items() if first <= when <= last]
        frames = [scene.granule_sha256s for scene in scenes]
        memory = self.memory.hashes(day) if scenes else []
        return hash_of(self.recipe.fingerprint, self.static_hash, dated, frames, memory)

    def passes(self, day: date) -> list[tuple[Scene, ScenePass]]:
        """The passes of a day as features take them, each with earlier ones of its track.

        Raises:
            RecipeError: their backscatter is of another quantity than the recipe's.
        """
        name = self.region.region_id
        scenes = read_scenes(self.layout, name, day)
        if not scenes:
            return []
        note = store.note_of(self.layout, tables.S1_BACKSCATTER, name, day)
        check_quantity(name, day, stored_quantity(note), self.recipe)
        stored = read_backscatter(self.layout, name, day)
        nothing = empty_backscatter(window_note(self.region.window))
        return [(one, self._pass(one, stored.get(one.scene_id, nothing), day)) for one in scenes]

    def _pass(self, scene: Scene, backscatter: Raster, day: date) -> ScenePass:
        state = scene.orbit_state if scene.orbit_state in ("A", "D") else None
        history = self.memory.of_track(scene, day)
        return ScenePass(scene.start_utc, state, backscatter, history)  # type: ignore[arg-type]


def open_inputs(
    layout: Layout, region: Region, days: Sequence[date], recipe: Recipe
) -> FeatureInputs:
    """Read and prepare the drivers for passes on these days.

    Raises:
        MissingInputError: a static driver, or all vegetation or weather, is not in the lake.
    """
    around = days_between(
        min(days) - timedelta(LOOK_BACK_DAYS), max(days) + timedelta(LOOK_AHEAD_DAYS)
    )
    name = region.region_id
    ndvi, ndvi_hashes = dated_rasters(layout, tables.NDVI, name, around)
    weather, weather_hashes = dated_rasters(layout, tables.WEATHER, name, around)
    late_days = around if recipe.late_rain is not LateRain.NONE else []
    late_rain, late_hashes = dated_rasters(layout, tables.LATE_RAIN, name, late_days)
    hashes = [ndvi_hashes, weather_hashes, *([late_hashes] if late_days else [])]
    for table, found in ((tables.NDVI, ndvi), (tables.WEATHER, weather)):
        if not found:
            raise MissingInputError(
                f"No {table.name} of {name} between {around[0]} and {around[-1]} is in the lake: "
                f"run --download and --extract (assets {table.name}_granules, {table.name}); if "
                "they were run, the source has no file of these days: add them there."
            )
    soil, soil_hash = static_raster(layout, tables.SOIL, name, "--extract")
    terrain, terrain_hash = static_raster(layout, tables.STATIC_DRIVERS, name, "--extract")
    cover, cover_hash = static_raster(layout, tables.LAND_COVER_CELLS, name, "--extract")
    has_cover = bool(np.any(cover.values["land_cover_code"]))
    shown_cover = cover if has_cover else None
    drivers = Drivers(region.window, ndvi, weather, soil, terrain, shown_cover, late_rain)
    return FeatureInputs(
        layout=layout,
        region=region,
        recipe=recipe,
        drivers=drivers,
        prepared=prepare(recipe, drivers),
        static_hash=hash_of(soil_hash, terrain_hash, cover_hash),
        dated_hashes={
            day: hash_of(*(one.get(day) for one in hashes))
            for day in sorted({day for one in hashes for day in one})
        },
        memory=PassMemory(layout, name, recipe.radar_quantity),
    )
