"""Terrain: Horn by hand on planes, means over pixels, and the seed system's rounded cells."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from numpy.typing import NDArray
from rasterio.windows import Window

from sm_platform.errors import GridError
from sm_platform.features import footprint
from sm_platform.features.relief import cell_metres, slope_and_aspect, surrounded
from sm_platform.features.terrain import BANDS, CELL_BANDS, pixel_terrain, pixel_terrain_from
from sm_platform.grid import ease2
from sm_platform.grid.window import GridWindow, Raster
from sm_platform_tests.features.small import on

ARCSECOND = 1 / 3600
SINUSOIDAL = "+proj=sinu +R=6371007.181 +units=m"


def plane(eastward: float, northward: float) -> tuple[float, float]:
    """Slope and aspect that Horn finds on a plane rising by these metres a metre."""
    rows, cols = np.mgrid[0:5, 0:6]
    heights = 100 + eastward * cols * 30 - northward * rows * 25
    slope, aspect = slope_and_aspect(heights, np.full(3, 30.0), np.full(3, 25.0))
    assert np.ptp(slope) < 1e-9 and np.ptp(aspect) < 1e-9
    return float(slope[0, 0]), float(aspect[0, 0])


@pytest.mark.parametrize(
    ("eastward", "northward", "slope", "aspect"),
    [
        (0.0, 0.0, 0.0, 0.0),
        (1.0, 0.0, 45.0, 270.0),
        (-0.1, 0.0, math.degrees(math.atan(0.1)), 90.0),
        (0.0, 0.1, math.degrees(math.atan(0.1)), 180.0),
        (0.0, -0.1, math.degrees(math.atan(0.1)), 0.0),
        (-0.1, -0.1, math.degrees(math.atan(math.hypot(0.1, 0.1))), 45.0),
        (0.1, -0.1, math.degrees(math.atan(math.hypot(0.1, 0.1))), 315.0),
    ],
)
def test_aspect_is_where_water_runs_to(
    eastward: float, northward: float, slope: float, aspect: float
) -> None:
    assert plane(eastward, northward) == pytest.approx((slope, aspect), abs=1e-9)


def test_horn_weighs_the_middle_neighbours_twice() -> None:
    heights = np.array([[1.0, 2, 5], [4, 9, 6], [3, 8, 7]])
    slope, aspect = slope_and_aspect(heights, np.array([10.0]), np.array([20.0]))
    east = ((5 + 2 * 6 + 7) - (1 + 2 * 4 + 3)) / 80
    north = ((1 + 2 * 2 + 5) - (3 + 2 * 8 + 7)) / 160
    assert slope[0, 0] == pytest.approx(math.degrees(math.atan(math.hypot(east, north))))
    assert aspect[0, 0] == pytest.approx(math.degrees(math.atan2(-east, -north)) % 360)


def test_a_missing_neighbour_makes_slope_missing() -> None:
    heights = np.zeros((5, 5))
    heights[0, 0] = np.nan
    slope, _ = slope_and_aspect(heights, np.ones(3), np.ones(3))
    assert np.argwhere(np.isnan(slope)).tolist() == [[0, 0]]


def test_the_edge_goes_on_as_steep_as_it_was() -> None:
    heights = np.mgrid[0:4, 0:4][1] * 3.0
    slope, _ = slope_and_aspect(surrounded(heights), np.full(4, 30.0), np.full(4, 30.0))
    assert slope == pytest.approx(math.degrees(math.atan(0.1)))


@pytest.mark.parametrize(
    ("lat", "dx", "dy"), [(0.0, 30.922, 30.715), (20.0, 29.069, 30.751), (60.0, 15.500, 30.946)]
)
def test_cells_of_one_arcsecond_in_metres(lat: float, dx: float, dy: float) -> None:
    top = lat + ARCSECOND / 2
    window = GridWindow("EPSG:4326", Affine(ARCSECOND, 0, 106, 0, -ARCSECOND, top), (1, 5))
    found = cell_metres(window)
    assert (found[0][0], found[1][0]) == pytest.approx((dx, dy), abs=2e-3)


def degrees(rows: int, cols: int, cell: float = ARCSECOND) -> GridWindow:
    return GridWindow("EPSG:4326", Affine(cell, 0, 106.4, 0, -cell, 20.5), (rows, cols))


def relief(window: GridWindow, seed: int = 0) -> Raster:
    rng = np.random.default_rng(seed)
    return on(
        window,
        elevation_m=rng.uniform(0, 90, window.shape),
        slope_deg=rng.uniform(1, 30, window.shape),
        aspect_deg=rng.uniform(0, 360, window.shape),
    )


def ease_over(lonlat_window: GridWindow, shape: tuple[int, int]) -> GridWindow:
    """Exact 100 m pixels around the middle of a window in degrees."""
    west, south, east, north = lonlat_window.bounds
    return ease2.window_around(ease2.LEVEL_100M, (west + east) / 2, (south + north) / 2, shape)


def test_a_plane_of_heights_gives_its_slope_in_metres_at_its_latitude() -> None:
    fine = degrees(60, 60)
    dx, _ = cell_metres(fine)
    heights = np.mgrid[0:60, 0:60][1] * dx[:, None] * 0.1
    found = pixel_terrain(ease_over(fine, (8, 8)), on(fine, elevation_m=heights))
    bands = found.values
    assert bands["slope_deg"] == pytest.approx(math.degrees(math.atan(0.1)), abs=5e-3)
    assert bands["cell_slope_deg"] == pytest.approx(math.degrees(math.atan(0.1)), abs=5e-3)
    assert bands["aspect_sin"] == pytest.approx(-1, abs=1e-3)
    assert bands["aspect_cos"] == pytest.approx(0, abs=1e-2)
    assert tuple(bands) == (*BANDS, *CELL_BANDS)
    assert not any(np.isnan(band).any() for band in bands.values())


def pixel_of(aspects: tuple[float, ...], slopes: tuple[float, ...]) -> dict[str, float]:
    """Terrain of one pixel that holds these cells side by side."""
    fine = degrees(1, len(aspects))
    whole = GridWindow(
        "EPSG:4326", Affine(ARCSECOND * len(aspects), 0, 106.4, 0, -ARCSECOND, 20.5), (1, 1)
    )
    raster = on(fine, elevation_m=1.0, slope_deg=np.array([slopes]), aspect_deg=np.array([aspects]))
    return {n: float(v[0, 0]) for n, v in pixel_terrain_from(whole, raster).values.items()}


def test_aspect_is_averaged_as_a_direction_and_for_the_seed_system_as_a_number() -> None:
    found = pixel_of((350.0, 10.0), (5.0, 5.0))
    assert found["aspect_sin"] == pytest.approx(0, abs=1e-6)
    assert found["aspect_cos"] == pytest.approx(math.cos(math.radians(10)))
    assert found["cell_aspect_deg"] == pytest.approx(180)


def test_flat_cells_have_no_direction() -> None:
    found = pixel_of((90.0, 0.0), (5.0, 0.0))
    assert (found["aspect_sin"], found["aspect_cos"]) == pytest.approx((0.5, 0), abs=1e-7)
    assert found["slope_deg"] == pytest.approx(2.5)
    assert found["cell_aspect_deg"] == pytest.approx(45), "a zero counts there"


def test_one_missing_cell_is_left_out_of_a_pixel_but_makes_a_rounded_cell_missing() -> None:
    found = pixel_of((90.0, float("nan")), (5.0, 7.0))
    assert found["aspect_sin"] == pytest.approx(1)
    assert math.isnan(found["cell_aspect_deg"])
    assert found["cell_slope_deg"] == pytest.approx(6)


def test_pixels_without_a_cell_centre_take_the_cell_that_holds_theirs() -> None:
    fine = degrees(6, 6, cell=0.0025)
    raster = relief(fine)
    window = ease_over(fine, (10, 10))
    found = np.asarray(pixel_terrain_from(window, raster).values["elevation_m"])
    assert not np.isnan(found).any()
    assert set(np.unique(found)) <= set(np.unique(raster.values["elevation_m"]))


def plain_means(window: GridWindow, raster: Raster) -> NDArray[np.float64]:
    """Mean height of each pixel by a loop over the fine cells."""
    total, count = np.zeros(window.shape), np.zeros(window.shape)
    for (row, col), height in np.ndenumerate(raster.values["elevation_m"]):
        x, y = ease2.project(*(raster.window.affine @ (col + 0.5, row + 0.5)))
        c, r = (math.floor(p) for p in ~window.affine @ (float(x), float(y)))
        if 0 <= r < window.shape[0] and 0 <= c < window.shape[1]:
            total[r, c] += height
            count[r, c] += 1
    return total / count


def test_means_agree_with_a_loop_over_cells_whatever_the_block(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fine = degrees(50, 40)
    raster, window = relief(fine), ease_over(fine, (9, 7))
    whole = pixel_terrain_from(window, raster)
    np.testing.assert_allclose(whole.values["elevation_m"], plain_means(window, raster), rtol=1e-6)
    monkeypatch.setattr(footprint, "BLOCK_CELLS", 150)
    for name, band in pixel_terrain_from(window, raster).values.items():
        np.testing.assert_allclose(band, whole.values[name], rtol=1e-6, atol=1e-7)


def test_a_bent_grid_counts_every_cell_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(footprint, "BLOCK_CELLS", 500)
    x, y = 11_090_000.0, 2_273_000.0
    fine = GridWindow(SINUSOIDAL, Affine(30, 0, x, 0, -30, y), (60, 60))
    parts = list(footprint.blocks(fine, "EPSG:4326"))
    assert sum(part.x.size for part in parts) == fine.size
    lon = np.concatenate([part.x for part in parts])
    assert np.ptp(lon[:, 0]) > 1e-4, "columns lean"
    straight = next(footprint.blocks(degrees(60, 60), ease2.CRS))
    assert straight.x.shape[0] == 1 and straight.y.shape[1] == 1


def test_terrain_of_another_place_is_refused() -> None:
    far = GridWindow("EPSG:4326", Affine(ARCSECOND, 0, 10, 0, -ARCSECOND, 50), (5, 5))
    with pytest.raises(GridError, match="outside the region"):
        pixel_terrain_from(ease_over(degrees(9, 9), (3, 3)), relief(far))


def test_half_covered_regions_are_missing_where_there_is_no_terrain() -> None:
    fine = degrees(30, 30)
    window = ease_over(fine, (5, 40))
    band = np.asarray(pixel_terrain_from(window, relief(fine)).values["slope_deg"])
    assert np.isnan(band[:, 0]).all() and not np.isnan(band[:, 20]).any()


def test_real_tile_of_glo30_has_plausible_slopes(shared: Callable[..., Path]) -> None:
    folder = shared("realdata")
    tiles = sorted(folder.rglob("Copernicus_DSM*.tif"))
    if not tiles:
        pytest.skip("no GLO-30 tile at hand")
    with rasterio.open(tiles[0]) as file:
        part = Window(0, 0, 400, 400)
        window = GridWindow(file.crs.to_string(), file.window_transform(part), (400, 400))
        raster = on(window, elevation_m=file.read(1, window=part).astype(float))
    found = pixel_terrain(ease_over(window, (6, 6)), raster)
    slope = np.asarray(found.values["slope_deg"])
    assert np.nanmin(slope) >= 0 and np.nanmax(slope) < 70
