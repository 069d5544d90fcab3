"""SPL4SMGP and SPL4SMAU: values, places, times, and every way a file can be wrong."""

import shutil
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import h5py
import numpy as np
import pytest
import rasterio
from hypothesis import given, settings
from hypothesis import strategies as st

from sm_platform.errors import GranuleError
from sm_platform.formats.spl4sm import FIELDS, NAME, day_of, read_spl4, sensed_utc
from sm_platform.grid import ease2
from sm_platform.grid.window import lonlat
from sm_platform_tests.formats.smap_files import (
    CORNER,
    L4_ATTRIBUTES,
    SPL4,
    SPL4_ANALYSIS,
    moisture,
    put,
    write_spl4,
)

Shared = Callable[..., Path]
REAL = "SMAP_L4_SM_aup_20200128T150000_Vv4030_001.h5"
"""The real subset's own name, from its attribute `Filename`."""
SHAPE = (5, 7)


def real_copy(folder: Path, shared: Shared) -> Path:
    """The real subset under its own name, its one field where soil moisture is looked for."""
    path = folder / REAL
    shutil.copyfile(shared("realdata", "smap", "SMAP_L4_SM_aup_comparison.h5"), path)
    with h5py.File(path, "r+") as file:
        file[FIELDS["aup"]] = file["Analysis_Data/sm_profile_analysis"]
    return path


def test_the_real_granule_equals_its_geotiff(tmp_path: Path, shared: Shared) -> None:
    (found,) = read_spl4(real_copy(tmp_path, shared))
    with rasterio.open(shared("realdata", "smap", "SMAP_L4_SM_aup_comparison.tif")) as twin:
        np.testing.assert_array_equal(found.raster.values["sm_m3m3"], twin.read(1))
        np.testing.assert_allclose(found.raster.window.bounds, twin.bounds, atol=1)
    assert found.raster.values["sm_m3m3"].dtype == np.float32
    assert not found.raster.values["is_flagged"].any()
    assert (found.sensed_utc, found.pass_name) == (datetime(2020, 1, 28, 15, tzinfo=UTC), "1500")


def test_the_real_granule_lies_at_its_published_rows_and_columns(
    tmp_path: Path, shared: Shared
) -> None:
    path = real_copy(tmp_path, shared)
    window = read_spl4(path)[0].raster.window
    assert ease2.corner_cell(ease2.LEVEL_9KM, window) == (289, 664)
    with h5py.File(path) as file:
        published, x, y = (file[name][()] for name in ("cell_column", "x", "y"))
    np.testing.assert_array_equal(published[0], np.arange(664, 728))
    gpd = {
        line.split(":")[0]: float(line.split(":")[1].split()[0])
        for line in shared("realdata", "smap", "EASE2_M09km.gpd").read_text().splitlines()
        if line.startswith(("Map Origin", "Grid Map Units"))
    }
    cell = gpd["Grid Map Units per Cell"]
    np.testing.assert_array_equal(
        np.floor((gpd["Map Origin Y"] - y) / cell).astype(int), np.arange(289, 289 + 56)
    )
    np.testing.assert_array_equal(
        np.floor((x - gpd["Map Origin X"]) / cell).astype(int), published[0]
    )


def test_the_real_granule_is_cut_to_bounds(tmp_path: Path, shared: Shared) -> None:
    path = real_copy(tmp_path, shared)
    whole, part = read_spl4(path)[0].raster, read_spl4(path, bounds_lonlat=(-115, 38, -114, 39))[0]
    row, col = ease2.corner_cell(ease2.LEVEL_9KM, part.raster.window) or (0, 0)
    rows, cols = part.raster.window.shape
    inside = whole.values["sm_m3m3"][row - 289 : row - 289 + rows, col - 664 : col - 664 + cols]
    np.testing.assert_array_equal(part.raster.values["sm_m3m3"], inside)
    lon, lat = lonlat(part.raster.window)
    assert lon[0, 0] < -115 < lon[0, 2]
    assert lon[0, -1] > -114 > lon[0, -3]
    assert lat[0, 0] > 39 > lat[2, 0]
    assert lat[-1, 0] < 38 < lat[-3, 0]


