"""The places and passes that a checkpoint is judged on, with all that is known of each.

A row is a site at a pass. Labels of several sources there are several references of one row: the
inputs are the same. This is the only module that opens the truth of a simulated archive.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sm_platform.defs.evaluation_strata import land_cover_of, seasons, track_of
from sm_platform.defs.readings_of_products import product_readings
from sm_platform.defs.sample_set import SampleSet
from sm_platform.errors import DataError, RecipeError, SourceError
from sm_platform.grid.ease2 import LEVEL_9KM
from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.samples.splits import Role, rows_and_cols
from sm_platform.schema.label_sources import LabelType
from sm_platform.schema.label_tables import SITE_CATALOG
from sm_platform.schema.product import Qa
from sm_platform.schema.region import Region
from sm_platform.schema.rows import FeatureRows, dense, from_dense, take
from sm_platform.sources.archive import archive_regions
from sm_platform.sources.simulated.truth import read_truth, truth_days

ARCHIVE = "archive"
"""Source of the simulated reference."""
PIXEL_LEVEL = "100m"
"""Sites of this level are pixels, whose truth is one value; wider ones have none."""
Texts = NDArray[np.str_]


@dataclass(frozen=True, slots=True)
class Reference:
    """What predictions are compared with."""

    label_type: str
    """product, model, in_situ or simulated."""
    source: str
    sm_m3m3: NDArray[np.float32]
    """(n,), NaN where it says nothing."""
    is_of_water: NDArray[np.bool_]
    """(n,): it tells of the water on or around the site, not of its soil."""


@dataclass(frozen=True, slots=True)
class EvaluationSet:
    """n rows, each a site at a pass, in order of both; arrays are (n,)."""

    scheme: str
    rows: FeatureRows
    site_id: Texts
    scene_id: Texts
    block_id: NDArray[np.int64]
    coarse_id: NDArray[np.int64]
    """Flat index of the 9 km cell."""
    day: NDArray[np.datetime64]
    land_cover: Texts
    season: Texts
    track: Texts
    is_flooded: NDArray[np.bool_]
    """Water stood on the site: quality bit 15 or, where there is one, the truth."""
    references: tuple[Reference, ...]
    products: Mapping[str, NDArray[np.float32]]
    """Coarse products at the cell of each row by their source (m3/m3), NaN where none was near."""

    def __len__(self) -> int:
        return len(self.site_id)


def evaluation_set(
    layout: Layout, region: Region, samples: SampleSet, *, is_kept: NDArray[np.bool_] | None = None
) -> EvaluationSet:
    """The samples of role test (of these the kept) with their context.

    Raises:
        DataError: the scheme left no row of that role.
    """
    is_test = samples.role == Role.TEST.value
    chosen = np.flatnonzero(is_test if is_kept is None else is_test & is_kept)
    if not len(chosen):
        raise DataError(
            f"Scheme {samples.scheme} of {region.region_id} leaves no sample to be judged on: "
            "bring more sites and days, or choose another scheme."
        )
    about = samples.about.take(chosen).to_pandas()
    keys = [about["site_id"].to_numpy(str), about["scene_id"].to_numpy(str)]
    _, first, row = np.unique(np.rec.fromarrays(keys), return_index=True, return_inverse=True)
    place = about.iloc[first].reset_index(drop=True)
    catalog = _catalog(layout, region.region_id)
    about["is_of_water"] = samples.is_of_water[chosen]
    references = tuple(_label_references(about, samples.sm_m3m3[chosen], row))
    truth, stands = _truth(region, place, catalog)
    block = place["block_id"].to_numpy(np.int64)
    day = place["sample_day"].to_numpy().astype("datetime64[D]")
    return EvaluationSet(
        scheme=samples.scheme,
        rows=take(samples.rows, chosen[first]),
        site_id=keys[0][first],
        scene_id=keys[1][first],
        block_id=block,
        coarse_id=coarse_cells(block),
        day=day,
        land_cover=land_cover_of(catalog, place["site_id"]),
        season=seasons(day),
        track=track_of(layout, region.region_id, place["scene_id"], day),
        is_flooded=stands | ((place["qa"].to_numpy(np.uint16) & Qa.INUNDATED) > 0),
        references=references if truth is None else (*references, truth),
        products=product_readings(layout, region.region_id, catalog, place),
    )


def coarse_cells(block_id: NDArray[np.integer]) -> NDArray[np.int64]:
    """Flat index of the 9 km cell that holds each 3 km block: nine blocks lie in one."""
    row, col = rows_and_cols(block_id)
    return np.asarray(row // 3 * LEVEL_9KM.shape[1] + col // 3)


def joined(sets: Sequence[EvaluationSet]) -> EvaluationSet:
    """Sets of several regions as one; sites and blocks are numbered over the globe.

    A source that one of them lacks is missing there.

    Raises:
        RecipeError: their rows are of several recipes.
    """
    if len(sets) == 1:
        return sets[0]
    recipes = sorted({f"{one.rows.recipe_id} ({one.rows.recipe_fingerprint})" for one in sets})
    if len(recipes) > 1:
        raise RecipeError(
            f"The regions' rows are of recipes {', '.join(recipes)}: judge them one by one, or "
            "materialize `site_features` and `training_samples` of one of them anew."
        )
    arrays = {
        name: np.concatenate([getattr(one, name) for one in sets])
        for name in ("site_id", "scene_id", "block_id", "coarse_id", "day")
        + ("land_cover", "season", "track", "is_flooded")
    }
    first = sets[0].rows
    inputs = np.concatenate([dense(one.rows) for one in sets])
    kinds = sorted({(r.label_type, r.source) for one in sets for r in one.references})
    return EvaluationSet(
        scheme=sets[0].scheme,
        rows=from_dense(inputs, first.recipe_id, first.recipe_fingerprint),
        references=tuple(_chained([_of_kind(one, kind) for one in sets]) for kind in kinds),
        products={
            name: np.concatenate([one.products.get(name, _none(len(one))) for one in sets])
            for name in sorted({name for one in sets for name in one.products})
        },
        **arrays,
    )


def _of_kind(one: EvaluationSet, kind: tuple[str, str]) -> Reference:
    found = [r for r in one.references if (r.label_type, r.source) == kind]
    nothing = Reference(*kind, _none(len(one)), np.zeros(len(one), np.bool_))
    return found[0] if found else nothing


def _chained(parts: Sequence[Reference]) -> Reference:
    values = np.concatenate([part.sm_m3m3 for part in parts])
    of_water = np.concatenate([part.is_of_water for part in parts])
    return Reference(parts[0].label_type, parts[0].source, values, of_water)


def _none(n: int) -> NDArray[np.float32]:
    return np.full(n, np.nan, np.float32)


def _label_references(
    about: pd.DataFrame, sm_m3m3: NDArray[np.float32], row: NDArray[np.intp]
) -> Iterator[Reference]:
    for (label_type, source), own in about.groupby(["label_type", "source"], sort=True):
        values = _none(int(row.max()) + 1)
        of_water = np.zeros(len(values), np.bool_)
        values[row[own.index]] = sm_m3m3[own.index]
        of_water[row[own.index]] = own["is_of_water"]
        yield Reference(str(label_type), str(source), values, of_water)


def _catalog(layout: Layout, region_id: str) -> pd.DataFrame:
    """The region's sites by their id; empty when there are none."""
    stored = store.read(layout, SITE_CATALOG, region_id)
    rows = stored.rows if stored else SITE_CATALOG.arrow_schema.empty_table()
    catalog: pd.DataFrame = rows.to_pandas()
    return catalog.set_index("site_id", drop=False)


