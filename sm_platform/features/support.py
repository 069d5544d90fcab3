"""Support: drivers and passes averaged to the cells that labels stand for (100 m to 9 km).

A label of 1 km is the moisture of a square kilometre. Its row is built as that of a pixel is, by
the same `build` from the same recipe, from drivers and a pass on the EASE-Grid 2.0 window of its
level:

- backscatter is averaged as power and turned to dB, the angle as a number;
- terrain (aspect as sine and cosine) and land-cover shares are means over the region's pixels;
- soil, NDVI and weather are means over native cells where these are finer than the support, and
  else those at the cell's centre, as for pixels;
- the quality bits are those of the coarse row: a slope, a share or an NDVI is judged as the mean
  that the network is given. Bits of single pixels are not handed up: nearly every 9 km cell has
  one steep or wet pixel. How much of the cell the radar saw is `CoarsePass.valid_share`.

On a window of EASE-Grid 2.0 cells of the level itself, everything stays as it is, to the bit.
Recipe eov-2025 knows 100 m only: `build` refuses it for coarser cells. Zeros in terrain, soil and
backscatter, missing to that recipe alone, count as numbers in all means.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sm_platform.errors import GridError
from sm_platform.features.drivers import Drivers, ScenePass
from sm_platform.features.footprint import blocks
from sm_platform.features.land_cover import CLASSES, CODES
from sm_platform.features.radar import BANDS as RADAR_BANDS
from sm_platform.features.radar import IN_DECIBELS
from sm_platform.features.soil import BANDS as SOIL_BANDS
from sm_platform.features.support_dated import coarse_late_rain, coarse_ndvi, coarse_weather
from sm_platform.features.support_footprint import (
    Footprint,
    footprint,
    is_finer,
    refuse_coarse_pixels,
    whole_count,
)
from sm_platform.features.terrain import BANDS as PIXEL_BANDS
from sm_platform.features.terrain import CELL_BANDS
from sm_platform.grid import ease2
from sm_platform.grid.window import GridWindow, Raster, link

Band = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class CoarsePass:
    """A pass on the coarse window, and how much of each cell it saw."""

    scene: ScenePass
    valid_share: Band
    """Of the coarse window's shape: pixels with VV, VH and angle, over all pixels of the whole
    cell, those outside the region, too: a cell that lies half outside has at most 0.5."""


def coarse_window(window: GridWindow, level: ease2.Level) -> GridWindow:
    """The smallest window of the level whose cells hold the centres of all the region's pixels.

    Raises:
        GridError: the region leaves the globe of the grid, crosses 180 degrees, or its pixels are
            larger than the level's cells.
    """
    if ease2.corner_cell(level, window) is not None:
        return window
    first, last = np.full(2, np.iinfo(np.int64).max), np.full(2, -1)
    for block in blocks(window, ease2.CRS):
        row, col = ease2.cells(level, block.x, block.y)
        first = np.minimum(first, [row.min(), col.min()])
        last = np.maximum(last, [row.max(), col.max()])
    rows, cols = (int(n) for n in last - first + 1)
    if cols > level.shape[1] // 2:
        raise GridError(
            f"The region reaches around the globe in EASE-Grid 2.0 {level.name} (does it cross "
            "180 degrees?): split it there."
        )
    coarse = ease2.window(level, int(first[0]), int(first[1]), (rows, cols))
    refuse_coarse_pixels(window, coarse, level.name)
    return coarse


def coarse_drivers(drivers: Drivers, level: ease2.Level) -> Drivers:
    """The drivers on the coarse window of their region, for `prepare` and `build`.

    Terrain and land cover of a cell at the region's edge come from the pixels inside; NDVI and
    soil from all native cells there are. One composite is held at a time beside the results.

    Raises:
        GridError: as for `coarse_window`.
    """
    coarse = coarse_window(drivers.window, level)
    if coarse == drivers.window:
        return drivers
    pixels = footprint(drivers.window, coarse)
    cover = drivers.land_cover
    return Drivers(
        window=coarse,
        ndvi=coarse_ndvi(drivers.ndvi, coarse),
        weather=coarse_weather(drivers.weather, coarse),
        late_rain=coarse_late_rain(drivers.late_rain, coarse),
        soil=_soil(drivers.soil, coarse),
        terrain=_terrain(drivers.terrain, coarse, pixels),
        land_cover=None if cover is None else _land_cover(cover, coarse, pixels),
    )


def coarse_backscatter(backscatter: Raster, coarse: GridWindow) -> Raster:
    """`vv_db`, `vh_db`, `angle_deg` (float32, NaN missing) of the coarse window's cells.

    Means over a cell's measured pixels, VV and VH as power: a mean of dB would lie lower by
    0.1-0.3 dB over fields and by several where water meets towns.
    """
    if backscatter.window == coarse:
        return backscatter
    pixels = footprint(backscatter.window, coarse)
    bands = {name: _radar_mean(backscatter, name, pixels) for name in RADAR_BANDS}
    return Raster(coarse, {name: band.reshape(coarse.shape) for name, band in bands.items()})


def coarse_pass(scene: ScenePass, window: GridWindow, level: ease2.Level) -> CoarsePass:
    """The pass on the coarse window of the region, with its earlier passes.

    Args:
        scene: the pass on the region's pixels.
        window: the region's pixels.
        level: level of the sites.

    Raises:
        GridError: the pass lies on other pixels; or as for `coarse_window`.
    """
    if scene.backscatter.window != window:
        raise GridError(
            f"The pass of {scene.start_utc} lies on {scene.backscatter.window.shape} cells of "
            f"{scene.backscatter.window.crs}, the region on {window.shape} of {window.crs}: join "
            "its frames on the region's window."
        )
    coarse = coarse_window(window, level)
    moved = replace(
        scene,
        backscatter=coarse_backscatter(scene.backscatter, coarse),
        history=[(start, coarse_backscatter(one, coarse)) for start, one in scene.history],
    )
    return CoarsePass(moved, _valid_share(scene.backscatter, coarse))


def _valid_share(backscatter: Raster, coarse: GridWindow) -> Band:
    pixels = footprint(backscatter.window, coarse)
    bands = (np.asarray(backscatter.values[name]).ravel() for name in RADAR_BANDS)
    is_seen = ~np.logical_or.reduce([np.isnan(band) for band in bands])
    share = pixels.count(is_seen[pixels.fine]) / whole_count(backscatter.window, coarse)
    return share.astype(np.float32).reshape(coarse.shape)


def _radar_mean(backscatter: Raster, name: str, pixels: Footprint) -> Band:
    values = np.asarray(backscatter.values[name], np.float64)
    if name not in IN_DECIBELS:
        return pixels.mean(values).astype(np.float32)
    with np.errstate(divide="ignore"):  # no power at all is -inf dB
        return (10 * np.log10(pixels.mean(10.0 ** (values / 10)))).astype(np.float32)


def _terrain(terrain: Raster, coarse: GridWindow, pixels: Footprint) -> Raster:
    """Means of the pixel bands; the bands of recipe eov-2025 from the pixel at the centre."""
    bands: dict[str, NDArray[np.generic]] = {
        name: pixels.mean(terrain.values[name]).astype(np.float32).reshape(coarse.shape)  # type: ignore[arg-type]
        for name in PIXEL_BANDS
    }
    centre = link(coarse, terrain.window)
    for name in CELL_BANDS:
        if name in terrain.values:
            own = np.asarray(terrain.values[name]).ravel()[centre]
            bands[name] = np.where(centre >= 0, own, np.nan)
    return Raster(coarse, bands)


def _land_cover(cover: Raster, coarse: GridWindow, pixels: Footprint) -> Raster:
    """Mean shares over the pixels whose cover is known, and the code of the largest one."""
    bands: dict[str, NDArray[np.generic]] = {
        name: pixels.mean(band).astype(np.float32).reshape(coarse.shape)  # type: ignore[arg-type]
        for name, band in cover.values.items()
        if name.endswith("_share")
    }
    if "land_cover_code" in cover.values:
        shares = np.nan_to_num(np.stack([bands[f"{name}_share"] for name in CLASSES]))
        largest = np.array(CODES, np.uint8)[shares.argmax(axis=0)]
        bands["land_cover_code"] = np.where(shares.any(axis=0), largest, np.uint8(0))
    return Raster(coarse, bands)


def _soil(soil: Raster, coarse: GridWindow) -> Raster:
    if not is_finer(soil.window, coarse):
        return soil
    cells = footprint(soil.window, coarse)
    means = {name: cells.mean(soil.values[name]) for name in SOIL_BANDS}  # type: ignore[arg-type]
    return Raster(
        coarse,
        {name: band.astype(np.float32).reshape(coarse.shape) for name, band in means.items()},
    )
