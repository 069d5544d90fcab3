"""Composites and weather as Earth Engine hands them over: what a file says, and what is refused."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from affine import Affine

from sm_platform.errors import GranuleError
from sm_platform.formats.era5_land_earth_engine import read_day
from sm_platform.formats.mod13q1_earth_engine import composite_day, read_composite
from sm_platform.grid.window import GridWindow
from sm_platform.sources.simulated.write_tiff import Array, Tiff, write_tiff

SINUSOIDAL = "+proj=sinu +lon_0=0 +x_0=0 +y_0=0 +R=6371007.181 +units=m +no_defs"
CELL = Affine(231.65635826395825, 0, 11_000_000, 0, -231.65635826395825, 2_300_000)
COMPOSITE = GridWindow(SINUSOIDAL, CELL, (1, 5))
WEATHER = GridWindow("EPSG:4326", Affine(0.1, 0, 105.95, 0, -0.1, 21.05), (1, 4))
DAY = date(2025, 1, 2)
TAGS = {"day": "2025-01-02", "is_preliminary": "yes"}
NOTHING = -32768


def digits(*values: int) -> Array:
    return np.array([values], np.int16)


def composite_file(folder: Path, granule_id: str, bands: Mapping[str, Array]) -> Path:
    path = folder / f"{granule_id}.tif"
    write_tiff(path, COMPOSITE, bands, Tiff(nodata=NOTHING))
    return path


def weather_file(folder: Path, window: GridWindow = WEATHER, **tags: str) -> Path:
    path = folder / "day.tif"
    kelvin = np.array([[300, 149, np.nan, 290.5]], np.float32)
    total = np.array([[0.002, -0.00005, np.nan, 2.5]], np.float32)
    bands = {"temperature_2m": kelvin, "total_precipitation_sum": total}
    write_tiff(path, window, bands, Tiff(nodata=float("nan"), tags=TAGS | tags))
    return path


def test_composite_of_modis(tmp_path: Path) -> None:
    bands = {
        "NDVI": digits(5000, -2000, 10001, NOTHING, 0),
        "SummaryQA": digits(0, 1, 6, NOTHING, 3),
        "DayOfYear": digits(361, 2, 100, NOTHING, 366),
    }
    name = "MYD13Q1.061_2024_12_18"
    with pytest.raises(GranuleError, match="no composite begins"):
        read_composite(composite_file(tmp_path, "x", bands), name)
    name = "MOD13Q1.061_2024_12_18"
    values = read_composite(composite_file(tmp_path, name, bands), name).values
    np.testing.assert_allclose(values["ndvi"], [[0.5, -0.2, np.nan, np.nan, 0]], rtol=1e-6)
    assert values["ndvi_range_code"].tolist() == [[0, 0, 1, -1, 0]]
    assert values["reliability_code"].tolist() == [[0, 1, 2, -1, 3]]
    seen = [date(2024, 12, 26).toordinal(), date(2025, 1, 2).toordinal(), -1, -1]
    assert values["observed_day"].tolist() == [[*seen, date(2024, 12, 31).toordinal()]]


def test_composite_of_viirs_is_on_the_scale_of_modis(tmp_path: Path) -> None:
    bands = {
        "NDVI": digits(5000, -9000, 10000, NOTHING, 0),
        "pixel_reliability": digits(1, 2, 8, NOTHING, 9),
        "composite_day_of_the_year": digits(9, 24, 25, NOTHING, 10),
    }
    name = "VNP13A1.002_2025_01_09"
    values = read_composite(composite_file(tmp_path, name, bands), name).values
    assert values["ndvi_range_code"].tolist() == [[0, -1, 0, -1, 0]]
    assert values["reliability_code"].tolist() == [[0, 1, 2, -1, 3]]
    seen = values["observed_day"][0] - date(2024, 12, 31).toordinal()
    assert seen[[0, 1, 4]].tolist() == [9, 24, 10]
    assert values["observed_day"][0, 2] == -1


@pytest.mark.parametrize(
    "name",
    [
        "MOD13Q1.061_2025_01_02",
        "MOD13Q1.061_2025_13_01",
        "MOD13Q1.A2025001",
        "MOD13Q1.006_2025_01_01",
    ],
)
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(GranuleError, match=name):
        composite_day(name)


def test_composite_without_a_band_is_refused(tmp_path: Path) -> None:
    name = "MOD13Q1.061_2025_01_01"
    path = composite_file(tmp_path, name, {"NDVI": digits(1, 1, 1, 1, 1)})
    with pytest.raises(GranuleError, match="band SummaryQA is missing"):
        read_composite(path, name)


def test_day_of_weather(tmp_path: Path) -> None:
    raster = read_day(weather_file(tmp_path), DAY)
    values = raster.values
    np.testing.assert_array_equal(
        values["temperature_k"], np.float32([[300, np.nan, np.nan, 290.5]])
    )
    np.testing.assert_array_equal(
        values["precipitation_m"], np.float32([[0.002, 0, np.nan, np.nan]])
    )
    assert values["temperature_range_code"].tolist() == [[0, -1, 0, 0]]
    assert values["precipitation_range_code"].tolist() == [[0, 0, 0, 1]]
    assert values["is_preliminary"].all()
    assert raster.window == WEATHER
    assert (
        not read_day(weather_file(tmp_path, is_preliminary="no"), DAY)
        .values["is_preliminary"]
        .any()
    )


def test_weather_that_is_not_what_it_should_be_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GranuleError, match="of 2025-01-02, not of 2025-01-03"):
        read_day(weather_file(tmp_path), date(2025, 1, 3))
    with pytest.raises(GranuleError, match="whether it is preliminary"):
        read_day(weather_file(tmp_path, is_preliminary="perhaps"), DAY)
    beside = GridWindow("EPSG:4326", Affine(0.1, 0, 106.0, 0, -0.1, 21.05), (1, 4))
    with pytest.raises(GranuleError, match="not those of ERA5-Land"):
        read_day(weather_file(tmp_path, beside), DAY)
