"""Drivers at the support of labels: constants stay, the rest is averaged, places are exact."""

import math
from dataclasses import replace
from datetime import timedelta
from itertools import product

import numpy as np
import pytest
from affine import Affine
from numpy.typing import NDArray
from pyproj import Transformer

from benchmarks.extraction import synthetic
from sm_platform.errors import GridError, RecipeError
from sm_platform.features.build import build
from sm_platform.features.drivers import Drivers, ScenePass
from sm_platform.features.prepare import prepare
from sm_platform.features.support import (
    coarse_drivers,
    coarse_pass,
    coarse_window,
)
from sm_platform.grid import ease2
from sm_platform.grid.ease2 import LEVEL_1KM, LEVEL_3KM, LEVEL_9KM, LEVEL_36KM, LEVEL_100M
from sm_platform.grid.window import GridWindow, Raster, pad
from sm_platform.schema.product import Qa
from sm_platform.schema.recipes import DENSESM_2024, EOV_2025, SM_100M_V1, Recipe
from sm_platform.schema.rows import dense
from sm_platform_tests.features import small

NAN = float("nan")
ROW, COL = 45_000, 310_050
"""A 100 m cell in the upper left corner of a 9 km one (and so of a 1 and a 3 km one)."""
REGION = ease2.window(LEVEL_100M, ROW, COL, (20, 30))
SEED_PIXEL = 0.000898315290521004
SEED_REGION = GridWindow("EPSG:4326", Affine(SEED_PIXEL, 0, 106.4, 0, -SEED_PIXEL, 20.5), (37, 53))
LEVELS = LEVEL_1KM, LEVEL_3KM, LEVEL_9KM


def constant(window: GridWindow) -> Drivers:
    """Drivers of the region, each the same everywhere."""
    base, sky = small.drivers(), pad(coarse_window(window, LEVEL_36KM), 1)
    return Drivers(
        window=window,
        ndvi=[small.composite(one.day, window=window) for one in base.ndvi],
        weather=[small.weather(one.day, window=sky) for one in base.weather],
        soil=small.soil(window),
        terrain=small.terrain(window),
        land_cover=small.land_cover(window, crop=0.4, water=0.6),
    )


def radar(window: GridWindow, seed: int, missing: float = 0.2) -> ScenePass:
    """Random backscatter over 25 dB with gaps that differ from band to band."""
    rng = np.random.default_rng(seed)
    bands: dict[str, NDArray[np.generic]] = {}
    for name, low, high in (("vv_db", -25, 0), ("vh_db", -32, -5), ("angle_deg", 30, 45)):
        band = rng.uniform(low, high, window.shape)
        band[rng.random(window.shape) < missing] = NAN
        bands[name] = band.astype(np.float32)
    return ScenePass(small.PASS_UTC, "D", Raster(window, bands))


def cell_of_pixel(window: GridWindow, level: ease2.Level) -> list[tuple[int, int]]:
    """Row and column of the level's cell of each pixel, pixel by pixel."""
    turn = Transformer.from_crs(window.crs, "EPSG:6933", always_xy=True)
    found = []
    for row, col in product(*(range(n) for n in window.shape)):
        x, y = turn.transform(*(window.affine @ (col + 0.5, row + 0.5)))
        down, along = (ease2.TOP_M - y) / level.cell_m, (x - ease2.LEFT_M) / level.cell_m
        found.append((math.floor(down), math.floor(along)))
    return found


# What stays.


@pytest.mark.parametrize("recipe", [SM_100M_V1, DENSESM_2024])
def test_at_the_level_of_the_pixels_rows_are_the_same_to_the_bit(recipe: Recipe) -> None:
    region, scene = synthetic(24, seed=3)
    region = replace(region, land_cover=small.land_cover(region.window, crop=0.9))
    earlier = radar(region.window, 1).backscatter
    scene = replace(scene, history=[(scene.start_utc - timedelta(days=12), earlier)])
    coarse = coarse_pass(scene, region.window, LEVEL_100M)
    found = build(recipe, coarse_drivers(region, LEVEL_100M), coarse.scene)
    expected = build(recipe, region, scene)
    np.testing.assert_array_equal(dense(found.rows), dense(expected.rows))
    np.testing.assert_array_equal(found.qa, expected.qa)
    assert coarse.valid_share.tolist() == np.ones(region.window.shape).tolist()


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("recipe", [SM_100M_V1, DENSESM_2024])
@pytest.mark.parametrize("window", [REGION, SEED_REGION])
def test_constants_stay_constants(recipe: Recipe, level: ease2.Level, window: GridWindow) -> None:
    region, scene = constant(window), small.scene(window)
    pixel = build(recipe, region, scene, cells=np.array([0]))
    coarse = coarse_pass(scene, window, level).scene
    found = build(recipe, coarse_drivers(region, level), coarse)
    rows, expected = dense(found.rows), dense(pixel.rows)[0]
    kept = np.r_[0:12, 15:153]
    np.testing.assert_allclose(rows[:, kept], np.tile(expected[kept], (len(rows), 1)), atol=1e-6)
    assert np.unique(found.qa).tolist() == pixel.qa.tolist() == [Qa.OPEN_WATER | Qa.RAIN_ON_DAY]
    assert np.unique(found.ndvi_age_d).tolist() == pixel.ndvi_age_d.tolist()


