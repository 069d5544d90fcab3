"""The shared GeoTIFF reader: windows are crops, and every damage is one GranuleError."""

import warnings
from pathlib import Path

import numpy as np
import pytest
import rasterio
import rasterio.shutil
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st

from sm_platform.errors import GranuleError
from sm_platform.formats.geotiff import Bounds, read_bands, read_first
from sm_platform.grid.window import lonlat, lonlat_bounds
from sm_platform_tests.formats.provider_files import (
    DELTA,
    MODIS_H27_V06,
    SINUSOIDAL,
    write_tiff,
)

GRIDS = [
    pytest.param(DELTA, "EPSG:4326", id="degrees"),
    pytest.param(MODIS_H27_V06, SINUSOIDAL, id="sinusoidal"),
    pytest.param(Affine(100, 0, 600000, 0, -100, 2250000), "EPSG:32648", id="utm"),
]
FRACTION = st.floats(0.02, 0.98)


def numbers(rows: int, cols: int, dtype: str = "int16") -> np.ndarray:
    """Every cell another number."""
    return np.arange(rows * cols, dtype=dtype).reshape(rows, cols)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("geotiff")


def inner_bounds(outer: Bounds, corners: tuple[float, float, float, float]) -> Bounds:
    """Bounds inside the outer ones, by fractions of their sides."""
    west, south, east, north = outer
    x, y = sorted(corners[:2]), sorted(corners[2:])
    return (
        west + x[0] * (east - west),
        south + y[0] * (north - south),
        west + x[1] * (east - west),
        south + y[1] * (north - south),
    )


@pytest.mark.parametrize(("affine", "crs"), GRIDS)
@settings(max_examples=25, deadline=None)
@given(corners=st.tuples(FRACTION, FRACTION, FRACTION, FRACTION))
def test_a_windowed_read_is_a_crop_that_holds_every_cell_of_the_bounds(
    folder: Path, affine: Affine, crs: str, corners: tuple[float, float, float, float]
) -> None:
    path = folder / f"grid_{crs[:9].replace(':', '_')}.tif"
    if not path.exists():
        write_tiff(path, [numbers(60, 80)], affine=affine, crs=crs)
    whole = read_first(path, "n")
    bounds = inner_bounds(lonlat_bounds(whole.window), corners)
    part = read_first(path, "n", bounds_lonlat=bounds)
    col, row = ~whole.window.affine * (part.window.affine.c, part.window.affine.f)
    assert abs(row - round(row)) < 1e-6
    assert abs(col - round(col)) < 1e-6
    rows, cols = part.window.shape
    top, left = round(row), round(col)
    crop = whole.bands[0][top : top + rows, left : left + cols]
    np.testing.assert_array_equal(part.bands[0], crop)
    lon, lat = lonlat(whole.window)
    west, south, east, north = bounds
    wanted = whole.bands[0][(lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)]
    assert np.isin(wanted, part.bands[0]).all()


def test_the_window_has_one_cell_of_margin_and_stops_at_the_file(tmp_path: Path) -> None:
    path = write_tiff(tmp_path / "a.tif", [numbers(10, 10)], affine=Affine(1, 0, 100, 0, -1, 20))
    inside = read_first(path, "n", bounds_lonlat=(103.2, 14.2, 104.8, 15.8))
    assert inside.window.affine == Affine(1, 0, 102, 0, -1, 17)
    assert inside.window.shape == (4, 4)
    corner = read_first(path, "n", bounds_lonlat=(90, 18.5, 100.5, 40))
    assert corner.window.affine == Affine(1, 0, 100, 0, -1, 20)
    assert corner.window.shape == (3, 2)


@settings(max_examples=60, deadline=None)
@given(cut=st.floats(0, 0.999), compress=st.sampled_from(["none", "deflate", "lzw"]))
def test_a_file_cut_anywhere_is_refused_or_complete(
    folder: Path, cut: float, compress: str
) -> None:
    random = np.random.default_rng(3)
    values = random.integers(0, 30000, (64, 64)).astype(np.int16)
    path = folder / f"whole_{compress}.tif"
    if not path.exists():
        write_tiff(path, [values], compress=compress, tiled=True, blockxsize=16, blockysize=16)
    content = path.read_bytes()
    short = folder / "short.tif"
    short.write_bytes(content[: int(len(content) * cut)])
    try:
        found = read_first(short, "n").bands[0]
    except GranuleError as error:
        assert "short.tif" in str(error)
        assert "fetch" in str(error)
    else:
        np.testing.assert_array_equal(found, values)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # its logger
@settings(max_examples=200, deadline=None)
@given(place=st.floats(0, 0.9999), value=st.integers(0, 255), in_degrees=st.booleans())
def test_a_changed_byte_never_escapes_as_another_error(
    folder: Path, place: float, value: int, in_degrees: bool
) -> None:
    affine, crs = (DELTA, "EPSG:4326") if in_degrees else (MODIS_H27_V06, SINUSOIDAL)
    path = folder / f"small_{in_degrees}.tif"
    if not path.exists():
        write_tiff(path, [numbers(6, 6)], affine=affine, crs=crs, names=("NDVI",), nodata=-3000)
    content = bytearray(path.read_bytes())
    content[int(len(content) * place)] = value
    changed = folder / "changed.tif"
    changed.write_bytes(bytes(content))
    try:
        found = read_bands(changed, ("NDVI",))
    except GranuleError as error:
        assert "changed.tif" in str(error)
    else:
        assert found.bands[0].shape == found.window.shape


