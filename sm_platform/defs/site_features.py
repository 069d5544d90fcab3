"""Rows at the sites of a region, each at its own support, through the code of the maps."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sm_platform.defs.days import DayReport
from sm_platform.defs.feature_inputs import FeatureInputs
from sm_platform.defs.lake_access import hash_of
from sm_platform.errors import DataError
from sm_platform.features.build import build
from sm_platform.features.drivers import ScenePass
from sm_platform.features.inundation import AROUND_CELLS, flooded, share_around
from sm_platform.features.prepare import PreparedDrivers, only, prepare
from sm_platform.features.radar import BANDS as RADAR_BANDS
from sm_platform.features.support import coarse_drivers, coarse_pass, coarse_window
from sm_platform.grid import ease2
from sm_platform.grid.window import GridWindow
from sm_platform.lake import store
from sm_platform.lake.rasters import column
from sm_platform.schema.label_tables import SITE_FEATURES
from sm_platform.schema.recipes import N_INPUTS
from sm_platform.schema.rows import dense

PIXEL = "100m"
"""The level of the region's own pixels."""
REVISION = 1
"""Of what is told of a site beside its inputs: raised when the same drivers would give another."""
LEVELS = {level.name: level for level in ease2.LEVELS}


@dataclass(frozen=True, slots=True)
class _Support:
    """The sites of one level, with the drivers of their cells."""

    site_id: pa.ChunkedArray
    cells: NDArray[np.int64]
    """Flat cell of each site: of the region's window, or of the coarse one."""
    prepared: PreparedDrivers
    pixel: NDArray[np.int64]
    """Flat pixel of the region's window that holds each site."""


@dataclass(frozen=True, slots=True)
class SiteFeatures:
    """What builds and stores rows at the sites of one region."""

    inputs: FeatureInputs
    supports: Mapping[str, _Support]
    """By level."""
    sites_hash: str
    min_lookback_share: float

    def write_day(self, day: date) -> DayReport:
        """Build and store the rows of all sites for a day's passes; unchanged ones are kept."""
        layout, region, recipe = self.inputs.layout, self.inputs.region, self.inputs.recipe
        passes = self.inputs.passes(day)
        built_from = self.inputs.hash_for(day, [scene for scene, _ in passes])
        hashed = hash_of(built_from, self.sites_hash, self.min_lookback_share, REVISION)
        note = store.note_of(layout, SITE_FEATURES, region.region_id, day)
        if note is not None and note["inputs"] == hashed:
            return DayReport(note["status"], note["rows"], {"recipe": recipe.recipe_id})
        parts = [part for scene, seen in passes for part in self._of_pass(scene.scene_id, seen)]
        rows = pa.concat_tables([SITE_FEATURES.arrow_schema.empty_table(), *parts])
        kept = {
            "inputs": hashed,
            "status": "made" if passes else "no_pass",
            "rows": rows.num_rows,
            "recipe_id": recipe.recipe_id,
            "recipe_fingerprint": recipe.fingerprint,
        }
        store.write(layout, SITE_FEATURES, rows, region=region.region_id, day=day, note=kept)
        return DayReport(str(kept["status"]), rows.num_rows, {"recipe": recipe.recipe_id})

    def _of_pass(self, scene_id: str, seen: ScenePass) -> Iterator[pa.Table]:
        """Rows of one pass, a table a level."""
        water = _water(self.inputs.prepared, seen)
        for level, own in self.supports.items():
            around = share_around(*water, max(AROUND_CELLS, _cells_along(level)))
            yield self._rows(scene_id, seen, level, around.ravel()[own.pixel])

    def _rows(
        self, scene_id: str, seen: ScenePass, level: str, inundated: NDArray[np.float32]
    ) -> pa.Table:
        own = self.supports[level]
        scene, share = self._at(seen, level)
        features = build(
            self.inputs.recipe, own.prepared, scene, min_lookback_share=self.min_lookback_share
        )
        matrix = dense(features.rows)
        return pa.table(
            {
                "site_id": own.site_id,
                "scene_id": pa.array([scene_id] * len(matrix), pa.string()),
                "footprint_share": share.ravel()[own.cells],
                "qa": features.qa,
                "inundated_share": column(inundated),
                "inputs": pa.FixedSizeListArray.from_arrays(column(matrix.ravel()), N_INPUTS),
            },
            schema=SITE_FEATURES.arrow_schema,
        )

    def _at(self, seen: ScenePass, level: str) -> tuple[ScenePass, NDArray[np.float32]]:
        """The pass at the level, and the share of each cell's pixels that it saw."""
        if level == PIXEL:
            bands = [np.asarray(seen.backscatter.values[name]) for name in RADAR_BANDS]
            is_seen = ~np.isnan(np.stack(bands)).any(axis=0)
            return seen, np.asarray(is_seen, np.float32)
        coarse = coarse_pass(seen, self.inputs.region.window, LEVELS[level])
        return coarse.scene, coarse.valid_share


