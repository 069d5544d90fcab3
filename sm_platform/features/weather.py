"""Weather: the 46 temperatures and rains of each place, by the rule of the recipe."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from sm_platform.features.layers import Layer, Layers
from sm_platform.features.lookback import (
    Mask,
    Moment,
    Series,
    Step,
    all_there,
    clipped,
    hold,
    require_steps,
    steps_with,
)
from sm_platform.grid.calendar import N_STEPS, ONE_DAY, STEP
from sm_platform.schema.recipes import WeatherRule


@dataclass(frozen=True, slots=True)
class WeatherSeries:
    """Temperature and rain of `m` places before one pass; steps oldest first."""

    temperature_k: Series
    """(46, m); NaN missing, -inf and inf for numbers below and above the range."""
    precipitation_m: Series
    """(46, m) m/day; likewise."""
    is_observed: Mask
    """(46, m): a day of the step was there, nothing held."""
    is_preliminary: NDArray[np.bool_]
    """(m,): a day was used that the provider will still revise, or late rain in its place."""
    newest_temperature_k: NDArray[np.float32]
    """(m,): of the newest day before the pass; NaN when not known."""
    rain_on_day_m: NDArray[np.float32]
    """(m,): on the pass's own UTC day; NaN when not known."""


@dataclass(frozen=True, slots=True)
class _Daily:
    """Days `first`, `first + 1`, ... at `m` places, revisions and tiles of a day joined."""

    first: int
    temperature_k: Series
    precipitation_m: Series
    temperature_code: NDArray[np.int8]
    precipitation_code: NDArray[np.int8]
    is_inside: Mask
    is_preliminary: Mask
    is_late_rain: Mask
    """Rain is that of another product, temperature is missing."""
    is_there: NDArray[np.bool_]
    """(days,): a raster of the day exists."""


def weather_series(
    rule: WeatherRule, layers: Layers, dates: Sequence[date], moment: Moment
) -> WeatherSeries:
    """The look-back of every place, for steps that begin on `dates` (46, of the NDVI series).

    - `MEAN_OF_STEP`: mean over the days there are of the step's eight (rain: mean m/day); a step
      without any holds the previous one.
    - `MEAN_FROM_COMPOSITE_DATE`: the same over 46 x 8 days in a row from the first date, so that
      the last step reaches past the pass.
    - `COMPOSITE_DAY`: the one day of each date; a day that is absent holds the previous one.
      Outside the raster temperature and rain are 0, which counts as filled; out of range they are
      clipped, NaN is missing.

    On days without any usable weather the first two take the late rain of the layers, as far as
    it was available; temperature stays missing on them.

    Raises:
        MissingInputError: too few steps are there at all.
    """
    usable = [layer for layer in layers.layers if layer.usable_at(moment.issued)]
    places = int(layers.place.max(initial=-1)) + 1
    steps = _steps(rule, dates)
    stored = {layer.day for layer in usable}
    require_steps("Weather", steps, steps_with(steps, stored), moment)
    last = max(steps[-1].last, moment.day).toordinal()
    daily = _daily(usable, places, steps[0].first.toordinal(), last)
    _stand_in(daily, [layer for layer in layers.late_rain if layer.usable_at(moment.issued)])
    if rule is WeatherRule.COMPOSITE_DAY:
        return _of_days(daily, [step.first.toordinal() for step in steps], moment)
    return _of_steps(daily, moment)


def _steps(rule: WeatherRule, dates: Sequence[date]) -> list[Step]:
    if rule is WeatherRule.COMPOSITE_DAY:
        return [Step(day, day) for day in dates]
    starts = [dates[0] + STEP * n for n in range(N_STEPS)]
    return [Step(start, start + STEP - ONE_DAY) for start in starts]


def _daily(usable: Sequence[Layer], places: int, first: int, last: int) -> _Daily:
    shape = last - first + 1, places
    daily = _Daily(
        first,
        np.full(shape, np.nan, np.float32),
        np.full(shape, np.nan, np.float32),
        np.zeros(shape, np.int8),
        np.zeros(shape, np.int8),
        np.zeros(shape, np.bool_),
        np.zeros(shape, np.bool_),
        np.zeros(shape, np.bool_),
        np.zeros(shape[0], np.bool_),
    )
    for layer in usable:
        if first <= layer.day <= last:
            _join(daily, layer, layer.day - first)
    return daily


