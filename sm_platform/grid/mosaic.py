"""Mosaic: aligned rasters of one grid on one window, first valid value first."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from affine import Affine
from numpy.typing import NDArray

from sm_platform.errors import GridError
from sm_platform.grid.window import GridWindow, Raster


def union(windows: Sequence[GridWindow]) -> GridWindow:
    """The smallest window of the same grid that holds all; raises GridError when not aligned."""
    first = windows[0]
    tops, lefts, bottoms, rights = [], [], [], []
    for window in windows:
        row, col = offset(first, window)
        tops.append(row)
        lefts.append(col)
        bottoms.append(row + window.shape[0])
        rights.append(col + window.shape[1])
    a, e, top, left = first.affine.a, first.affine.e, min(tops), min(lefts)
    corner = Affine(a, 0.0, first.affine.c + left * a, 0.0, e, first.affine.f + top * e)
    return GridWindow(first.crs, corner, (max(bottoms) - top, max(rights) - left))


def offset(base: GridWindow, other: GridWindow) -> tuple[int, int]:
    """Rows and columns from the corner of `base` to that of `other`.

    Raises:
        GridError: the two are not cut from one grid (CRS, cell size, or a part of a cell off).
    """
    sides = (base.affine.a, base.affine.e), (other.affine.a, other.affine.e)
    same_cell = np.allclose(*sides, rtol=1e-7, atol=0)
    col = (other.affine.c - base.affine.c) / base.affine.a
    row = (other.affine.f - base.affine.f) / base.affine.e
    near = round(row), round(col)
    if base.crs != other.crs or not same_cell or max(abs(row - near[0]), abs(col - near[1])) > 0.01:
        raise GridError(
            f"A raster on {other.crs}, corner {other.affine.c:.6f} {other.affine.f:.6f}, cell "
            f"{other.affine.a:.6f}, is not on the grid {base.crs} of its neighbours or region: "
            "export it on that grid."
        )
    return near


def mosaic(rasters: Sequence[Raster], window: GridWindow | None = None) -> Raster:
    """All rasters on `window` (default: their union); where several are valid the first counts.

    A float cell that none covers is NaN, a whole-number one takes the fill of its kind (0).
    """
    target = window or union([raster.window for raster in rasters])
    names = rasters[0].values
    return Raster(target, {name: _lay(rasters, name, target) for name in names})


def _lay(rasters: Sequence[Raster], name: str, target: GridWindow) -> NDArray[Any]:
    kind = rasters[0].values[name].dtype
    is_float = np.issubdtype(kind, np.floating)
    out = np.full(target.shape, np.nan if is_float else 0, dtype=kind)
    for raster in reversed(rasters):
        here, there = _overlap(target, raster.window)
        if here is None:
            continue
        piece = raster.values[name][there]
        out[here] = np.where(np.isnan(piece), out[here], piece) if is_float else piece
    return out


def _overlap(
    target: GridWindow, part: GridWindow
) -> tuple[tuple[slice, slice] | None, tuple[slice, slice]]:
    row, col = offset(target, part)
    top, left = max(row, 0), max(col, 0)
    bottom = min(row + part.shape[0], target.shape[0])
    right = min(col + part.shape[1], target.shape[1])
    there = slice(top - row, bottom - row), slice(left - col, right - col)
    if bottom <= top or right <= left:
        return None, there
    return (slice(top, bottom), slice(left, right)), there
