"""Sightings: what each NDVI composite saw of a place, on which day and how well."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sm_platform.features.layers import Layer
from sm_platform.features.lookback import Series
from sm_platform.grid.calendar import STEP

DIGITS = np.float32(10000)
"""The network reads NDVI x 10000."""
GOOD, MARGINAL, SNOW, UNKNOWN = 0, 1, 2, -1
"""Pixel reliability of MOD13 (user guide C6.1, table 4); -1 when the file does not say."""
GOOD_BONUS = 1 << 22
"""Added to the day of a good observation, so that it ranks before any marginal one."""


def observed_day(layer: Layer) -> NDArray[np.int32]:
    """Day of observation of each place, the composite's first day where it is not known."""
    day = layer.bands["observed_day"]
    return np.where(day > 0, day, np.int32(layer.day)).astype(np.int32)


@dataclass(frozen=True, slots=True)
class Seen:
    """Usable observations of one composite."""

    place: NDArray[np.intp]
    step: NDArray[np.int32]
    rank: NDArray[np.int32]
    ndvi: Series


def sightings(layers: Sequence[Layer], first: int, last: int) -> Iterator[Seen]:
    """What each composite saw from day `first` to day `last`, quality applied."""
    for layer in layers:
        day, quality = observed_day(layer), layer.bands["reliability_code"]
        ndvi = np.asarray(layer.bands["ndvi"], np.float32)
        is_clear = (quality == GOOD) | (quality == MARGINAL) | (quality == UNKNOWN)
        place = np.flatnonzero(is_clear & ~np.isnan(ndvi) & (day >= first) & (day <= last))
        rank = day[place] + np.where(quality[place] == GOOD, GOOD_BONUS, 0).astype(np.int32)
        yield Seen(place, (day[place] - first) // STEP.days, rank, ndvi[place] * DIGITS)


def sees_snow(layers: Sequence[Layer], places: int, last: int) -> NDArray[np.bool_]:
    """Whether the newest view of the ground up to day `last` saw snow."""
    newest, is_snow = np.full(places, -1, np.int32), np.zeros(places, np.bool_)
    for layer in layers:
        day, quality = observed_day(layer), layer.bands["reliability_code"]
        is_ground = (quality == GOOD) | (quality == MARGINAL) | (quality == SNOW)
        newer = is_ground & (day <= last) & (day >= newest)
        np.copyto(newest, day, where=newer)
        np.copyto(is_snow, quality == SNOW, where=newer)
    return is_snow
