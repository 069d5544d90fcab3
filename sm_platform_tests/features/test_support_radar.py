"""Passes at the support: power is averaged, every pixel of the whole cell counts."""

import math
from dataclasses import replace
from datetime import timedelta
from itertools import product

import numpy as np
import pytest
from pyproj import Transformer

from sm_platform.features.build import build
from sm_platform.features.drivers import ScenePass
from sm_platform.features.support import (
    coarse_drivers,
    coarse_pass,
)
from sm_platform.grid import ease2
from sm_platform.grid.ease2 import LEVEL_1KM, LEVEL_3KM, LEVEL_100M
from sm_platform.grid.window import GridWindow, centres, pad
from sm_platform.schema.product import Qa
from sm_platform.schema.recipes import SM_100M_V1
from sm_platform_tests.features import small
from sm_platform_tests.features.test_support import (
    COL,
    REGION,
    ROW,
    SEED_PIXEL,
    SEED_REGION,
    cell_of_pixel,
    constant,
    radar,
)

NAN = float("nan")


def plain_means(scene: ScenePass, level: ease2.Level, coarse: GridWindow) -> dict[str, list[float]]:
    """Mean power in dB and mean angle of each cell of the coarse window, cell by cell."""
    corner = ease2.corner_cell(level, coarse)
    assert corner is not None
    of_pixel = cell_of_pixel(scene.backscatter.window, level)
    made: dict[str, list[float]] = {}
    for name, band in scene.backscatter.values.items():
        made[name] = []
        for row, col in product(*(range(n) for n in coarse.shape)):
            here = (corner[0] + row, corner[1] + col)
            values = [float(v) for v, c in zip(band.ravel(), of_pixel, strict=True) if c == here]
            values = [v for v in values if not math.isnan(v)]
            if not values:
                mean = NAN
            elif name == "angle_deg":
                mean = sum(values) / len(values)
            else:
                mean = 10 * math.log10(sum(10 ** (v / 10) for v in values) / len(values))
            made[name].append(mean)
    return made


@pytest.mark.parametrize(
    ("window", "level"),
    [(pad(REGION, -1), LEVEL_1KM), (REGION, LEVEL_3KM), (SEED_REGION, LEVEL_1KM)],
)
def test_backscatter_agrees_with_a_plain_loop(window: GridWindow, level: ease2.Level) -> None:
    scene = radar(window, seed=5)
    found = coarse_pass(scene, window, level).scene.backscatter
    for name, expected in plain_means(scene, level, found.window).items():
        np.testing.assert_allclose(found.values[name].ravel(), expected, atol=1e-5, rtol=0)


def test_a_mean_is_of_power_not_of_decibels() -> None:
    window = ease2.window(LEVEL_100M, ROW, COL, (10, 10))
    vv = np.full((10, 10), -5.0)
    vv[:, 5:] = -20.0
    found = coarse_pass(small.scene(window, vv_db=vv), window, LEVEL_1KM).scene.backscatter
    assert found.values["vv_db"].item() == pytest.approx(10 * math.log10(0.163114), abs=1e-4)
    assert found.values["vh_db"].item() == pytest.approx(-17, abs=1e-5)


def test_the_share_counts_pixels_with_all_three_bands() -> None:
    scene = small.scene(REGION)
    for name, row in (("vv_db", 0), ("vh_db", 1), ("angle_deg", 2)):
        scene.backscatter.values[name][row, :10] = NAN
    scene.backscatter.values["vv_db"][10:, 20:] = NAN
    found = coarse_pass(scene, REGION, LEVEL_1KM)
    np.testing.assert_allclose(found.valid_share, [[0.7, 1, 1], [1, 1, 0]], atol=1e-7)
    vv = np.asarray(found.scene.backscatter.values["vv_db"])
    assert np.isnan(vv).tolist() == [[False] * 3, [False, False, True]]