def test_a_global_file_and_a_subset_of_it_give_the_same_cells(tmp_path: Path) -> None:
    part = moisture(1, (40, 60), gaps=0.1)
    globe = np.full(ease2.LEVEL_9KM.shape, -9999, np.float32)
    globe[CORNER[0] : CORNER[0] + 40, CORNER[1] : CORNER[1] + 60] = part
    whole = write_spl4(tmp_path / SPL4, globe)
    subset = write_spl4(tmp_path / SPL4.replace(".h5", "_subset.h5"), part, corner=CORNER)
    bounds = (105.5, 18.5, 107.0, 20.0)
    (one,), (other,) = (read_spl4(path, bounds_lonlat=bounds) for path in (whole, subset))
    assert one.raster.window == other.raster.window
    row, col = ease2.cells(ease2.LEVEL_9KM, *ease2.project(106.4, 19.3))
    corner = ease2.corner_cell(ease2.LEVEL_9KM, one.raster.window)
    assert corner is not None
    assert globe[row, col] > 0
    assert one.raster.values["sm_m3m3"][row - corner[0], col - corner[1]] == globe[row, col]
    assert one.sensed_utc == other.sensed_utc == datetime(2025, 1, 10, 22, 30, tzinfo=UTC)
    assert one.pass_name == other.pass_name == "2230"  # noqa: S105
    np.testing.assert_array_equal(one.raster.values["sm_m3m3"], other.raster.values["sm_m3m3"])


def test_a_whole_globe_is_read_without_bounds(tmp_path: Path) -> None:
    globe = np.full(ease2.LEVEL_9KM.shape, 0.25, np.float32)
    (found,) = read_spl4(write_spl4(tmp_path / SPL4, globe))
    assert found.raster.window == ease2.window(ease2.LEVEL_9KM, 0, 0, (1624, 3856))


def test_coordinates_alone_place_a_subset(tmp_path: Path) -> None:
    path = write_spl4(tmp_path / SPL4, moisture(2, SHAPE))
    with pytest.raises(GranuleError, match="neither cell_row nor y says which"):
        read_spl4(path)
    cell = ease2.LEVEL_9KM.cell_m
    with h5py.File(path, "r+") as file:
        file["y"] = np.rint(ease2.TOP_M - (CORNER[0] + np.arange(SHAPE[0]) + 0.5) * cell)
        file["x"] = np.rint(ease2.LEFT_M + (CORNER[1] + np.arange(SHAPE[1]) + 0.5) * cell)
    assert read_spl4(path)[0].raster.window == ease2.window(ease2.LEVEL_9KM, *CORNER, SHAPE)


def test_fill_and_what_the_file_calls_invalid_is_missing(tmp_path: Path) -> None:
    nan = np.nan
    values = np.array([[-9999, -0.1, 0, 0.9, 0.901], [nan, np.inf, 0.3, 1.5, 1e15]], np.float32)
    path = write_spl4(tmp_path / SPL4, values, corner=CORNER)
    found = read_spl4(path)[0].raster.values["sm_m3m3"]
    expected = np.array([[nan, nan, 0, 0.9, nan], [nan, nan, 0.3, nan, nan]], np.float32)
    np.testing.assert_array_equal(found, expected)


def test_limits_wider_than_a_soil_can_hold_are_not_believed(tmp_path: Path) -> None:
    values = np.array([[-0.5, 1.0, 35.0]], np.float32)
    attributes = {"units": "m3/m3", "valid_min": -1.0, "valid_max": 100.0}
    path = write_spl4(tmp_path / SPL4, values, corner=CORNER, attributes=attributes)
    found = read_spl4(path)[0].raster.values["sm_m3m3"]
    np.testing.assert_array_equal(found, np.array([[np.nan, 1, np.nan]], np.float32))


