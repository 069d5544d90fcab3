"""Means of a place's pixels over the cells of a coarser EASE-Grid 2.0 level."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sm_platform.grid import ease2
from sm_platform.grid.window import GridWindow, centres, lonlat_bounds
from sm_platform.sources.simulated.fields import Field
from sm_platform.sources.simulated.world import World

MARGIN_CELLS = 1
"""Cells around the place that a subset of a product holds as well."""


@dataclass(frozen=True, slots=True)
class Footprints:
    """Cells of one level over a place and one more on each side."""

    level: ease2.Level
    row: int
    col: int
    """Of the upper left cell on the globe."""
    window: GridWindow
    member: NDArray[np.int64]
    """(pixels,): flat cell of the window that each pixel lies in."""
    count: NDArray[np.int64]
    """(cells,): pixels in each cell; 0 outside the place."""

    def means(self, values: Field) -> NDArray[np.float64]:
        """Mean of each cell, of the window's shape; the place's mean where it has no pixel."""
        flat = np.asarray(values, np.float64).ravel()
        total = np.bincount(self.member, flat, minlength=self.window.size)
        inside = total / np.maximum(self.count, 1)
        return np.where(self.count > 0, inside, flat.mean()).reshape(self.window.shape)

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north in degrees."""
        return lonlat_bounds(self.window)


def footprints(world: World, level: ease2.Level) -> Footprints:
    """The cells of a level that the place's pixels lie in, and one around."""
    x, y = (np.asarray(part).ravel() for part in centres(world.window))
    row, col = ease2.cells(level, x, y)
    first_row, first_col = int(row.min()) - MARGIN_CELLS, int(col.min()) - MARGIN_CELLS
    shape = (
        int(row.max()) - first_row + 1 + MARGIN_CELLS,
        int(col.max()) - first_col + 1 + MARGIN_CELLS,
    )
    member = (row - first_row) * shape[1] + col - first_col
    window = ease2.window(level, first_row, first_col, shape)
    count = np.bincount(member, minlength=window.size)
    return Footprints(level, first_row, first_col, window, member, count)
