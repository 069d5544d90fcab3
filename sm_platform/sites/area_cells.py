"""Which cells of a grid an outline takes, and its area."""

from collections.abc import Iterator

import numpy as np
import shapely
from affine import Affine
from numpy.typing import NDArray
from pyproj import Transformer
from rasterio.features import rasterize

from sm_platform.grid import ease2
from sm_platform.grid.window import GridWindow
from sm_platform.sites.areas import Outline

COUNTED_CELLS = 200_000_000
"""Up to here the cells inside are counted one by one, above from the (equal) areas."""
LONGEST_EDGE_DEG = 0.02
"""Edges are split to this before projecting: they then bend less than 0.1 m from straight."""
EDGE_CELLS = 1e-3
"""An outline reaching less into a cell (0.1 m of 100 m) does not take it."""
CELLS_AT_ONCE = 4_000_000


def window_of(level: ease2.Level, outline: Outline) -> GridWindow:
    """The smallest window of the level's cells that holds the outline (degrees)."""
    left, bottom, right, top = shapely.bounds(_projected(outline, ease2.CRS))
    first_row, first_col = ease2.position(level, left, top)
    last_row, last_col = ease2.position(level, right, bottom)
    row, col = (int(np.floor(value + EDGE_CELLS)) for value in (first_row, first_col))
    end_row, end_col = (int(np.ceil(value - EDGE_CELLS)) for value in (last_row, last_col))
    return ease2.window(level, row, col, (max(end_row - row, 1), max(end_col - col, 1)))


def cells_inside(window: GridWindow, outline: Outline) -> NDArray[np.bool_]:
    """Which cells of the window have their centre inside the outline (degrees); its shape.

    Beside the result, memory is bounded: the cells are drawn a few rows at a time.
    """
    inside = np.zeros(window.shape, np.bool_)
    for first, band in _bands(window, outline):
        inside[first : first + len(band)] = band
    return inside


def n_inside(window: GridWindow, outline: Outline, area_km2: float) -> int:
    """Number of cells whose centre is inside, without holding them all; see `COUNTED_CELLS`."""
    if window.size > COUNTED_CELLS:
        return round(area_km2 * 1e6 / window.affine.a**2)
    return sum(int(band.sum()) for _, band in _bands(window, outline))


def area_m2(outline: Outline) -> float:
    """Area of an outline (degrees) in square metres on the ellipsoid; 0 of nothing."""
    return 0.0 if outline.is_empty else float(shapely.area(_projected(outline, ease2.CRS)))


def _bands(window: GridWindow, outline: Outline) -> Iterator[tuple[int, NDArray[np.bool_]]]:
    """First row and cells inside, some rows at a time."""
    drawn = _projected(outline, window.crs)
    rows, cols = window.shape
    step = max(1, CELLS_AT_ONCE // cols)
    for first in range(0, rows, step):
        corner = window.affine * Affine.translation(0, first)
        shape = min(step, rows - first), cols
        yield first, rasterize([drawn], shape, transform=corner, dtype=np.uint8).astype(np.bool_)


def _projected(outline: Outline, crs: str) -> Outline:
    """The outline in a CRS, x first, edges split so that they stay in place."""
    turn = Transformer.from_crs("EPSG:4326", crs, always_xy=True)

    def apply(points: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.column_stack(turn.transform(points[:, 0], points[:, 1]))

    return shapely.transform(shapely.segmentize(outline, LONGEST_EDGE_DEG), apply)