def test_percent_is_refused_whatever_unit_the_file_states(tmp_path: Path) -> None:
    values = np.array([[25, -9999, 31, 0.4]], np.float32)
    path = write_spl4(tmp_path / SPL4, values, corner=CORNER)
    with pytest.raises(GranuleError, match="like percent, not m3/m3"):
        read_spl4(path)


def test_a_fill_value_may_lie_within_the_range(tmp_path: Path) -> None:
    attributes = {**L4_ATTRIBUTES, "_FillValue": 0.3}
    values = np.array([[0.2, 0.3, 0.4]], np.float32)
    path = write_spl4(tmp_path / SPL4, values, corner=CORNER, attributes=attributes)
    found = read_spl4(path)[0].raster.values["sm_m3m3"]
    np.testing.assert_array_equal(found, np.array([[0.2, np.nan, 0.4]], np.float32))


def test_a_file_of_fill_is_a_field_without_a_reading(tmp_path: Path) -> None:
    path = write_spl4(tmp_path / SPL4, np.full(SHAPE, -9999, np.float32), corner=CORNER)
    (found,) = read_spl4(path)
    assert np.isnan(found.raster.values["sm_m3m3"]).all()


def test_the_analysis_is_another_field(tmp_path: Path) -> None:
    values = moisture(3, SHAPE, gaps=0)
    field = "Analysis_Data/sm_surface_analysis"
    path = write_spl4(tmp_path / SPL4_ANALYSIS, values, field=field, corner=CORNER)
    (found,) = read_spl4(path)
    np.testing.assert_array_equal(found.raster.values["sm_m3m3"], values)
    assert (found.sensed_utc.hour, found.pass_name) == (21, "2100")
    with pytest.raises(GranuleError, match="Geophysical_Data/sm_surface is missing"):
        read_spl4(path.rename(tmp_path / SPL4))


@pytest.mark.parametrize(
    "units", ["m3 m-3", "m3/m3", "cm3/cm3", "cm**3/cm**3", "m^3 m^-3", "M3/M3"]
)
def test_the_ways_to_write_the_unit(tmp_path: Path, units: str) -> None:
    attributes = {**L4_ATTRIBUTES, "units": units}
    path = write_spl4(tmp_path / SPL4, moisture(4, SHAPE), corner=CORNER, attributes=attributes)
    assert np.isfinite(read_spl4(path)[0].raster.values["sm_m3m3"]).any()


@pytest.mark.parametrize("units", ["%", "percent", "kg m-2", "mm", "1", ""])
def test_other_units_are_refused_by_name(tmp_path: Path, units: str) -> None:
    attributes = {**L4_ATTRIBUTES, "units": units}
    path = write_spl4(tmp_path / SPL4, moisture(4, SHAPE), corner=CORNER, attributes=attributes)
    with pytest.raises(GranuleError, match=rf"{SPL4}: /Geo.*sm_surface is in '{units}', not in m3"):
        read_spl4(path)


@pytest.mark.parametrize(
    ("name", "sensed"),
    [
        ("SMAP_L4_SM_gph_20250110T013000_Vv8011_001.h5", datetime(2025, 1, 10, 1, 30)),
        ("SMAP_L4_SM_gph_20241231T223000_Vv7032_001_HEGOUT.h5", datetime(2024, 12, 31, 22, 30)),
        ("SMAP_L4_SM_aup_20200128T000000_Vv4030_001.h5", datetime(2020, 1, 28)),
        ("SMAP_L4_SM_aup_20200128T000000_Vv4030_001_subsetted.nc4", datetime(2020, 1, 28)),
    ],
)
def test_names_tell_the_time(name: str, sensed: datetime) -> None:
    assert NAME.fullmatch(name)
    assert (sensed_utc(name), day_of(name)) == (sensed.replace(tzinfo=UTC), sensed.date())


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("SMAP_L4_SM_aup_comparison.h5", "is no name like"),
        ("SMAP_L4_SM_gph_20251310T013000_Vv8011_001.h5", "is no name like"),
        ("SMAP_L4_SM_lmc_00000000T000000_Vv8011_001.h5", "is no name like"),
        ("SMAP_L4_SM_gph_20250110T030000_Vv8011_001.h5", "no granule has the time 03:00:00"),
        ("SMAP_L4_SM_aup_20250110T013000_Vv8011_001.h5", "no granule has the time 01:30:00"),
        ("SMAP_L4_SM_gph_20250110T013001_Vv8011_001.h5", "no granule has the time 01:30:01"),
    ],
)
def test_a_name_that_is_none_is_refused(name: str, said: str) -> None:
    with pytest.raises(GranuleError, match=said):
        day_of(name)


