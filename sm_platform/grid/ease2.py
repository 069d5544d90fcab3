"""EASE-Grid 2.0 global (EPSG:6933): five nested levels with exact cells.

Row 0 is north, column 0 starts at 180 W. Levels nest because all divide the 36 km grid, whose
964 x 406 cells fix the corner (Brodzik et al. 2012, 10.3390/ijgi1010032, and 2014 corrections).
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from affine import Affine
from numpy.typing import ArrayLike, NDArray
from pyproj import Transformer
from pyproj.enums import TransformDirection

from sm_platform.errors import GridError
from sm_platform.grid.window import GridWindow

CRS = "EPSG:6933"
CELL_36KM_M = 36032.220840584
"""Side of a 36 km cell in metres; every other level divides it."""
LEFT_M = -482 * CELL_36KM_M
TOP_M = 203 * CELL_36KM_M


@dataclass(frozen=True, slots=True)
class Level:
    """One level of the grid: `divisor` cells of this level along one 36 km cell."""

    name: str
    divisor: int

    @property
    def cell_m(self) -> float:
        """Side of a cell in metres."""
        return CELL_36KM_M / self.divisor

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the whole globe."""
        return 406 * self.divisor, 964 * self.divisor


LEVEL_36KM = Level("36km", 1)
LEVEL_9KM = Level("9km", 4)
LEVEL_3KM = Level("3km", 12)
LEVEL_1KM = Level("1km", 36)
LEVEL_100M = Level("100m", 360)
LEVELS = (LEVEL_36KM, LEVEL_9KM, LEVEL_3KM, LEVEL_1KM, LEVEL_100M)


@cache
def _from_lonlat() -> Transformer:
    return Transformer.from_crs("EPSG:4326", CRS, always_xy=True)


def project(lon: ArrayLike, lat: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Degrees (WGS 84) to x, y in metres of EPSG:6933; same shape as the input."""
    x, y = _from_lonlat().transform(np.asarray(lon, float), np.asarray(lat, float))
    return np.asarray(x), np.asarray(y)


def position(
    level: Level, x: ArrayLike, y: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Fractional row and column: cell (r, c) spans [r, r + 1) x [c, c + 1), north edge = row 0."""
    row = (TOP_M - np.asarray(y, float)) / level.cell_m
    col = (np.asarray(x, float) - LEFT_M) / level.cell_m
    return row, col


def cells(level: Level, x: ArrayLike, y: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Row and column of the cell that holds each point (metres).

    Found on the finest level and divided down, so that levels nest for points on an edge, too.

    Raises:
        GridError: a point lies outside the globe of the grid, or is not a number.
    """
    row, col = position(LEVEL_100M, x, y)
    rows, cols = LEVEL_100M.shape
    if not np.all((row >= 0) & (row < rows) & (col >= 0) & (col < cols)):
        raise GridError(f"A point lies outside EASE-Grid 2.0 {level.name}: check lon/lat order.")
    step = LEVEL_100M.divisor // level.divisor
    return np.floor(row).astype(np.int64) // step, np.floor(col).astype(np.int64) // step


def centre_lonlat(
    level: Level, row: ArrayLike, col: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Longitude and latitude (WGS 84, degrees) of the centres of cells, the inverse of `cells`.

    Latitudes are good to 2 mm (PROJ's series), longitudes and the way forward to a micrometre.

    Raises:
        GridError: a cell lies outside the level.
    """
    rows, cols = np.asarray(row, np.int64), np.asarray(col, np.int64)
    height, width = level.shape
    if not np.all((rows >= 0) & (rows < height) & (cols >= 0) & (cols < width)):
        raise GridError(f"A cell lies outside EASE-Grid 2.0 {level.name}: check row, col order.")
    x = LEFT_M + (cols + 0.5) * level.cell_m
    y = TOP_M - (rows + 0.5) * level.cell_m
    lon, lat = _from_lonlat().transform(x, y, direction=TransformDirection.INVERSE)
    return np.asarray(lon), np.asarray(lat)


def window(level: Level, row: int, col: int, shape: tuple[int, int]) -> GridWindow:
    """The window of `shape` (rows, cols) whose upper left cell is (row, col) of the level."""
    cell = level.cell_m
    corner = Affine(cell, 0.0, LEFT_M + col * cell, 0.0, -cell, TOP_M - row * cell)
    return GridWindow(CRS, corner, shape)


def window_around(level: Level, lon: float, lat: float, shape: tuple[int, int]) -> GridWindow:
    """The window of `shape` cells centred (to the cell) on a place in degrees."""
    x, y = project(lon, lat)
    row, col = cells(level, x, y)
    return window(level, int(row) - shape[0] // 2, int(col) - shape[1] // 2, shape)


def corner_cell(level: Level, grid: GridWindow) -> tuple[int, int] | None:
    """Row and column of the window's upper left cell, None when it is not cut from this level."""
    if grid.crs != CRS or abs(grid.affine.a - level.cell_m) > 1e-6:
        return None
    row, col = position(level, grid.affine.c, grid.affine.f)
    near = round(float(row)), round(float(col))
    return near if abs(row - near[0]) < 1e-4 and abs(col - near[1]) < 1e-4 else None
