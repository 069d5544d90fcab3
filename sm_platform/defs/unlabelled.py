"""Rows of a region that nobody has labelled: what its networks will see when they map it."""

from collections.abc import Collection
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sm_platform.errors import MissingInputError, RecipeError
from sm_platform.grid.calendar import days_between
from sm_platform.grid.ease2 import LEVEL_9KM
from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.lake.rasters import values_of
from sm_platform.samples.pairing import whole_inputs
from sm_platform.schema.label_tables import SITE_CATALOG, SITE_FEATURES
from sm_platform.schema.product import QA_CRITICAL_MASK
from sm_platform.schema.recipes import N_INPUTS, Recipe
from sm_platform.schema.rows import FeatureRows, from_dense

MOST_ROWS = 5000
DAYS = 365
"""Before the cut-off, as far back as samples are taken from."""


def unlabelled_rows(
    layout: Layout,
    region: str,
    cut_off: date,
    recipe: Recipe,
    *,
    most: int = MOST_ROWS,
    held: Collection[str] = (),
) -> FeatureRows:
    """Whole rows at the region's sites of up to 3 km in the year before, at most `most`, drawn.

    The draw is the same each time. Memory holds one day and the rows drawn. Sites and passes that
    are `held` back, by their ids, are left out: what judges a network must not shape it.

    Raises:
        MissingInputError: there is no such row.
        RecipeError: they were built by another recipe.
    """
    days = days_between(cut_off - timedelta(DAYS), cut_off - timedelta(1))
    sites = _fine_sites(layout, region)
    kept_back = pa.array(sorted(held), pa.string())
    usable = {day: _usable(layout, region, day, (sites, kept_back), recipe) for day in days}
    total = sum(len(rows) for rows in usable.values())
    is_drawn, at, parts = np.random.default_rng(0).permutation(total) < most, 0, []
    for day, rows in usable.items():
        drawn = rows[is_drawn[at : at + len(rows)]]
        at += len(rows)
        if len(drawn):
            parts.append(_inputs(layout, region, day, drawn))
    found = np.concatenate([np.empty((0, N_INPUTS), np.float32), *parts])
    if not len(found):
        raise MissingInputError(
            f"Region {region} has no radar rows at its sites in the {DAYS} days before {cut_off}: "
            "materialize `s1_backscatter`, `site_catalog` and `site_features` of these days first, "
            "or train without a domain loss."
        )
    return from_dense(found, recipe.recipe_id, recipe.fingerprint)


def _fine_sites(layout: Layout, region: str) -> pa.Array:
    """Ids of the sites that are not whole 9 km cells."""
    stored = store.read(layout, SITE_CATALOG, region, columns=["site_id", "level"])
    if stored is None:
        return pa.array([], pa.string())
    fine = stored.rows.filter(pc.not_equal(stored.rows["level"], LEVEL_9KM.name))
    return fine["site_id"].combine_chunks()


def _usable(
    layout: Layout, region: str, day: date, names: tuple[pa.Array, pa.Array], recipe: Recipe
) -> NDArray[np.intp]:
    """Places of a day's rows that a map would show, at the sites named first, less those held."""
    (sites, held), columns = names, ["site_id", "scene_id", "qa"]
    made = store.read(layout, SITE_FEATURES, region, day, columns=columns)
    if made is None or not made.rows.num_rows:
        return np.array([], np.intp)
    if made.note["recipe_fingerprint"] != recipe.fingerprint:
        raise RecipeError(
            f"Rows of {region} on {day} are of recipe {made.note['recipe_id']}, the samples of "
            f"{recipe.recipe_id}: materialize `site_features` of these days with that recipe."
        )
    is_fine = np.asarray(pc.is_in(made.rows["site_id"], value_set=sites))
    is_clear = (values_of(made.rows["qa"]) & QA_CRITICAL_MASK) == 0
    ids = made.rows["site_id"], made.rows["scene_id"]
    is_held = np.any([np.asarray(pc.is_in(one, value_set=held)) for one in ids], axis=0)
    return np.flatnonzero(is_fine & is_clear & ~is_held)


def _inputs(layout: Layout, region: str, day: date, rows: NDArray[np.intp]) -> NDArray[np.float32]:
    """The inputs (k, 153) of those of a day's rows that lack none."""
    made = store.read(layout, SITE_FEATURES, region, day, columns=["inputs"])
    inputs = (made.rows if made else SITE_FEATURES.arrow_schema.empty_table())["inputs"].take(rows)
    flat = pa.chunked_array([chunk.flatten() for chunk in inputs.chunks], pa.float32())
    matrix = values_of(flat).reshape(-1, N_INPUTS).astype(np.float32)
    return matrix[whole_inputs(inputs)]
