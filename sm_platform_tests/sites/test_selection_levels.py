"""Coarse cells, and windows that are not cut from EASE-Grid 2.0."""

from dataclasses import replace

import numpy as np
import pytest
from affine import Affine

from sm_platform.errors import DataError, GridError
from sm_platform.grid import ease2
from sm_platform.grid.ease2 import LEVEL_1KM, LEVEL_3KM, LEVEL_9KM, LEVEL_100M
from sm_platform.grid.window import GridWindow, Raster, cell_index, centres, pad, reproject_points
from sm_platform.sites.cells import SITE_LEVELS, block_of, cells_of
from sm_platform.sites.rules import SiteRules
from sm_platform.sites.selection import select_sites
from sm_platform_tests.sites.land import mixed, pure

LONLAT = "EPSG:4326"
CELL_9KM = 527, 3066
NINE_KM = ease2.window(LEVEL_100M, CELL_9KM[0] * 90, CELL_9KM[1] * 90, (90, 90))
LAST_1KM = CELL_9KM[0] * 9 + 8, CELL_9KM[1] * 9 + 8
DEGREES = GridWindow("EPSG:4326", Affine(0.01, 0, 105.9, 0, -0.01, 20.7), (40, 50))
FINE_DEGREES = replace(DEGREES, affine=Affine(0.0006, 0, 105.9, 0, -0.0006, 20.7))
UTM = GridWindow("EPSG:32648", Affine(100, 0, 600_030, 0, -100, 2_280_070), (60, 70))
EVERY_WINDOW = [NINE_KM, DEGREES, FINE_DEGREES, UTM]


def crop_and_grass(crop: np.ndarray, window: GridWindow = NINE_KM) -> Raster:
    """Two classes; NaN is a pixel without land cover."""
    crop = crop.astype(np.float32)
    code = np.where(np.isnan(crop), 0, np.where(crop >= 0.5, 40, 30)).astype(np.uint8)
    return Raster(window, {"crop_share": crop, "grass_share": 1 - crop, "land_cover_code": code})


def test_coarse_cell_averages_its_pixels() -> None:
    crop = np.zeros((90, 90))
    crop[80:, 80:84], crop[80:, 84:] = 1.0, 0.45  # 40 pixels crop alone, 60 mostly grass
    texture = np.zeros((90, 90), np.int8)
    texture[80:85, 80:], texture[85, 80:] = 3, 2  # 50 fine, 10 medium, 40 not known
    mean_sm = np.full((90, 90), np.nan, np.float32)
    mean_sm[80, 80:84] = 0.1, 0.2, 0.3, 0.4
    rules = SiteRules(1000, 1, "1km", min_purity=0.67)
    sites = select_sites(NINE_KM, crop_and_grass(crop), rules, texture=texture, mean_sm=mean_sm)
    assert len(sites) == 81
    last = sites.site_id.tolist().index(f"1km-{LAST_1KM[0]}-{LAST_1KM[1]}")
    assert sites.land_cover_code[last] == 40  # 0.4 + 0.6 * 0.45 = 0.67 crop, 0.33 grass
    assert sites.purity[last] == pytest.approx(0.67, abs=1e-6)
    assert sites.texture_code[last] == 3
    assert sites.mean_sm_m3m3[last] == pytest.approx(0.25, abs=1e-6)
    assert np.isnan(np.delete(sites.mean_sm_m3m3, last)).all()
    assert (np.delete(sites.land_cover_code, last) == 30).all()
    stricter = select_sites(NINE_KM, crop_and_grass(crop), replace(rules, min_purity=0.68))
    assert (len(stricter), stricter.rejected["mixed"]) == (80, 1)


def test_of_equally_common_textures_the_coarser_counts() -> None:
    texture = np.zeros((90, 90), np.int8)
    texture[:40], texture[40:80] = 3, 1  # 40 rows each, the rest not known
    rules = SiteRules(1, 1, "9km")
    sites = select_sites(NINE_KM, pure(40, NINE_KM), rules, texture=texture)
    assert sites.texture_code.tolist() == [1]


@pytest.mark.parametrize(("level", "n"), [("9km", 1), ("3km", 9), ("1km", 81), ("100m", 8100)])
def test_levels_cut_the_same_ground(level: str, n: int) -> None:
    sites = select_sites(NINE_KM, pure(40, NINE_KM), SiteRules(9000, 1, level))
    assert len(sites) == n
    assert sum(sites.rejected.values()) == 0
    np.testing.assert_allclose(sites.purity, 1)


