"""The full worlds of the plausibility tests, made once, and statistics over time and space."""

import warnings
from dataclasses import dataclass
from functools import cache

import numpy as np

from sm_platform.sources.simulated.fields import Field, Mask
from sm_platform.sources.simulated.passes import passes
from sm_platform.sources.simulated.places import PLACES, Place
from sm_platform.sources.simulated.radar import scene
from sm_platform.sources.simulated.world import LAST_DAY, TRUTH_DAY, World, simulate

SEED = 1
REGIONS = [place.region_id for place in PLACES]


@dataclass(frozen=True, slots=True)
class Truth:
    """The days from 2025-01-01 on; `drained` is soil moisture, NaN where water stands."""

    world: World
    drained: Field
    is_flooded: Mask
    rain_mm: Field


@dataclass(frozen=True, slots=True)
class Series:
    """All scenes of one track and the truth of the same days, (n_scenes, rows, cols)."""

    vv_db: Field
    vh_db: Field
    drained: Field
    ndvi: Field
    years: np.ndarray[tuple[int], np.dtype[np.int64]]


def place_of(region_id: str) -> Place:
    return PLACES[REGIONS.index(region_id)]


@cache
def full_world(region_id: str) -> World:
    return simulate(place_of(region_id), SEED)


@cache
def truth(region_id: str) -> Truth:
    world = full_world(region_id)
    first = world.index(TRUTH_DAY)
    wet = world.is_flooded[first:]
    drained = np.where(wet, np.float32(np.nan), world.sm_m3m3[first:])
    return Truth(world, drained, wet, world.rain_m[first:] * 1000)


@cache
def series(region_id: str) -> Series:
    """The descending track, which covers each region whole."""
    world = full_world(region_id)
    track = next(track for track in world.place.tracks if track.orbit_state == "D")
    seen = [
        one
        for one in passes(world.place, TRUTH_DAY, LAST_DAY)
        if one.relative_orbit == track.relative_orbit
    ]
    scenes = [scene(world, one).values for one in seen]
    days = [world.index(one.day) for one in seen]
    return Series(
        vv_db=np.stack([values["vv_db"] for values in scenes]),
        vh_db=np.stack([values["vh_db"] for values in scenes]),
        drained=np.where(world.is_flooded[days], np.nan, world.sm_m3m3[days]),
        ndvi=world.ndvi[days],
        years=np.array([one.day.year for one in seen]),
    )


def in_time(a: Field, b: Field, least: int = 10) -> Field:
    """Correlation along the first axis, where at least so many pairs are complete."""
    both = np.isfinite(a) & np.isfinite(b)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # pixels without a pair are NaN
        x, y = (np.where(both, part, np.nan) for part in (a, b))
        x, y = x - np.nanmean(x, axis=0), y - np.nanmean(y, axis=0)
        spread = np.sqrt(np.nansum(x**2, axis=0) * np.nansum(y**2, axis=0))
        r = np.nansum(x * y, axis=0) / spread
    return np.where(both.sum(axis=0) >= least, r, np.nan)


def less_running_mean(values: Field, days: int = 35) -> Field:
    """The values less their centred running mean; both ends, half a window each, are cut."""
    known = np.isfinite(values)
    zero = np.zeros((1, *values.shape[1:]))
    total = np.concatenate([zero, np.cumsum(np.where(known, values, 0), axis=0, dtype=float)])
    count = np.concatenate([zero, np.cumsum(known, axis=0, dtype=float)])
    half = days // 2
    with np.errstate(invalid="ignore"):
        mean = (total[days:] - total[:-days]) / (count[days:] - count[:-days])
    return values[half : len(values) - half] - mean


def semivariance(maps: Field, lag: int) -> float:
    """Both ways, by the variance of the same map; the median of maps (n, rows, cols)."""
    down = np.nanmean((maps[:, lag:] - maps[:, :-lag]) ** 2, axis=(1, 2))
    across = np.nanmean((maps[:, :, lag:] - maps[:, :, :-lag]) ** 2, axis=(1, 2))
    return float(np.median((down + across) / 4 / np.nanvar(maps, axis=(1, 2))))


def drydown_days(state: Truth) -> Field:
    """E-folding times above .6 of the wilting point: > 8 mm, then 7 days below .5 mm each."""
    found, x = [], np.arange(8) - 3.5
    for n in range(len(state.drained) - 8):
        is_dry = (state.rain_mm[n] > 8) & (state.rain_mm[n + 1 : n + 8] < 0.5).all(axis=0)
        above = state.drained[n : n + 8, is_dry] - 0.6 * state.world.wilting_point[is_dry]
        above = above[:, (above > 0.002).all(axis=0)]
        found.append(-(x @ x) / (x @ np.log(above)))
    return np.concatenate(found)
