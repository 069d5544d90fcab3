"""Vector: the only place where the order and the scale of the network's inputs are applied."""

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from sm_platform.features.place import Position
from sm_platform.features.vegetation import NdviSeries
from sm_platform.features.weather import WeatherSeries
from sm_platform.grid.calendar import N_STEPS, day_of_year
from sm_platform.grid.window import Raster
from sm_platform.schema.recipes import N_SCALARS, N_SERIES, Input, Recipe

RADAR_BANDS = ("vv_db", "vh_db", "angle_deg")
N_MOVING = 5
"""Inputs 0..4 change with the pass: VV, VH, angle, sine and cosine of the day of the year."""
DAYS_OF_YEAR = 365
SEED_FILL = -32768.0
"""Besides 0.0, what the seed system takes for missing among the inputs that do not change."""

Numbers = NDArray[np.floating]


def scale(values: Numbers, column: Input) -> NDArray[np.float32]:
    """Values in the unit of the input mapped from low..high to 0..1 and clipped; NaN stays.

    Infinities clip to 0 and 1: they stand for numbers known only to lie outside.
    """
    wide = np.clip(np.asarray(values, np.float64), column.low, column.high)
    return ((wide - column.low) / (column.high - column.low)).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Ground:
    """What of a pixel does not change from pass to pass, each (n,); NaN missing."""

    soil: Numbers
    """(3, n): sand, clay (g/kg), bulk density (cg/cm3)."""
    elevation_m: Numbers
    slope_deg: Numbers
    aspect_sin: Numbers
    aspect_cos: Numbers
    position: Position


def ground_inputs(recipe: Recipe, ground: Ground) -> NDArray[np.float32]:
    """Inputs 5..14 of the pixels, (n, 10), scaled.

    Where the recipe says so, 0.0 and -32768 are missing.
    """
    relief = ground.elevation_m, ground.slope_deg, ground.aspect_sin, ground.aspect_cos
    place = ground.position
    columns = (*ground.soil, *relief, place.grid_row, place.grid_col_sin, place.grid_col_cos)
    inputs = recipe.scalars[N_MOVING:]
    return np.stack(
        [scale(_present(recipe, c), i) for c, i in zip(columns, inputs, strict=True)], axis=1
    )


def scalar_inputs(
    recipe: Recipe, fixed: NDArray[np.float32], backscatter: Raster, cells: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Inputs 0..14 of the flat pixels `cells`, (n, 15), all but the day; `fixed` from above."""
    rows = np.empty((cells.size, N_SCALARS), np.float32)
    for column, name in enumerate(RADAR_BANDS):
        band = np.asarray(backscatter.values[name], np.float64).ravel()[cells]
        rows[:, column] = scale(_present(recipe, band), recipe.scalars[column])
    rows[:, N_MOVING:] = fixed
    return rows


def day_inputs(recipe: Recipe, day: date) -> NDArray[np.float32]:
    """Inputs 3 and 4, (2,), of a UTC day."""
    turn = 2 * np.pi * day_of_year(day) / DAYS_OF_YEAR
    return np.array(
        [
            scale(np.array(part), column)
            for part, column in zip((np.sin(turn), np.cos(turn)), recipe.scalars[3:5], strict=True)
        ]
    )


def series_inputs(
    recipe: Recipe,
    ndvi: NdviSeries,
    weather: WeatherSeries,
    pairs: tuple[NDArray[np.int32], NDArray[np.int32]],
) -> NDArray[np.float32]:
    """Inputs 15..152 of each pair of an NDVI and a weather place, (m, 3, 46), oldest first."""
    series = np.empty((pairs[0].size, N_SERIES, N_STEPS), np.float32)
    sources = (
        (ndvi.values, pairs[0]),
        (weather.temperature_k, pairs[1]),
        (weather.precipitation_m, pairs[1]),
    )
    for number, (values, place) in enumerate(sources):
        scaled = np.ascontiguousarray(scale(values, recipe.series[number]).T)
        series[:, number] = scaled[place]
    return series


def _present(recipe: Recipe, values: Numbers) -> Numbers:
    """The values, exact zeros and fills missing where the recipe takes them so."""
    if not recipe.zero_is_missing:
        return values
    return np.where((values == 0.0) | (values == SEED_FILL), np.nan, values)
