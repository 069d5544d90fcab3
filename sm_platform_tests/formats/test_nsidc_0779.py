"""NSIDC-0779: two passes at 1 km, CRS that nobody understands, values that are none."""

from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from sm_platform.errors import GranuleError
from sm_platform.formats.nsidc_0779 import NAME, day_of, read_nsidc
from sm_platform.grid import ease2
from sm_platform_tests.formats.smap_files import NSIDC, moisture, write_nsidc

ROW, COL = 4737, 27464
"""Global 1 km row and column of 20.6 N, 104.9 E."""
SHAPE = (9, 12)
WINDOW = ease2.window(ease2.LEVEL_1KM, ROW, COL, SHAPE)
CELL = ease2.LEVEL_1KM.cell_m
BROKEN = 'LOCAL_CS["unnamed",UNIT["metre",1],AXIS["Easting",EAST],AXIS["Northing",NORTH]]'


def two(seed: int) -> list[np.ndarray]:
    return [moisture(seed, SHAPE), moisture(seed + 1, SHAPE)]


def test_band_1_is_the_morning_and_band_2_the_evening(tmp_path: Path) -> None:
    bands = two(1)
    am, pm = read_nsidc(write_nsidc(tmp_path / NSIDC, bands, row=ROW, col=COL))
    for found, stored in ((am, bands[0]), (pm, bands[1])):
        expected = np.where(stored < 0, np.nan, stored)
        np.testing.assert_array_equal(found.raster.values["sm_m3m3"], expected)
        assert found.raster.values["sm_m3m3"].dtype == np.float32
        assert found.raster.window == WINDOW
        assert not found.raster.values["is_flagged"].any()
    assert (am.pass_name, pm.pass_name) == ("am", "pm")
    lon, _ = ease2.centre_lonlat(ease2.LEVEL_1KM, ROW, COL + 6)
    morning = datetime(2025, 1, 10, 23, 0, tzinfo=UTC).timestamp() - (float(lon) - 105) * 240
    assert am.sensed_utc.timestamp() == pytest.approx(morning, abs=3)
    assert pm.sensed_utc.timestamp() == pytest.approx(morning - 12 * 3600, abs=3)


@settings(max_examples=40)
@given(values=arrays.arrays(np.float32, (2, 3, 4), elements=st.floats(-10000, 1.5, width=32)))
def test_what_is_no_soil_moisture_is_missing(
    tmp_path_factory: pytest.TempPathFactory, values: np.ndarray
) -> None:
    values[0, 0] = [np.nan, -9999, 0, 1]
    values[1, 0] = [0.5, np.inf, 1.0001, 0.2]
    # Plenty of plain values, lest the rest looks like percent.
    wide = np.concatenate([values, np.full((2, 3, 12), 0.3, np.float32)], axis=2)
    path = write_nsidc(tmp_path_factory.mktemp("a") / NSIDC, list(wide), row=ROW, col=COL)
    for found, stored in zip(read_nsidc(path), wide, strict=True):
        expected = np.where((stored > 0) & (stored <= 1), stored, np.nan)
        np.testing.assert_array_equal(found.raster.values["sm_m3m3"], expected)


@pytest.mark.parametrize("fill", [-9999, np.nan, 0, 9999, 65535])
def test_a_file_of_fill_is_two_fields_without_a_reading(tmp_path: Path, fill: float) -> None:
    empty = np.full(SHAPE, fill, np.float32)
    for found in read_nsidc(write_nsidc(tmp_path / NSIDC, [empty, empty], row=ROW, col=COL)):
        assert np.isnan(found.raster.values["sm_m3m3"]).all()


@pytest.mark.parametrize(
    "crs",
    [BROKEN, None, "EPSG:4326", "EPSG:3410", "+proj=cea +lat_ts=30 +R=6371228 +units=m"],
)
def test_a_wrong_crs_does_not_matter_where_the_cells_fit(tmp_path: Path, crs: str | None) -> None:
    path = write_nsidc(tmp_path / NSIDC, two(3), row=ROW, col=COL, crs=crs)
    for found in read_nsidc(path):
        assert found.raster.window == WINDOW
        assert found.raster.window.crs == "EPSG:6933"