def test_eight_means_a_day_cover_it() -> None:
    names = [f"SMAP_L4_SM_gph_20250110T{hour:02d}3000_Vv8011_001.h5" for hour in range(1, 24, 3)]
    assert [sensed_utc(name).hour for name in names] == [1, 4, 7, 10, 13, 16, 19, 22]
    assert {day_of(name) for name in names} == {date(2025, 1, 10)}


def drop_field(file: h5py.File) -> None:
    del file["Geophysical_Data/sm_surface"]


def drop_group(file: h5py.File) -> None:
    del file["Geophysical_Data"]


def make_group(file: h5py.File) -> None:
    drop_field(file)
    file.create_group("Geophysical_Data/sm_surface")


def make_volume(file: h5py.File) -> None:
    drop_field(file)
    put(file, "Geophysical_Data/sm_surface", np.zeros((2, 3, 4), np.float32), L4_ATTRIBUTES)


def make_larger(file: h5py.File) -> None:
    drop_field(file)
    file.create_dataset("Geophysical_Data/sm_surface", shape=(1700, 10**9), dtype="f4", chunks=True)


def pack(file: h5py.File) -> None:
    drop_field(file)
    put(file, "Geophysical_Data/sm_surface", np.zeros(SHAPE, np.uint16), {"units": "m3 m-3"})


def scale(file: h5py.File) -> None:
    file["Geophysical_Data/sm_surface"].attrs["scale_factor"] = 0.001


def spoil_limit(file: h5py.File) -> None:
    file["Geophysical_Data/sm_surface"].attrs["valid_max"] = "wet"


def turn_rows(file: h5py.File) -> None:
    file["cell_row"][...] = file["cell_row"][()][::-1]


def swap_indexes(file: h5py.File) -> None:
    file.move("cell_row", "c")
    file.move("cell_column", "cell_row")
    file.move("c", "cell_column")


def leave_the_grid(file: h5py.File) -> None:
    file["cell_column"][...] = file["cell_column"][()] + 3855 - CORNER[1]


def lie_north_of_the_grid(file: h5py.File) -> None:
    del file["cell_row"]
    file["y"] = ease2.TOP_M - (np.arange(SHAPE[0]) - 1.5) * ease2.LEVEL_9KM.cell_m


def contradict(file: h5py.File) -> None:
    middles = CORNER[0] + 1.5 + np.arange(SHAPE[0])
    file["y"] = ease2.TOP_M - middles * ease2.LEVEL_9KM.cell_m


def lie_between_cells(file: h5py.File) -> None:
    edges = CORNER[1] + np.arange(SHAPE[1])
    file["x"] = ease2.LEFT_M + edges * ease2.LEVEL_9KM.cell_m


