"""Features read back from the lake as the rows that networks take."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sm_platform.defs.scenes import Scene
from sm_platform.errors import MissingInputError
from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.lake.rasters import values_of
from sm_platform.schema.model_tables import SCENE_FEATURES, SCENE_SERIES
from sm_platform.schema.recipes import N_SERIES, SCALARS, NdviSensor
from sm_platform.schema.rows import FeatureRows

FRAMES = "frames"
"""Name in the note of a day's features: hashes of the frames they were built of, by scene id."""
NDVI_SENSORS = "ndvi_sensors"
"""Name in the same note: whose NDVI is in the series, by scene id; older days are of MODIS."""
SERIES = ("ndvi", "temperature_2m", "precipitation")


@dataclass(frozen=True, slots=True)
class SceneFeatures:
    """Stored features of one pass."""

    rows: FeatureRows
    cell_id: NDArray[np.int32]
    qa: NDArray[np.uint16]
    ndvi_age_d: NDArray[np.uint16]

    def inputs_lacking(self) -> list[str]:
        """Names of the inputs that no row has."""
        scalars = np.asarray(np.isnan(self.rows.scalars).all(axis=0))
        has_gap = np.asarray(np.isnan(self.rows.series).any(axis=2))
        series = np.asarray(has_gap[self.rows.series_index].all(axis=0))
        names = [*(entry.name for entry in SCALARS), *SERIES]
        is_lacking = np.concatenate([scalars, series])
        return [name for name, lacks in zip(names, is_lacking, strict=True) if lacks]


@dataclass(frozen=True, slots=True)
class DayFeatures:
    """Stored features of a day: by scene id, and the note of their maker."""

    scenes: Mapping[str, SceneFeatures]
    note: Mapping[str, Any]

    def ndvi_sensors(self, scene_id: str) -> tuple[str, ...]:
        """Whose NDVI observations are in the series of a pass."""
        return tuple(self.note.get(NDVI_SENSORS, {}).get(scene_id, [NdviSensor.MODIS.value]))


def check_frames(features: DayFeatures, scenes: Sequence[Scene], day: date) -> None:
    """Raises MissingInputError when a pass has other frames now than its features were built of.

    A late frame may come between: a map must not name frames whose pixels it has not.
    """
    built_of = features.note.get(FRAMES)
    now = {scene.scene_id: list(scene.granule_sha256s) for scene in scenes}
    if built_of is not None and built_of != now:
        raise MissingInputError(
            f"The passes of {day} have other frames now than its features: run --process again "
            "(asset scene_features) for that day."
        )


def read_features(layout: Layout, region: str, day: date) -> DayFeatures:
    """Features of a day's passes; raises MissingInputError when the day has not been processed."""
    made = store.read(layout, SCENE_FEATURES, region, day)
    series = store.read(layout, SCENE_SERIES, region, day)
    if made is None or series is None:
        raise MissingInputError(
            f"Features of {region} on {day} are not in the lake: run --process for that day first."
        )
    names = pc.unique(made.rows["scene_id"]).to_pylist()
    return DayFeatures({name: _scene(name, made, series.rows) for name in names}, made.note)


def _scene(name: str, made: store.Partition, series: pa.Table) -> SceneFeatures:
    rows = made.rows.filter(pc.equal(made.rows["scene_id"], name))
    own = series.filter(pc.equal(series["scene_id"], name))
    scalars = np.stack([values_of(rows[entry.name]) for entry in SCALARS], axis=1)
    return SceneFeatures(
        rows=FeatureRows(
            scalars=scalars.astype(np.float32),
            series=_stack(own),
            series_index=values_of(rows["series_id"]).astype(np.int32),
            recipe_id=made.note["recipe_id"],
            recipe_fingerprint=made.note["recipe_fingerprint"],
        ),
        cell_id=values_of(rows["cell_id"]),
        qa=values_of(rows["qa"]),
        ndvi_age_d=values_of(rows["ndvi_age_d"]),
    )


def _stack(series: pa.Table) -> NDArray[np.float32]:
    parts = [
        values_of(pa.chunked_array([chunk.flatten() for chunk in series[name].chunks]))
        for name in SERIES
    ]
    stacked = np.stack([part.reshape(series.num_rows, -1) for part in parts], axis=1)
    if stacked.shape[1] != N_SERIES:
        raise MissingInputError("Stored series are incomplete: run --process again.")
    return stacked.astype(np.float32)
