"""Composites: NDVI of 46 composite dates as the files hold it, tiles and revisions joined."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from sm_platform.features.layers import Layer
from sm_platform.features.lookback import Mask, Series, clipped
from sm_platform.features.sightings import DIGITS, SNOW, observed_day
from sm_platform.grid.calendar import N_STEPS
from sm_platform.schema.recipes import NdviSensor


@dataclass(frozen=True, slots=True)
class Composites:
    """Composites of 46 dates at `m` places, tiles and revisions of a date joined."""

    values: Series
    is_inside: Mask
    observed: NDArray[np.int32]
    is_there: list[bool]
    is_snow: NDArray[np.bool_]
    is_foreign: Mask
    """(46, m): from another sensor than the recipe's."""


def join_composites(
    usable: Sequence[Layer], places: int, dates: Sequence[date], sensor: NdviSensor
) -> Composites:
    """Values as stored; a later revision wins where it has a value. `sensor`: the recipe's."""
    step_of = {day.toordinal(): step for step, day in enumerate(dates)}
    values = np.full((N_STEPS, places), np.nan, np.float32)
    is_inside = np.zeros((N_STEPS, places), np.bool_)
    observed = np.full((N_STEPS, places), -1, np.int32)
    is_snow = np.zeros(places, np.bool_)
    is_foreign = np.zeros((N_STEPS, places), np.bool_)
    for layer in usable:
        if (step := step_of.get(layer.day)) is None:
            continue
        ndvi = np.asarray(layer.bands["ndvi"], np.float32) * DIGITS
        here = clipped(ndvi, layer.bands["ndvi_range_code"])
        wins = layer.is_inside & (~np.isnan(here) | ~is_inside[step])
        np.copyto(values[step], here, where=wins)
        np.copyto(observed[step], observed_day(layer), where=wins)
        np.copyto(is_foreign[step], layer.is_foreign_to(sensor), where=wins)
        is_inside[step] |= layer.is_inside
        if step == N_STEPS - 1:
            is_snow |= layer.bands["reliability_code"] == SNOW
    there = {layer.day for layer in usable}
    is_there = [day.toordinal() in there for day in dates]
    return Composites(values, is_inside, observed, is_there, is_snow, is_foreign)
