"""Cells of an EASE-Grid 2.0 level in a region's window, and which pixels belong to each.

A pixel belongs to the cell that holds its centre. A cell of a window is one with at least one
pixel: where pixels are smaller than cells several share one, where they are larger some cells of
the ground have none and are not among the window's cells.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sm_platform.grid import ease2
from sm_platform.grid.ease2 import LEVEL_1KM, LEVEL_3KM, LEVEL_9KM, LEVEL_100M, Level
from sm_platform.grid.window import GridWindow, cell_index, centres, pad, reproject_points

SITE_LEVELS = {level.name: level for level in (LEVEL_100M, LEVEL_1KM, LEVEL_3KM, LEVEL_9KM)}
"""Levels whose cells can be sites, by name."""
BLOCK = 1 << 20
"""Pixels or cells handled at once."""
LONLAT = "EPSG:4326"

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class WindowCells:
    """The `n` cells of one level that hold pixels of a window, in order of their global index."""

    level: Level
    flat: Ints
    """(n,) row * columns + col of the cell on the globe, ascending."""
    of_pixel: NDArray[np.intp] | None
    """(pixels,) which of the `n` cells each pixel of the window belongs to, row-major; None where
    every pixel is a cell of its own, in that order."""
    n_pixels: NDArray[np.integer]
    """(n,) pixels that the cell has when the window's grid goes on beyond its edges."""

    def __len__(self) -> int:
        return len(self.flat)


def cells_of(window: GridWindow, level: Level) -> WindowCells:
    """The cells of `level` in the window, whatever the window's CRS.

    Raises:
        GridError: a pixel lies outside the globe of the grid.
    """
    margin = _margin(window, level)
    if window.crs in (ease2.CRS, LONLAT):  # there x follows from the column alone, y from the row
        return _from_axes(window, level, margin)
    return _from_pixels(window, level, margin)


def row_col(flat: Ints, level: Level) -> tuple[Ints, Ints]:
    """Row and column on the globe of cells by their flat index."""
    row, col = np.divmod(flat, level.shape[1])
    return row, col


def centre_100m(flat: Ints, level: Level) -> tuple[Ints, Ints]:
    """Row and column of the 100 m cell at the centre of cells of `level`.

    The centre of a 1, 3 or 9 km cell is a corner of four: the south-eastern one is taken.
    """
    step = LEVEL_100M.divisor // level.divisor
    row, col = row_col(flat, level)
    return row * step + step // 2, col * step + step // 2


def centre_pixel(window: GridWindow, flat: Ints, level: Level) -> Ints:
    """Flat index of the window's pixel that holds each cell's centre (`centre_100m`), or -1."""
    pixel = np.empty(len(flat), np.int64)
    for part in parts(len(flat)):
        x, y = _centre(*centre_100m(flat[part], level), LEVEL_100M)
        pixel[part] = cell_index(window, *reproject_points(x, y, ease2.CRS, window.crs))
    return pixel


def parts(n: int) -> Iterator[slice]:
    """Slices that cover `n` elements: work on one at a time needs little memory."""
    return (slice(first, min(first + BLOCK, n)) for first in range(0, n, BLOCK))


