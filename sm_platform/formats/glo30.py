"""Copernicus DEM GLO-30: surface height (m), 1 arc second, tiles of one degree, EPSG:4326.

Copernicus DEM Product Handbook: float32 metres above EGM2008, cell centres on whole arc seconds; a
surface model (trees and roofs included). A tile without land does not exist: its height is 0 m.
Cells are wider than 1 arc second beyond 50 degrees of latitude: such tiles are refused.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from sm_platform.formats.geotiff import Bounds
from sm_platform.formats.tiles import TileGrid, corners, mosaic
from sm_platform.grid.window import Raster

GRID = TileGrid(cells_per_degree=3600, tile_degrees=1, is_centred=True, dtype="float32")
LOWEST_M, HIGHEST_M = -500.0, 9000.0
"""Below the Dead Sea's shore and above every summit."""


def tile_names(bounds_lonlat: Bounds) -> list[str]:
    """File names of the tiles that hold the bounds; those of open ocean do not exist."""
    template = "Copernicus_DSM_COG_10_{lat}_00_{lon}_00_DEM.tif"
    return [corner.named(template) for corner in corners(GRID, bounds_lonlat)]


def read_elevation(paths: Sequence[Path], bounds_lonlat: Bounds) -> Raster:
    """`elevation_m` float32 around the bounds, on the 1 arc second grid.

    0 in tiles that are not among `paths` (ocean); NaN where a given file does not reach, is NaN or
    out of range. Raises GranuleError as `tiles.mosaic`.
    """
    window, values = mosaic(GRID, paths, bounds_lonlat, absent=0.0, uncovered=float("nan"))
    heights = np.asarray(values, dtype=np.float32)
    valid = (heights >= LOWEST_M) & (heights <= HIGHEST_M)
    return Raster(window, {"elevation_m": np.where(valid, heights, np.float32(np.nan))})