def test_nine_km_site_is_named_and_placed_by_its_cell() -> None:
    site = select_sites(pad(NINE_KM, 20), pure(40, pad(NINE_KM, 20)), SiteRules(9, 1, "9km"))
    row, col = CELL_9KM
    assert site.site_id.tolist() == [f"9km-{row}-{col}"]
    assert site.rejected["outside_region"] == 8  # its neighbours are cut by the window
    x, y = ease2.project(site.lon, site.lat)
    there = ease2.position(LEVEL_9KM, x, y)
    np.testing.assert_allclose(np.ravel(there), [row + 0.5, col + 0.5], rtol=0, atol=1e-6)
    assert site.cell_id.tolist() == [(45 + 20) * 130 + 45 + 20]  # south-east of the centre
    assert site.block_id.tolist() == [(row * 3 + 1) * LEVEL_3KM.shape[1] + col * 3 + 1]


def test_blocks_of_every_level_hold_the_centre() -> None:
    for level in SITE_LEVELS.values():
        cells = cells_of(NINE_KM, level)
        row, col = np.divmod(cells.flat, level.shape[1])
        x = ease2.LEFT_M + (col + 0.5) * level.cell_m + 1  # a metre south-east of a corner
        y = ease2.TOP_M - (row + 0.5) * level.cell_m - 1
        there = ease2.cells(LEVEL_3KM, x, y)
        expected = there[0] * LEVEL_3KM.shape[1] + there[1]
        np.testing.assert_array_equal(block_of(cells.flat, level), expected)


def test_valid_share_counts_region_and_land_cover_apart() -> None:
    crop = np.ones((90, 90))
    crop[0, :11] = np.nan  # 10 pixels of the first 1 km cell, one of the second
    inside = np.ones((90, 90), bool)
    inside[80:, 80:] = False
    inside[80:89, 80:] = True  # the last cell keeps exactly 90 of 100
    inside[80:82, 0] = False
    inside[82:90, 0] = False
    inside[80, 1] = False  # another keeps 89
    rules = SiteRules(100, 1, "1km")
    sites = select_sites(NINE_KM, crop_and_grass(crop), rules, inside=inside)
    assert (sites.rejected["outside_region"], sites.rejected["no_land_cover"]) == (1, 0)
    crop[1, 0] = np.nan
    again = select_sites(NINE_KM, crop_and_grass(crop), rules, inside=inside)
    assert (again.rejected["outside_region"], again.rejected["no_land_cover"]) == (1, 1)
    assert len(again) == len(sites) - 1 == 79
    lenient = replace(rules, min_valid_share=0.89)
    assert len(select_sites(NINE_KM, crop_and_grass(crop), lenient, inside=inside)) == 81


def test_cell_cut_by_the_edge_counts_the_pixels_beyond_it() -> None:
    window = ease2.window(LEVEL_100M, CELL_9KM[0] * 90, CELL_9KM[1] * 90 + 2, (10, 8))
    rules = SiteRules(9, 1, "1km", min_valid_share=0.8)
    assert len(select_sites(window, pure(40, window), rules)) == 1  # 80 of its 100 pixels
    with pytest.raises(DataError, match="1 have less than 81% .* Choose smaller cells"):
        select_sites(window, pure(40, window), replace(rules, min_valid_share=0.81))


def test_cell_whose_centre_is_beyond_the_edge_is_outside() -> None:
    window = ease2.window(LEVEL_100M, CELL_9KM[0] * 90, CELL_9KM[1] * 90, (10, 14))
    rules = SiteRules(9, 1, "1km", min_valid_share=0.1)
    sites = select_sites(window, pure(40, window), rules)
    assert (len(sites), sites.rejected["outside_region"]) == (1, 1)


@pytest.mark.parametrize("window", EVERY_WINDOW)
@pytest.mark.parametrize("level", [LEVEL_100M, LEVEL_1KM, LEVEL_9KM])
def test_every_pixel_belongs_to_the_cell_at_its_centre(
    window: GridWindow, level: ease2.Level
) -> None:
    cells = cells_of(window, level)
    rows, cols = window.shape
    x = window.affine.c + (np.arange(cols) + 0.5) * window.affine.a
    y = window.affine.f + (np.arange(rows) + 0.5) * window.affine.e
    grid_x, grid_y = np.meshgrid(x, y)
    row, col = ease2.cells(level, *reproject_points(grid_x, grid_y, window.crs, ease2.CRS))
    of_pixel = np.arange(window.size) if cells.of_pixel is None else cells.of_pixel
    flat = (row * level.shape[1] + col).ravel()
    np.testing.assert_array_equal(cells.flat[of_pixel], flat)
    np.testing.assert_array_equal(cells.flat, np.unique(flat))


