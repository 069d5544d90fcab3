"""Terrain of every pixel: height, slope and aspect from 30 m cells, averaged in two ways.

`elevation_m`, `slope_deg`, `aspect_sin`, `aspect_cos` are means over the pixel's footprint.
`cell_elevation_m`, `cell_slope_deg`, `cell_aspect_deg` are what the seed system takes: means over
the cell of its rounded EASE grid that holds the pixel's centre, the aspect averaged as a plain
angle; neighbouring pixels can share such a cell.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sm_platform.errors import GridError
from sm_platform.features.footprint import GroupRule, add_to, blocks, flat_index, in_cells
from sm_platform.features.place import rounded_cell
from sm_platform.features.relief import cell_metres, slope_and_aspect, surrounded
from sm_platform.grid.ease2 import CRS as EASE2
from sm_platform.grid.window import GridWindow, Raster, centres, link, reproject_points

BANDS = ("elevation_m", "slope_deg", "aspect_sin", "aspect_cos")
SEED_BANDS = ("elevation_m", "slope_deg", "aspect_deg")
PLAUSIBLE = ((-500.0, 9000.0), (0.0, 90.0), (-360.0, 720.0))
"""Height (m), slope and aspect (degrees) beyond which a number is fill, not a measurement."""
CELL_BANDS = ("cell_elevation_m", "cell_slope_deg", "cell_aspect_deg")

_Cells = slice | tuple[NDArray[np.intp], ...]


@dataclass(frozen=True, slots=True)
class Relief:
    """Height (m), slope and aspect (degrees) of the 30 m cells; NaN where missing."""

    window: GridWindow
    elevation_m: NDArray[np.floating]
    slope_deg: NDArray[np.floating]
    aspect_deg: NDArray[np.floating]


def pixel_terrain(window: GridWindow, elevation: Raster) -> Raster:
    """The seven terrain bands on `window` from heights alone (`elevation_m`, about 30 m).

    Slope and aspect come from Horn's formula with cell sizes in metres at their latitude. The
    first four bands are float32, means over the valid cells of a pixel (a pixel without any cell
    centre takes the cell at its own centre); flat cells have no direction and add nothing to the
    aspect. The cell bands are float64; one missing 30 m cell makes them missing. NaN where missing.
    """
    return pixel_terrain_from(window, _with_relief(elevation))


def pixel_terrain_from(window: GridWindow, terrain: Raster) -> Raster:
    """The seven terrain bands on `window` from 30 m `elevation_m`, `slope_deg`, `aspect_deg`.

    Fill values such as -32768 are left out of the pixels' means and, as the seed system does,
    count like any number in the cells' means.

    Raises:
        GridError: the terrain lies wholly outside the window.
    """
    relief = Relief(terrain.window, *(np.asarray(terrain.values[n]) for n in SEED_BANDS))
    if np.all(link(window, relief.window) < 0):
        raise GridError(
            f"Terrain {relief.window.bounds} in {relief.window.crs} lies outside the region "
            f"{window.bounds} in {window.crs}: bring the tiles of the region."
        )
    pixels = zip(BANDS, _pixel_means(window, _without_fills(relief)), strict=True)
    cells = zip(CELL_BANDS, _cell_means(window, relief), strict=True)
    shaped = {name: band.reshape(window.shape) for name, band in (*pixels, *cells)}
    return Raster(window, shaped)


def _with_relief(elevation: Raster) -> Raster:
    """The heights with slope and aspect beside them."""
    heights = np.asarray(elevation.values["elevation_m"])
    dx, dy = cell_metres(elevation.window)
    around = surrounded(heights)
    slope, aspect = (np.empty(heights.shape, np.float32) for _ in range(2))
    for block in blocks(elevation.window, elevation.window.crs):
        rows = block.rows
        halo = around[rows.start : rows.stop + 2]
        slope[rows], aspect[rows] = slope_and_aspect(halo, dx[rows], dy[rows])
    bands = {"elevation_m": heights, "slope_deg": slope, "aspect_deg": aspect}
    return Raster(elevation.window, bands)


def _without_fills(relief: Relief) -> Relief:
    """The cells with implausible numbers missing, band by band."""
    bands = relief.elevation_m, relief.slope_deg, relief.aspect_deg
    kept = (
        np.where((band >= low) & (band <= high), band, np.asarray(np.nan, band.dtype))
        for band, (low, high) in zip(bands, PLAUSIBLE, strict=True)
    )
    return Relief(relief.window, *kept)


def _directions(relief: Relief, chosen: _Cells) -> Iterator[NDArray[np.floating]]:
    """Height, slope, sine and cosine of the aspect; flat cells point nowhere (0, 0)."""
    slope, aspect = relief.slope_deg[chosen], np.radians(relief.aspect_deg[chosen])
    is_flat = slope == 0
    yield relief.elevation_m[chosen]
    yield slope
    yield np.where(is_flat, 0.0, np.sin(aspect))
    yield np.where(is_flat, 0.0, np.cos(aspect))


def _pixel_means(window: GridWindow, relief: Relief) -> NDArray[np.float32]:
    """(4, pixels) means over the valid cells of each pixel."""
    total, count = (np.zeros((4, window.size + 1)) for _ in range(2))
    rule = in_cells(window)
    for block in blocks(relief.window, window.crs):
        index = rule(block.x, block.y)
        for band, values in enumerate(_directions(relief, block.rows)):
            valid = ~np.isnan(values)
            add_to(total[band], index[valid], values[valid])
            add_to(count[band], index[valid], None)
    with np.errstate(invalid="ignore"):  # 0 / 0 is a pixel without cells
        means = (total / count)[:, :-1]
    _take_nearest_where_empty(window, relief, means)
    return means.astype(np.float32)


def _take_nearest_where_empty(
    window: GridWindow, relief: Relief, means: NDArray[np.float64]
) -> None:
    """Pixels that hold no valid cell centre take the cell that holds theirs."""
    nearest = link(window, relief.window).ravel()
    empty = np.flatnonzero(np.isnan(means).any(axis=0) & (nearest >= 0))
    there = np.unravel_index(nearest[empty], relief.window.shape)
    for band, values in enumerate(_directions(relief, there)):
        means[band, empty] = np.where(np.isnan(means[band, empty]), values, means[band, empty])


def _cell_means(window: GridWindow, relief: Relief) -> NDArray[np.float64]:
    """(3, pixels) plain means over the rounded cell of each pixel; one NaN makes it missing."""
    rule, size, wanted = _rounded_rule(window)
    total, count = np.zeros((3, size + 1)), np.zeros(size + 1)
    for block in blocks(relief.window, EASE2):
        index = rule(block.x, block.y)
        add_to(count, index, None)
        for band, values in enumerate((relief.elevation_m, relief.slope_deg, relief.aspect_deg)):
            add_to(total[band], index, values[block.rows])
    with np.errstate(invalid="ignore"):  # 0 / 0 is a cell without 30 m cells
        return (total / count)[:, wanted]


def _rounded_rule(window: GridWindow) -> tuple[GroupRule, int, NDArray[np.int64]]:
    """The rule, the number of rounded cells around the window, and the one of each pixel."""
    x, y = centres(window)
    row, col = rounded_cell(*reproject_points(x.ravel(), y.ravel(), window.crs, EASE2))
    top, left = row.min(), col.min()
    shape = int(row.max() - top) + 1, int(col.max() - left) + 1

    def rule(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.int64]:
        row, col = rounded_cell(x, y)
        return flat_index(row - top, col - left, shape)

    return rule, shape[0] * shape[1], flat_index(row - top, col - left, shape)
