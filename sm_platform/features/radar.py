"""Radar: the frames of one pass joined on the region's pixels, averaged in linear power."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sm_platform.features.footprint import add_to, blocks, in_cells
from sm_platform.grid.window import GridWindow, Raster, link

BANDS = ("vv_db", "vh_db", "angle_deg")
IN_DECIBELS = ("vv_db", "vh_db")


def joined_frames(window: GridWindow, frames: Sequence[Raster]) -> Raster:
    """`vv_db`, `vh_db`, `angle_deg` (float32, NaN missing) of one pass on the window.

    All valid frame cells whose centres lie in a pixel count alike, those of overlapping frames
    too; backscatter is averaged as power and then turned to dB (a mean of dB is 0.1-0.3 dB low).
    A pixel without any takes the frame cells that hold its centre.
    """
    return Raster(window, {name: _joined(window, frames, name) for name in BANDS})


def placed_frame(window: GridWindow, frame: Raster) -> Raster:
    """A frame that was cut for the region, on the window's pixels.

    A frame of the window's shape, off by less than a cell, is taken value by value, row by row and
    unchanged, as the seed system takes it; any other is joined by location.
    """
    here, there = window.affine, frame.window.affine
    is_cut = frame.window.shape == window.shape and frame.window.crs == window.crs
    off = abs(there.c - here.c) / here.a, abs(there.f - here.f) / abs(here.e)
    if is_cut and max(off) < 1 and np.allclose((there.a, there.e), (here.a, here.e), rtol=1e-6):
        return Raster(window, {name: frame.values[name] for name in BANDS})
    return joined_frames(window, [frame])


def _joined(window: GridWindow, frames: Sequence[Raster], name: str) -> NDArray[np.float32]:
    total, count = np.zeros(window.size + 1), np.zeros(window.size + 1)
    rule = in_cells(window)
    for frame in frames:
        values = _averageable(frame, name)
        for block in blocks(frame.window, window.crs):
            rows, index = values[block.rows], rule(block.x, block.y)
            valid = ~np.isnan(rows)
            add_to(total, index[valid], rows[valid])
            add_to(count, index[valid], None)
    _add_coarse(window, frames, name, (total, count))
    with np.errstate(invalid="ignore"):  # 0 / 0 is a pixel without a measurement
        mean = (total / count)[:-1]
    if name in IN_DECIBELS:
        mean = 10 * np.log10(mean)
    return mean.astype(np.float32).reshape(window.shape)


def _add_coarse(
    window: GridWindow,
    frames: Sequence[Raster],
    name: str,
    sums: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> None:
    """Give pixels that hold no cell centre the cells that hold theirs."""
    total, count = sums
    empty = np.flatnonzero(count[:-1] == 0)
    for frame in frames:
        nearest = link(window, frame.window).ravel()[empty]
        values = _averageable(frame, name).ravel()[nearest]
        valid = (nearest >= 0) & ~np.isnan(values)
        total[empty[valid]] += values[valid]
        count[empty[valid]] += 1


def _averageable(frame: Raster, name: str) -> NDArray[np.float64]:
    values = np.asarray(frame.values[name], np.float64)
    return 10.0 ** (values / 10) if name in IN_DECIBELS else values