def _join(daily: _Daily, layer: Layer, row: int) -> None:
    """A later revision wins where it says anything."""
    bands = layer.bands
    says = ~np.isnan(bands["temperature_k"]) | (bands["temperature_range_code"] != 0)
    wins = layer.is_inside & (says | ~daily.is_inside[row])
    np.copyto(daily.temperature_k[row], bands["temperature_k"], where=wins)
    np.copyto(daily.precipitation_m[row], bands["precipitation_m"], where=wins)
    np.copyto(daily.temperature_code[row], bands["temperature_range_code"], where=wins)
    np.copyto(daily.precipitation_code[row], bands["precipitation_range_code"], where=wins)
    np.copyto(daily.is_preliminary[row], bands["is_preliminary"], where=wins)
    daily.is_inside[row] |= layer.is_inside
    daily.is_there[row] = True


def _stand_in(daily: _Daily, late_rain: Sequence[Layer]) -> None:
    """Late rain on days without a raster; a later revision wins where it says anything."""
    for layer in late_rain:
        row = layer.day - daily.first
        if not 0 <= row < len(daily.is_there) or daily.is_there[row]:
            continue
        rain = layer.bands["precipitation_m"]
        says = ~np.isnan(rain)
        np.copyto(daily.precipitation_m[row], rain, where=says)
        daily.is_late_rain[row] |= says


def _of_steps(daily: _Daily, moment: Moment) -> WeatherSeries:
    days = N_STEPS * STEP.days
    temperature, has_temperature = _step_means(
        _in_range(daily.temperature_k[:days], daily.temperature_code[:days])
    )
    rain, has_rain = _step_means(
        _in_range(daily.precipitation_m[:days], daily.precipitation_code[:days])
    )
    return WeatherSeries(
        hold(temperature, has_temperature),
        hold(rain, has_rain),
        has_temperature & has_rain,
        np.asarray(daily.is_preliminary[:days].any(axis=0) | daily.is_late_rain.any(axis=0)),
        _newest_temperature(daily, moment),
        _rain_on_day(daily, moment),
    )


def _in_range(values: Series, code: NDArray[np.int8]) -> Series:
    return np.where(code == 0, values, np.float32(np.nan))


def _step_means(daily: Series) -> tuple[Series, Mask]:
    """(46 * 8, m) days to the mean (46, m) of each step's known days, and where there is one."""
    steps = daily.reshape(N_STEPS, STEP.days, -1).astype(np.float64)
    known = (~np.isnan(steps)).sum(axis=1)
    total = np.nansum(steps, axis=1)
    means = np.divide(total, known, out=np.full_like(total, np.nan), where=known > 0)
    return means.astype(np.float32), known > 0


def _of_days(daily: _Daily, days: Sequence[int], moment: Moment) -> WeatherSeries:
    rows = np.array(days) - daily.first
    is_there = all_there([bool(there) for there in daily.is_there[rows]], daily.is_inside.shape[1])
    temperature, rain = (
        np.where(daily.is_inside[rows], clipped(values[rows], code[rows]), np.float32(0))
        for values, code in (
            (daily.temperature_k, daily.temperature_code),
            (daily.precipitation_m, daily.precipitation_code),
        )
    )
    return WeatherSeries(
        hold(temperature, is_there),
        hold(rain, is_there),
        is_there & daily.is_inside[rows],
        daily.is_preliminary[rows].any(axis=0),
        _newest_temperature(daily, moment),
        _rain_on_day(daily, moment),
    )


def _newest_temperature(daily: _Daily, moment: Moment) -> NDArray[np.float32]:
    before = moment.day.toordinal() - daily.first
    days = _in_range(daily.temperature_k[:before], daily.temperature_code[:before])
    known = ~np.isnan(days)
    newest = before - 1 - known[::-1].argmax(axis=0)
    return np.asarray(np.take_along_axis(days, newest[None], axis=0)[0])


def _rain_on_day(daily: _Daily, moment: Moment) -> NDArray[np.float32]:
    row = moment.day.toordinal() - daily.first
    return _in_range(daily.precipitation_m[row], daily.precipitation_code[row])