def link_elsewhere(file: h5py.File) -> None:
    drop_field(file)
    with h5py.File(Path(file.filename).with_name("other.h5"), "w") as other:
        put(other, "secret", moisture(5, SHAPE), L4_ATTRIBUTES)
    file["Geophysical_Data/sm_surface"] = h5py.ExternalLink("other.h5", "secret")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (drop_field, "Geophysical_Data/sm_surface is missing"),
        (drop_group, "Geophysical_Data/sm_surface is missing"),
        (make_group, "Geophysical_Data/sm_surface holds no numbers"),
        (make_volume, r"sm_surface has shape \(2, 3, 4\)"),
        (make_larger, r"sm_surface has shape \(1700, 1000000000\), more than the 9 km grid"),
        (pack, "sm_surface is packed uint16"),
        (scale, "sm_surface is packed float32"),
        (spoil_limit, "valid_max of .*sm_surface is no number"),
        (turn_rows, "cell_row and y do not count cells"),
        (swap_indexes, "cell_row and y do not count cells"),
        (leave_the_grid, "cell_column and x do not count cells"),
        (lie_north_of_the_grid, "cell_row and y do not count cells"),
        (contradict, "cell_row and y do not count cells"),
        (lie_between_cells, "cell_column and x do not count cells"),
        (link_elsewhere, "sm_surface points to another file"),
    ],
)
def test_what_is_wrong_is_named(
    tmp_path: Path, change: Callable[[h5py.File], None], said: str
) -> None:
    path = write_spl4(tmp_path / SPL4, moisture(6, SHAPE), corner=CORNER)
    with h5py.File(path, "r+") as file:
        change(file)
    with pytest.raises(GranuleError, match=rf"{SPL4}: .*{said}"):
        read_spl4(path)


@pytest.mark.parametrize(
    ("bounds", "said"),
    [
        ((-10, 40, -9, 41), f"{SPL4}: lies outside"),
        ((106, 20, 105, 21), "are not west, south, east, north"),
        ((20, 105, 21, 106), "are not west, south, east, north"),
    ],
)
def test_bounds_that_do_not_fit_are_refused(
    tmp_path: Path, bounds: tuple[float, float, float, float], said: str
) -> None:
    path = write_spl4(tmp_path / SPL4, moisture(6, SHAPE), corner=CORNER)
    with pytest.raises(GranuleError, match=said):
        read_spl4(path, bounds_lonlat=bounds)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "an empty file"),
        (b"<!DOCTYPE html><title>Earthdata Login</title>", "a web page"),
        (b"PK\x03\x04rest", "a ZIP archive"),
        (b"{}", "JSON"),
    ],
)
def test_other_formats_are_refused_by_name(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / SPL4
    path.write_bytes(content)
    with pytest.raises(GranuleError, match=rf"{SPL4}: is {said}.*, not HDF5: fetch it again"):
        read_spl4(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(GranuleError, match=rf"{SPL4}: cannot be opened"):
        read_spl4(tmp_path / SPL4)


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes]:
    """A whole file and a place to damage copies of it."""
    path = tmp_path_factory.mktemp("spl4") / SPL4
    whole = write_spl4(path, moisture(7, (30, 40)), corner=CORNER).read_bytes()
    return path, whole


@settings(max_examples=60)
@given(cut=st.floats(0, 0.9999))
def test_a_file_cut_anywhere_is_refused(content: tuple[Path, bytes], cut: float) -> None:
    path, whole = content
    path.write_bytes(whole[: int(len(whole) * cut)])
    with pytest.raises(GranuleError, match=rf"{SPL4}: .*fetch it again"):
        read_spl4(path)


@settings(max_examples=200)
@given(place=st.floats(0, 0.9999), value=st.integers(0, 255))
def test_a_changed_byte_never_escapes_as_another_error(
    content: tuple[Path, bytes], place: float, value: int
) -> None:
    path, whole = content
    changed = bytearray(whole)
    changed[int(len(whole) * place)] = value
    path.write_bytes(bytes(changed))
    try:
        (found,) = read_spl4(path)
    except GranuleError as error:
        assert SPL4 in str(error)  # noqa: PT017
    else:
        known = np.asarray(found.raster.values["sm_m3m3"], float)
        known = known[np.isfinite(known)]
        assert np.all((known >= 0) & (known <= 1))