def open_sites(inputs: FeatureInputs, sites: pa.Table, min_lookback_share: float) -> SiteFeatures:
    """Prepare the drivers of the sites' cells, once for all passes.

    Imported sites may lie elsewhere: those whose cell holds no pixel of the region have no rows.

    Raises:
        RecipeError: a site is coarser than the recipe knows.
        DataError: a site is of a level that does not exist.
    """
    own = sites.filter(pc.greater_equal(sites["cell_id"], 0))
    found = {
        level: _placed(inputs, own.filter(pc.equal(own["level"], level)), level)
        for level in pc.unique(own["level"]).to_pylist()
    }
    supports = {
        level: _Support(names, cells, _prepared(inputs, cells, level), pixel)
        for level, (names, cells, pixel) in found.items()
        if cells.size
    }
    placed = {level: (one[0].to_pylist(), one[1].tolist()) for level, one in found.items()}
    return SiteFeatures(inputs, supports, hash_of(placed), min_lookback_share)


def _cells_along(level: str) -> int:
    """Pixels along the side of a cell of the level."""
    return LEVELS[PIXEL].divisor // LEVELS[level].divisor


def _placed(
    inputs: FeatureInputs, sites: pa.Table, level: str
) -> tuple[pa.ChunkedArray, NDArray[np.int64], NDArray[np.int64]]:
    """The sites of a level whose cell holds pixels of the region, that cell, their own pixel."""
    names, pixel = sites["site_id"], sites["cell_id"].to_numpy().astype(np.int64)
    if level not in LEVELS:
        raise DataError(
            f"Site {names[0]} is of level '{level}': correct it to one of {', '.join(LEVELS)}."
        )
    if level == PIXEL:
        return names, pixel, pixel
    cells = _coarse_cells(sites, coarse_window(inputs.region.window, LEVELS[level]), LEVELS[level])
    is_inside = cells >= 0
    return names.filter(pa.array(is_inside)), cells[is_inside], pixel[is_inside]


def _water(
    prepared: PreparedDrivers, seen: ScenePass
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Whether water stands on each pixel of the region, and whether that could be told."""
    field = prepared.shares.field
    found = np.zeros((2, *prepared.window.shape), np.bool_)
    found[0].flat[prepared.cells] = flooded(seen, field, prepared.cells)
    found[1].flat[prepared.cells] = ~np.isnan(field)
    is_seen = ~np.isnan(np.asarray(seen.backscatter.values[RADAR_BANDS[0]]))
    return found[0], found[1] & is_seen


def _prepared(inputs: FeatureInputs, cells: NDArray[np.int64], level: str) -> PreparedDrivers:
    if level == PIXEL:
        return only(inputs.prepared, cells)
    return prepare(inputs.recipe, coarse_drivers(inputs.drivers, LEVELS[level]), cells=cells)


def _coarse_cells(sites: pa.Table, window: GridWindow, level: ease2.Level) -> NDArray[np.int64]:
    """Flat cell of each site in the coarse window, -1 outside."""
    corner = ease2.corner_cell(level, window)
    if corner is None:
        raise DataError(f"Footprints of {level.name} lie off the grid: a fault of the platform.")
    row = sites["cell_row"].to_numpy().astype(np.int64) - corner[0]
    col = sites["cell_col"].to_numpy().astype(np.int64) - corner[1]
    rows, cols = window.shape
    is_inside = (row >= 0) & (row < rows) & (col >= 0) & (col < cols)
    return np.where(is_inside, row * cols + col, -1)
