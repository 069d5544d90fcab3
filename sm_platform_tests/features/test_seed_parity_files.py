"""Whole folders of the seed system with odd files, against the plain reading of the same files."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from affine import Affine
from numpy.typing import NDArray

from sm_platform.features.build import Features, build
from sm_platform.features.drivers import Drivers, ScenePass
from sm_platform.features.radar import placed_frame
from sm_platform.features.terrain import pixel_terrain_from
from sm_platform.formats import seed_layout
from sm_platform.grid.window import DatedRaster, GridWindow, Raster
from sm_platform.schema.product import Qa
from sm_platform.schema.recipes import EOV_2025
from sm_platform.schema.rows import dense
from sm_platform_tests.features.plain_seed import plain_rows
from sm_platform_tests.features.seed_region import PIXEL, STATIC, Place, write_region

COARSE = 2.5 * PIXEL - 1e-9
"""About 250 m, never with a pixel's centre on an edge."""
PLACES = {
    "north and west, 29 February": Place(
        -101.7,
        52.13,
        (5, 9),
        date(2024, 2, 29),
        radar_tag=0,
        ndvi_cell=COARSE,
        soil_type="int16",
        soil_cell=COARSE,
        soil_tag=-32768,
        weather_cell=0.1,
    ),
    "south, day 366, smaller rasters": Place(
        18.91,
        -33.42,
        (8, 6),
        date(2024, 12, 31),
        radar_type="float64",
        radar_tag=-9999,
        ndvi_type="int16",
        soil_type="float64",
        terrain_fill=-32768,
        cover=0.7,
        is_described=True,
    ),
    "on a composite's own day, in metres of a flat coast": Place(
        106.3, 9.95, (6, 5), date(2025, 1, 1), radar_tag=-9999, soil_cell=COARSE, ndvi_type="int16"
    ),
}


def features_of(data: Path, place: Place) -> Features:
    radar = seed_layout.read_s1(data / f"s1_images/S1_{place.day}.tif")
    terrain = seed_layout.read_terrain(data / "dem_images" / STATIC[1])
    drivers = Drivers(
        window=radar.window,
        ndvi=[_dated(p, seed_layout.read_ndvi(p)) for p in (data / "ndvi_images").iterdir()],
        weather=[
            _dated(p, seed_layout.read_weather(p)) for p in (data / "weather_images").iterdir()
        ],
        soil=seed_layout.read_soil(data / "soilgrid_images" / STATIC[0]),
        terrain=pixel_terrain_from(radar.window, terrain),
        land_cover=None,
    )
    start = datetime.combine(place.day, datetime.min.time(), UTC)
    return build(EOV_2025, drivers, ScenePass(start, None, radar))


def _dated(path: Path, raster: Raster) -> DatedRaster:
    return DatedRaster(seed_layout.day_of(path), None, raster)


@pytest.mark.parametrize("name", PLACES)
def test_odd_files_agree_with_a_plain_reading(tmp_path: Path, name: str) -> None:
    place = PLACES[name]
    write_region(tmp_path, place, seed=len(name))
    found, expected = features_of(tmp_path, place), np.array(plain_rows(tmp_path, place.day))
    rows = dense(found.rows)
    np.testing.assert_array_equal(np.isnan(rows), np.isnan(expected))
    np.testing.assert_allclose(rows, expected, rtol=0, atol=1e-6, equal_nan=True)
    whole = ~np.isnan(expected).any(axis=1)
    assert 0 < whole.sum() < whole.size
    assert np.all(found.ndvi_age_d[whole] < 65535), "a row with values has an age"


def test_beyond_smaller_rasters_filling_is_flagged(tmp_path: Path) -> None:
    place = PLACES["south, day 366, smaller rasters"]
    write_region(tmp_path, place, seed=3)
    qa = features_of(tmp_path, place).qa.reshape(place.shape)
    filled = Qa.NDVI_FILLED | Qa.WEATHER_FILLED
    assert np.all(qa[-1] & filled == filled)
    assert not np.any(qa[0, 0] & filled)


def test_46_files_of_another_calendar_are_taken_as_they_are(tmp_path: Path) -> None:
    place = PLACES["on a composite's own day, in metres of a flat coast"]
    write_region(tmp_path, place, seed=4)
    for folder, word in (("ndvi_images", "NDVI"), ("weather_images", "Weather")):
        paths = sorted((tmp_path / folder).iterdir())
        last = max(path for path in paths if seed_layout.day_of(path) <= place.day)
        for back, path in enumerate(paths[paths.index(last) :: -1]):
            day = place.day - timedelta(3 + 8 * back)
            path.rename(path.with_name(f"{word}_{day}.tif.new"))
        for path in (tmp_path / folder).iterdir():
            path.rename(path.with_name(path.name.removesuffix(".new")))
    rows = dense(features_of(tmp_path, place).rows)
    expected = np.array(plain_rows(tmp_path, place.day))
    np.testing.assert_allclose(rows, expected, rtol=0, atol=1e-6, equal_nan=True)


def frame(window: GridWindow, seed: int = 0) -> Raster:
    rng = np.random.default_rng(seed)
    names = "vv_db", "vh_db", "angle_deg"
    return Raster(window, {n: rng.uniform(-20, 40, window.shape).astype(np.float32) for n in names})


def grid(off: tuple[float, float] = (0, 0), shape: tuple[int, int] = (4, 6)) -> GridWindow:
    west, north = 106.3 + off[0] * PIXEL, 9.95 - off[1] * PIXEL
    return GridWindow("EPSG:4326", Affine(PIXEL, 0, west, 0, -PIXEL, north), shape)


@pytest.mark.parametrize("off", [(0, 0), (0.3, -0.2), (0.7, 0.9)])
def test_a_slightly_shifted_frame_is_taken_value_by_value(off: tuple[float, float]) -> None:
    shifted = frame(grid(off))
    placed = placed_frame(grid(), shifted)
    assert placed.window == grid()
    for name, values in shifted.values.items():
        np.testing.assert_array_equal(placed.values[name], values)


@pytest.mark.parametrize(("off", "shape"), [((1, 0), (4, 6)), ((0, 0), (4, 7))])
def test_another_frame_is_joined_by_location(
    off: tuple[float, float], shape: tuple[int, int]
) -> None:
    placed, other = placed_frame(grid(), frame(grid(off, shape))), frame(grid(off, shape))
    east = int(off[0])
    values: NDArray[np.generic] = np.asarray(other.values["vv_db"])[:, : 6 - east]
    np.testing.assert_allclose(placed.values["vv_db"][:, east:], values, atol=1e-4)
    assert np.isnan(np.asarray(placed.values["vv_db"], float)[:, :east]).all()
