"""Footprints of coarse cells: which cells of a finer grid are averaged into which of a window."""

from dataclasses import dataclass
from functools import lru_cache
from math import ceil

import numpy as np
from numpy.typing import NDArray
from pyproj import Transformer

from sm_platform.errors import GridError
from sm_platform.features.footprint import add_to, blocks, in_cells
from sm_platform.grid import ease2
from sm_platform.grid.window import GridWindow, link, pad, reproject_points

Numbers = NDArray[np.float64]
Index = NDArray[np.int32]

COARSEST_PIXEL = 1.5
"""Pixels may be this much wider than the cells asked for: degrees shrink towards the poles."""
KEPT = 8
"""Footprints kept between calls: a region has few grids, and many passes over them."""


@dataclass(frozen=True, slots=True)
class Footprint:
    """Links from `k` fine cells to the coarse ones that hold their centres.

    A coarse cell that holds no fine centre is linked to the fine cell at its own centre.
    """

    size: int
    """Number of coarse cells."""
    fine: Index
    """(k,): flat index of the fine cell."""
    cell: Index
    """(k,): flat index of its coarse cell."""

    def count(self, is_counted: NDArray[np.bool_]) -> Numbers:
        """(size,): linked fine cells of which `is_counted` (k,) holds."""
        return np.bincount(self.cell[is_counted], minlength=self.size).astype(np.float64)

    def mean(self, values: NDArray[np.floating]) -> Numbers:
        """(size,): mean of the fine cells' values (any shape, row-major) that are not NaN."""
        of_link = np.asarray(values).ravel()[self.fine]
        return mean_of(of_link, self.cell, self.size)


def mean_of(values: NDArray[np.floating], cell: Index, size: int) -> Numbers:
    """(size,): mean of the values (k,) of each cell that are not NaN; NaN for a cell without."""
    valid = ~np.isnan(values)
    total = np.bincount(cell[valid], values[valid], minlength=size)
    with np.errstate(invalid="ignore"):  # 0 / 0 is a cell without a value
        return np.asarray(total / np.bincount(cell[valid], minlength=size))


def in_range_mean(
    values: NDArray[np.floating], code: NDArray[np.integer], cell: Index, size: int
) -> tuple[NDArray[np.float32], NDArray[np.int8]]:
    """Mean (size,) of each cell's values (k,) in range (code 0), and the range code of the mean.

    A cell without any is NaN, with the code (-1 below, 1 above) that most of its values have.
    """
    mean = mean_of(np.where(code == 0, values, np.nan), cell, size).astype(np.float32)
    leaning = np.sign(np.bincount(cell, code, minlength=size))
    return mean, np.where(np.isnan(mean), leaning, 0).astype(np.int8)


@lru_cache(maxsize=KEPT)
def footprint(fine: GridWindow, coarse: GridWindow) -> Footprint:
    """The links from the cells of `fine` to those of `coarse`; kept, so ask as often as needed."""
    index = np.empty(fine.shape, np.int32)
    rule = in_cells(coarse)
    for block in blocks(fine, coarse.crs):
        index[block.rows] = rule(block.x, block.y)
    flat = index.ravel()
    inside = np.flatnonzero(flat < coarse.size).astype(np.int32)
    empty = np.flatnonzero(np.bincount(flat[inside], minlength=coarse.size) == 0)
    nearest = link(coarse, fine).ravel()[empty]
    found = nearest >= 0
    links = np.r_[inside, nearest[found]], np.r_[flat[inside], empty[found]]
    return Footprint(coarse.size, *(_kept(part) for part in links))


@lru_cache(maxsize=KEPT)
def whole_count(fine: GridWindow, coarse: GridWindow) -> Numbers:
    """(coarse.size,): centres of the fine grid, continued beyond its window, in each coarse cell.

    One where there is none: that cell takes the fine cell at its centre.
    """
    turn = Transformer.from_crs(coarse.crs, fine.crs, always_xy=True)
    left, bottom, right, top = turn.transform_bounds(*coarse.bounds)
    own = fine.bounds
    beyond_x = max(own[0] - left, right - own[2]) / fine.affine.a
    beyond_y = max(own[1] - bottom, top - own[3]) / -fine.affine.e
    total = np.zeros(coarse.size + 1)
    rule = in_cells(coarse)
    wide = pad(fine, max(0, ceil(max(beyond_x, beyond_y))) + 1)
    for block in blocks(wide, coarse.crs):
        add_to(total, rule(block.x, block.y), None)
    counts = np.maximum(total[:-1], 1.0)
    counts.setflags(write=False)
    return counts


def is_finer(native: GridWindow, coarse: GridWindow) -> bool:
    """Whether the native cells, where the coarse window lies, are smaller than its cells."""
    return _cell_side_m(native, coarse) < coarse.affine.a


def refuse_coarse_pixels(window: GridWindow, coarse: GridWindow, name: str) -> None:
    """Raise GridError when the region's pixels are too large to be averaged to the support."""
    side = _cell_side_m(window, coarse)
    if side > COARSEST_PIXEL * coarse.affine.a:
        raise GridError(
            f"The region's pixels are {side:.0f} m wide, a {name} cell {coarse.affine.a:.0f} m: "
            "take sites of a coarser level there, or a region with finer pixels."
        )


def _cell_side_m(native: GridWindow, coarse: GridWindow) -> float:
    """Side of a square (m) as large as the native cell at the centre of the coarse window.

    EASE-Grid 2.0 keeps areas, so the corners' polygon there has the cell's true size.
    """
    left, bottom, right, top = coarse.bounds
    middle = np.array([(left + right) / 2]), np.array([(bottom + top) / 2])
    x, y = (part[0] for part in reproject_points(*middle, coarse.crs, native.crs))
    across, down = native.affine.a / 2, native.affine.e / 2
    corner_x = x + across * np.array([-1.0, 1.0, 1.0, -1.0])
    corner_y = y + down * np.array([-1.0, -1.0, 1.0, 1.0])
    east, north = reproject_points(corner_x, corner_y, native.crs, ease2.CRS)
    area = np.dot(east, np.roll(north, -1)) - np.dot(north, np.roll(east, -1))
    return float(np.sqrt(abs(area) / 2))


def _kept(part: NDArray[np.integer]) -> Index:
    out = part.astype(np.int32)
    out.setflags(write=False)
    return out
