"""Land cover, texture and moisture of cells, from the pixels that lie in them."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sm_platform.grid.window import Raster
from sm_platform.sites.cells import Ints, WindowCells, parts
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
        for part, share in _means(cells, land_cover.values[band].ravel(), is_valid, n_valid):
            is_larger = share > largest[part]
            np.copyto(largest[part], share, where=is_larger)
            np.copyto(code[part], np.uint8(number), where=is_larger)
    largest[n_valid == 0] = np.nan
    return CellCover(_count(cells, is_inside), n_valid, code, largest)


def mean_of(
    cells: WindowCells, values: NDArray[np.generic], is_valid: Flags, wanted: Ints
) -> Floats32:
    """Mean in the wanted cells of the valid pixels' values (pixels,), NaN left out; NaN if none."""
    if cells.of_pixel is None:
        return np.where(is_valid[wanted], values[wanted], np.float32(np.nan))
    is_used = is_valid & ~np.isnan(values)
    return _mean(cells.of_pixel, values, is_used, _count(cells, is_used))[wanted]


def texture_of(
    cells: WindowCells, texture: NDArray[np.int8], is_valid: Flags, wanted: Ints
) -> NDArray[np.int8]:
    """The commonest known texture of the wanted cells' valid pixels, of equal ones the coarser."""
    if cells.of_pixel is None:
        return np.where(is_valid[wanted], texture[wanted], np.int8(0))
    code, most = np.zeros(len(cells), np.int8), np.zeros(len(cells), np.int64)
    for kind in (Texture.COARSE, Texture.MEDIUM, Texture.FINE):
        n = _count(cells, is_valid & (texture == kind))
        is_more = n > most
        code[is_more], most[is_more] = kind, n[is_more]
    return code[wanted]


def _means(
    cells: WindowCells, values: NDArray[np.generic], is_used: Flags, n: Counts
) -> Iterator[tuple[slice, Floats32]]:
    """Mean of the used pixels' values, NaN where there are none, for some cells at a time."""
    if cells.of_pixel is not None:
        yield slice(None), _mean(cells.of_pixel, values, is_used, n)
        return
    for part in parts(len(cells)):
        yield part, np.where(is_used[part], values[part], np.float32(np.nan))


def _mean(
    of_pixel: NDArray[np.intp], values: NDArray[np.generic], is_used: Flags, n: Counts
) -> Floats32:
    """(n,) sum of the used pixels' values over their number; NaN where there are none."""
    total = np.bincount(of_pixel, np.where(is_used, values, 0), len(n))
    with np.errstate(invalid="ignore"):  # 0 / 0 is a cell without a value
        return (total / n).astype(np.float32)


def _count(cells: WindowCells, is_counted: Flags) -> Counts:
    if cells.of_pixel is None:
        return is_counted.astype(np.int8)
    return np.bincount(cells.of_pixel[is_counted], minlength=len(cells))