def test_a_code_that_exists_nowhere_does_not_matter_either(tmp_path: Path) -> None:
    bands = two(4)
    path = write_nsidc(tmp_path / NSIDC, bands, row=ROW, col=COL)
    content = path.read_bytes()
    code = (6933).to_bytes(2, "little")
    assert content.count(code) == 1
    path.write_bytes(content.replace(code, (9999).to_bytes(2, "little")))
    expected = np.where(bands[0] < 0, np.nan, bands[0])
    am, _ = read_nsidc(path)
    assert am.raster.window == WINDOW
    np.testing.assert_array_equal(am.raster.values["sm_m3m3"], expected)


def moved(x: float, y: float, cell: float = CELL) -> Affine:
    """The grid of the file moved by metres, its cells of another size."""
    return Affine(cell, 0, WINDOW.affine.c + x, 0, -cell, WINDOW.affine.f + y)


@pytest.mark.parametrize("affine", [moved(0.5, -0.5), moved(0, 0, 1000.9), moved(40, -40)])
def test_a_rounded_corner_is_set_right(tmp_path: Path, affine: Affine) -> None:
    path = write_nsidc(tmp_path / NSIDC, two(5), row=ROW, col=COL, affine=affine)
    assert {found.raster.window for found in read_nsidc(path)} == {WINDOW}


@pytest.mark.parametrize(
    ("affine", "crs"),
    [
        (moved(100, 0), "EPSG:6933"),
        (moved(0, -500), "EPSG:6933"),
        (moved(0, 0, 1010), "EPSG:6933"),
        (moved(0, 0, 9008.055210146), BROKEN),
        (Affine(0.01, 0, 105, 0, -0.01, 21), "EPSG:4326"),
        (Affine(1000, 0, 500000, 0, -1000, 2300000), "EPSG:32648"),
        (Affine(CELL, 0, ease2.LEFT_M - 3 * CELL, 0, -CELL, 0), "EPSG:6933"),
        (Affine(CELL, 0, 0, 0, CELL, 0), "EPSG:6933"),
        (Affine(CELL, 0.5, WINDOW.affine.c, 0, -CELL, WINDOW.affine.f), "EPSG:6933"),
        (Affine(1010, 0, WINDOW.affine.c, 0, -CELL, WINDOW.affine.f), "EPSG:6933"),
        (Affine(CELL, 0, WINDOW.affine.c, 0, -1010, WINDOW.affine.f), "EPSG:6933"),
    ],
)
def test_other_grids_are_refused_by_name(tmp_path: Path, affine: Affine, crs: str) -> None:
    path = write_nsidc(tmp_path / NSIDC, two(6), row=ROW, col=COL, affine=affine, crs=crs)
    with pytest.raises(GranuleError, match=rf"{NSIDC}: cells .* not those of the 1 km EASE-Grid"):
        read_nsidc(path)


def test_a_file_is_cut_to_bounds(tmp_path: Path) -> None:
    bands = [moisture(7, (60, 80)), moisture(8, (60, 80))]
    path = write_nsidc(tmp_path / NSIDC, bands, row=ROW, col=COL)
    lon, lat = ease2.centre_lonlat(ease2.LEVEL_1KM, [ROW + 20, ROW + 30], [COL + 40, COL + 55])
    bounds = (float(lon[0]), float(lat[1]), float(lon[1]), float(lat[0]))
    am, _ = read_nsidc(path, bounds_lonlat=bounds)
    assert ease2.corner_cell(ease2.LEVEL_1KM, am.raster.window) == (ROW + 19, COL + 39)
    assert am.raster.window.shape == (13, 18)
    inside = bands[0][19:32, 39:57]
    np.testing.assert_array_equal(am.raster.values["sm_m3m3"], np.where(inside < 0, np.nan, inside))
    with pytest.raises(GranuleError, match=rf"{NSIDC}: lies outside"):
        read_nsidc(path, bounds_lonlat=(-10, 10, -9, 11))


