"""What a coarse reanalysis makes of the true weather: errors, then hours of UTC days."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from affine import Affine
from numpy.typing import NDArray

from sm_platform.grid.window import GridWindow, cell_index, centres, lonlat, lonlat_bounds
from sm_platform.sources.simulated.fields import Streams
from sm_platform.sources.simulated.weather import CONVECTIVE_MONTHS, LAPSE_K_PER_M
from sm_platform.sources.simulated.world import World
from sm_platform.sources.simulated.write_tiff import snapped

Cube = NDArray[np.float64]
"""(days or hours, rows, cols)."""
CELL_DEG = 0.1
GRID = Affine(CELL_DEG, 0, -180 - CELL_DEG / 2, 0, -CELL_DEG, 90 + CELL_DEG / 2)
"""The global 0.1 degree grid: cell centres on whole tenths of a degree."""
OWN_SHARE = 0.75
"""Weight of the cell's own rain; the rest is the region's."""
AMOUNT_SD, AMOUNT_FACTOR = 0.6, 0.9
"""Lognormal error per cell and day, and the dry bias."""
MOVED_SHARE = 0.10
"""Share of the days whose rain falls on a neighbouring day."""
DRIZZLE_SHARE, DRIZZLE_M = 0.35, 0.0008
"""Share of dry days that get drizzle, and its mean."""
TEMPERATURE_SD_K = 0.5
UTC_OFFSET_H = 7
"""Local time of both places; a day of the true weather is a local one."""
WARMEST_UTC_H = 7
SHOWER_LOCAL_H, SHOWER_SD_H, STEADY_SHARE = 17.5, 2.0, 0.15
"""Middle and width of the afternoon's showers (09-12 UTC), and what falls at any hour."""


@dataclass(frozen=True, slots=True)
class CoarseWeather:
    """Hours of UTC days on the 0.1 degree grid; arrays are (n_hours, rows, cols)."""

    window: GridWindow
    first_day: date
    temperature_k: Cube
    """At the full hours, the first at 00 UTC of the first day."""
    rain_m: Cube
    """Fallen between a full hour and the next."""
    is_sea: NDArray[np.bool_]
    """(rows, cols)."""


def coarse_weather(world: World) -> CoarseWeather:
    """The reanalysis of the world's whole period."""
    window = snapped(lonlat_bounds(world.window), GRID, 1, "EPSG:4326")
    streams = Streams(world.seed, world.place.index)
    rain = _with_errors(own_rain(world, window), world.rain_regional_m, streams)
    return CoarseWeather(
        window,
        world.first_day,
        _hourly_temperature(world, window, streams),
        hourly_rain(rain, world.first_day),
        _sea(world, window),
    )


def _members(world: World, window: GridWindow) -> list[NDArray[np.bool_]]:
    """For each coarse cell in row order: which pixels lie in it; all pixels where none does."""
    index = cell_index(window, *lonlat(world.window))
    masks = [index == cell for cell in range(window.size)]
    return [mask if mask.any() else np.ones_like(mask) for mask in masks]


def own_rain(world: World, window: GridWindow) -> Cube:
    """Mean of the true rain in each cell, (n_days, rows, cols) m/day; the region's around it."""
    means = [
        world.rain_m[:, mask].mean(axis=1, dtype=float)
        if not mask.all()
        else world.rain_regional_m.astype(float)
        for mask in _members(world, window)
    ]
    return np.stack(means, axis=1).reshape(-1, *window.shape)


def _with_errors(own: Cube, regional: NDArray[np.float32], streams: Streams) -> Cube:
    """Smoothed, scaled, some days moved, drizzle on dry days (m/day)."""
    rng = streams.rng("era5_rain")
    mixed = OWN_SHARE * own + (1 - OWN_SHARE) * regional[:, None, None]
    noise = rng.standard_normal(own.shape)
    amount = AMOUNT_FACTOR * mixed * np.exp(AMOUNT_SD * noise - AMOUNT_SD**2 / 2)
    moved = _with_moved_days(amount, streams)
    drizzle = rng.exponential(DRIZZLE_M, own.shape) * (rng.random(own.shape) < DRIZZLE_SHARE)
    return np.where(moved > 0, moved, drizzle)


def _with_moved_days(amount: Cube, streams: Streams) -> Cube:
    """Some days' rain falls on the day before or after instead; none is lost but at the ends."""
    rng = streams.rng("era5_moved")
    n_days = len(amount)
    is_moved = rng.random(n_days) < MOVED_SHARE
    target = np.arange(n_days) + np.where(is_moved, rng.choice((-1, 1), n_days), 0)
    result = np.zeros_like(amount)
    np.add.at(result, np.clip(target, 0, n_days - 1), amount)
    return result


def shower_weights(month: int) -> NDArray[np.float64]:
    """Share of a local day's rain in each of its 24 local hours; they sum to 1."""
    if month not in CONVECTIVE_MONTHS:
        return np.full(24, 1 / 24)
    hours = np.arange(24) + 0.5
    peak = np.exp(-0.5 * ((hours - SHOWER_LOCAL_H) / SHOWER_SD_H) ** 2)
    return np.asarray(STEADY_SHARE / 24 + (1 - STEADY_SHARE) * peak / peak.sum())


def hourly_rain(daily: Cube, first_day: date) -> Cube:
    """Rain of local days as hours of UTC days; the morning before the first day is dry."""
    n_days = len(daily)
    weights = np.stack(
        [shower_weights((first_day + timedelta(days=n)).month) for n in range(n_days)]
    )
    local = (weights[:, :, None, None] * daily[:, None]).reshape(-1, *daily.shape[1:])
    later = np.zeros((UTC_OFFSET_H, *daily.shape[1:]))
    return np.concatenate([local[UTC_OFFSET_H:], later])


def _hourly_temperature(world: World, window: GridWindow, streams: Streams) -> Cube:
    """Daily wave around the regional mean, lowered with the cell's height, with a cell's error."""
    rng = streams.rng("era5_temperature")
    hours = np.arange(24 * world.n_days + 1)
    noon = 24 * np.arange(world.n_days) + 12 - UTC_OFFSET_H
    mean = np.interp(hours, noon, world.temperature_k)
    spread = np.interp(hours, noon, world.temperature_range_k)
    wave = spread / 2 * np.cos(2 * np.pi * (hours - WARMEST_UTC_H) / 24)
    height = [world.elevation_m[mask].mean() for mask in _members(world, window)]
    lapse = LAPSE_K_PER_M * (np.array(height) - world.place.reference_elevation_m)
    daily = TEMPERATURE_SD_K * rng.standard_normal((world.n_days + 1, *window.shape))
    error = np.repeat(daily, 24, axis=0)[: len(hours)]
    return np.asarray((mean + wave)[:, None, None] + lapse.reshape(window.shape) + error)


def _sea(world: World, window: GridWindow) -> NDArray[np.bool_]:
    """Off a delta the cells south-east of the place, beyond its pixels, are sea."""
    x, y = centres(window)
    _, south, east, _ = lonlat_bounds(world.window)
    is_sea = (x - CELL_DEG / 2 >= east) & (y + CELL_DEG / 2 <= south)
    return is_sea & world.place.is_delta
