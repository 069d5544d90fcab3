import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import h5py
import netCDF4
import numpy as np
import pytest
import rasterio
import xarray as xr
from pyproj import Transformer

from sm_platform.errors import GranuleError
from sm_platform.formats import inspect_netcdf, inspect_smap
from sm_platform.formats.inspected import Inspection, Variable
from sm_platform.formats.inspection import inspect_file
from sm_platform.grid import ease2
from sm_platform_tests.formats.provider_files import weather_hours, write_era5
from sm_platform_tests.formats.smap_files import (
    CORNER,
    SPL3,
    SPL4,
    put,
    put_indexes,
    write_spl3,
    write_spl4,
)

ROW, COL = CORNER


def centre(row: int, col: int, level: ease2.Level = ease2.LEVEL_9KM) -> tuple[float, float]:
    lon, lat = ease2.centre_lonlat(level, row, col)
    return float(lon), float(lat)


def told(found: Inspection) -> dict[str, tuple[str, float | None, float | int | None]]:
    return {one.name: (one.unit, one.valid_share, one.at) for one in found.variables}


def part(*values: float) -> np.ndarray:
    return np.array([values], np.float32)


def test_every_field_of_a_subset_is_told_and_no_index(tmp_path: Path) -> None:
    path = write_spl4(tmp_path / SPL4, part(0.25, -9999, 0.95), corner=CORNER)
    with h5py.File(path, "a") as file:
        put(file, "Geophysical_Data/surface_temp", part(290, 291, -9999), {"units": "K"})
        put(file, "cell_lat", part(20, 20, 20))
        window = ease2.window(ease2.LEVEL_9KM, ROW, COL, (1, 3))
        file["x"] = window.affine.c + window.affine.a * np.array([0.5, 1.5, 2.5])
        file["y"], file["time"] = [window.affine.f + window.affine.e / 2], [1.0]
    found = inspect_file(path, centre(ROW, COL))
    assert (found.product, found.crs, found.shape) == ("spl4smgp", "EPSG:6933", (1, 3))
    assert found.time_utc == datetime(2025, 1, 10, 22, 30, tzinfo=UTC)
    assert found.affine == pytest.approx(
        tuple(ease2.window(ease2.LEVEL_9KM, ROW, COL, (1, 3)).affine)[:6]
    )
    assert told(found) == {
        "sm_surface": ("m3/m3", pytest.approx(1 / 3), 0.25),
        "surface_temp": ("K", pytest.approx(2 / 3), 290),
    }
    assert told(inspect_file(path, centre(ROW, COL + 2)))["sm_surface"][2] is None
    assert told(inspect_file(path, centre(ROW + 1, COL)))["sm_surface"][2] is None, "outside"