@pytest.mark.parametrize(
    ("rows", "cols", "level", "share"),
    [(5, 10, LEVEL_1KM, 0.5), (7, 3, LEVEL_1KM, 0.21), (30, 15, LEVEL_3KM, 0.5)],
)
def test_pixels_outside_the_region_count_against_the_share(
    rows: int, cols: int, level: ease2.Level, share: float
) -> None:
    window = ease2.window(LEVEL_100M, ROW, COL, (rows, cols))
    found = coarse_pass(small.scene(window), window, level)
    assert found.valid_share.shape == (1, 1)
    assert found.valid_share.item() == pytest.approx(share)
    assert found.scene.backscatter.values["vv_db"].item() == pytest.approx(-10, abs=1e-5)


def test_in_degrees_the_share_is_of_the_grids_own_pixels_in_the_whole_cell() -> None:
    level, window = LEVEL_1KM, SEED_REGION
    found = coarse_pass(small.scene(window), window, level)
    of_pixel, of_wide = (cell_of_pixel(one, level) for one in (window, pad(window, 14)))
    coarse = found.scene.backscatter.window
    corner = ease2.corner_cell(level, coarse)
    assert corner is not None
    for row, col in product(*(range(n) for n in coarse.shape)):
        here = corner[0] + row, corner[1] + col
        expected = of_pixel.count(here) / of_wide.count(here)
        assert found.valid_share[row, col] == pytest.approx(expected)
    assert found.valid_share.max() == 1 and 0 < found.valid_share.min() < 0.5


def test_cells_without_a_pixel_centre_take_the_pixel_at_their_own() -> None:
    scene = radar(SEED_REGION, seed=7, missing=0.0)
    found = coarse_pass(scene, SEED_REGION, LEVEL_100M)
    coarse = found.scene.backscatter.window
    corner = ease2.corner_cell(LEVEL_100M, coarse)
    assert corner is not None
    held = {(r - corner[0], c - corner[1]) for r, c in cell_of_pixel(SEED_REGION, LEVEL_100M)}
    empty = [cell for cell in product(*(range(n) for n in coarse.shape)) if cell not in held]
    assert empty, "pixels of 108 m leave some cells of 100 m without a centre"
    turn = Transformer.from_crs("EPSG:6933", "EPSG:4326", always_xy=True)
    for row, col in empty:
        x, y = (part[row, col] for part in centres(coarse))
        lon, lat = turn.transform(x, y)
        pixel = math.floor((20.5 - lat) / SEED_PIXEL), math.floor((lon - 106.4) / SEED_PIXEL)
        is_inside = pixel[0] < SEED_REGION.shape[0] and pixel[1] < SEED_REGION.shape[1]
        expected = scene.backscatter.values["vv_db"][pixel] if is_inside else NAN
        vv = found.scene.backscatter.values["vv_db"][row, col]
        assert vv == pytest.approx(expected, nan_ok=True)
        assert found.valid_share[row, col] == is_inside


def test_earlier_passes_are_averaged_too_and_remember_floods() -> None:
    window = ease2.window(LEVEL_100M, ROW, COL, (10, 10))
    region = replace(constant(window), land_cover=small.land_cover(window, crop=1.0))
    wet, dry = ({"vv_db": vv, "vh_db": vh} for vv, vh in ((-13.0, -18.5), (-6.0, -17.0)))
    history = [
        (small.PASS_UTC - timedelta(days=days), small.scene(window, **bands).backscatter)
        for days, bands in ((36, dry), (24, wet), (12, wet))
    ]
    scene = replace(small.scene(window, **wet), history=history)
    coarse = coarse_pass(scene, window, LEVEL_1KM).scene
    assert [start for start, _ in coarse.history] == [start for start, _ in history]
    drivers = coarse_drivers(region, LEVEL_1KM)
    for one, is_set in ((coarse, True), (replace(coarse, history=()), False)):
        assert bool(build(SM_100M_V1, drivers, one).qa[0] & Qa.INUNDATED) is is_set