def test_damage_is_found_when_pixels_are_read_though_the_header_is_whole(tmp_path: Path) -> None:
    random = np.random.default_rng(4)
    path = write_tiff(
        tmp_path / "a.tif",
        [random.standard_normal((200, 200)).astype(np.float32)],
        tiled=True,
        blockxsize=64,
        blockysize=64,
        compress="deflate",
    )
    cog = tmp_path / "cog.tif"
    rasterio.shutil.copy(path, cog, driver="COG")
    cog.write_bytes(cog.read_bytes()[:-3000])
    with rasterio.open(cog) as file:
        assert file.shape == (200, 200)
    with pytest.raises(GranuleError, match=r"cog\.tif: the image is damaged .*: fetch it again"):
        read_first(cog, "n")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "an empty file"),
        (b"\n<!DOCTYPE HTML><html>login", "a web page"),
        (b"<html><body>502</body></html>", "a web page"),
        (b"PK\x03\x04rest", "a ZIP archive"),
        (b"\x89HDF\r\n\x1a\nrest", "an HDF5 file"),
        (b'{"error": 1}', "JSON"),
        (b"anything", "something else"),
    ],
)
def test_another_format_under_the_name_of_an_image_is_called_by_its_name(
    tmp_path: Path, content: bytes, said: str
) -> None:
    path = tmp_path / "image.tif"
    path.write_bytes(content)
    with pytest.raises(GranuleError, match=rf"image\.tif: is {said}.*: fetch it again"):
        read_first(path, "n")


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GranuleError, match=r"gone\.tif: cannot be opened"):
        read_first(tmp_path / "gone.tif", "n")


def test_a_file_without_crs_is_refused(tmp_path: Path) -> None:
    path = write_tiff(tmp_path / "a.tif", [numbers(4, 4)], crs=None)
    with pytest.raises(GranuleError, match=r"a\.tif: CRS or position is missing"):
        read_first(path, "n")


def test_a_file_without_position_is_refused_without_a_warning(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = write_tiff(tmp_path / "a.tif", [numbers(4, 4)], affine=None, crs=None)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(GranuleError, match="CRS or position is missing"):
            read_first(path, "n")


def test_another_crs_than_declared_is_refused(tmp_path: Path) -> None:
    path = write_tiff(tmp_path / "a.tif", [numbers(4, 4)], crs="EPSG:32648")
    with pytest.raises(GranuleError, match="CRS is EPSG:32648, declared is EPSG:4326"):
        read_first(path, "n", crs="EPSG:4326")


def test_a_rotated_grid_is_refused(tmp_path: Path) -> None:
    turned = Affine.translation(106, 20) * Affine.rotation(30) * Affine.scale(0.1, -0.1)
    path = write_tiff(tmp_path / "a.tif", [numbers(4, 4)], affine=turned)
    with pytest.raises(GranuleError, match=r"a\.tif: grid: .*not north-up"):
        read_first(path, "n")


def test_another_type_is_refused(tmp_path: Path) -> None:
    path = write_tiff(tmp_path / "a.tif", [numbers(4, 4)])
    with pytest.raises(GranuleError, match=r"a\.tif: swc is int16, not uint16 or uint8"):
        read_first(path, "swc", dtypes=("uint16", "uint8"))


def test_bounds_beside_the_file_are_refused(tmp_path: Path) -> None:
    path = write_tiff(tmp_path / "a.tif", [numbers(4, 4)])
    with pytest.raises(GranuleError, match=r"a\.tif: lies outside"):
        read_first(path, "n", bounds_lonlat=(10, 10, 11, 11))


def test_bands_are_found_by_description_whatever_their_order(tmp_path: Path) -> None:
    bands = [numbers(3, 3) + 100 * n for n in range(3)]
    names = ("angle", "VH", "vv_mean")
    path = write_tiff(tmp_path / "a.tif", bands, names=names)
    vv, vh = read_bands(path, ("VV", "VH")).bands
    assert (vv[0, 0], vh[0, 0]) == (200, 100)


def test_bands_are_found_by_order_when_none_is_described(tmp_path: Path) -> None:
    path = write_tiff(tmp_path / "a.tif", [numbers(3, 3), numbers(3, 3) + 100])
    vv, vh = read_bands(path, ("VV", "VH")).bands
    assert (vv[0, 0], vh[0, 0]) == (0, 100)


@pytest.mark.parametrize("names", [(), ("VV", "VH")])
def test_a_missing_band_is_named(tmp_path: Path, names: tuple[str, ...]) -> None:
    path = write_tiff(tmp_path / "a.tif", [numbers(3, 3), numbers(3, 3)], names=names)
    with pytest.raises(GranuleError, match=r"a\.tif: band angle is missing among"):
        read_bands(path, ("VV", "VH", "angle"))


def test_side_files_do_not_change_what_is_read(tmp_path: Path) -> None:
    path = write_tiff(tmp_path / "a.tif", [numbers(3, 3)], nodata=7)
    (tmp_path / "a.tif.aux.xml").write_text(
        "<PAMDataset><PAMRasterBand band='1'><Description>other</Description>"
        "<NoDataValue>3</NoDataValue></PAMRasterBand></PAMDataset>"
    )
    (tmp_path / "a.tfw").write_text("9\n0\n0\n-9\n1\n1\n")
    stored = read_bands(path, ("n",))
    assert stored.nodata == 7
    assert stored.window.affine == DELTA
