"""Whether a series labelled UTC is in local time, told from the daily course of temperature."""

import numpy as np
from numpy.typing import NDArray

from sm_platform.errors import UsageError

WARMEST_SOLAR_H = 14.0
"""Air is warmest about two hours after noon and the soil's skin one: 13 to 15 of solar time."""
TOLERANCE_H = 3.0
"""A daily course this far from the warmest hour is still one of a right clock."""
MIN_DAYS = 5
MIN_PER_DAY = 8
MAX_LOPSIDED = 0.3
"""Days with fewer readings, or with readings on one side of the day, do not show their course (the
measure is 0 for readings all around the clock and 1 for readings at one hour)."""
MIN_STEADINESS = 0.8
"""Length of the mean of the days' directions: 1 when all days are warmest at the same hour."""
MIN_AMPLITUDE_K = 0.5
"""Below this the days have no course to speak of."""
DAY_H = 24.0
HOUR_US = 3_600_000_000


def local_time_shift_h(
    sensed_utc: NDArray[np.datetime64], temperature: NDArray[np.floating], lon_deg: float
) -> float | None:
    """Hours by which the times run ahead of UTC: 7 for a clock of UTC+7, 0 for a right one.

    The hour of the warmest part of each day is that of its first harmonic; it is compared with 14
    hours of local solar time at the longitude.

    Args:
        sensed_utc: (n,) times as they are labelled, in any order.
        temperature: (n,) of air or skin, in kelvin or degrees Celsius; NaN where missing. Soil
            at depth is warmest hours later: it will not do.
        lon_deg: longitude of the place.

    Returns:
        Whole hours; None when it cannot be told: too few days, days without a steady course, or a
        place within 45 degrees of Greenwich, where local time and UTC are too near to tell apart.

    Raises:
        UsageError: times and temperatures differ in number.
    """
    if sensed_utc.shape != temperature.shape:
        raise UsageError(
            f"{len(sensed_utc)} times and {len(temperature)} temperatures: give one each a time."
        )
    known = ~np.isnat(sensed_utc) & np.isfinite(temperature)
    us = sensed_utc[known].astype("datetime64[us]").astype(np.int64)
    solar_h = us / HOUR_US + lon_deg / 15
    warmest = _warmest_hour(solar_h, temperature[known].astype(np.float64))
    if warmest is None:
        return None
    shift = _around_zero(warmest - WARMEST_SOLAR_H)
    if abs(shift) > TOLERANCE_H:
        return float(round(shift))
    return 0.0 if abs(lon_deg) / 15 > TOLERANCE_H else None


def _warmest_hour(solar_h: NDArray[np.float64], temperature: NDArray[np.float64]) -> float | None:
    """The steady hour of the warmest part of the days, in 0..24; None when there is none."""
    _, day, count = np.unique(solar_h // DAY_H, return_inverse=True, return_counts=True)
    turn = np.exp(2j * np.pi * solar_h / DAY_H)
    mean = np.bincount(day, temperature) / count
    above = temperature - mean[day]
    # The course of each day as one arrow: its length half the amplitude, its angle the hour.
    arrow = (np.bincount(day, above * turn.real) + 1j * np.bincount(day, above * turn.imag)) / count
    lopsided = np.hypot(np.bincount(day, turn.real), np.bincount(day, turn.imag)) / count
    arrow = arrow[(count >= MIN_PER_DAY) & (lopsided <= MAX_LOPSIDED)]
    length = np.abs(arrow)
    if len(arrow) < MIN_DAYS or 2 * length.mean() < MIN_AMPLITUDE_K:
        return None
    if abs(arrow.sum()) < MIN_STEADINESS * length.sum():
        return None
    return float(np.angle(arrow.sum()) / (2 * np.pi) * DAY_H % DAY_H)


def _around_zero(hours: float) -> float:
    """The same hour of the day in -12..12."""
    return (hours + DAY_H / 2) % DAY_H - DAY_H / 2
