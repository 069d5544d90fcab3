"""Place: the grid position inputs, from the EASE-Grid 2.0 cell or position of a pixel's centre."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sm_platform.grid.ease2 import CRS, LEVEL_9KM, LEVEL_100M, position
from sm_platform.grid.window import GridWindow, centres, reproject_points
from sm_platform.schema.recipes import PlaceRule

ROUNDED_CELL_M = 100.09
"""Cell of the seed system: a tenth of 1000.90 m."""
ROUNDED_LEFT_M = -17367530.45
ROUNDED_TOP_M = 7314540.83
CELLS_OF_9KM = 90
"""100 m cells along one cell of 9 km, by which whole rows and columns are divided."""

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Position:
    """The three position inputs of each pixel, unitless in -1..1."""

    grid_row: Numbers
    grid_col_sin: Numbers
    grid_col_cos: Numbers


def rounded_cell(x: Numbers, y: Numbers) -> tuple[Numbers, Numbers]:
    """Row (1-based, from the top, ceil) and column (0-based, floor) of the seed system's grid.

    x and y are metres of EPSG:6933, of any broadcastable shapes.
    """
    row = np.ceil((y - ROUNDED_TOP_M) / -ROUNDED_CELL_M)
    return row, np.floor((x - ROUNDED_LEFT_M) / ROUNDED_CELL_M)


def positions(rule: PlaceRule, window: GridWindow, cells: NDArray[np.int64]) -> Position:
    """Position inputs of the given flat pixels of the window, each (n,), float64."""
    x, y = (np.asarray(part).ravel()[cells] for part in centres(window))
    row, col = _on_9km(rule, *reproject_points(x, y, window.crs, CRS))
    rows, cols = LEVEL_9KM.shape
    turn = 2 * np.pi * col / cols
    return Position(row / rows, np.sin(turn), np.cos(turn))


def _on_9km(rule: PlaceRule, x: Numbers, y: Numbers) -> tuple[Numbers, Numbers]:
    """Row and column of the 9 km grid, as the rule counts them."""
    if rule is PlaceRule.EXACT_FRACTION:
        return position(LEVEL_9KM, x, y)
    if rule is PlaceRule.ROUNDED_CELL_OF_SITE:
        row, col = rounded_cell(x, y)
    else:
        fraction = position(LEVEL_100M, x, y)
        row, col = np.ceil(fraction[0]), np.floor(fraction[1])
    return row / CELLS_OF_9KM, col / CELLS_OF_9KM