@pytest.mark.parametrize("window", EVERY_WINDOW)
@pytest.mark.parametrize("level", [LEVEL_100M, LEVEL_1KM, LEVEL_3KM])
def test_pixels_of_a_cell_do_not_depend_on_the_window(
    window: GridWindow, level: ease2.Level
) -> None:
    cells, wide = cells_of(window, level), cells_of(pad(window, 100), level)
    if wide.of_pixel is None:
        times = np.ones(len(wide), int)
    else:
        times = np.bincount(wide.of_pixel, minlength=len(wide))
    np.testing.assert_array_equal(cells.n_pixels, times[np.searchsorted(wide.flat, cells.flat)])


def test_degrees_by_axes_and_pixel_by_pixel_agree() -> None:
    for level in (LEVEL_100M, LEVEL_3KM):
        quick = cells_of(FINE_DEGREES, level)
        plain = cells_of(replace(FINE_DEGREES, crs="OGC:CRS84"), level)
        np.testing.assert_array_equal(quick.flat, plain.flat)
        np.testing.assert_array_equal(quick.of_pixel, plain.of_pixel)
        np.testing.assert_array_equal(quick.n_pixels, plain.n_pixels)


def test_large_pixels_are_cells_of_their_own() -> None:
    land_cover = mixed(1, DEGREES, codes=(30, 40))
    sites = select_sites(DEGREES, land_cover, SiteRules(5000, 1, min_purity=0.5))
    assert len(sites) == DEGREES.size  # most 100 m cells of this ground have no pixel
    assert sorted(sites.cell_id.tolist()) == list(range(DEGREES.size))
    code = land_cover.values["land_cover_code"].ravel()[sites.cell_id]
    np.testing.assert_array_equal(sites.land_cover_code, code)


def test_small_pixels_share_a_cell() -> None:
    crop = np.full(FINE_DEGREES.shape, 0.8)
    crop[::2, ::2] = 1.0
    land_cover = crop_and_grass(crop, FINE_DEGREES)
    sites = select_sites(FINE_DEGREES, land_cover, SiteRules(5000, 1, min_valid_share=0.5))
    assert len(sites) + sum(sites.rejected.values()) < FINE_DEGREES.size
    assert len(set(sites.cell_id.tolist())) == len(sites)
    assert {0.8, 0.9, 1.0} <= set(np.round(sites.purity.astype(float), 3).tolist())
    holds = cell_index(FINE_DEGREES, sites.lon, sites.lat)
    np.testing.assert_array_equal(sites.cell_id, holds)


@pytest.mark.parametrize("window", EVERY_WINDOW)
def test_a_cell_is_the_same_site_whatever_the_window(window: GridWindow) -> None:
    sites = select_sites(window, pure(40, window), SiteRules(20, 1, "1km", min_valid_share=0.9))
    row, col = ease2.cells(LEVEL_1KM, *ease2.project(sites.lon, sites.lat))
    assert sites.site_id.tolist() == [f"1km-{r}-{c}" for r, c in zip(row, col, strict=True)]
    x, y = centres(window)
    pixel = reproject_points(x.ravel()[sites.cell_id], y.ravel()[sites.cell_id], window.crs, LONLAT)
    half = 0.5 * window.affine.a / (1 if window.crs == LONLAT else 100_000)
    reach = half + 0.0006  # half a pixel, and the 50 m to the cell south-east of the centre
    assert np.abs(np.subtract(pixel, (sites.lon, sites.lat))).max() < reach


def test_windows_at_the_rim_of_the_globe() -> None:
    rim = GridWindow("EPSG:4326", Affine(0.01, 0, 179.5, 0, -0.01, 10), (50, 50))
    assert len(select_sites(rim, pure(40, rim), SiteRules(20, 1, "9km"))) > 10
    beyond = GridWindow("EPSG:4326", Affine(0.01, 0, 10, 0, -0.01, 86), (50, 50))
    with pytest.raises(GridError, match="outside EASE-Grid"):
        select_sites(beyond, pure(40, beyond), SiteRules(20, 1, "9km"))
