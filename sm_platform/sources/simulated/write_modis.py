"""MOD13Q1 and MYD13Q1: a 16-day NDVI composite every 8 days, cut from its sinusoidal tile.

Each 250 m pixel is the mean of 3 x 3 true pixels on one day of the sixteen, with noise; clouds
come in patches, darken the value, and a few of them are not flagged. Digits as in the MOD13 user
guide, collection 6.1: NDVI x 10000 in -2000..10000, fill -3000; reliability -1 fill, 0 good,
1 marginal, 2 snow, 3 cloud; composite day of the year -1 where filled.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import pi
from pathlib import Path

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter
from scipy.stats import norm

from sm_platform.grid.calendar import day_of_year, is_composite
from sm_platform.grid.window import (
    GridWindow,
    lonlat_bounds,
)
from sm_platform.sources.protocol import Product
from sm_platform.sources.simulated.archive_index import Bounds, Entry, after, granule_folder
from sm_platform.sources.simulated.fields import CELL_M, Matern, Streams, matern
from sm_platform.sources.simulated.period import Period
from sm_platform.sources.simulated.world import World
from sm_platform.sources.simulated.write_tiff import (
    Array,
    Cells,
    Tiff,
    bounds_in,
    nearest_cells,
    snapped,
    write_tiff,
)

SINUSOIDAL = "+proj=sinu +lon_0=0 +x_0=0 +y_0=0 +R=6371007.181 +units=m +no_defs"
TILE_M = 2 * pi * 6371007.181 / 36
"""Side of a tile: the globe is 36 x 18 of them, 4800 x 4800 pixels each."""
PIXELS = 4800
PIXEL_M = TILE_M / PIXELS
LAST_OFFSET = timedelta(days=15)
"""From the first to the last day of a composite."""
NDVI_FILL, DAY_FILL, RELIABILITY_FILL = -3000, -1, -1
NDVI_DIGITS = (-2000, 10000)
NOISE_SD = 0.025
FILL_SHARE = 0.02
CLOUD_FLAGS = ((3, 0.70), (1, 0.25), (0, 0.05))
CLOUD_LENGTH_M, DAY_LENGTH_M, FILL_LENGTH_M = 10_000.0, 1_000.0, 500.0
CLOUD_SHARE_DELTA = (0.40, 0.48, 0.50, 0.45, 0.32, 0.28, 0.28, 0.32, 0.28, 0.25, 0.28, 0.33)
CLOUD_SHARE_HIGHLAND = (0.05, 0.06, 0.10, 0.20, 0.36, 0.45, 0.50, 0.55, 0.48, 0.34, 0.20, 0.10)
"""Cloudy share of the pixels by month: drizzle in late winter; the summer monsoon."""
LICENCE = "LP DAAC, no restrictions (simulated)"


@dataclass(frozen=True, slots=True)
class Tile:
    """The part of one tile that covers the place, and the filters of its random fields."""

    name: str
    window: GridWindow
    bounds: Bounds
    cells: Cells
    clouds: Matern
    days: Matern
    fills: Matern


@dataclass(frozen=True, slots=True)
class Optics:
    """What a sensor adds to the true NDVI of its pixels."""

    name: str
    """Of its random numbers."""
    noise_sd: float
    above_modis: float
    """How much higher than MODIS it reads."""
    cloud_flags: tuple[tuple[int, float], ...]
    """Reliability a cloudy pixel is given, and how often; the last ones pass as good."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a composite shows, (rows, cols), before it is stored."""

    ndvi: NDArray[np.float64]
    reliability: NDArray[np.int64]
    is_fill: NDArray[np.bool_]
    day_of_year: NDArray[np.int16]


MODIS = Optics("mod13q1", NOISE_SD, 0.0, CLOUD_FLAGS)


@dataclass(frozen=True, slots=True)
class Composite:
    """The three bands of a composite, (rows, cols), as stored."""

    ndvi: NDArray[np.int16]
    reliability: NDArray[np.int8]
    day_of_year: NDArray[np.int16]


def write_modis(root: Path, world: World, period: Period, last: date | None = None) -> list[Entry]:
    """Write every composite that begins in the period's driver days and ends before its end.

    `last`: day on which the last of them begins; None: MODIS does not end.
    """
    tile = tile_of(world.window)
    smooth = uniform_filter(world.ndvi, (1, 3, 3), mode="nearest")
    starts = [day for day in composite_days(period) if last is None or day <= last]
    return [_write(root, world, tile, (day, composite(world, smooth, tile, day))) for day in starts]


def composite_days(period: Period) -> list[date]:
    """First days of the composites that lie within the period's driver days."""
    return [
        day for day in period.driver_days if is_composite(day) and day + LAST_OFFSET <= period.last
    ]