def block_of(flat: Ints, level: Level) -> NDArray[np.int32]:
    """Flat index of the 3 km cell at the centre of each cell."""
    row, col = centre_100m(flat, level)
    step = LEVEL_100M.divisor // LEVEL_3KM.divisor
    return (row // step * LEVEL_3KM.shape[1] + col // step).astype(np.int32)


def _centre(row: Ints, col: Ints, level: Level) -> tuple[Floats, Floats]:
    x = np.asarray(ease2.LEFT_M + (col + 0.5) * level.cell_m, np.float64)
    y = np.asarray(ease2.TOP_M - (row + 0.5) * level.cell_m, np.float64)
    return x, y


def _from_axes(window: GridWindow, level: Level, margin: int) -> WindowCells:
    x, y = _axes(pad(window, margin))
    wide_row = _cells(*reproject_points(np.full_like(y, x[margin]), y, window.crs, ease2.CRS))[0]
    wide_col = _cells(*reproject_points(x, np.full_like(x, y[margin]), window.crs, ease2.CRS))[1]
    step = LEVEL_100M.divisor // level.divisor
    row, row_of, row_n = _counted(wide_row // step, wide_row[margin:-margin] // step)
    col, col_of, col_n = _counted(wide_col // step, wide_col[margin:-margin] // step)
    is_alone = (len(row), len(col)) == window.shape
    return WindowCells(
        level=level,
        flat=(row[:, None] * level.shape[1] + col).ravel(),
        of_pixel=None if is_alone else (row_of[:, None] * len(col) + col_of).ravel(),
        n_pixels=np.outer(row_n.astype(np.int32), col_n.astype(np.int32)).ravel(),
    )


def _from_pixels(window: GridWindow, level: Level, margin: int) -> WindowCells:
    wide = pad(window, margin)
    step = LEVEL_100M.divisor // level.divisor
    flat = np.empty(wide.shape, np.int64)
    for rows, x, y in _pixel_blocks(wide):
        row, col = _cells(x, y)
        flat[rows] = row // step * level.shape[1] + col // step
    inner = flat[margin:-margin, margin:-margin]
    return WindowCells(level, *_counted(flat.ravel(), inner.ravel()))


def _axes(window: GridWindow) -> tuple[Floats, Floats]:
    """X of the columns' centres and y of the rows'."""
    x, y = centres(window)
    return np.asarray(x[0]), np.asarray(y[:, 0])


def _pixel_blocks(window: GridWindow) -> Iterator[tuple[slice, Floats, Floats]]:
    """Rows of the window with x and y of their pixels in EASE-Grid 2.0."""
    rows, cols = window.shape
    x, y = _axes(window)
    step = max(1, BLOCK // cols)
    for first in range(0, rows, step):
        part = slice(first, min(first + step, rows))
        grid_x, grid_y = np.meshgrid(x, y[part])
        yield part, *reproject_points(grid_x, grid_y, window.crs, ease2.CRS)


def _cells(x: Floats, y: Floats) -> tuple[Ints, Ints]:
    """Rows and columns of 100 m cells; off the globe, where no cell of a window is, any number."""
    row, col = ease2.position(LEVEL_100M, x, y)
    return _whole(row), _whole(col)


def _whole(position: Floats) -> Ints:
    return np.floor(np.where(np.isfinite(position), position, -1.0)).astype(np.int64)


def _counted(wide: Ints, inner: Ints) -> tuple[Ints, NDArray[np.intp], Ints]:
    """Values of `inner`, the place of each element among them, and how often each is in `wide`."""
    values, place = np.unique(inner, return_inverse=True)
    everywhere, times = np.unique(wide, return_counts=True)
    return values, place, times[np.searchsorted(everywhere, values)]


def _margin(window: GridWindow, level: Level) -> int:
    """Pixels beyond the edge within which every cell at the edge is complete.

    Raises:
        GridError: a corner of the window lies outside the globe of the grid.
    """
    left, bottom, right, top = window.bounds
    x, y = np.array([left, left, right, right]), np.array([bottom, top, bottom, top])
    inward_x = np.array([1, 1, -1, -1]) * window.affine.a
    inward_y = np.array([-1, 1, -1, 1]) * window.affine.e
    centre = reproject_points(x + inward_x / 2, y + inward_y / 2, window.crs, ease2.CRS)
    ease2.cells(level, *centre)
    there = reproject_points(x + inward_x * 1.5, y + inward_y * 1.5, window.crs, ease2.CRS)
    step_m = float(np.min(np.abs(np.subtract(there, centre))))
    return math.ceil(level.cell_m / step_m) + 1
