"""Exports of EO Browser: quality, value times two, data mask, the day in the name."""

from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from sm_platform.errors import GranuleError
from sm_platform.formats.eo_browser import day_of, read_eo_browser
from sm_platform.schema.readings import FieldReading
from sm_platform_tests.formats.provider_files import DELTA, write_tiff

NAME = "2025-01-10-00_00_2025-01-10-23_59_Planet_SWC.tiff"
FULL = {"uint8": 255, "uint16": 65535, "float32": 1.0, "float64": 1.0}


def read(folder: Path, *bands: object, dtype: str = "float32", **options: object) -> FieldReading:
    arrays = [np.atleast_2d(np.asarray(band, dtype)) for band in bands]
    (found,) = read_eo_browser(write_tiff(folder / NAME, arrays, **options))
    return found


def sm_of(found: FieldReading) -> list[float | None]:
    return [None if np.isnan(sm) else sm for sm in found.raster.values["sm_m3m3"].ravel()]


@pytest.mark.parametrize("dtype", FULL)
def test_the_bands_are_quality_value_and_mask(tmp_path: Path, dtype: str) -> None:
    full = FULL[dtype]
    value = np.array([0.1, 0.2, 0.2, 0.2, 0.0]) * full
    digits = value if dtype.startswith("f") else np.rint(value)
    mask = np.array([1, 1, 0, 1, 1]) * full
    found = read(tmp_path, [0, full, 0, 1, 0], digits, mask, dtype=dtype)
    expected = [2 * one / full for one in digits]
    expected[2] = None
    assert sm_of(found) == [None if sm is None else np.float32(sm) for sm in expected]
    assert found.raster.values["is_flagged"].tolist() == [[False, True, False, True, False]]


def test_named_bands_are_found_by_name_in_any_order(tmp_path: Path) -> None:
    found = read(tmp_path, [1], [0.15], [0], names=("mask", "value", "quality"))
    assert sm_of(found) == [np.float32(0.3)]
    assert not found.raster.values["is_flagged"].any()


def test_nothing_is_read_where_value_or_mask_are_fill(tmp_path: Path) -> None:
    nan = np.nan
    value, mask = [0.1, -9999, nan, 0.1, 0.1, np.inf], [1, 1, 1, -9999, nan, 1]
    found = read(tmp_path, [0, 0, 0, 0, 0, nan], value, mask, nodata=-9999)
    assert sm_of(found) == [np.float32(0.2), *[None] * 5]
    assert found.raster.values["is_flagged"].ravel().tolist() == [False] * 5 + [True]


def test_the_time_is_the_night_overpass_at_the_middle(tmp_path: Path) -> None:
    # Middle at 106.3 + 2 x 0.05 = 106.4 E: 01:30 local solar time is 18:24:24 UTC the day before.
    affine = Affine(0.05, 0, 106.3, 0, -0.05, 20.6)
    found = read(tmp_path, np.zeros(4), np.zeros(4), np.ones(4), affine=affine)
    assert found.sensed_utc == datetime(2025, 1, 9, 18, 24, 24, tzinfo=UTC)


def test_the_part_of_a_region_is_read(tmp_path: Path) -> None:
    value = np.arange(100.0).reshape(10, 10) / 1000
    path = write_tiff(tmp_path / NAME, [0 * value, value, 1 + 0 * value], affine=DELTA)
    bounds = (106.3045, 20.5955, 106.3055, 20.5965)
    (found,) = read_eo_browser(path, bounds_lonlat=bounds)
    rows, cols = found.raster.window.shape
    assert 1 <= rows < 10
    assert 1 <= cols < 10
    with pytest.raises(GranuleError, match=r"SWC\.tiff: lies outside"):
        read_eo_browser(path, bounds_lonlat=(0, 0, 1, 1))


@pytest.mark.parametrize(
    ("name", "day"),
    [
        (NAME, date(2025, 1, 10)),
        ("SWC_2024-02-29.TIF", date(2024, 2, 29)),
        ("swc-2024-02-29T00.tif", date(2024, 2, 29)),
    ],
)
def test_the_day_is_in_the_name(name: str, day: date) -> None:
    assert day_of(name) == day


@pytest.mark.parametrize(
    "name",
    ["", "swc.tiff", "2025-13-10.tif", "2023-02-29.tif", "12025-01-10.tif", "2025-01-10.png"],
)
def test_a_name_without_a_day_is_refused(name: str) -> None:
    with pytest.raises(GranuleError, match="holds no day like 2025-01-10"):
        day_of(name)


def test_other_files_are_refused(tmp_path: Path) -> None:
    two = np.zeros((2, 3, 4), np.float32)
    with pytest.raises(GranuleError, match="band mask is missing"):
        read_eo_browser(write_tiff(tmp_path / NAME, list(two)))
    with pytest.raises(GranuleError, match=r"SWC\.tiff: quality is int16, not"):
        read_eo_browser(write_tiff(tmp_path / NAME, [*np.zeros((3, 3, 4), np.int16)]))
    (tmp_path / NAME).write_bytes(b"<html>login")
    with pytest.raises(GranuleError, match="is a web page"):
        read_eo_browser(tmp_path / NAME)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("eo_browser")


@given(
    quality=arrays.arrays(np.uint8, (2, 3)),
    value=arrays.arrays(np.uint8, (2, 3)),
    mask=arrays.arrays(np.uint8, (2, 3), elements=st.sampled_from([0, 1, 255])),
)
def test_all_bytes_have_a_meaning(
    folder: Path, quality: np.ndarray, value: np.ndarray, mask: np.ndarray
) -> None:
    found = read(folder, quality, value, mask, dtype="uint8").raster.values
    np.testing.assert_array_equal(np.isnan(found["sm_m3m3"]), mask == 0)
    has_data = mask > 0
    np.testing.assert_allclose(found["sm_m3m3"][has_data] * 255, 2.0 * value[has_data], rtol=1e-6)
    np.testing.assert_array_equal(found["is_flagged"], quality > 0)
