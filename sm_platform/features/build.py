"""Build: drivers and one radar pass to scaled rows of the network, with quality bits."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from sm_platform.errors import GridError, RecipeError
from sm_platform.features.drivers import Drivers, ScenePass
from sm_platform.features.inundation import flooded
from sm_platform.features.lookback import Moment
from sm_platform.features.prepare import Cells, PreparedDrivers, only, prepare
from sm_platform.features.quality import (
    cover_bits,
    filling_bits,
    radar_bits,
    relief_bits,
    state_bits,
    with_inundation,
)
from sm_platform.features.sightings import DIGITS
from sm_platform.features.vector import RADAR_BANDS, day_inputs, scalar_inputs, series_inputs
from sm_platform.features.vegetation import NdviSeries, ndvi_series
from sm_platform.features.weather import WeatherSeries, weather_series
from sm_platform.grid.calendar import utc
from sm_platform.schema.recipes import ISSUE_DELAY_H, NdviSensor, Recipe
from sm_platform.schema.rows import FeatureRows

AGE_UNKNOWN_D = 65535


@dataclass(frozen=True, slots=True)
class Features:
    """Rows of one pass and what their drivers say about their worth."""

    rows: FeatureRows
    cell_id: NDArray[np.int32]
    """(n,): flat row-major pixel of each row."""
    qa: NDArray[np.uint16]
    """(n,): bits 0 to 10, 13 and 15 of `schema.product.Qa`."""
    ndvi_age_d: NDArray[np.uint16]
    """(n,): days from the newest NDVI observation used to the pass; 65535 not known."""
    ndvi_share: float
    """Mean over the rows of the share of the 46 steps that were observed, not filled."""
    weather_share: float
    """The same for weather."""
    ndvi_sensors: tuple[NdviSensor, ...]
    """Whose NDVI observations are in the series, the recipe's own sensor first."""


def build(
    recipe: Recipe,
    drivers: Drivers | PreparedDrivers,
    scene: ScenePass,
    *,
    cells: Cells | None = None,
    min_lookback_share: float = 0.5,
) -> Features:
    """Rows of all pixels of the region, or of the flat pixels `cells`, for one pass.

    Rows of sites and of a whole map come from the same steps and hold the same numbers. A missing
    input is NaN in its row. Drivers prepared once serve any number of passes.

    Raises:
        MissingInputError: less than `min_lookback_share` of the NDVI or weather steps is there.
        GridError: the scene lies on other pixels, or a cell lies outside them.
        RecipeError: the drivers were prepared for another recipe.
    """
    ready = _ready(recipe, drivers, cells)
    if scene.backscatter.window != ready.window:
        raise GridError(
            f"The pass of {scene.start_utc} lies on {scene.backscatter.window.shape} cells of "
            f"{scene.backscatter.window.crs}, the region on {ready.window.shape} of "
            f"{ready.window.crs}: join its frames on the region's window."
        )
    moment = _moment(recipe, scene, min_lookback_share)
    ndvi = ndvi_series(recipe.vegetation, ready.ndvi, moment, recipe.ndvi_sensor)
    weather = weather_series(recipe.weather, ready.weather, ndvi.dates, moment)
    return Features(
        rows=_rows(ready, scene, ndvi, weather),
        cell_id=ready.cells.astype(np.int32),
        qa=_qa(ready, scene, ndvi, weather),
        ndvi_age_d=_age(ndvi.newest_day, moment.day)[ready.ndvi.place],
        ndvi_share=_mean_share(ndvi.is_observed, ready.ndvi.place),
        weather_share=_mean_share(weather.is_observed, ready.weather.place),
        ndvi_sensors=_sensors(ndvi, recipe.ndvi_sensor),
    )


def _ready(
    recipe: Recipe, drivers: Drivers | PreparedDrivers, cells: Cells | None
) -> PreparedDrivers:
    if isinstance(drivers, Drivers):
        return prepare(recipe, drivers, cells=cells)
    if drivers.recipe != recipe:
        raise RecipeError(
            f"The drivers were prepared for recipe {drivers.recipe.recipe_id} "
            f"({drivers.recipe.fingerprint}), not {recipe.recipe_id} ({recipe.fingerprint}): "
            "prepare them again."
        )
    return drivers if cells is None else only(drivers, cells)


def _moment(recipe: Recipe, scene: ScenePass, min_lookback_share: float) -> Moment:
    start = utc(scene.start_utc)
    issued = start + timedelta(hours=ISSUE_DELAY_H) if recipe.only_available else None
    return Moment(start.date(), issued, min_lookback_share)


def _rows(
    ready: PreparedDrivers, scene: ScenePass, ndvi: NdviSeries, weather: WeatherSeries
) -> FeatureRows:
    recipe = ready.recipe
    scalars = scalar_inputs(recipe, ready.ground, scene.backscatter, ready.cells)
    scalars[:, 3:5] = day_inputs(recipe, utc(scene.start_utc).date())
    return FeatureRows(
        scalars=scalars,
        series=series_inputs(recipe, ndvi, weather, ready.pairs),
        series_index=ready.series_index,
        recipe_id=recipe.recipe_id,
        recipe_fingerprint=recipe.fingerprint,
    )


def _qa(
    ready: PreparedDrivers, scene: ScenePass, ndvi: NdviSeries, weather: WeatherSeries
) -> NDArray[np.uint16]:
    bands = scene.backscatter.values
    vv, vh, angle = (np.asarray(bands[name]).ravel()[ready.cells] for name in RADAR_BANDS)
    green, sky = ready.ndvi.place, ready.weather.place
    gaps_ndvi = _has_gaps(ndvi.is_observed) | ndvi.is_foreign.any(axis=0)
    gaps_weather = _has_gaps(weather.is_observed) | weather.is_preliminary
    qa = (
        radar_bits(vv, vh, angle)
        | relief_bits(ready.relief, angle, scene.orbit_state)
        | cover_bits(ready.shares, ndvi.values[-1][green] / DIGITS)
        | state_bits(
            ndvi.is_snow[green], weather.newest_temperature_k[sky], weather.rain_on_day_m[sky]
        )
        | filling_bits(gaps_ndvi[green], gaps_weather[sky], ready.is_soil_filled)
    )
    return with_inundation(qa, flooded(scene, ready.shares.field, ready.cells))


def _age(newest_day: NDArray[np.int32], day: date) -> NDArray[np.uint16]:
    """Days since the newest observation, 0 for one later than the pass, unknown without one."""
    age = np.clip(day.toordinal() - newest_day, 0, AGE_UNKNOWN_D - 1)
    return np.where(newest_day < 0, AGE_UNKNOWN_D, age).astype(np.uint16)


def _mean_share(is_observed: NDArray[np.bool_], place: NDArray[np.int32]) -> float:
    of_place = np.asarray(is_observed.mean(axis=0))
    return float(of_place[place].mean()) if place.size else 0.0


def _sensors(ndvi: NdviSeries, own: NdviSensor) -> tuple[NdviSensor, ...]:
    has_own = bool(np.any(ndvi.is_observed & ~ndvi.is_foreign))
    others = [one for one in NdviSensor if one is not own] if ndvi.is_foreign.any() else []
    return tuple([own, *others] if has_own else others)


def _has_gaps(is_observed: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(46, m) to (m,): a step was filled."""
    return np.asarray(~is_observed.all(axis=0))