def _truth(
    region: Region, place: pd.DataFrame, catalog: pd.DataFrame
) -> tuple[Reference | None, NDArray[np.bool_]]:
    """The archive's truth at each row and where water stood; None where no truth is kept."""
    values, stands = _none(len(place)), np.zeros(len(place), np.bool_)
    sites = catalog.reindex(place["site_id"])
    is_pixel = (sites["level"] == PIXEL_LEVEL).to_numpy() & (sites["cell_id"] >= 0).to_numpy()
    days = place["sample_day"]
    known = _days_of_truth(region)
    for day in sorted(set(days[is_pixel]) & set(known)):
        chosen = np.flatnonzero(is_pixel & (days == day).to_numpy())
        pixel = sites["cell_id"].to_numpy()[chosen].astype(np.int64)
        told = read_truth(Path(region.source_path), region.region_id, region.window, day).values
        values[chosen] = told["sm_m3m3"].ravel()[pixel]
        stands[chosen] = told["is_flooded"].ravel()[pixel]
    if not np.isfinite(values).any():
        return None, stands
    return Reference(LabelType.SIMULATED.value, ARCHIVE, values, stands), stands


def _days_of_truth(region: Region) -> list[date]:
    """Days of which the region's archive keeps the truth; none of a region that is not its own."""
    if region.source != ARCHIVE:
        return []
    root = Path(region.source_path)
    try:
        is_own = archive_regions(root).get(region.region_id) == region.window
    except SourceError:  # the archive is gone: labels are judged by what the lake holds
        return []
    return truth_days(root, region.region_id) if is_own else []