def tile_of(window: GridWindow, pixel_m: float = PIXEL_M) -> Tile:
    """The tile at the window's centre, cut to what covers the window; else its border is used."""
    bounds = bounds_in(window, SINUSOIDAL)
    h = int((bounds[0] + bounds[2]) / 2 // TILE_M) + 18
    v = 8 - int((bounds[1] + bounds[3]) / 2 // TILE_M)
    corner = Affine(pixel_m, 0, (h - 18) * TILE_M, 0, -pixel_m, (9 - v) * TILE_M)
    part = snapped(bounds, corner, 3, SINUSOIDAL)
    lengths = (CLOUD_LENGTH_M, DAY_LENGTH_M, FILL_LENGTH_M)
    filters = (matern(part.shape, length * CELL_M / pixel_m) for length in lengths)
    return Tile(
        f"h{h:02d}v{v:02d}", part, lonlat_bounds(part), nearest_cells(part, window), *filters
    )


def composite(world: World, smooth: NDArray[np.float32], tile: Tile, start: date) -> Composite:
    """One composite as the provider would make it.

    Args:
        world: the truth's place and seed.
        smooth: (n_days, rows, cols) true NDVI, mean of 3 x 3 pixels.
        tile: where the values are asked for.
        start: first of the 16 days.
    """
    seen = look(world, smooth, (tile, start), MODIS)
    digits = np.clip(np.round(seen.ndvi * 10000), *NDVI_DIGITS)
    return Composite(
        np.where(seen.is_fill, NDVI_FILL, digits).astype(np.int16),
        np.where(seen.is_fill, RELIABILITY_FILL, seen.reliability).astype(np.int8),
        np.where(seen.is_fill, DAY_FILL, seen.day_of_year).astype(np.int16),
    )


def look(
    world: World, smooth: NDArray[np.float32], what: tuple[Tile, date], optics: Optics
) -> Look:
    """What a sensor sees of a tile in the 16 days from a day on; the rest as for `composite`."""
    tile, start = what
    rng = Streams(world.seed, world.place.index).rng(f"{optics.name}_{start}")
    offset = np.clip(norm.cdf(tile.days.draw(rng)) * 16, 0, 15).astype(np.intp)
    seen = smooth[world.index(start) + offset, *tile.cells]
    value = seen + optics.above_modis + optics.noise_sd * rng.standard_normal(seen.shape)
    shares = CLOUD_SHARE_DELTA if world.place.is_delta else CLOUD_SHARE_HIGHLAND
    is_cloudy = tile.clouds.draw(rng) < norm.ppf(shares[start.month - 1])
    value = np.where(is_cloudy, value * rng.uniform(0.5, 0.95, value.shape), value)
    flags, odds = zip(*optics.cloud_flags, strict=True)
    reliability = np.where(is_cloudy, rng.choice(flags, value.shape, p=odds), 0)
    is_fill = tile.fills.draw(rng) < norm.ppf(FILL_SHARE)
    return Look(value, reliability, is_fill, _days_of_year(start)[offset])


def _days_of_year(start: date) -> NDArray[np.int16]:
    """Day of the year of each of the 16 days; it restarts on 1 January."""
    return np.array([day_of_year(start + timedelta(days=n)) for n in range(16)], np.int16)


def granule_id(start: date, tile: str, produced_utc: datetime) -> str:
    """Terra begins on days 1, 17, ... of the year, Aqua on 9, 25, ...; the stamp is the making."""
    is_terra = (day_of_year(start) - 1) % 16 == 0
    sensor = "MOD13Q1" if is_terra else "MYD13Q1"
    return f"{sensor}.A{start:%Y%j}.{tile}.061.{produced_utc:%Y%j%H%M%S}"


def _write(root: Path, world: World, tile: Tile, dated: tuple[date, Composite]) -> Entry:
    start, made = dated
    rng = Streams(world.seed, world.place.index).rng(f"mod13q1_late_{start}")
    available = after(start + LAST_OFFSET, rng.uniform(8, 10))
    name = granule_id(start, tile.name, available - timedelta(seconds=rng.uniform(3600, 6 * 3600)))
    folder = granule_folder(root, Product.NDVI, world.place.region_id, name)
    bands: dict[str, tuple[Array, int]] = {
        "NDVI": (made.ndvi, NDVI_FILL),
        "pixel_reliability": (made.reliability, RELIABILITY_FILL),
        "composite_day_of_the_year": (made.day_of_year, DAY_FILL),
    }
    for band, (digits, fill) in bands.items():
        title = f"250m 16 days {band.replace('_', ' ')}"
        path = folder / f"{name}_250m_16_days_{band}.tif"
        write_tiff(path, tile.window, {title: digits}, Tiff(nodata=fill))
    return Entry(
        product=Product.NDVI,
        region_id=world.place.region_id,
        granule_id=name,
        day=start,
        files=tuple(f"{name}_250m_16_days_{band}.tif" for band in bands),
        format="mod13q1",
        available_utc=available,
        licence=LICENCE,
        bounds=tile.bounds,
    )