def test_percent_is_refused_not_converted(tmp_path: Path) -> None:
    percent = [np.where(band < 0, band, band * 100) for band in two(9)]
    path = write_nsidc(tmp_path / NSIDC, percent, row=ROW, col=COL)
    with pytest.raises(GranuleError, match=rf"{NSIDC}: most values .* like percent, not m3/m3"):
        read_nsidc(path)


@pytest.mark.parametrize(("unit", "is_read"), [("m3/m3", True), ("cm3 cm-3", True), ("%", False)])
def test_a_stated_unit_is_believed(tmp_path: Path, unit: str, is_read: bool) -> None:
    path = write_nsidc(tmp_path / NSIDC, two(9), row=ROW, col=COL)
    with rasterio.open(path, "r+") as file:
        file.units = (unit, unit)
    if is_read:
        assert len(read_nsidc(path)) == 2
    else:
        with pytest.raises(GranuleError, match=rf"{NSIDC}: is in '%', not in m3/m3"):
            read_nsidc(path)


def test_packed_numbers_and_other_counts_of_bands_are_refused(tmp_path: Path) -> None:
    one = moisture(10, SHAPE)
    path = tmp_path / NSIDC
    write_nsidc(path, [one], row=ROW, col=COL)
    with pytest.raises(GranuleError, match=r"has 1 bands, not two \(6 h, 18 h\)"):
        read_nsidc(path)
    write_nsidc(path, [one.astype(np.int16)] * 2, row=ROW, col=COL)
    with pytest.raises(GranuleError, match="holds packed int16"):
        read_nsidc(path)
    write_nsidc(path, [one] * 2, row=ROW, col=COL)
    with rasterio.open(path, "r+") as file:
        file.scales = (0.001, 0.001)
    with pytest.raises(GranuleError, match="holds packed float32"):
        read_nsidc(path)


@pytest.mark.parametrize(
    "name", [NSIDC, "NSIDC-0779_EASE2_G1km_SMAP_SM_DS_20250110_VIETNAM.tif", NSIDC + "f"]
)
def test_names_tell_the_day(name: str) -> None:
    assert NAME.fullmatch(name)
    assert day_of(name) == date(2025, 1, 10)


@pytest.mark.parametrize("name", ["", "NSIDC-0779.tif", NSIDC.replace("0110", "0230")])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(GranuleError, match="is no name like NSIDC-0779_"):
        day_of(name)


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "an empty file"), (b"<html>", "a web page"), (b"\x89HDF\r\n\x1a\n", "an HDF5 file")],
)
def test_other_formats_are_refused_by_name(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / NSIDC
    path.write_bytes(content)
    with pytest.raises(GranuleError, match=rf"{NSIDC}: is {said}.*, not a GeoTIFF"):
        read_nsidc(path)


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes]:
    """A whole file and a place to damage copies of it."""
    path = tmp_path_factory.mktemp("nsidc") / NSIDC
    return path, write_nsidc(path, two(11), row=ROW, col=COL).read_bytes()


@settings(max_examples=40)
@given(cut=st.floats(0, 0.98))
def test_a_file_cut_anywhere_is_refused(content: tuple[Path, bytes], cut: float) -> None:
    path, whole = content
    path.write_bytes(whole[: int(len(whole) * cut)])
    with pytest.raises(GranuleError, match=rf"{NSIDC}: "):
        read_nsidc(path)


@settings(max_examples=150)
@given(place=st.floats(0, 0.9999), value=st.integers(0, 255))
def test_a_changed_byte_never_escapes_as_another_error(
    content: tuple[Path, bytes], place: float, value: int
) -> None:
    path, whole = content
    changed = bytearray(whole)
    changed[int(len(whole) * place)] = value
    path.write_bytes(bytes(changed))
    try:
        found = read_nsidc(path)
    except GranuleError as error:
        assert NSIDC in str(error)  # noqa: PT017
    else:
        assert len(found) == 2
