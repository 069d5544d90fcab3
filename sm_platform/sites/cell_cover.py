"""Land cover, texture and moisture of cells, from the pixels that lie in them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sm_platform.grid.window import Raster
from sm_platform.sites.cells import WindowCells
from sm_platform.sites.texture import Texture

Counts = NDArray[np.integer]
Flags = NDArray[np.bool_]
Floats32 = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class CellCover:
    """What `n` cells hold; shares are averages over their valid pixels."""

    n_inside: Counts
    """(n,) pixels in the region."""
    n_valid: Counts
    """(n,) pixels in the region with land cover."""
    land_cover_code: NDArray[np.uint8]
    """(n,) class with the largest averaged share, of equal ones the lowest code; 0 without any."""
    purity: Floats32
    """(n,) that share; NaN without a valid pixel."""


def cover_of(
    cells: WindowCells, land_cover: Raster, bands: dict[int, str], is_inside: Flags
) -> CellCover:
    """Land cover of each cell, one share band at a time; `is_inside` (pixels,) is the region's."""
    is_valid = is_inside.copy()
    for band in bands.values():
        is_valid &= ~np.isnan(land_cover.values[band].ravel())
    n_valid = _count(cells, is_valid)
    largest = np.full(len(cells), -1, np.float32)
    code = np.zeros(len(cells), np.uint8)
    for number, band in bands.items():
        share = _mean(cells, land_cover.values[band].ravel(), is_valid, n_valid)
        is_larger = share > largest
        np.copyto(largest, share, where=is_larger)
        code[is_larger] = number
    largest[n_valid == 0] = np.nan
    return CellCover(_count(cells, is_inside), n_valid, code, largest)


def mean_of(cells: WindowCells, values: NDArray[np.generic], is_valid: Flags) -> Floats32:
    """(n,) mean of the valid pixels' values (pixels,), NaN left out; NaN where there is none."""
    is_used = is_valid & ~np.isnan(values)
    return _mean(cells, values, is_used, _count(cells, is_used))


def texture_of(cells: WindowCells, texture: NDArray[np.int8], is_valid: Flags) -> NDArray[np.int8]:
    """(n,) the commonest known texture of the valid pixels, of equal ones the coarser."""
    if cells.of_pixel is None:
        return np.where(is_valid, texture, np.int8(0)).astype(np.int8)
    code, most = np.zeros(len(cells), np.int8), np.zeros(len(cells), np.int64)
    for kind in (Texture.COARSE, Texture.MEDIUM, Texture.FINE):
        n = _count(cells, is_valid & (texture == kind))
        is_more = n > most
        code[is_more], most[is_more] = kind, n[is_more]
    return code


def _mean(cells: WindowCells, values: NDArray[np.generic], is_used: Flags, n: Counts) -> Floats32:
    """(n,) sum of the used pixels' values over their number; NaN where there are none."""
    if cells.of_pixel is None:
        return np.where(is_used, values, np.float32(np.nan)).astype(np.float32, copy=False)
    total = np.bincount(cells.of_pixel, np.where(is_used, values, 0), len(cells))
    with np.errstate(invalid="ignore"):  # 0 / 0 is a cell without a value
        return (total / n).astype(np.float32)


def _count(cells: WindowCells, is_counted: Flags) -> Counts:
    if cells.of_pixel is None:
        return is_counted.astype(np.int8)
    return np.bincount(cells.of_pixel[is_counted], minlength=len(cells))
