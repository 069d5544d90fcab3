"""Errors of satellite soil moisture: what all L-band products share, and what Planet adds.

The L-band retrieval sees a wide region through a 33 km footprint; a 100 m product sharpens it,
but keeps its errors. Standing water counts as very wet soil, for no product tells it apart.
"""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from scipy.ndimage import gaussian_filter, uniform_filter

from sm_platform.sources.simulated.fields import CELL_M, Field, Matern, Streams, matern
from sm_platform.sources.simulated.world import LAST_DAY, TRUTH_DAY, World

GAPS_DAYS, GAP_ODDS = (1, 2, 3), (0.3, 0.4, 0.3)
"""Days between overpasses."""
SHARED_SD, SHARED_R = 0.025, 0.5
"""Day error of every L-band product, and its correlation between overpasses."""
COARSE_SD = 0.010
REGIONAL_SHARE = 0.6
"""Of the wide region in a footprint; the rest is the 9 km around."""
NINE_KM_CELLS = 90
SHARPNESS = 0.65
"""Share of the true contrast inside 9 km that the 100 m product shows."""
SUPPORT_M = 250.0
STATIC_SD, STATIC_LENGTH_M = 0.018, 1500.0
"""A fixed pattern, the same in all products sharpened from L-band."""
NOISE_SD, NOISE_LENGTH_M = 0.022, 400.0
BIAS = 0.012
FLOODED_SATURATION = 0.75
"""Weight of saturation, the rest field capacity, at which standing water is counted."""


@dataclass(frozen=True, slots=True)
class Overpass:
    """One L-band overpass with the errors (m3/m3) that all its products share."""

    day: date
    """UTC day of sensing."""
    shared_error: float
    coarse_error: float


@dataclass(frozen=True, slots=True)
class PlanetErrors:
    """The fixed parts of the 100 m product of one place."""

    static: Field
    """(rows, cols) m3/m3."""
    noise: Matern


def overpasses(world: World) -> list[Overpass]:
    """All overpasses of the truth's days, whatever part of them is written."""
    streams = Streams(world.seed, world.place.index)
    gaps, shared = streams.rng("l_band_overpasses"), streams.rng("l_band_day")
    coarse = streams.rng("l_band_coarse")
    found = []
    day = TRUTH_DAY + timedelta(days=int(gaps.integers(0, 3)))
    error = SHARED_SD * shared.standard_normal()
    while day <= LAST_DAY:
        found.append(Overpass(day, float(error), float(COARSE_SD * coarse.standard_normal())))
        step = SHARED_SD * np.sqrt(1 - SHARED_R**2) * shared.standard_normal()
        error = SHARED_R * error + step
        day += timedelta(days=int(gaps.choice(GAPS_DAYS, p=GAP_ODDS)))
    return found


def planet_errors(world: World) -> PlanetErrors:
    """The fixed pattern and the filter of the daily noise."""
    shape = world.window.shape
    streams = Streams(world.seed, world.place.index)
    static = STATIC_SD * streams.grf("l_band_static", shape, STATIC_LENGTH_M)
    return PlanetErrors(np.asarray(static, np.float32), matern(shape, NOISE_LENGTH_M))


def as_sensed(world: World, day: date) -> Field:
    """Soil moisture with standing water counted as wet soil, (rows, cols) m3/m3."""
    n = world.index(day)
    wet = FLOODED_SATURATION * world.saturation + (1 - FLOODED_SATURATION) * world.field_capacity
    return np.where(world.is_flooded[n], wet, world.sm_m3m3[n])


def planet_estimate(world: World, errors: PlanetErrors, overpass: Overpass) -> Field:
    """The 100 m product of an overpass before flags, (rows, cols) m3/m3, cut to 0..1."""
    sensed = as_sensed(world, overpass.day)
    around = uniform_filter(sensed, NINE_KM_CELLS, mode="nearest")
    coarse = REGIONAL_SHARE * sensed.mean() + (1 - REGIONAL_SHARE) * around
    coarse = coarse + overpass.shared_error + overpass.coarse_error
    detail = gaussian_filter(sensed, SUPPORT_M / CELL_M, mode="nearest") - around
    rng = Streams(world.seed, world.place.index).rng(f"planet_noise_{overpass.day}")
    estimate = coarse + SHARPNESS * detail + errors.static + NOISE_SD * errors.noise.draw(rng)
    return np.asarray(np.clip(estimate + BIAS, 0, 1), np.float32)
