"""Place at the support: grid position inputs of cells of 100 m, 1 km, 3 km and 9 km."""

import numpy as np
from numpy.typing import NDArray

from sm_platform.errors import RecipeError
from sm_platform.features.place import Position, positions
from sm_platform.grid.ease2 import LEVEL_9KM, LEVEL_100M, LEVELS, Level, corner_cell
from sm_platform.grid.window import GridWindow
from sm_platform.schema.recipes import PlaceRule, Recipe, TerrainRule

LARGER = tuple(level for level in LEVELS if level != LEVEL_100M)
"""Levels whose cells hold many pixels."""


def site_positions(recipe: Recipe, window: GridWindow, cells: NDArray[np.int64]) -> Position:
    """Position inputs of the given flat cells of the window, each (n,), float64.

    `CELL_OF_SITE` counts whole cells of the window's own level: a 9 km site takes the row and
    column of its 9 km cell, a 1 km site those of its 1 km cell over 9. Pixels of other grids take
    their 100 m cell. The exact fraction is that of the cell's centre at every level.

    Raises:
        RecipeError: the recipe knows pixels of 100 m only, and the window's cells are larger.
    """
    for level in LARGER:
        if (corner := corner_cell(level, window)) is not None:
            _refuse_pixel_recipe(recipe, level)
            if recipe.place is PlaceRule.CELL_OF_SITE:
                row, col = np.unravel_index(cells, window.shape)
                return _of_cells(level, corner[0] + row, corner[1] + col)
    return positions(recipe.place, window, cells)


def _of_cells(level: Level, row: NDArray[np.intp], col: NDArray[np.intp]) -> Position:
    """Rows counted from 1, columns from 0, over the cells of the level along one of 9 km."""
    per_9km = level.divisor / LEVEL_9KM.divisor
    rows, cols = LEVEL_9KM.shape
    turn = 2 * np.pi * col / per_9km / cols
    return Position((row + 1) / per_9km / rows, np.sin(turn), np.cos(turn))


def _refuse_pixel_recipe(recipe: Recipe, level: Level) -> None:
    if (
        recipe.place is PlaceRule.ROUNDED_CELL_OF_SITE
        or recipe.terrain is TerrainRule.ROUNDED_CELL_ANGLE_ASPECT
    ):
        raise RecipeError(
            f"Recipe {recipe.recipe_id} is made of the seed system's cells of 100.09 m and says "
            f"nothing about sites of {level.name}: take sites of 100m, or recipe sm-100m-v1."
        )
