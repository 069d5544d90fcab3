"""Rows at the sites of a region, each at its own support, through the code of the maps."""

from collections.abc import Mapping
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
from sm_platform.features.prepare import PreparedDrivers, only, prepare
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
LEVELS = {level.name: level for level in ease2.LEVELS}


@dataclass(frozen=True, slots=True)
class _Support:
    """The sites of one level, with the drivers of their cells."""

    site_id: pa.ChunkedArray
    cells: NDArray[np.int64]
    """Flat cell of each site: of the region's window, or of the coarse one."""
    prepared: PreparedDrivers


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
        hashed = hash_of(built_from, self.sites_hash, self.min_lookback_share)
        note = store.note_of(layout, SITE_FEATURES, region.region_id, day)
        if note is not None and note["inputs"] == hashed:
            return DayReport(note["status"], note["rows"], {"recipe": recipe.recipe_id})
        parts = [
            self._rows(scene.scene_id, seen, level)
            for scene, seen in passes
            for level in self.supports
        ]
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

    def _rows(self, scene_id: str, seen: ScenePass, level: str) -> pa.Table:
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
                "inputs": pa.FixedSizeListArray.from_arrays(column(matrix.ravel()), N_INPUTS),
            },
            schema=SITE_FEATURES.arrow_schema,
        )

    def _at(self, seen: ScenePass, level: str) -> tuple[ScenePass, NDArray[np.float32]]:
        """The pass at the level, and the share of each cell's pixels that it saw."""
        if level == PIXEL:
            bands = (seen.backscatter.values[name] for name in ("vv_db", "vh_db"))
            is_seen = np.logical_and(*(np.isfinite(band) for band in bands))
            return seen, is_seen.astype(np.float32)
        coarse = coarse_pass(seen, self.inputs.region.window, LEVELS[level])
        return coarse.scene, coarse.valid_share


def open_sites(inputs: FeatureInputs, sites: pa.Table, min_lookback_share: float) -> SiteFeatures:
    """Prepare the drivers of the sites' cells, once for all passes.

    Raises:
        DataError: a site lies outside the region.
    """
    own = sites.filter(pc.greater_equal(sites["cell_id"], 0))  # imported ones may lie elsewhere
    levels = pc.unique(own["level"]).to_pylist()
    supports = {
        level: _support(inputs, own.filter(pc.equal(own["level"], level)), level)
        for level in levels
    }
    hashed = hash_of([own[name].to_pylist() for name in ("site_id", "cell_id")])
    return SiteFeatures(inputs, supports, hashed, min_lookback_share)


def _support(inputs: FeatureInputs, sites: pa.Table, level: str) -> _Support:
    names = sites["site_id"]
    if level == PIXEL:
        cells = sites["cell_id"].to_numpy().astype(np.int64)
        return _Support(names, cells, only(inputs.prepared, cells))
    window = coarse_window(inputs.region.window, LEVELS[level])
    cells = _coarse_cells(sites, window, LEVELS[level])
    drivers = coarse_drivers(inputs.drivers, LEVELS[level])
    return _Support(names, cells, prepare(inputs.recipe, drivers, cells=cells))


def _coarse_cells(sites: pa.Table, window: GridWindow, level: ease2.Level) -> NDArray[np.int64]:
    corner = ease2.corner_cell(level, window)
    if corner is None:
        raise DataError(f"Footprints of {level.name} lie off the grid: a fault of the platform.")
    row = sites["cell_row"].to_numpy().astype(np.int64) - corner[0]
    col = sites["cell_col"].to_numpy().astype(np.int64) - corner[1]
    rows, cols = window.shape
    if not np.all((row >= 0) & (row < rows) & (col >= 0) & (col < cols)):
        raise DataError(
            f"A site of level {level.name} lies outside its region: materialize `site_catalog`."
        )
    return np.asarray(row * cols + col, np.int64)
