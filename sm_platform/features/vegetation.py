"""Vegetation: the 46 NDVI values of each place, by the rule of the recipe."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from sm_platform.errors import DataError
from sm_platform.features.composites import join_composites
from sm_platform.features.layers import Layer, Layers
from sm_platform.features.lookback import (
    Mask,
    Moment,
    Series,
    Step,
    all_there,
    hold,
    interpolate,
    require_steps,
    steps_with,
)
from sm_platform.features.sightings import GOOD_BONUS, sees_snow, sightings
from sm_platform.grid.calendar import (
    N_STEPS,
    ONE_DAY,
    STEP,
    composite_start,
    composites_ending,
    is_composite,
    steps_before,
)
from sm_platform.schema.recipes import NdviSensor, VegetationRule

COMPOSITE_DAYS = 16
YEAR_DAYS = 364
"""The last composite and the 363 days before it."""


@dataclass(frozen=True, slots=True)
class NdviSeries:
    """NDVI of `m` places before one pass; steps oldest first."""

    values: Series
    """(46, m) NDVI x 10000; NaN missing, -inf and inf for numbers below and above the range."""
    is_observed: Mask
    """(46, m): observed rather than filled."""
    dates: tuple[date, ...]
    """First day of each step: the composite's date, where the rule goes by composites."""
    newest_day: NDArray[np.int32]
    """(m,): day (ordinal) of the newest observation used; -1 without one."""
    is_snow: NDArray[np.bool_]
    """(m,): the newest view of the ground (not a cloud, not fill) saw snow."""
    is_foreign: Mask
    """(46, m): observed by another sensor than the recipe's."""


def ndvi_series(
    rule: VegetationRule, layers: Layers, moment: Moment, sensor: NdviSensor = NdviSensor.MODIS
) -> NdviSeries:
    """The look-back of every place.

    - `OBSERVED_STEPS_BEFORE_DAY`: in each step of 8 days the newest good observation, by its own
      day, else the newest marginal one (or one whose reliability is not known); snow, cloud and
      fill are dropped. An observation without a day counts on its composite's first day. Gaps are
      interpolated between earlier observations, at the ends held.
    - `COMPOSITES_BEFORE_DAY`: composites as they are; a missing value takes the previous one.
    - `YEAR_TO_LAST_COMPOSITE`: composites as they are; only a composite that is absent takes the
      previous one. Outside the raster NDVI is 0, which counts as filled and as old as its
      composite; out of range it is clipped, NaN stays missing.

    Composites of all sensors are taken alike; `sensor`, the recipe's, decides which are foreign.

    Raises:
        MissingInputError: too few steps are there at all.
        DataError: a composite does not begin on a date of the MODIS calendar.
    """
    usable = [layer for layer in layers.layers if layer.usable_at(moment.issued)]
    places = int(layers.place.max(initial=-1)) + 1
    if rule is VegetationRule.OBSERVED_STEPS_BEFORE_DAY:
        return _observed(usable, places, moment, sensor)
    if rule is VegetationRule.COMPOSITES_BEFORE_DAY:
        dates = _dates(_days_until(usable, moment.day - ONE_DAY), moment.day - ONE_DAY, moment)
        return _composites_with_gaps_held(usable, places, dates, sensor)
    stored = _days_until(usable, moment.day)
    year = [day for day in stored if day > stored[-1] - YEAR_DAYS]
    if len(year) == N_STEPS:  # whatever the calendar of their names
        return _composites_as_stored(usable, places, tuple(map(date.fromordinal, year)), sensor)
    return _composites_as_stored(usable, places, _dates(stored, moment.day, moment), sensor)


def _days_until(usable: Sequence[Layer], limit: date) -> list[int]:
    """Stored days (ordinals) up to `limit`, oldest first."""
    return sorted({layer.day for layer in usable if layer.day <= limit.toordinal()})


def _dates(stored: Sequence[int], limit: date, moment: Moment) -> tuple[date, ...]:
    """The 46 composite dates ending with the last of the stored days, which reach to `limit`."""
    strange = [date.fromordinal(d) for d in stored if not is_composite(date.fromordinal(d))]
    if strange:
        raise DataError(
            f"NDVI of {strange[0]} is no MODIS composite date: name it by the first day of its "
            "composite."
        )
    nominal = [_composite_days(day) for day in composites_ending(composite_start(limit))]
    require_steps("NDVI", nominal, steps_with(nominal, stored), moment)
    return tuple(composites_ending(date.fromordinal(stored[-1])))


def _composites_as_stored(
    usable: Sequence[Layer], places: int, dates: tuple[date, ...], sensor: NdviSensor
) -> NdviSeries:
    found = join_composites(usable, places, dates, sensor)
    is_there = all_there(found.is_there, places)
    values = np.where(found.is_inside | ~is_there, found.values, np.float32(0))
    starts = np.array([day.toordinal() for day in dates], np.int32)[:, None]
    observed = np.where(found.is_inside, found.observed, starts)
    newest = _newest(observed, is_there & ~np.isnan(values))
    is_observed = is_there & found.is_inside
    is_foreign = found.is_foreign & is_there
    return NdviSeries(hold(values, is_there), is_observed, dates, newest, found.is_snow, is_foreign)


def _composites_with_gaps_held(
    usable: Sequence[Layer], places: int, dates: tuple[date, ...], sensor: NdviSensor
) -> NdviSeries:
    found = join_composites(usable, places, dates, sensor)
    is_there = np.isfinite(found.values)
    values = np.where(is_there, found.values, np.float32(np.nan))
    newest = _newest(found.observed, is_there)
    is_foreign = found.is_foreign & is_there
    return NdviSeries(hold(values, is_there), is_there, dates, newest, found.is_snow, is_foreign)


def _newest(observed: NDArray[np.int32], is_used: Mask) -> NDArray[np.int32]:
    return np.asarray(np.where(is_used, observed, -1).max(axis=0), np.int32)


def _observed(
    usable: Sequence[Layer], places: int, moment: Moment, sensor: NdviSensor
) -> NdviSeries:
    steps = [Step(*days) for days in steps_before(moment.day)]
    first, last = steps[0].first.toordinal(), steps[-1].last.toordinal()
    reach = [one for one in usable if first - COMPOSITE_DAYS < one.day <= last]
    named = [_composite_days(composite_start(step.last)) for step in steps]
    require_steps("NDVI", named, steps_with(steps, [one.day for one in reach]), moment)
    values = np.full((N_STEPS, places), np.nan, np.float32)
    rank = np.full((N_STEPS, places), -1, np.int32)
    is_foreign = np.zeros((N_STEPS, places), np.bool_)
    for layer, seen in zip(reach, sightings(reach, first, last), strict=True):
        at = seen.step * places + seen.place
        better = seen.rank >= rank.ravel()[at]
        values.ravel()[at[better]] = seen.ndvi[better]
        rank.ravel()[at[better]] = seen.rank[better]
        is_foreign.ravel()[at[better]] = layer.is_foreign_to(sensor)
    is_observed = rank >= 0
    newest = _newest(rank % GOOD_BONUS, is_observed)
    return NdviSeries(
        interpolate(values, is_observed),
        is_observed,
        tuple(step.first for step in steps),
        newest,
        sees_snow(reach, places, last),
        is_foreign,
    )


def _composite_days(start: date) -> Step:
    """The days of the 8-day calendar step that begins on `start`; the year's last is shorter."""
    return Step(start, min(start + STEP - ONE_DAY, date(start.year, 12, 31)))
