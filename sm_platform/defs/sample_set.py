"""The samples that a checkpoint is trained on, with their roles: all of one recipe."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sm_platform.defs.scenes import read_scenes
from sm_platform.defs.splitting import KEYS
from sm_platform.errors import MissingInputError, RecipeError, UsageError
from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.lake.rasters import values_of
from sm_platform.samples.fusion import MOST_INUNDATED, besides_water
from sm_platform.samples.pairing import whole_inputs
from sm_platform.samples.splits import Role
from sm_platform.schema.driver_tables import S1_SCENES
from sm_platform.schema.label_sources import find_source
from sm_platform.schema.label_tables import SAMPLE_SPLITS, TRAINING_SAMPLES
from sm_platform.schema.recipes import N_INPUTS, RECIPES, Recipe
from sm_platform.schema.rows import FeatureRows, from_dense

_READ = ("scheme", *KEYS, "block_id", "sample_day", "role", "weight", "support_m")
FINE_M = 1500.0
"""Up to cells of 1 km; coarser labels stand for ground of several kinds and are not mixed in."""
COARSE_M = 10_000.0
"""Up to cells of 9 km."""
FEWEST_SITES = 5
FEWEST_BLOCKS = 3
"""Of 3 km, in each role: below these a figure or an early stop is chance."""
ABOUT = (
    *KEYS,
    *("block_id", "sample_day", "sensed_utc", "time_difference_h", "label_type", "is_simulated"),
    *("support_m", "station_id", "qa", "inundated_share"),
)
"""Columns of `SampleSet.about`."""
_CHANGED = (
    "{} {} have changed since their roles were given: materialize `sample_splits` of that day "
    "again."
)


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
    about: pa.Table
    """(n,) rows of ABOUT: where, when and from which source each sample is."""

    @property
    def is_of_water(self) -> NDArray[np.bool_]:
        """(n,): the label is a product's that sees flooded fields around the site."""
        label_type = np.array(self.about["label_type"].to_pylist(), np.str_)
        return besides_water(label_type, values_of(self.about["inundated_share"]), MOST_INUNDATED)


def gather(
    layout: Layout,
    region: str,
    cut_off: date,
    most: int,
    scheme: str,
    *,
    sources: Sequence[str] = (),
    support_m: tuple[float, float] = (0.0, FINE_M),
) -> SampleSet:
    """Samples with a role in the scheme under the cut-off, at most `most`, drawn at random.

    The draw is the same each time. Rows that the scheme leaves out (buffer) are none of them, nor
    are rows that lack an input. Memory holds the roles, one day, and the samples drawn.

    Only samples of these sources (all when none is named) are taken, and of labels that stand for
    ground of these sides, least and largest (a point has none).

    Raises:
        MissingInputError: no roles are stored under the cut-off, the scheme is not among them, no
            sample is of these sources and sizes, or the samples have changed since.
        RecipeError: the samples were built by several recipes.
        UsageError: `most` is less than 1.
    """
    if most < 1:
        raise UsageError(f"{most} samples teach nothing: ask for 1 or more.")
    roles = _wanted(read_roles(layout, region, cut_off, scheme), region, sources, support_m)
    days = pc.unique(roles["sample_day"]).to_pylist()
    recipe = _recipe(layout, region, days)
    drawn = np.random.default_rng(0).permutation(roles.num_rows) < most
    whole = roles.append_column("is_drawn", pa.array(drawn))
    kept = pa.concat_tables([_of_day(layout, region, day, whole) for day in days])
    return SampleSet(
        recipe=recipe,
        rows=_feature_rows(kept, recipe),
        sm_m3m3=values_of(kept["sm_m3m3"]).astype(np.float32),
        role=np.array(kept["role"].to_pylist(), dtype=np.str_),
        weight=values_of(kept["weight"]).astype(np.float32),
        majority_pass=_majority(layout, region, days),
        labels=tuple(sorted(set(kept["label_type"].to_pylist()))),
        scheme=scheme,
        about=kept.select(ABOUT).combine_chunks(),
    )


