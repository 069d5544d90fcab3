"""The land model behind SPL4SMGP: its own bucket on coarse rain, without irrigation.

It shares nothing with the truth but the weather and the mean of the soils: one layer, its own
error of the rain, no rice fields. Its mean is brought to the place's, a little wetter.
"""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from sm_platform.grid.calendar import day_of_year
from sm_platform.sources.simulated.fields import Streams
from sm_platform.sources.simulated.footprints import Footprints
from sm_platform.sources.simulated.weather import extraterrestrial_mj, hargreaves_mm
from sm_platform.sources.simulated.world import SPIN_UP_DAY, TRUTH_DAY, World

DEPTH_MM = 50.0
INTERCEPTED_MM = 0.5
DRAINAGE_DAYS = 1.5
COVER = 0.5
"""Share of the potential evaporation that the surface layer gives."""
RETURN_RATE = 0.03
"""Per day, towards what lies between wilting point and field capacity: the deeper layers."""
OWN_SHARE, AMOUNT_SD, AMOUNT_FACTOR = 0.75, 0.6, 0.9
"""Of the rain, as in the reanalysis, with another draw."""
WET_BIAS_M3M3 = 0.015
ERROR_SD, ERROR_R = 0.012, 0.8
"""Of a day, and its correlation with the day before."""


@dataclass(frozen=True, slots=True)
class LandModel:
    """What the model gives for each cell; (days, rows, cols) from the world's first day."""

    sm_m3m3: NDArray[np.float64]
    """Surface layer at the end of a local day; NaN before the spin-up."""
    surface_k: NDArray[np.float64]


def land_model(world: World, nine: Footprints) -> LandModel:
    """Run the model over the world's days."""
    streams = Streams(world.seed, world.place.index)
    dry, full, wet = (
        nine.means(one) for one in (world.wilting_point, world.field_capacity, world.saturation)
    )
    rain_mm, et0_mm = 1000 * _rain_m(world, nine, streams), reference_et_mm(world)
    first = world.index(SPIN_UP_DAY)
    states = np.full((world.n_days, *nine.window.shape), np.nan)
    state = (dry + full) / 2
    for n in range(first, world.n_days):
        state = state + np.maximum(rain_mm[n] - INTERCEPTED_MM, 0) / DEPTH_MM
        state = np.minimum(state, wet)
        state = state - np.maximum(state - full, 0) * (1 - np.exp(-1 / DRAINAGE_DAYS))
        stress = np.clip((state - 0.45 * dry) / (0.9 * full - 0.45 * dry), 0, 1)
        state = state - COVER * et0_mm[n] * stress**1.5 / DEPTH_MM
        state = np.maximum(state + RETURN_RATE * ((dry + full) / 2 - state), 0.35 * dry)
        states[n] = state
    states[first:] += _error(states[first:].shape, streams)
    return LandModel(_rescaled(world, nine, states), _surface_k(world, nine))


def _rain_m(world: World, nine: Footprints, streams: Streams) -> NDArray[np.float64]:
    rng = streams.rng("l4_rain")
    own = np.stack([nine.means(day) for day in world.rain_m])
    mixed = OWN_SHARE * own + (1 - OWN_SHARE) * world.rain_regional_m[:, None, None]
    noise = rng.standard_normal(own.shape)
    return np.asarray(AMOUNT_FACTOR * mixed * np.exp(AMOUNT_SD * noise - AMOUNT_SD**2 / 2))


def reference_et_mm(world: World) -> NDArray[np.float64]:
    """Reference evapotranspiration of each day at the place's reference elevation, mm/day."""
    found = np.empty(world.n_days)
    for n in range(world.n_days):
        day = day_of_year(world.first_day + timedelta(days=n))
        radiation_mj = extraterrestrial_mj(world.place.lat, day)
        range_k = float(world.temperature_range_k[n])
        found[n] = hargreaves_mm(radiation_mj, world.temperature_k[n : n + 1], range_k)[0]
    return found


def _error(shape: tuple[int, ...], streams: Streams) -> NDArray[np.float64]:
    """One error a day for all cells, autoregressive."""
    rng = streams.rng("l4_error")
    steps = ERROR_SD * np.sqrt(1 - ERROR_R**2) * rng.standard_normal(shape[0])
    error = np.empty(shape[0])
    last = ERROR_SD * rng.standard_normal()
    for n, step in enumerate(steps):
        error[n] = last
        last = ERROR_R * last + step
    return np.asarray(np.broadcast_to(error[:, None, None], shape))


def _rescaled(world: World, nine: Footprints, states: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean of each cell brought to the truth's over the days of truth, and its wet bias."""
    first = world.index(TRUTH_DAY)
    truth = np.stack([nine.means(day) for day in world.sm_m3m3[first:]]).mean(axis=0)
    shift = truth - states[first:].mean(axis=0) + WET_BIAS_M3M3
    return np.asarray(np.clip(states + shift, 0.02, 0.6))


def _surface_k(world: World, nine: Footprints) -> NDArray[np.float64]:
    shape = (world.n_days, *nine.window.shape)
    return np.asarray(np.broadcast_to(world.temperature_k[:, None, None].astype(float), shape))
