"""The seed system's files: what counts as missing is file by file what that system does."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from sm_platform.errors import GranuleError
from sm_platform.formats import seed_layout
from sm_platform.grid.window import Raster
from sm_platform_tests.formats.provider_files import write_tiff

Shared = Callable[..., Path]
NAN = np.nan


def row(*values: float) -> np.ndarray:
    return np.array([values], dtype=np.float32)


def test_exactly_zero_is_missing_per_radar_band_and_tags_are_ignored(tmp_path: Path) -> None:
    bands = [row(0, -10, -0.0, -9), row(-16, 0, -17, -9), row(38, 38, 0, 29.5)]
    path = write_tiff(tmp_path / "S1_2025-01-03.tif", bands, nodata=-9)
    found = seed_layout.read_s1(path).values
    np.testing.assert_array_equal(found["vv_db"], row(NAN, -10, NAN, -9))
    np.testing.assert_array_equal(found["vh_db"], row(-16, NAN, -17, -9))
    np.testing.assert_array_equal(found["angle_deg"], row(38, 38, NAN, 29.5))


def test_a_radar_number_beyond_measuring_is_clipped_not_missing(tmp_path: Path) -> None:
    bands = [row(-9999, 99, NAN), row(-32768, -80, 0), row(-9999, 1e-30, 200)]
    path = write_tiff(tmp_path / "S1_2025-01-03.tif", bands, nodata=-9999)
    found = seed_layout.read_s1(path).values
    np.testing.assert_array_equal(found["vv_db"], row(-80, 40, NAN))
    np.testing.assert_array_equal(found["vh_db"], row(-80, -80, NAN))
    np.testing.assert_array_equal(found["angle_deg"], row(1, 1, 90))


def test_bands_are_taken_by_description_where_there_is_one(tmp_path: Path) -> None:
    bands = [row(38), row(-16), row(-10)]
    path = write_tiff(tmp_path / "S1_2025-01-03.tif", bands, names=("angle", "VH", "VV"))
    assert seed_layout.read_s1(path).values["vv_db"] == -10
    path = write_tiff(tmp_path / "S1_2025-01-04.tif", bands)
    assert seed_layout.read_s1(path).values["vv_db"] == 38


@pytest.mark.parametrize("names", [("band_1", "band_2", "band_3"), ("sigma VV", "sigma VH", "x")])
def test_descriptions_that_name_no_band_leave_the_order(
    tmp_path: Path, names: tuple[str, ...]
) -> None:
    path = write_tiff(tmp_path / "S1_2025-01-03.tif", [row(-10), row(-16), row(38)], names=names)
    found = seed_layout.read_s1(path).values
    assert [float(found[name][0, 0]) for name in ("vv_db", "vh_db", "angle_deg")] == [-10, -16, 38]


def test_ndvi_out_of_range_is_told_from_missing(tmp_path: Path) -> None:
    stored = row(0, -2000, 10000, 7500.5, NAN, -2000.5, -3000, -32768, 10000.5, np.inf)
    found = seed_layout.read_ndvi(
        write_tiff(tmp_path / "NDVI_2025-01-01.tif", [stored], nodata=0)
    ).values
    expected = row(0, -0.2, 1, 0.75005, NAN, NAN, NAN, NAN, NAN, NAN)
    np.testing.assert_array_equal(found["ndvi"], expected)
    np.testing.assert_array_equal(found["ndvi_range_code"], [[0, 0, 0, 0, 0, -1, -1, -1, 1, 1]])
    assert (found["reliability_code"] == -1).all()
    assert (found["observed_day"] == -1).all()
    assert [found[name].dtype.name for name in found] == ["float32", "int8", "int8", "int32"]


def test_integer_ndvi_is_the_same(tmp_path: Path) -> None:
    path = write_tiff(tmp_path / "NDVI_2025-01-01.tif", [np.array([[5000, -3000]], np.int16)])
    np.testing.assert_array_equal(seed_layout.read_ndvi(path).values["ndvi"], row(0.5, NAN))


@given(stored=arrays.arrays(np.float32, (2, 3), elements=st.floats(width=32)))
def test_the_range_code_restores_what_clipping_would_give(
    tmp_path_factory: pytest.TempPathFactory, stored: np.ndarray
) -> None:
    """The seed system clips what is no NaN to 0..1 after scaling; value and code say the same."""
    path = tmp_path_factory.getbasetemp() / "NDVI_2025-01-01.tif"
    found = seed_layout.read_ndvi(write_tiff(path, [stored])).values
    clipped = np.clip((stored.astype(np.float64) + 2000) / 12000, 0, 1)
    code = found["ndvi_range_code"]
    rebuilt = np.where(code == 0, (found["ndvi"] * 10000.0 + 2000) / 12000, (code + 1) / 2)
    np.testing.assert_allclose(rebuilt, clipped, atol=1e-7)


def test_weather_with_codes(tmp_path: Path) -> None:
    temperature = row(300, NAN, -9999, 350.5, 150, 0)
    total = row(0.01, -5e-5, -1, NAN, 2.5, 0)
    found = seed_layout.read_weather(
        write_tiff(tmp_path / "Weather_2025-01-01.tif", [temperature, total])
    ).values
    np.testing.assert_array_equal(found["temperature_k"], row(300, NAN, NAN, NAN, 150, NAN))
    np.testing.assert_array_equal(found["temperature_range_code"], [[0, 0, -1, 1, 0, -1]])
    np.testing.assert_array_equal(found["precipitation_m"], row(0.01, 0, NAN, NAN, NAN, 0))
    np.testing.assert_array_equal(found["precipitation_range_code"], [[0, 0, -1, 0, 1, 0]])
    assert found["is_preliminary"].dtype == bool
    assert not found["is_preliminary"].any()


@pytest.mark.parametrize(
    ("read", "names", "fill"),
    [
        (seed_layout.read_soil, ("sand_g_kg", "clay_g_kg", "bulk_density_cg_cm3"), NAN),
        (seed_layout.read_terrain, ("elevation_m", "slope_deg", "aspect_deg"), -32768),
    ],
)
def test_static_files_keep_zero_and_soil_loses_the_fill(
    tmp_path: Path, read: Callable[[Path], Raster], names: tuple[str, ...], fill: float
) -> None:
    stored = row(0, -32768, NAN, 5.5, -3)
    path = write_tiff(tmp_path / "static.tif", [stored, stored + 1, stored], nodata=5.5)
    found = read(path).values
    assert tuple(found) == names
    np.testing.assert_array_equal(found[names[0]], row(0, fill, NAN, 5.5, -3))
    np.testing.assert_array_equal(found[names[1]], row(1, -32767, NAN, 6.5, -2))


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("S1_2025-01-03.tif", date(2025, 1, 3)),
        ("NDVI_2024-02-29.tif", date(2024, 2, 29)),
        ("2025-01-27.tif", date(2025, 1, 27)),
    ],
)
def test_the_day_is_in_the_name(name: str, day: date) -> None:
    assert seed_layout.day_of(Path("folder-2020-01-01") / name) == day


@pytest.mark.parametrize("name", ["S1.tif", "S1_2025-02-30.tif", "S1_20250103.tif"])
def test_a_name_without_day_is_refused(name: str) -> None:
    with pytest.raises(GranuleError, match="names no day"):
        seed_layout.day_of(Path(name))


def test_another_crs_or_a_missing_band_is_refused(tmp_path: Path) -> None:
    path = write_tiff(tmp_path / "S1_2025-01-03.tif", [row(1)] * 3, crs="EPSG:32648")
    with pytest.raises(GranuleError, match="CRS is EPSG:32648, declared is EPSG:4326"):
        seed_layout.read_s1(path)
    path = write_tiff(tmp_path / "S1_2025-01-03.tif", [row(1)] * 2)
    with pytest.raises(GranuleError, match="band angle is missing"):
        seed_layout.read_s1(path)


GOLDEN = [
    ("s1_images/S1_2025-01-03.tif", seed_layout.read_s1, 3),
    ("s1_images/S1_2025-01-27.tif", seed_layout.read_s1, 3),
    ("ndvi_images/NDVI_2025-01-01.tif", seed_layout.read_ndvi, 1),
    ("weather_images/Weather_2025-01-01.tif", seed_layout.read_weather, 2),
    ("soilgrid_images/SoilGrid_sand_clay_bdod.tif", seed_layout.read_soil, 3),
    ("dem_images/DEM_elevation_slope_aspect_30m.tif", seed_layout.read_terrain, 3),
]


@pytest.mark.parametrize(("name", "read", "count"), GOLDEN)
def test_golden_files_are_read_as_rasterio_reads_them(
    shared: Shared, name: str, read: Callable[[Path], Raster], count: int
) -> None:
    path = shared("golden", "roi", "goldroi", "data", *name.split("/"))
    with rasterio.open(path) as file:
        stored, affine = file.read(), file.transform
    found = read(path)
    assert found.window.affine == affine
    assert found.window.crs == "EPSG:4326"
    scale = np.float32(1e-4) if "NDVI" in name else np.float32(1)
    for band, values in zip(stored, list(found.values.values())[:count], strict=True):
        assert values.dtype == np.float32
        if "NDVI" in name:
            np.testing.assert_allclose(values, band * scale, rtol=2e-7)
        else:
            np.testing.assert_array_equal(values, band)
