"""Footprints: which fine cells (30 m terrain, 10 m land cover) lie in which coarse cell.

A fine cell belongs to the coarse cell that holds its centre. Fine grids are walked in blocks of
rows, so memory stays bounded however large the region is.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sm_platform.grid.window import GridWindow, reproject_points

BLOCK_CELLS = 1 << 20
"""Fine cells handled at once."""

Coordinates = NDArray[np.float64]
GroupRule = Callable[[Coordinates, Coordinates], NDArray[np.int64]]
"""x and y (broadcastable) to the flat index of a group, `size` for points of no group."""


@dataclass(frozen=True, slots=True)
class Block:
    """Some rows of a fine grid with the coordinates of their centres in another CRS."""

    rows: slice
    x: Coordinates
    """(1, columns) where x does not change from row to row, else (rows, columns)."""
    y: Coordinates
    """(rows, 1) where y does not change from column to column, else (rows, columns)."""


def blocks(fine: GridWindow, crs: str) -> Iterator[Block]:
    """The rows of `fine` in blocks of at most `BLOCK_CELLS` cells (one row at least)."""
    rows, cols = fine.shape
    x = np.asarray(fine.affine.c + (np.arange(cols) + 0.5) * fine.affine.a, np.float64)
    y = np.asarray(fine.affine.f + (np.arange(rows) + 0.5) * fine.affine.e, np.float64)
    axes = _separate(x, y, fine.crs, crs)
    step = max(1, BLOCK_CELLS // cols)
    for first in range(0, rows, step):
        last = min(first + step, rows)
        if axes is not None:
            yield Block(slice(first, last), axes[0], axes[1][first:last])
        else:
            grid_x, grid_y = np.meshgrid(x, y[first:last])
            there = reproject_points(grid_x, grid_y, fine.crs, crs)
            yield Block(slice(first, last), *there)


def _separate(
    x: Coordinates, y: Coordinates, source: str, target: str
) -> tuple[Coordinates, Coordinates] | None:
    """X of each column (1, columns) and y of each row (rows, 1), None when the grid bends.

    From degrees to a cylindrical projection, x follows from the longitude alone and y from the
    latitude alone; three rows and three columns tell whether that is so here.
    """
    some_y, some_x = (a[[0, a.size // 2, -1]] for a in (y, x))
    grid_x, grid_y = np.meshgrid(x, some_y)
    along_x, _ = reproject_points(grid_x, grid_y, source, target)
    grid_x, grid_y = np.meshgrid(some_x, y)
    _, along_y = reproject_points(grid_x, grid_y, source, target)
    reach = np.ptp(along_x) / x.size + np.ptp(along_y) / y.size
    bend = np.ptp(along_x, axis=0).max() + np.ptp(along_y, axis=1).max()
    return (along_x[:1], along_y[:, :1]) if bend <= 1e-6 * reach else None


def in_cells(window: GridWindow) -> GroupRule:
    """The rule that groups points of the window's CRS by its cells."""

    def rule(x: Coordinates, y: Coordinates) -> NDArray[np.int64]:
        col = np.floor((x - window.affine.c) / window.affine.a)
        row = np.floor((y - window.affine.f) / window.affine.e)
        return flat_index(row, col, window.shape)

    return rule


def flat_index(
    row: NDArray[np.floating], col: NDArray[np.floating], shape: tuple[int, int]
) -> NDArray[np.int64]:
    """Row-major index of whole-numbered rows and columns (broadcastable); rows * cols outside."""
    rows, cols = shape
    inside = ((row >= 0) & (row < rows)) & ((col >= 0) & (col < cols))
    return np.where(inside, row * cols + col, rows * cols).astype(np.int64)


def add_to(
    total: NDArray[np.float64], index: NDArray[np.int64], values: NDArray[np.floating] | None
) -> None:
    """Add the values (None counts) of each group to `total`; its last place takes the others."""
    weights = None if values is None else values.ravel()
    total += np.bincount(index.ravel(), weights, minlength=total.size)