def read_roles(layout: Layout, region: str, cut_off: date, scheme: str) -> pa.Table:
    """Stored roles of one scheme without the rows it leaves out: keys, block, day, role, weight.

    Raises:
        MissingInputError: none are stored under the cut-off, or not of that scheme.
    """
    stored = store.read(layout, SAMPLE_SPLITS, region, cut_off, columns=_READ)
    if stored is None:
        raise MissingInputError(
            f"Region {region} has no roles of its samples before {cut_off}: materialize "
            "`sample_splits` for that day first."
        )
    is_own = pc.equal(stored.rows["scheme"], scheme)
    is_used = pc.not_equal(stored.rows["role"], Role.BUFFER.value)
    roles = stored.rows.filter(pc.and_(is_own, is_used))
    if not roles.num_rows:
        known = ", ".join(pc.unique(stored.rows["scheme"]).to_pylist())
        raise MissingInputError(
            f"The samples of {region} before {cut_off} are not split by scheme '{scheme}' "
            f"(there: {known}): choose one of those, or bring more sites and days."
        )
    return roles


def _wanted(
    roles: pa.Table, region: str, sources: Sequence[str], support_m: tuple[float, float]
) -> pa.Table:
    """The roles of these sources and sizes."""
    low, high = support_m
    side = pc.fill_null(roles["support_m"], 0.0)
    is_wanted = pc.and_(pc.greater_equal(side, low), pc.less_equal(side, high))
    if sources:
        names = pa.array([find_source(name).source_id for name in sources])
        is_wanted = pc.and_(is_wanted, pc.is_in(roles["source"], value_set=names))
    found = roles.filter(is_wanted)
    if not found.num_rows:
        there = ", ".join(sorted(pc.unique(roles["source"]).to_pylist()))
        raise MissingInputError(
            f"No sample of {region} is of {', '.join(sources) or 'any source'} and stands for "
            f"{low:g} to {high:g} m of ground (there: {there}): name other sources, or bring such "
            "labels and materialize `training_samples` and `sample_splits`."
        )
    return found


def _recipe(layout: Layout, region: str, days: Sequence[date]) -> Recipe:
    """The one recipe of those days' samples."""
    notes = [store.note_of(layout, TRAINING_SAMPLES, region, day) for day in days]
    found = {(note["recipe_id"], note["recipe_fingerprint"]) for note in notes if note}
    known = {(one.recipe_id, one.fingerprint): one for one in RECIPES}
    if len(found) == 1 and found <= set(known):
        return known[found.pop()]
    if not found:
        raise MissingInputError(_CHANGED.format(len(days), "days of samples"))
    names = ", ".join(f"{name} {fingerprint}" for name, fingerprint in sorted(found))
    raise RecipeError(
        f"Training samples of {region} are of the recipes {names}: materialize `site_features` and "
        "`training_samples` of all these days anew, with one recipe that the platform knows."
    )


def _of_day(layout: Layout, region: str, day: date, roles: pa.Table) -> pa.Table:
    """The drawn samples of a day in a fixed order, with role and weight.

    Matched by place, not by a join: Arrow's joins do not take columns of lists.
    """
    stored = store.read(layout, TRAINING_SAMPLES, region, day)
    samples = stored.rows if stored else TRAINING_SAMPLES.arrow_schema.empty_table()
    own = roles.filter(pc.equal(roles["sample_day"], pa.scalar(day)))
    place = pc.index_in(_keys(own), value_set=_keys(samples))
    if place.null_count:
        raise MissingInputError(_CHANGED.format(place.null_count, f"samples of {day}"))
    row = np.asarray(place)
    order = np.argsort(row, kind="stable")
    order = order[values_of(own["is_drawn"])[order]]
    kept = samples.take(row[order])
    for name in ("role", "weight", "sample_day"):
        kept = kept.append_column(name, own[name].take(order))
    return kept.filter(pa.array(whole_inputs(kept["inputs"])))


def _keys(rows: pa.Table) -> pa.Array:
    joined = pc.binary_join_element_wise(*(rows[name] for name in KEYS), "\n")
    return joined.combine_chunks()


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
