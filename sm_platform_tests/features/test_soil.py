"""Soil: the pixel's own cell, or the nearest valid one up to 2 km."""

import numpy as np
import pytest
from affine import Affine
from numpy.typing import NDArray

from sm_platform.features.soil import BANDS, PixelSoil, filled_soil_at, soil_at
from sm_platform.grid.ease2 import LEVEL_100M, window_around
from sm_platform.grid.window import GridWindow, Raster, lonlat_bounds
from sm_platform_tests.features.small import on

HOMOLOSINE = "+proj=igh +lon_0=0 +datum=WGS84 +units=m"
PIXELS = window_around(LEVEL_100M, 106.43, 0.0, (1, 60))
"""Sixty pixels eastward, 6.9 km on the equator."""
PIXEL_M = 115.4765
"""East-west width there: 100.0895 m over the scale of the projection, 0.866751."""


def strip(valid: int) -> Raster:
    """Cells of 250 m (at the equator), the westernmost `valid` of them with soil 100, 101, ..."""
    cell, (left, _, right, top) = 250 / 111319.49, lonlat_bounds(PIXELS)
    grid = GridWindow(
        "EPSG:4326",
        Affine(cell, 0, left, 0, -cell, top + cell / 4),
        (2, int((right - left) / cell) + 1),
    )
    values = np.broadcast_to(100.0 + np.arange(grid.shape[1]), grid.shape).copy()
    values[:, valid:] = np.nan
    return on(grid, **dict.fromkeys(BANDS, values))


def sand(found: PixelSoil) -> NDArray[np.float64]:
    return found.values[0]


def test_beyond_the_coast_the_last_cell_reaches_two_kilometres() -> None:
    everywhere = np.arange(PIXELS.size)
    own = soil_at(PIXELS, everywhere, strip(10))
    filled = filled_soil_at(PIXELS, everywhere, strip(10))
    has_own = ~np.isnan(sand(own))
    east_m = (everywhere + 0.5) * PIXEL_M
    np.testing.assert_array_equal(sand(filled)[has_own], sand(own)[has_own])
    np.testing.assert_array_equal(filled.is_filled, ~has_own & (east_m - 9.5 * 250 < 2000))
    assert np.unique(sand(filled)[filled.is_filled]).tolist() == [109.0]
    assert np.isnan(sand(filled)[-1])


def test_a_cell_that_lacks_one_band_gives_none_of_its_own() -> None:
    raster = strip(40)
    bands = {name: np.array(band) for name, band in raster.values.items()}
    bands[BANDS[1]][:, 3] = np.nan
    found = filled_soil_at(PIXELS, np.arange(60), Raster(raster.window, bands))
    third = sand(soil_at(PIXELS, np.arange(60), raster)) == 103
    assert found.is_filled.tolist() == third.tolist()
    assert set(np.unique(found.values[:, third])) <= {102.0, 104.0}
    assert (found.values[0] == found.values[1]).all()


def test_nothing_valid_near_stays_missing() -> None:
    found = filled_soil_at(PIXELS, np.arange(60), strip(0))
    assert np.isnan(found.values).all() and not found.is_filled.any()


@pytest.mark.parametrize("crs", ["EPSG:4326", HOMOLOSINE])
def test_the_grid_of_the_file_does_not_matter(crs: str) -> None:
    left, top = (106.3, 0.2) if crs == "EPSG:4326" else (11_830_000.0, 30_000.0)
    cell = 0.01 if crs == "EPSG:4326" else 1000.0
    grid = GridWindow(crs, Affine(cell, 0, left, 0, -cell, top), (60, 60))
    raster = on(grid, **dict.fromkeys(BANDS, 350.0))
    assert np.unique(soil_at(PIXELS, np.arange(60), raster).values).tolist() == [350.0]