# Terrain, land cover, soil, weather.


def test_linear_inputs_are_the_means_of_the_pixels_rows() -> None:
    region, scene = synthetic(40, seed=8)
    level = LEVEL_1KM
    pixels = dense(build(SM_100M_V1, region, scene).rows).astype(float)
    coarse = coarse_pass(scene, region.window, level).scene
    found = dense(build(SM_100M_V1, coarse_drivers(region, level), coarse).rows)
    corner = ease2.corner_cell(level, coarse.backscatter.window)
    assert corner is not None
    of_pixel = np.array(cell_of_pixel(region.window, level)) - corner
    flat = of_pixel[:, 0] * coarse.backscatter.window.shape[1] + of_pixel[:, 1]
    linear = [2, 8, 9, 10, 11]  # angle, elevation, slope, sine and cosine of the aspect
    for cell in range(len(found)):
        expected = pixels[flat == cell][:, linear].mean(axis=0)
        assert found[cell, linear] == pytest.approx(expected, abs=1e-5)


def test_aspects_around_north_point_north() -> None:
    region, turn = constant(REGION), np.full(REGION.shape, 350.0)
    turn[::2] = 10.0
    bands = {"aspect_sin": np.sin(np.radians(turn)), "aspect_cos": np.cos(np.radians(turn))}
    terrain = Raster(REGION, {**region.terrain.values, **bands})
    found = coarse_drivers(replace(region, terrain=terrain), LEVEL_1KM).terrain.values
    assert found["aspect_sin"] == pytest.approx(0, abs=1e-6)
    assert found["aspect_cos"] == pytest.approx(math.cos(math.radians(10)), abs=1e-6)


def test_shares_are_means_over_known_pixels() -> None:
    region = constant(REGION)
    cover = small.land_cover(REGION, crop=1.0).values
    crop, water = np.asarray(cover["crop_share"]), np.asarray(cover["water_share"])
    crop[:10, :6], water[:10, :6] = 0.0, 1.0
    for band in cover.values():
        np.asarray(band)[:10, 8:10] = NAN
        np.asarray(band)[10:, 20:] = NAN
    code = np.full(REGION.shape, 40, np.uint8)
    covered = replace(region, land_cover=Raster(REGION, {**cover, "land_cover_code": code}))
    found = coarse_drivers(covered, LEVEL_1KM).land_cover
    assert found is not None
    assert found.values["water_share"][0, 0] == pytest.approx(0.75)
    assert found.values["crop_share"][0, 0] == pytest.approx(0.25)
    assert np.isnan(found.values["crop_share"]).tolist() == [[False] * 3, [False, False, True]]
    assert found.values["land_cover_code"].tolist() == [[80, 40, 40], [40, 40, 0]]
    assert coarse_drivers(replace(region, land_cover=None), LEVEL_1KM).land_cover is None


def test_soil_is_averaged_where_its_cells_are_finer_and_else_left() -> None:
    region = constant(REGION)
    grid = GridWindow(REGION.crs, REGION.affine @ Affine.scale(2.5), (8, 12))
    sand = np.full(grid.shape, 100.0)
    sand[:4, :2], sand[0, 3] = 500.0, NAN
    soil = small.on(grid, sand_g_kg=sand, clay_g_kg=300.0, bulk_density_cg_cm3=130.0)
    region = replace(region, soil=soil)
    found = coarse_drivers(region, LEVEL_1KM).soil
    assert found.values["sand_g_kg"][0, 0] == pytest.approx((8 * 500 + 7 * 100) / 15)
    assert found.values["sand_g_kg"][1, 1] == pytest.approx(100)
    seed = replace(constant(SEED_REGION), soil=soil)
    assert coarse_drivers(seed, LEVEL_100M).soil is soil, "250 m cells are no finer than 100 m"


@pytest.mark.parametrize(("level", "is_left"), [(LEVEL_1KM, 1), (LEVEL_9KM, 1), (LEVEL_36KM, 0)])
def test_weather_cells_stay_until_the_support_is_larger(level: ease2.Level, is_left: int) -> None:
    region, _ = synthetic(20, seed=2)
    found = coarse_drivers(region, level).weather
    assert len(found) == len(region.weather)
    assert all((a is b) == is_left for a, b in zip(found, region.weather, strict=True))


