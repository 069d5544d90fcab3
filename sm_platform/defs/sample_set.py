"""The samples that a checkpoint is trained on, with their roles: all of one recipe."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sm_platform.defs.lake_access import parts_of_days
from sm_platform.defs.scenes import read_scenes
from sm_platform.defs.splitting import KEYS
from sm_platform.errors import MissingInputError, RecipeError
from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.lake.rasters import values_of
from sm_platform.schema.driver_tables import S1_SCENES
from sm_platform.schema.label_tables import SAMPLE_SPLITS, TRAINING_SAMPLES
from sm_platform.schema.recipes import DEFAULT_RECIPE, N_INPUTS, Recipe, find_recipe
from sm_platform.schema.rows import FeatureRows, from_dense


@dataclass(frozen=True, slots=True)
class SampleSet:
    """Samples of one region before a cut-off day, all of one recipe; arrays are (n,)."""

    recipe: Recipe
    rows: FeatureRows
    sm_m3m3: NDArray[np.float32]
    role: NDArray[np.str_]
    weight: NDArray[np.float32]
    majority_pass: str | None
    labels: tuple[str, ...]
    """Label types, each once."""
    scheme: str


def gather(layout: Layout, region: str, cut_off: date, most: int, scheme: str) -> SampleSet:
    """Samples with a role in the scheme under the cut-off, thinned evenly to `most`.

    Raises:
        MissingInputError: no roles are stored under the cut-off, or the scheme is not among them.
        RecipeError: the samples were built by several recipes.
    """
    roles = _roles(layout, region, cut_off, scheme)
    days = sorted(set(roles["sample_day"].to_pylist()))
    recipe, tables = _stored(layout, region, days)
    joined = _joined(pa.concat_tables(tables), roles)
    step = max(joined.num_rows / most, 1.0)
    kept = joined.take(np.arange(0, joined.num_rows, step).astype(np.int64))
    return SampleSet(
        recipe=recipe,
        rows=_feature_rows(kept, recipe),
        sm_m3m3=values_of(kept["sm_m3m3"]).astype(np.float32),
        role=np.array(kept["role"].to_pylist(), dtype=np.str_),
        weight=values_of(kept["weight"]).astype(np.float32),
        majority_pass=_majority(layout, region, days),
        labels=tuple(sorted(set(kept["label_type"].to_pylist()))),
        scheme=scheme,
    )


def _roles(layout: Layout, region: str, cut_off: date, scheme: str) -> pa.Table:
    stored = store.read(layout, SAMPLE_SPLITS, region, cut_off)
    if stored is None:
        raise MissingInputError(
            f"Region {region} has no roles of its samples before {cut_off}: materialize "
            "`sample_splits` for that day first."
        )
    roles = stored.rows.filter(pc.equal(stored.rows["scheme"], scheme))
    if not roles.num_rows:
        known = ", ".join(pc.unique(stored.rows["scheme"]).to_pylist())
        raise MissingInputError(
            f"The samples of {region} before {cut_off} are not split by scheme '{scheme}' "
            f"(there: {known}): choose one of those, or bring more sites and days."
        )
    return roles


def _stored(layout: Layout, region: str, days: Sequence[date]) -> tuple[Recipe, list[pa.Table]]:
    """The samples of those days, and the one recipe of all."""
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
    return recipe, [part.rows for _, part in parts]


def _joined(samples: pa.Table, roles: pa.Table) -> pa.Table:
    """The samples that have a role, in a fixed order, with role and weight.

    Matched by place, not by a join: Arrow's joins do not take columns of lists.
    """
    place = {key: n for n, key in enumerate(_keys(samples))}
    found = [(place.get(key), n) for n, key in enumerate(_keys(roles))]
    pairs = sorted((row, n) for row, n in found if row is not None)
    if len(pairs) < roles.num_rows:
        raise MissingInputError(
            f"{roles.num_rows - len(pairs)} samples have changed since their roles were given: "
            "materialize `sample_splits` of that day again."
        )
    kept, own = samples.take([row for row, _ in pairs]), roles.take([n for _, n in pairs])
    for name in ("role", "weight"):
        kept = kept.append_column(name, own[name])
    return kept


def _keys(rows: pa.Table) -> list[tuple[str, ...]]:
    return list(zip(*(rows[name].to_pylist() for name in KEYS), strict=True))


def _feature_rows(table: pa.Table, recipe: Recipe) -> FeatureRows:
    flat = pa.chunked_array([chunk.flatten() for chunk in table["inputs"].chunks])
    matrix = values_of(flat).reshape(-1, N_INPUTS)
    return from_dense(matrix, recipe.recipe_id, recipe.fingerprint)


def _majority(layout: Layout, region: str, days: Sequence[date]) -> str | None:
    """The track that most training passes came from, as `D091`."""
    made = store.days_made(layout, S1_SCENES, region)  # samples may have been imported
    known = sorted(set(days) & set(made))
    scenes = [scene for day in known for scene in read_scenes(layout, region, day)]
    tracks = Counter(
        f"{scene.orbit_state}{scene.relative_orbit:03d}"
        for scene in scenes
        if scene.relative_orbit is not None
    )
    return tracks.most_common(1)[0][0] if tracks else None
