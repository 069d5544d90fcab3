"""The samples that a checkpoint is trained on: all before its cut-off, all of one recipe."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sm_platform.defs.lake_access import parts_of_days
from sm_platform.defs.scenes import read_scenes
from sm_platform.errors import MissingInputError, RecipeError
from sm_platform.grid.calendar import days_between
from sm_platform.lake.layout import Layout
from sm_platform.lake.rasters import values_of
from sm_platform.schema.model_tables import TRAINING_SAMPLES
from sm_platform.schema.product import QA_CRITICAL_MASK
from sm_platform.schema.recipes import DEFAULT_RECIPE, N_INPUTS, Recipe, find_recipe
from sm_platform.schema.rows import FeatureRows, from_dense

_DAY, _HOUR = timedelta(days=1), timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class SampleSet:
    """Samples of one region before a cut-off day, all of one recipe."""

    recipe: Recipe
    rows: FeatureRows
    sm_m3m3: NDArray[np.float32]
    block_id: NDArray[np.int32]
    majority_pass: str | None
    labels: tuple[str, ...]


def gather(layout: Layout, region: str, cut_off: date, days: int, most: int) -> SampleSet:
    """Samples of the `days` days before the cut-off, thinned evenly to `most`.

    Left out are labels of the cut-off day near a pass of the evening before it, and critical
    pixels (water, border, flooded), which are never mapped.

    Raises:
        MissingInputError: there are none.
        RecipeError: they were built by several recipes.
    """
    recipe, parts = _stored(layout, region, days_between(cut_off - timedelta(days), cut_off - _DAY))
    tables = [_sensed_before(layout, region, part, cut_off) for part in parts]
    table = pa.concat_tables([TRAINING_SAMPLES.arrow_schema.empty_table(), *tables])
    clear = np.flatnonzero((values_of(table["qa"]) & QA_CRITICAL_MASK) == 0)
    if not len(clear):
        raise MissingInputError(
            f"Region {region} has no training samples before {cut_off}: materialize "
            "`training_samples` for the days before it first."
        )
    step = max(len(clear) / most, 1.0)
    kept = table.take(clear[np.arange(0, len(clear), step).astype(np.int64)])
    return SampleSet(
        recipe=recipe,
        rows=_feature_rows(kept, recipe),
        sm_m3m3=values_of(kept["sm_m3m3"]).astype(np.float32),
        block_id=values_of(kept["block_id"]),
        majority_pass=_majority(layout, region, [day for day, _ in parts]),
        labels=tuple(sorted(set(kept["label_type"].to_pylist()))),
    )


def _stored(
    layout: Layout, region: str, days: Sequence[date]
) -> tuple[Recipe, list[tuple[date, pa.Table]]]:
    """The samples of those days that have any, and the one recipe of all."""
    parts = parts_of_days(layout, TRAINING_SAMPLES, region, days)
    notes = [part.note for _, part in parts]
    found = {(note["recipe_id"], note["recipe_fingerprint"]) for note in notes}
    recipe = find_recipe(next(iter(found))[0]) if found else DEFAULT_RECIPE
    if found - {(recipe.recipe_id, recipe.fingerprint)}:
        names = ", ".join(f"{name} {fingerprint}" for name, fingerprint in sorted(found))
        raise RecipeError(
            f"Training samples of {region} are of the recipes {names}: materialize "
            "`training_samples` of all these days anew, with one recipe."
        )
    return recipe, [(day, part.rows) for day, part in parts]


def _sensed_before(
    layout: Layout, region: str, part: tuple[date, pa.Table], cut_off: date
) -> pa.Table:
    """The rows of a day's samples whose label was sensed before midnight UTC of the cut-off."""
    day, rows = part
    if day < cut_off - _DAY:
        return rows
    starts = {scene.scene_id: scene.start_utc for scene in read_scenes(layout, region, day)}
    midnight = datetime.combine(cut_off, time(), UTC)
    hours_left = [
        (midnight - starts.get(name, midnight)) / _HOUR for name in rows["scene_id"].to_pylist()
    ]
    return rows.filter(pa.array(values_of(rows["time_difference_h"]) < np.array(hours_left)))


def _feature_rows(table: pa.Table, recipe: Recipe) -> FeatureRows:
    flat = pa.chunked_array([chunk.flatten() for chunk in table["inputs"].chunks])
    matrix = values_of(flat).reshape(-1, N_INPUTS)
    return from_dense(matrix, recipe.recipe_id, recipe.fingerprint)


def _majority(layout: Layout, region: str, days: Sequence[date]) -> str | None:
    """The track that most training passes came from, as `D091`."""
    scenes = [scene for day in days for scene in read_scenes(layout, region, day)]
    tracks = Counter(
        f"{scene.orbit_state}{scene.relative_orbit:03d}"
        for scene in scenes
        if scene.relative_orbit is not None
    )
    return tracks.most_common(1)[0][0] if tracks else None