def test_a_whole_grid_is_read_at_its_row_and_column(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = np.full(ease2.LEVEL_9KM.shape, -9999, np.float32)
    values[ROW, COL], values[0, 0] = 0.31, 0.2
    path = write_spl4(tmp_path / SPL4, values)
    monkeypatch.setattr(inspect_smap, "STRIP_CELLS", 400_000)
    found = inspect_file(path, centre(ROW, COL))
    assert told(found) == {"sm_surface": ("m3/m3", 2 / values.size, 0.31)}
    assert found.shape == ease2.LEVEL_9KM.shape


def test_a_renamed_granule_takes_its_time_from_the_file(tmp_path: Path) -> None:
    """`time` counts from noon, whatever its units say."""
    path = write_spl4(tmp_path / "renamed.h5", part(0.25), corner=CORNER)
    with h5py.File(path, "a") as file:
        file["time"] = [6.334956e8]
    assert inspect_file(path).time_utc == datetime(2020, 1, 28, 15, tzinfo=UTC)


def test_morning_and_evening_are_variables_of_their_own(tmp_path: Path) -> None:
    passes = {"am": part(0.25, -9999), "pm": part(-9999, 0.5)}
    path = write_spl3(tmp_path / SPL3, passes, corner=CORNER)
    found = told(inspect_file(path, centre(ROW, COL)))
    assert found == {
        "soil_moisture": ("m3/m3", 0.5, 0.25),
        "retrieval_qual_flag": ("1", 1.0, 0),
        "soil_moisture_pm": ("m3/m3", 0.5, None),
        "retrieval_qual_flag_pm": ("1", 1.0, 0),
    }


def test_fields_of_two_resolutions_have_their_own_cells(tmp_path: Path) -> None:
    path = tmp_path / "SMAP_L2_SM_SP_1AIWDV_20150331T170640_20150401T054620_003E34N_R18290_001.h5"
    row, col = ROW * 9, COL * 9
    with h5py.File(path, "w") as file:
        for name, corner in (("3km", (ROW * 3, COL * 3)), ("1km", (row, col))):
            group = f"Soil_Moisture_Retrieval_Data_{name}"
            values = np.arange(6, dtype=np.float32).reshape(2, 3) / 10
            put(file, f"{group}/soil_moisture_{name}", values, {"units": "cm**3/cm**3"})
            names = f"{group}/EASE_row_index_{name}", f"{group}/EASE_column_index_{name}"
            put_indexes(file, names, (2, 3), corner)
    found = inspect_file(path, centre(row + 1, col + 2, ease2.LEVEL_1KM))
    assert found.product == "spl2smap_s"
    assert found.time_utc == datetime(2015, 3, 31, 17, 6, 40, tzinfo=UTC)
    assert {name: at for name, (_, _, at) in told(found).items()} == {
        "soil_moisture_3km": 0,
        "soil_moisture_1km": 0.5,
    }


def grouped(path: Path, group: str, values: np.ndarray, **beside: np.ndarray) -> Path:
    """A file with soil moisture in a group, and what stands beside it there."""
    with h5py.File(path, "a") as file:
        put(file, f"{group}/soil_moisture", values, {"units": "cm**3/cm**3"})
        for name, more in beside.items():
            put(file, f"{group}/{name}", more)
    return path


GROUP = "Soil_Moisture_Retrieval_Data"
P36 = "SMAP_L3_SM_P_20250110_R19240_001.h5"


def test_the_polar_grid_of_a_file_has_its_own_cells_and_names(tmp_path: Path) -> None:
    """EPSG:6931: cells of 36 km from 9,000 km west and north of the pole."""
    whole, polar = np.full((406, 964), -9999, "f4"), np.full((500, 500), -9999, "f4")
    whole[20, 800], polar[300, 320] = 0.25, 0.125
    path = grouped(tmp_path / P36, f"{GROUP}_AM", whole)
    grouped(path, f"{GROUP}_Polar_AM", polar)
    found = inspect_file(path, centre(20, 800, ease2.LEVEL_36KM))
    assert found.shape == (406, 964)
    name = f"{GROUP}_Polar_AM/soil_moisture"
    assert told(found) == {
        "soil_moisture": ("m3/m3", 1 / whole.size, 0.25),
        name: ("m3/m3", 1 / polar.size, None),
    }
    turn = Transformer.from_crs("EPSG:6931", "EPSG:4326", always_xy=True)
    place = turn.transform(-9e6 + 320.5 * 36e3, 9e6 - 300.5 * 36e3)
    assert told(inspect_file(path, place))[name][2] == 0.125


@pytest.mark.parametrize("beside", ["indexes", "latitudes"])
def test_a_part_of_the_36_km_grid_counts_its_own_cells(tmp_path: Path, beside: str) -> None:
    rows, cols = np.indices((2, 3)) + np.array([131, 760])[:, None, None]
    lon, lat = ease2.centre_lonlat(ease2.LEVEL_36KM, rows, cols)
    if beside == "indexes":
        more = {"EASE_row_index": rows.astype("u2"), "EASE_column_index": cols.astype("u2")}
        more["EASE_row_index"][0, 0] = 65534
    else:
        more = {"latitude": lat.astype("f4"), "longitude": lon.astype("f4")}
        more["latitude"][0, 0] = -9999
    values = np.array([[-9999, 0.1, 0.2], [0.3, 0.4, 0.5]], "f4")
    found = inspect_file(
        grouped(tmp_path / P36, f"{GROUP}_AM", values, **more), centre(132, 762, ease2.LEVEL_36KM)
    )
    assert found.product == "spl3smp"
    window = ease2.window(ease2.LEVEL_36KM, 131, 760, (2, 3))
    assert found.affine == pytest.approx(tuple(window.affine)[:6])
    assert told(found) == {"soil_moisture": ("m3/m3", pytest.approx(5 / 6), 0.5)}


@pytest.mark.parametrize(
    ("name", "product", "level"),
    [
        ("SMAP_L2_SM_P_26543_A_20250110T003456_R19240_001.h5", "spl2smp", ease2.LEVEL_36KM),
        ("SMAP_L2_SM_P_E_26543_D_20250110T003456_R19240_001.h5", "spl2smp_e", ease2.LEVEL_9KM),
    ],
)
def test_a_half_orbit_is_a_list_of_cells(
    tmp_path: Path, name: str, product: str, level: ease2.Level
) -> None:
    row, col = np.array([130, 131, 133], "u2"), np.array([760, 700, 701], "u2")
    more = {"EASE_row_index": row, "EASE_column_index": col}
    more["landcover_class"] = np.array([[1, 2, 254], [12, 3, 254], [4, 5, 6]], "u1")
    path = grouped(tmp_path / name, GROUP, np.array([0.1, 0.2, 0.3], "f4"), **more)
    found = inspect_file(path, centre(131, 700, level))
    assert (found.product, found.shape) == (product, (3,))
    assert found.time_utc == datetime(2025, 1, 10, 0, 34, 56, tzinfo=UTC)
    assert told(found) == {
        "landcover_class": ("1", pytest.approx(7 / 9), 12),
        "soil_moisture": ("m3/m3", 1, 0.2),
    }


def test_a_part_of_one_cell_has_its_field(tmp_path: Path) -> None:
    path = write_spl4(tmp_path / SPL4, part(0.25), corner=CORNER)
    with h5py.File(path, "a") as file:
        put(file, "Metadata/Lineage/list", np.arange(5, dtype="u2"))
    assert told(inspect_file(path, centre(ROW, COL))) == {"sm_surface": ("m3/m3", 1, 0.25)}


def test_a_granule_without_its_name_says_itself_what_it_is(tmp_path: Path) -> None:
    path = grouped(tmp_path / "a.h5", f"{GROUP}_AM", part(0.25))
    assert inspect_file(path).product == "smap"
    with h5py.File(path, "a") as file:
        identity = file.create_group("Metadata/DatasetIdentification").attrs
        identity["shortName"] = np.bytes_("SPL3SMP_E")
        identity["fileName"] = np.bytes_(SPL3)
    found = inspect_file(path)
    assert (found.product, found.time_utc) == ("spl3smp_e", datetime(2025, 1, 10, tzinfo=UTC))


def test_a_real_analysis_is_its_geotiff_twin(shared: Callable[..., Path]) -> None:
    stem = shared("realdata", "smap", "SMAP_L4_SM_aup_comparison.h5")
    with rasterio.open(stem.with_suffix(".tif")) as file:
        values, transform = file.read(1), file.transform
    row, col = 30, 20
    place = Transformer.from_crs("EPSG:6933", "EPSG:4326", always_xy=True).transform(
        *(transform * (col + 0.5, row + 0.5))
    )
    found = inspect_file(stem, place)
    assert found.product == "spl4smau"
    assert found.shape == values.shape
    assert found.affine is not None
    assert found.affine[2] == pytest.approx(transform.c, abs=1)
    assert found.affine[5] == pytest.approx(transform.f, abs=1)
    valid = (values >= 0) & (values <= 0.9)
    expected = Variable(
        "sm_profile_analysis", "m3/m3", valid.mean(), pytest.approx(float(values[row, col]))
    )
    assert found.variables == (expected,)
    twin = inspect_file(stem.with_suffix(".tif"), place)
    assert twin.variables[0].at == found.variables[0].at


@pytest.mark.parametrize("cut", [600, 2000])
def test_a_truncated_file_is_refused_by_name(tmp_path: Path, cut: int) -> None:
    path = write_spl4(tmp_path / SPL4, part(0.25), corner=CORNER)
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(GranuleError, match=f"{SPL4}: .*damaged or cut off"):
        inspect_file(path)


def test_weather_hours_are_told_by_the_first(tmp_path: Path) -> None:
    hours = weather_hours(1)
    hours["t2m"][:, 0, 0] = np.nan
    path = write_era5(tmp_path / "era5.nc", date(2025, 1, 10), hours)
    found = inspect_file(path, (106.31, 20.49))
    assert (found.product, found.crs, found.shape) == ("era5_land", "EPSG:4326", (3, 4))
    assert found.time_utc == datetime(2025, 1, 10, tzinfo=UTC)
    assert found.affine == pytest.approx((0.1, 0, 106.15, 0, -0.1, 20.65))
    assert told(found) == {
        "t2m": ("K", pytest.approx(11 / 12), pytest.approx(float(hours["t2m"][0, 1, 1]))),
        "tp": ("m", 1.0, pytest.approx(0.03)),
    }
    assert "25 time steps" in found.notes[0]
    assert inspect_file(path, (106.2, 20.6)).variables[0].at is None, "sea"
    assert inspect_file(path, (110.0, 20.6)).variables[0].at is None, "outside"


def write_packed(path: Path, kind: str) -> Path:
    """As the Climate Data Store packed before 2024: int16, scale, offset, longitudes to 360."""
    with netCDF4.Dataset(path, "w", format=kind) as file:
        for name, values in (
            ("time", [1096584, 1096585]),
            ("latitude", [1.0, 0.9]),
            ("longitude", [253.1, 253.2, 253.3]),
        ):
            file.createDimension(name, len(values))
            one = file.createVariable(name, "i4" if name == "time" else "f4", (name,))
            one[:] = values
            one.units = "hours since 1900-01-01 00:00:00.0" if name == "time" else f"degrees_{name}"
        t2m = file.createVariable("t2m", "i2", ("time", "latitude", "longitude"), fill_value=-32767)
        t2m.scale_factor, t2m.add_offset, t2m.units = 0.001, 290.0, "K"
        t2m.set_auto_maskandscale(False)
        stored = np.arange(12, dtype="i2").reshape(2, 2, 3)
        stored[0, 0, 0] = -32767
        t2m[:] = stored
    return path


@pytest.mark.parametrize("kind", ["NETCDF3_CLASSIC", "NETCDF3_64BIT_OFFSET", "NETCDF4"])
def test_packed_weather_of_both_generations(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inspect_netcdf, "CHUNK_CELLS", 6)
    found = inspect_file(write_packed(tmp_path / "old.nc", kind), (-106.7, 0.91))
    assert found.product == "era5_land"
    assert found.time_utc == datetime(2025, 2, 5, tzinfo=UTC)
    assert told(found) == {"t2m": ("K", pytest.approx(11 / 12), pytest.approx(290.005, abs=1e-4))}


def test_a_projected_netcdf_is_read_in_its_projection(tmp_path: Path) -> None:
    window = ease2.window(ease2.LEVEL_9KM, ROW, COL, (2, 3))
    with netCDF4.Dataset(tmp_path / "a.nc", "w") as file:
        for name, n in (("y", 2), ("x", 3)):
            file.createDimension(name, n)
            one = file.createVariable(name, "f8", (name,))
            step, first = (window.affine.a, window.affine.c)
            if name == "y":
                step, first = (window.affine.e, window.affine.f)
            one[:] = first + step * (np.arange(n) + 0.5)
        file.createVariable("crs", "i4").crs_wkt = rasterio.crs.CRS.from_epsg(6933).to_wkt()
        sm = file.createVariable("sm", "f4", ("y", "x"), fill_value=-9999)
        sm.units, sm.valid_min, sm.valid_max = "m3 m-3", np.float32(0.02), np.float32(0.5)
        sm[:] = [[0.1, 0.2, 0.02], [0.6, -9999, 0.5]]
    found = inspect_file(tmp_path / "a.nc", centre(ROW, COL + 2))
    assert (found.product, found.crs) == ("unknown", "EPSG:6933")
    assert told(found) == {"sm": ("m3/m3", pytest.approx(4 / 6), pytest.approx(0.02))}


def test_a_truncated_netcdf_is_refused_by_name(tmp_path: Path) -> None:
    path = write_packed(tmp_path / "a.nc", "NETCDF3_CLASSIC")
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(GranuleError, match="a.nc: .*damaged or cut off"):
        inspect_file(path)


def test_the_place_of_a_series_is_the_file_s(tmp_path: Path) -> None:
    one = xr.Dataset(
        {"t2m": ("valid_time", np.array([290.5, np.nan], "f4"), {"units": "K"})},
        {"valid_time": [np.datetime64("2025-01-10", "ns")] * 2, "latitude": 20.5, "longitude": 106},
    )
    one.to_netcdf(tmp_path / "a.nc", engine="h5netcdf")
    found = inspect_file(tmp_path / "a.nc", (106.04, 20.46))
    assert (found.product, found.shape) == ("era5_land", (2,))
    assert told(found) == {"t2m": ("K", 0.5, 290.5)}
    assert inspect_file(tmp_path / "a.nc", (106.2, 20.5)).variables[0].at is None


def test_old_weather_in_a_zip_is_read(tmp_path: Path) -> None:
    packed = write_packed(tmp_path / "data.nc", "NETCDF3_64BIT_OFFSET")
    with zipfile.ZipFile(tmp_path / "download.nc", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(packed, "data.nc")
    assert inspect_file(tmp_path / "download.nc") == inspect_file(packed)


def write_appeears(path: Path, units: str = "days since 2000-01-01 00:00:00") -> Path:
    """A part of MOD13Q1 as AppEEARS writes it: packed, in a calendar of its own."""
    with netCDF4.Dataset(path, "w") as file:
        for name, kind, values in (
            ("time", "i4", [7305, 7321]),
            ("lat", "f8", [20.5, 20.498]),
            ("lon", "f8", [106.4, 106.402]),
        ):
            file.createDimension(name, len(values))
            file.createVariable(name, kind, (name,))[:] = values
        file["time"].units, file["time"].calendar = units, "julian"
        crs = file.createVariable("crs", "i1")
        crs.grid_mapping_name, crs.semi_major_axis = "latitude_longitude", 6378137.0
        crs.inverse_flattening = 298.257223563
        ndvi = file.createVariable("NDVI", "i2", ("time", "lat", "lon"), fill_value=-3000)
        ndvi.scale_factor, ndvi.units = 1e-4, "NDVI"
        ndvi.valid_min, ndvi.valid_max = np.int16(-2000), np.int16(10000)
        day = file.createVariable("day", "i2", ("time", "lat", "lon"), fill_value=-1)
        day.units = "days"
        for one, high in ((ndvi, 10000), (day, 17)):
            one.set_auto_maskandscale(False)
            one[:] = [[[one._FillValue, high], [1, 2]], [[3, 4], [5, 6]]]
    return path


def test_a_part_from_appeears_has_its_product_day_and_crs(tmp_path: Path) -> None:
    path = write_appeears(tmp_path / "MOD13Q1.061_250m_aid0001.nc")
    found = inspect_file(path, (106.402, 20.5))
    assert (found.product, found.crs) == ("mod13q1", "EPSG:4326")
    assert found.time_utc == datetime(2020, 1, 1, tzinfo=UTC)
    assert told(found) == {"NDVI": ("1", 7 / 8, 1), "day": ("days", 7 / 8, 17)}


def test_times_that_cannot_be_told_hide_no_values(tmp_path: Path) -> None:
    path = write_appeears(tmp_path / "a.nc", "fortnights since 1900")
    found = inspect_file(path)
    assert found.time_utc is None
    assert [one.valid_share for one in found.variables] == [7 / 8, 7 / 8]


def test_a_valid_range_in_the_scale_s_type_tells_unpacked_numbers(tmp_path: Path) -> None:
    path = write_appeears(tmp_path / "a.nc")
    with h5py.File(path, "a") as file:
        file["NDVI"].attrs["valid_min"], file["NDVI"].attrs["valid_max"] = -0.2, 0.9
        file["day"].attrs["valid_max"] = "many"
    assert [one.valid_share for one in inspect_file(path).variables] == [6 / 8, 7 / 8]


def test_numbers_in_groups_are_found_and_metadata_is_not(tmp_path: Path) -> None:
    name = "OPERA_L2_RTC-S1_T018-038602-IW2_20250110T225118Z_20250111T000000Z_S1A_30_v1.0.h5"
    with h5py.File(tmp_path / name, "w") as file:
        file["data/VV"] = np.array([[0.25, np.nan]], "f4")
        for axis, (title, values) in enumerate(
            (("yCoordinates", [2e6]), ("xCoordinates", [500015.0, 500045.0]))
        ):
            file[f"data/{title}"] = values
            file[f"data/{title}"].make_scale(title)
            file["data/VV"].dims[axis].attach_scale(file[f"data/{title}"])
        file["data/projection"] = 32648
        file["data/projection"].attrs["spatial_ref"] = rasterio.crs.CRS.from_epsg(32648).to_wkt()
        file["metadata/orbit/position"] = np.zeros((5, 3))
    turn = Transformer.from_crs("EPSG:32648", "EPSG:4326", always_xy=True)
    found = inspect_file(tmp_path / name, turn.transform(500015, 2e6))
    assert (found.product, found.crs) == ("s1_rtc", "EPSG:32648")
    assert found.time_utc == datetime(2025, 1, 10, 22, 51, 18, tzinfo=UTC)
    assert told(found) == {"VV": ("1", 0.5, 0.25)}


@pytest.mark.parametrize("kind", ["spl4", "netcdf3", "netcdf4"])
def test_whatever_bytes_change_only_a_refusal_comes_out(tmp_path: Path, kind: str) -> None:
    random = np.random.default_rng(7)
    if kind == "spl4":
        path = write_spl4(tmp_path / SPL4, part(0.25, 0.3), corner=CORNER)
    else:
        formats = {"netcdf3": "NETCDF3_CLASSIC", "netcdf4": "NETCDF4"}
        path = write_packed(tmp_path / "a.nc", formats[kind])
    whole = np.frombuffer(path.read_bytes(), np.uint8)
    for n_changed in (1, 3, 20, 200) * 15:
        changed = whole.copy()
        changed[random.integers(0, whole.size, n_changed)] = random.integers(0, 256, n_changed)
        path.write_bytes(changed[: random.integers(1, 2 * whole.size)].tobytes())
        try:
            inspect_file(path, centre(ROW, COL))
        except GranuleError as error:
            assert path.name in str(error)
