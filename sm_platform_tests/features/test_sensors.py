"""NDVI of another sensor than the recipe's: used like its own, and said of every pixel it is in."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from affine import Affine

from sm_platform.features.build import Features, build
from sm_platform.features.drivers import Drivers
from sm_platform.features.support_dated import coarse_ndvi
from sm_platform.grid.calendar import ONE_DAY, STEP, steps_before
from sm_platform.grid.window import DatedRaster, GridWindow, Raster
from sm_platform.schema.product import Qa
from sm_platform.schema.recipes import (
    DENSESM_2024,
    EOV_2025,
    SM_100M_V1,
    SM_100M_V1_VIIRS,
    NdviSensor,
    Recipe,
)
from sm_platform.schema.rows import dense
from sm_platform_tests.features.small import (
    COMPOSITES,
    NEWEST,
    PASS_DAY,
    SPOT,
    WINDOW,
    composite,
    drivers,
    scene,
)

MODIS, VIIRS = NdviSensor.MODIS, NdviSensor.VIIRS
RULES = [DENSESM_2024, EOV_2025, SM_100M_V1]
NAN = float("nan")


def seen_by(sensors: Sequence[str | None], **last: float) -> Drivers:
    """A composite on each date, the last ones by these sensors, the ones before by MODIS."""
    names = [MODIS.value] * (len(COMPOSITES) - len(sensors)) + list(sensors)
    pairs = zip(COMPOSITES, names, strict=True)
    made = [replace(composite(day, observed=day), sensor=name) for day, name in pairs]
    if last:
        made[-1] = replace(composite(COMPOSITES[-1], observed=COMPOSITES[-1], **last), sensor=VIIRS)
    return replace(drivers(), ndvi=made)


def made(recipe: Recipe, region: Drivers) -> Features:
    return build(recipe, region, scene(), min_lookback_share=0.0)


@pytest.mark.parametrize("recipe", RULES, ids=lambda one: one.recipe_id)
def test_one_foreign_composite_marks_every_pixel_and_changes_no_value(recipe: Recipe) -> None:
    own, other = made(recipe, seen_by([MODIS] * 3)), made(recipe, seen_by([MODIS, VIIRS, VIIRS]))
    marked = np.uint16(Qa.NDVI_FILLED)
    assert np.all(other.qa & marked)
    np.testing.assert_array_equal(own.qa | marked, other.qa)
    np.testing.assert_array_equal(dense(own.rows), dense(other.rows))
    assert other.rows.recipe_fingerprint == recipe.fingerprint
    assert (own.ndvi_sensors, other.ndvi_sensors) == ((MODIS,), (MODIS, VIIRS))
    assert own.ndvi_share == other.ndvi_share


@pytest.mark.parametrize("recipe", [DENSESM_2024, EOV_2025], ids=lambda one: one.recipe_id)
def test_a_whole_series_of_the_own_sensor_is_not_marked(recipe: Recipe) -> None:
    found = made(recipe, seen_by([MODIS]))
    assert not np.any(found.qa & Qa.NDVI_FILLED)
    unnamed = made(recipe, seen_by([None] * len(COMPOSITES)))
    np.testing.assert_array_equal(unnamed.qa, found.qa)


def test_for_a_recipe_of_viirs_modis_is_the_other_one() -> None:
    all_of_viirs = made(SM_100M_V1_VIIRS, seen_by([VIIRS] * len(COMPOSITES)))
    assert all_of_viirs.ndvi_sensors == (VIIRS,)
    assert made(SM_100M_V1_VIIRS, seen_by([VIIRS])).ndvi_sensors == (VIIRS, MODIS)
    assert made(SM_100M_V1_VIIRS, seen_by([MODIS])).ndvi_sensors == (MODIS,)


def test_a_pixel_that_the_foreign_composite_did_not_see_is_its_own() -> None:
    """Missing there, the previous value is held: that is a gap, but not another sensor."""
    ndvi = np.full(WINDOW.shape, NAN)
    ndvi.ravel()[SPOT] = 0.6
    found = made(DENSESM_2024, seen_by([VIIRS], ndvi=ndvi))
    assert found.ndvi_sensors == (MODIS, VIIRS)
    nobody = made(DENSESM_2024, seen_by([VIIRS], ndvi=np.full(WINDOW.shape, NAN)))
    assert nobody.ndvi_sensors == (MODIS,)


def test_a_good_look_of_the_own_sensor_keeps_the_pixel_its_own() -> None:
    """Of one step of eight days the newest good look counts; the foreign one came before it."""
    step = steps_before(PASS_DAY)[20][0]
    early = replace(composite(step, observed=step + ONE_DAY), sensor=VIIRS.value)
    late = replace(composite(step - STEP, 0.7, observed=step + 2 * ONE_DAY), sensor=MODIS.value)
    for order in ([early, late], [late, early]):
        found = made(SM_100M_V1, replace(drivers(), ndvi=order))
        assert found.ndvi_sensors == (MODIS,)


def test_a_grid_twice_as_coarse_takes_part() -> None:
    coarse = GridWindow(WINDOW.crs, WINDOW.affine @ Affine.scale(2), (2, 2))
    last = replace(composite(COMPOSITES[-1], 0.9, observed=COMPOSITES[-1], window=coarse))
    region = seen_by([MODIS])
    mixed = [*region.ndvi[:-1], replace(last, sensor=VIIRS.value)]
    found = made(DENSESM_2024, replace(region, ndvi=mixed))
    assert dense(found.rows)[:, 60] == pytest.approx(11000 / 12000)
    assert np.all(found.qa & Qa.NDVI_FILLED)


def test_the_mean_of_a_coarse_cell_is_of_one_sensor() -> None:
    window = GridWindow("EPSG:6933", Affine(250, 0, 0, 0, -250, 0), (4, 4))
    coarse = GridWindow("EPSG:6933", Affine(1000, 0, 0, 0, -1000, 0), (1, 1))

    def of(value: float, sensor: str) -> DatedRaster:
        bands = composite(NEWEST, value, observed=NEWEST, window=window).raster.values
        return DatedRaster(NEWEST, None, Raster(window, bands), sensor)

    found = coarse_ndvi([of(0.4, "VIIRS"), of(0.8, "MODIS")], coarse)
    told = {one.sensor: float(one.raster.values["ndvi"][0, 0]) for one in found}
    assert told == pytest.approx({"MODIS": 0.8, "VIIRS": 0.4})
