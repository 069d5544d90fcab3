"""ESA WorldCover v200 (2021): land cover classes at 10 m, tiles of three degrees, EPSG:4326.

WorldCover Product User Manual v2.0, table of classes: 10 tree cover, 20 shrubland, 30 grassland,
40 cropland, 50 built-up, 60 bare or sparse, 70 snow and ice, 80 permanent water, 90 herbaceous
wetland, 95 mangroves, 100 moss and lichen; 0 is no data.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from sm_platform.errors import GranuleError
from sm_platform.formats.geotiff import Bounds
from sm_platform.formats.tiles import TileGrid, corners, mosaic
from sm_platform.grid.window import Raster

GRID = TileGrid(cells_per_degree=12000, tile_degrees=3, is_centred=False, dtype="uint8")
CLASSES = (10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 100)
MISSING = 0


def tile_names(bounds_lonlat: Bounds) -> list[str]:
    """File names of the tiles that hold the bounds."""
    template = "ESA_WorldCover_10m_2021_v200_{lat}{lon}_Map.tif"
    return [corner.named(template) for corner in corners(GRID, bounds_lonlat)]


def read_land_cover(paths: Sequence[Path], bounds_lonlat: Bounds) -> Raster:
    """`land_cover_code` uint8 around the bounds, on the 10 m grid; 0 where there is none.

    Raises:
        GranuleError: a value that is no class, or as `tiles.mosaic`.
    """
    window, values = mosaic(GRID, paths, bounds_lonlat, absent=MISSING, uncovered=MISSING)
    codes = np.asarray(values, dtype=np.uint8)
    unknown = np.setdiff1d(codes, (MISSING, *CLASSES))
    if unknown.size:
        names = ", ".join(path.name for path in paths)
        raise GranuleError(
            f"{names}: class {unknown[0]} is none of WorldCover v200: fetch the tiles again."
        )
    return Raster(window, {"land_cover_code": codes})
