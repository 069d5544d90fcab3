"""Which pixels of a region's window lie inside its outline."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from sm_platform.grid.window import GridWindow
from sm_platform.schema.region import Region
from sm_platform.sites.area_cells import cells_inside
from sm_platform.sites.areas import area_of


def inside_of(region: Region) -> NDArray[np.bool_] | None:
    """True in pixels of the region, of its window's shape; None: everywhere."""
    return None if region.outline_wkt is None else _inside(region.window, region.outline_wkt)


@lru_cache(maxsize=4)
def _inside(window: GridWindow, outline_wkt: str) -> NDArray[np.bool_]:
    return cells_inside(window, area_of(outline_wkt))
