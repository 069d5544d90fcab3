"""Scenes: the frames of a day grouped into radar passes, and scenes read back from the lake."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sm_platform.errors import GranuleError, MissingInputError
from sm_platform.formats import opera_rtc, rtc_planetary_computer, s1_earth_engine
from sm_platform.formats.s1_earth_engine import SceneProperties
from sm_platform.grid.window import Raster
from sm_platform.lake import store
from sm_platform.lake.granules import LandedGranule
from sm_platform.lake.layout import Layout
from sm_platform.lake.rasters import raster_from, window_from
from sm_platform.schema import driver_tables as tables


@dataclass(frozen=True, slots=True)
class Scene:
    """One row of `s1_scenes`."""

    scene_id: str
    start_utc: datetime
    end_utc: datetime
    platform: str
    orbit_state: str
    relative_orbit: int | None
    absolute_orbit: int | None
    datatake_id: str
    is_day_only: bool
    available_utc: datetime | None
    granule_ids: list[str]
    granule_sha256s: list[str]

    @property
    def track(self) -> tuple[str, int | None]:
        """Passes of one track see a field from the same side."""
        return self.orbit_state, self.relative_orbit


def scenes_of(granules: Sequence[LandedGranule]) -> list[Scene]:
    """The passes that a day's frames make, in order of time; each slice counts once.

    The frames are of one service (`service_choice`) and quantity (`radar_quantity.quantity_of`).

    Raises:
        GranuleError: naming each frame whose properties are damaged.
    """
    passes: dict[str, list[tuple[SceneProperties, LandedGranule]]] = defaultdict(list)
    days: list[Scene] = []
    damaged: list[str] = []
    for granule in granules:
        if granule.format == "seed_layout":
            days.append(_day_scene(granule))
            continue
        try:
            found = PROPERTIES[granule.format](granule)
        except GranuleError as error:
            damaged.append(str(error))
            continue
        passes[f"{found.platform}_{found.datatake_id}"].append((found, granule))
    if damaged:
        raise GranuleError(" ".join(damaged))
    made = [_scene(scene_id, frames) for scene_id, frames in passes.items()]
    return sorted(days + made, key=lambda scene: (scene.start_utc, scene.scene_id))


def scene_rows(scenes: Sequence[Scene]) -> pa.Table:
    """Scenes as rows of `s1_scenes`."""
    names = [column.name for column in tables.S1_SCENES.columns]
    rows = [{name: getattr(scene, name) for name in names} for scene in scenes]
    return pa.Table.from_pylist(rows, schema=tables.S1_SCENES.arrow_schema)


def read_scenes(layout: Layout, region: str, day: date) -> list[Scene]:
    """The stored passes of a day; raises MissingInputError when the day has not been extracted."""
    made = store.read(layout, tables.S1_SCENES, region, day)
    if made is None:
        raise MissingInputError(
            f"Sentinel-1 passes of {region} on {day} are not in the lake: "
            "run --download and --extract for that day first."
        )
    return [Scene(**row) for row in made.rows.to_pylist()]


def read_backscatter(layout: Layout, region: str, day: date) -> dict[str, Raster]:
    """Backscatter of each stored pass of a day, by scene id; raises MissingInputError."""
    made = store.read(layout, tables.S1_BACKSCATTER, region, day)
    if made is None:
        raise MissingInputError(
            f"Backscatter of {region} on {day} is not in the lake: run --extract first."
        )
    rasters = {}
    for scene_id in pc.unique(made.rows["scene_id"]).to_pylist():
        rows = made.rows.filter(pc.equal(made.rows["scene_id"], scene_id))
        rasters[scene_id] = raster_from(store.Partition(rows, made.note))
    return rasters


def empty_backscatter(note: dict[str, Any]) -> Raster:
    """A pass over the grid of a note without a single measurement."""
    window = window_from(note)
    nothing = np.full(window.shape, np.nan, np.float32)
    return Raster(window, dict.fromkeys(("vv_db", "vh_db", "angle_deg"), nothing))


def _scene(scene_id: str, frames: list[tuple[SceneProperties, LandedGranule]]) -> Scene:
    """A pass of its frames; of two granules of one slice the one available last counts."""
    slices: dict[tuple[datetime, str], tuple[SceneProperties, LandedGranule]] = {}
    oldest = datetime.min.replace(tzinfo=UTC)
    for found, granule in sorted(
        frames, key=lambda pair: (pair[1].available_utc or oldest, pair[1].granule_id)
    ):
        slices[found.start_utc, _part(granule)] = found, granule
    kept = [slices[start] for start in sorted(slices)]
    first = kept[0][0]
    times = [granule.available_utc for _, granule in kept if granule.available_utc]
    return Scene(
        scene_id=scene_id,
        start_utc=first.start_utc,
        end_utc=max(found.end_utc for found, _ in kept),
        platform=first.platform,
        orbit_state=first.orbit_state,
        relative_orbit=first.relative_orbit,
        absolute_orbit=first.absolute_orbit,
        datatake_id=first.datatake_id,
        is_day_only=False,
        available_utc=max(times) if times else None,
        granule_ids=[granule.granule_id for _, granule in kept],
        granule_sha256s=[granule.sha256 for _, granule in kept],
    )


def _part(granule: LandedGranule) -> str:
    """What tells frames of one start apart: bursts of two subswaths may begin together."""
    return opera_rtc.burst_of(granule.granule_id) if granule.format == "opera_rtc" else ""


def _day_scene(granule: LandedGranule) -> Scene:
    if granule.day is None:
        raise MissingInputError(f"{granule.granule_id} has no day in its name: rename it.")
    midnight = datetime.combine(granule.day, time(), UTC)
    return Scene(
        scene_id=f"S1X_{granule.day:%Y%m%d}",
        start_utc=midnight,
        end_utc=midnight,
        platform="S1X",
        orbit_state="X",
        relative_orbit=None,
        absolute_orbit=None,
        datatake_id=f"{granule.day:%Y%m%d}",
        is_day_only=True,
        available_utc=granule.available_utc,
        granule_ids=[granule.granule_id],
        granule_sha256s=[granule.sha256],
    )


def _earth_engine(granule: LandedGranule) -> SceneProperties:
    name = next(name for name in granule.files if name.endswith(".json"))
    return s1_earth_engine.read_properties(granule.folder / name)


PROPERTIES: dict[str, Callable[[LandedGranule], SceneProperties]] = {
    "s1_earth_engine": _earth_engine,
    "opera_rtc": lambda one: opera_rtc.read_properties(one.folder, one.granule_id),
    "rtc_planetary_computer": lambda one: rtc_planetary_computer.read_properties(
        one.folder, one.granule_id
    ),
}
"""Reader of what a frame says of its pass, by format."""
