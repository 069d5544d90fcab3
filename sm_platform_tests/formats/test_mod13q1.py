"""MODIS composites: decoding, days of observation, quality; real tiles where they are at hand."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from hypothesis import given
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from sm_platform.errors import GranuleError
from sm_platform.formats.mod13q1 import SINUSOIDAL, composite_day, decode_ndvi, read_composite
from sm_platform.grid.window import lonlat_bounds
from sm_platform_tests.formats.provider_files import MODIS_H27_V06, write_tiff

TERRA = "MOD13Q1.A2025001.h27v06.061.2025018000000"
TERRA_LAST = "MOD13Q1.A2024353.h27v06.061.2025004000000"
AQUA_LAST = "MYD13Q1.A2025361.h27v06.061.2026013000000"
SUFFIXES = ("NDVI", "pixel_reliability", "composite_day_of_the_year")
REAL_H30 = "MYD13A1.A2020153.h30v10.006.2020170024036"
Shared = Callable[..., Path]


def write_composite(
    folder: Path, granule_id: str, layers: list[NDArray[Any]], **grid: object
) -> None:
    """NDVI, reliability and day of the year, on the grid of tile h27v06 by default."""
    grid = {"affine": MODIS_H27_V06, "crs": SINUSOIDAL} | grid
    for suffix, layer in zip(SUFFIXES, layers, strict=True):
        write_tiff(folder / f"{granule_id}_250m_16_days_{suffix}.tif", [layer], **grid)


def row(values: list[int], dtype: str = "int16") -> NDArray[Any]:
    return np.array([values], dtype=dtype)


@pytest.mark.parametrize(
    ("granule_id", "day"),
    [
        (TERRA, date(2025, 1, 1)),
        (TERRA_LAST, date(2024, 12, 18)),
        (AQUA_LAST, date(2025, 12, 27)),
        ("MYD13Q1.A2024009.h28v08.061.2024026000000", date(2024, 1, 9)),
    ],
)
def test_the_first_day_of_a_composite(granule_id: str, day: date) -> None:
    assert composite_day(granule_id) == day


@pytest.mark.parametrize(
    "wrong",
    [
        "MOD13Q1.A2025009.h27v06.061.2025018000000",
        "MYD13Q1.A2025001.h27v06.061.2025018000000",
        "MOD13Q1.A2025000.h27v06.061.2025018000000",
        "MOD13Q1.A2025369.h27v06.061.2025018000000",
        "MOD13Q1.A2025001.h27v06.061",
        "NDVI_2025-01-01",
        REAL_H30,
    ],
)
def test_other_ids_are_refused(wrong: str) -> None:
    with pytest.raises(GranuleError, match="check (its|the file's) name"):
        composite_day(wrong)


@given(arrays.arrays(np.int16, (4, 5)))
def test_numbers_become_ndvi_or_a_range_code(stored: NDArray[np.int16]) -> None:
    ndvi, code = decode_ndvi(stored)
    np.testing.assert_array_equal(code == -1, stored < -2000)
    np.testing.assert_array_equal(code == 1, stored > 10000)
    np.testing.assert_array_equal(np.isnan(ndvi), code != 0)
    valid = code == 0
    np.testing.assert_array_equal(np.rint(ndvi[valid] * 10000), stored[valid])
    assert ndvi.dtype == np.float32
    assert code.dtype == np.int8


def test_a_composite_by_hand(tmp_path: Path) -> None:
    layers = [
        row([-3000, -2000, 0, 7500, 10000, 10001]),
        row([-1, 0, 1, 2, 3, 4], "int8"),
        row([-1, 1, 16, 17, 0, 5]),
    ]
    write_composite(tmp_path, TERRA, layers, nodata=None)
    found = read_composite(tmp_path, TERRA)
    expected = np.array([[np.nan, -0.2, 0, 0.75, 1, np.nan]], dtype=np.float32)
    np.testing.assert_array_equal(found.values["ndvi"], expected)
    np.testing.assert_array_equal(found.values["ndvi_range_code"], [[-1, 0, 0, 0, 0, 1]])
    np.testing.assert_array_equal(found.values["reliability_code"], [[-1, 0, 1, 2, 3, -1]])
    first = date(2025, 1, 1).toordinal()
    days = [[-1, first, first + 15, -1, -1, first + 4]]
    np.testing.assert_array_equal(found.values["observed_day"], days)
    kinds = {name: band.dtype.name for name, band in found.values.items()}
    assert kinds == {
        "ndvi": "float32",
        "ndvi_range_code": "int8",
        "reliability_code": "int8",
        "observed_day": "int32",
    }
    assert (found.window.crs, found.window.affine) == (SINUSOIDAL, MODIS_H27_V06)


@pytest.mark.parametrize("start", [date(2024, 12, 18), date(2025, 12, 19)])
def test_the_last_composite_of_a_year_runs_into_the_next(tmp_path: Path, start: date) -> None:
    granule_id = f"MOD13Q1.A{start:%Y%j}.h27v06.061.2026004000000"
    days = [start + timedelta(days=n) for n in range(17)]
    stored = row([*(day.timetuple().tm_yday for day in days), 0, -1])
    layers = [np.full_like(stored, 5000), np.zeros_like(stored, dtype=np.int8), stored]
    write_composite(tmp_path, granule_id, layers)
    found = read_composite(tmp_path, granule_id).values["observed_day"]
    assert [date.fromordinal(number) for number in found[0, :16].tolist()] == days[:16]
    assert (found[0, 16:] == -1).all()


def test_a_part_of_a_composite_is_a_crop_of_all_its_layers(tmp_path: Path) -> None:
    random = np.random.default_rng(5)
    layers = [
        random.integers(-2000, 10001, (40, 50)).astype(np.int16),
        random.integers(0, 4, (40, 50)).astype(np.int8),
        random.integers(1, 17, (40, 50)).astype(np.int16),
    ]
    write_composite(tmp_path, TERRA, layers, compress="deflate")
    whole = read_composite(tmp_path, TERRA)
    west, south, east, north = lonlat_bounds(whole.window)
    middle = ((west + east) / 2, (south + north) / 2)
    bounds = (middle[0] - 0.01, middle[1] - 0.01, middle[0] + 0.01, middle[1] + 0.01)
    part = read_composite(tmp_path, TERRA, bounds_lonlat=bounds)
    left = round((part.window.affine.c - whole.window.affine.c) / whole.window.affine.a)
    top = round((part.window.affine.f - whole.window.affine.f) / whole.window.affine.e)
    rows, cols = part.window.shape
    assert part.window.size < whole.window.size / 2
    for name, band in part.values.items():
        crop = whole.values[name][top : top + rows, left : left + cols]
        np.testing.assert_array_equal(band, crop)


def test_fill_as_unsigned_bytes_is_unknown(tmp_path: Path) -> None:
    layers = [row([1, 1]), row([255, 3], "uint8"), row([1, 1])]
    write_composite(tmp_path, TERRA, layers)
    found = read_composite(tmp_path, TERRA).values["reliability_code"]
    np.testing.assert_array_equal(found, [[-1, 3]])


def test_a_wrong_layer_is_named(tmp_path: Path) -> None:
    good = [row([1, 1]), row([0, 0], "int8"), row([1, 1])]
    write_composite(tmp_path, TERRA, [good[0].astype(np.float32), *good[1:]])
    with pytest.raises(GranuleError, match=r"_NDVI\.tif: NDVI is float32, not int16"):
        read_composite(tmp_path, TERRA)
    write_composite(tmp_path, TERRA, good, crs="EPSG:6933")
    with pytest.raises(GranuleError, match=r"_NDVI\.tif: CRS is EPSG:6933, declared is \+proj"):
        read_composite(tmp_path, TERRA)
    write_composite(tmp_path, TERRA, [good[0], row([0, 0, 0], "int8"), good[2]])
    with pytest.raises(GranuleError, match="layers lie on different grids"):
        read_composite(tmp_path, TERRA)
    (tmp_path / f"{TERRA}_250m_16_days_pixel_reliability.tif").unlink()
    with pytest.raises(GranuleError, match=r"pixel_reliability\.tif: cannot be opened"):
        read_composite(tmp_path, TERRA)


@pytest.mark.parametrize("day", ["01-17", "02-18", "03-22", "04-23"])
def test_lossy_copies_smear_the_fill_and_the_valid_range_catches_it(
    tmp_path: Path, shared: Shared, day: str
) -> None:
    path = shared("realdata", "modis", f"TERRA_MODIS_012010_NDVI_2014-{day}.jp2")
    with rasterio.open(path) as file:
        stored, affine = file.read(1), file.transform
    layers = [stored, np.zeros_like(stored, dtype=np.int8), np.ones_like(stored)]
    write_composite(tmp_path, TERRA, layers, affine=affine)
    name = tmp_path / f"{TERRA}_250m_16_days_NDVI.tif"
    name.unlink()
    name.symlink_to(path)
    found = read_composite(tmp_path, TERRA).values
    valid = (stored >= -2000) & (stored <= 10000)
    assert np.unique(stored[stored < -2000]).size > 1
    np.testing.assert_array_equal(~np.isnan(found["ndvi"]), valid)
    np.testing.assert_array_equal(found["ndvi"][valid], (stored[valid] / 10000).astype(np.float32))
    np.testing.assert_array_equal(found["ndvi_range_code"] == 1, stored > 10000)


def test_a_real_tile_is_read_by_its_scale_and_not_by_its_tag(
    tmp_path: Path, shared: Shared
) -> None:
    real = shared("realdata", "modis", f"{REAL_H30}_NDVI_B01.TIF")
    quality = shared("realdata", "modis", f"{REAL_H30}_PR_B12.TIF")
    with rasterio.open(real) as file, rasterio.open(quality) as other:
        stored, affine, codes = file.read(1), file.transform, other.read(1)
        assert file.scales == (10000.0,)
    granule_id = "MYD13Q1.A2020153.h30v10.006.2020170024036"
    for suffix, source in (("NDVI", real), ("pixel_reliability", quality)):
        (tmp_path / f"{granule_id}_250m_16_days_{suffix}.tif").symlink_to(source)
    days = tmp_path / f"{granule_id}_250m_16_days_composite_day_of_the_year.tif"
    write_tiff(days, [np.full_like(stored, 168)], affine=affine, crs=SINUSOIDAL)
    found = read_composite(tmp_path, granule_id).values
    valid = stored != -3000
    np.testing.assert_array_equal(found["ndvi_range_code"] == -1, ~valid)
    np.testing.assert_allclose(found["ndvi"][valid], stored[valid] / 10000, rtol=1e-6)
    assert np.nanmax(found["ndvi"]) == pytest.approx(0.9446)
    np.testing.assert_array_equal(found["reliability_code"] == -1, codes == 255)
    np.testing.assert_array_equal(found["observed_day"], date(2020, 6, 16).toordinal())