def test_days_of_finer_weather_are_averaged_in_range() -> None:
    kelvin, code = np.full(REGION.shape, 280.0), np.zeros(REGION.shape, np.int8)
    kelvin[:, 5:10] = 300.0
    kelvin[:, 10:20], code[:, 10:20] = NAN, 1
    kelvin[:, 20:22] = NAN
    early = np.zeros(REGION.shape, np.bool_)
    early[0, 0] = True
    day = small.weather(small.PASS_DAY, kelvin, window=REGION)
    bands = {**day.raster.values, "temperature_range_code": code, "is_preliminary": early}
    day = replace(day, raster=Raster(REGION, bands))
    (found,) = coarse_drivers(replace(constant(REGION), weather=[day]), LEVEL_1KM).weather
    np.testing.assert_allclose(found.raster.values["temperature_k"], [[290, NAN, 280]] * 2)
    assert found.raster.values["temperature_range_code"].tolist() == [[0, 1, 0]] * 2
    assert found.raster.values["is_preliminary"].tolist() == [[True, False, False], [False] * 3]


# Place and recipes.


@pytest.mark.parametrize(
    ("recipe", "level", "row", "col"),
    [
        (DENSESM_2024, LEVEL_9KM, 501, 3445),
        (DENSESM_2024, LEVEL_3KM, 1501 / 3, 10335 / 3),
        (DENSESM_2024, LEVEL_1KM, 4501 / 9, 31005 / 9),
        (DENSESM_2024, LEVEL_100M, 45001 / 90, 310050 / 90),
        (SM_100M_V1, LEVEL_9KM, 500.5, 3445.5),
        (SM_100M_V1, LEVEL_1KM, 4500.5 / 9, 31005.5 / 9),
    ],
)
def test_position_is_that_of_the_sites_cell(
    recipe: Recipe, level: ease2.Level, row: float, col: float
) -> None:
    drivers = coarse_drivers(constant(REGION), level)
    inputs = prepare(recipe, drivers).ground[0, 7:].astype(float) * 2 - 1
    turn = 2 * math.pi * col / 3856
    assert inputs == pytest.approx([row / 1624, math.sin(turn), math.cos(turn)], abs=2e-7)


def test_the_seed_systems_recipe_is_refused_beyond_its_pixels() -> None:
    region, scene = constant(REGION), small.scene(REGION)
    same = coarse_pass(scene, REGION, LEVEL_100M).scene
    assert len(build(EOV_2025, coarse_drivers(region, LEVEL_100M), same).rows) == REGION.size
    with pytest.raises(RecipeError, match=r"eov-2025 .* sites of 1km: take sites of 100m"):
        prepare(EOV_2025, coarse_drivers(region, LEVEL_1KM))


def test_sites_give_the_rows_of_the_whole_support() -> None:
    region, scene = synthetic(45, seed=4)
    drivers = coarse_drivers(region, LEVEL_1KM)
    coarse = coarse_pass(scene, region.window, LEVEL_1KM).scene
    whole = build(SM_100M_V1, drivers, coarse)
    cells = np.array([7, 0, drivers.window.size - 1])
    for ready in (drivers, prepare(SM_100M_V1, drivers)):
        sites = build(SM_100M_V1, ready, coarse, cells=cells)
        np.testing.assert_array_equal(dense(sites.rows), dense(whole.rows)[cells])
        np.testing.assert_array_equal(sites.qa, whole.qa[cells])


# Windows and refusals.


@pytest.mark.parametrize("level", [LEVEL_100M, *LEVELS])
@pytest.mark.parametrize("window", [SEED_REGION, pad(REGION, 3)])
def test_the_window_is_the_smallest_that_holds_all_centres(
    window: GridWindow, level: ease2.Level
) -> None:
    coarse = coarse_window(window, level)
    rows, cols = (sorted(set(part)) for part in zip(*cell_of_pixel(window, level), strict=True))
    assert ease2.corner_cell(level, coarse) == (rows[0], cols[0])
    assert coarse.shape == (rows[-1] - rows[0] + 1, cols[-1] - cols[0] + 1)


def test_a_window_of_the_level_is_its_own() -> None:
    nine = ease2.window(LEVEL_9KM, 500, 3445, (2, 3))
    assert coarse_window(nine, LEVEL_9KM) == nine
    assert coarse_window(REGION, LEVEL_100M) == REGION


def test_pixels_coarser_than_the_support_are_refused() -> None:
    with pytest.raises(GridError, match=r"1001 m wide, a 100m cell 100 m: take sites of a coarser"):
        coarse_window(ease2.window(LEVEL_1KM, 4500, 31005, (2, 2)), LEVEL_100M)


def test_a_region_across_180_degrees_is_refused() -> None:
    fiji = GridWindow("EPSG:4326", Affine(0.001, 0, 179.98, 0, -0.001, -17.0), (20, 40))
    with pytest.raises(GridError, match="split it there"):
        coarse_window(fiji, LEVEL_1KM)


def test_a_pass_on_other_pixels_is_refused() -> None:
    with pytest.raises(GridError, match="join its frames"):
        coarse_pass(small.scene(pad(REGION, 1)), REGION, LEVEL_1KM)
