from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import h5py
import netCDF4
import numpy as np
import pytest
import rasterio
from pyhdf.SD import SD, SDC
from pyproj import Transformer

from sm_platform.errors import GranuleError
from sm_platform.formats import inspect_netcdf, inspect_smap
from sm_platform.formats.inspected import Inspection, Variable
from sm_platform.formats.inspection import inspect_file
from sm_platform.formats.mod13q1 import SINUSOIDAL
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
TILE = (11119505.196667, 3335851.559)
"""Upper left corner of MODIS tile h28v06, metres of the sinusoidal grid."""
STRUCT = """GROUP=GridStructure
\tGROUP=GRID_1
\t\tGridName="MODIS_Grid_16DAY_250m_500m_VI"
\t\tXDim={cols}
\t\tYDim={rows}
\t\tUpperLeftPointMtrs=({left:.6f},{top:.6f})
\t\tLowerRightMtrs=({right:.6f},{bottom:.6f})
\t\tProjection=GCTP_SNSOID
\tEND_GROUP=GRID_1
"""


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
    monkeypatch.setattr(inspect_smap, "STRIP_ROWS", 100)
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


def tile_text(rows: int, cols: int) -> str:
    side = 231.656358264
    left, top = TILE
    return STRUCT.format(
        rows=rows, cols=cols, left=left, top=top, right=left + cols * side, bottom=top - rows * side
    )


def write_hdf4(path: Path, fields: dict[str, tuple[np.ndarray, dict[str, Any]]]) -> Path:
    file = SD(str(path), SDC.WRITE | SDC.CREATE | SDC.TRUNC)
    kinds = {"int16": SDC.INT16, "int8": SDC.INT8, "uint16": SDC.UINT16}
    shape = next(iter(fields.values()))[0].shape
    file.attr("StructMetadata.0").set(SDC.CHAR, tile_text(*shape))
    for name, (values, attributes) in fields.items():
        one = file.create(name, kinds[values.dtype.name], values.shape)
        for key, value in attributes.items():
            setattr(one, key, value)
        one[:] = values
        one.endaccess()
    file.end()
    return path


def tile_place(row: int, col: int) -> tuple[float, float]:
    side, (left, top) = 231.656358264, TILE
    turn = Transformer.from_crs(SINUSOIDAL, "EPSG:4326", always_xy=True)
    lon, lat = turn.transform(left + (col + 0.5) * side, top - (row + 0.5) * side)
    return float(lon), float(lat)


def test_a_vegetation_tile_as_nasa_ships_it(tmp_path: Path) -> None:
    """HDF 4, whose scale factor is a divisor."""
    ndvi = np.array([[-3000, 4500, 8000], [10000, 10001, -2000]], "int16")
    quality = np.array([[-1, 0, 1], [2, 3, 4]], "int8")
    azimuth = np.array([[-18000, 0, 100], [1, 2, 30000]], "int16")
    path = write_hdf4(
        tmp_path / "MOD13Q1.A2025001.h28v06.061.2025018000000.hdf",
        {
            "250m 16 days NDVI": (ndvi, {"scale_factor": 10000.0}),
            "250m 16 days pixel reliability": (quality, {}),
            "250m 16 days relative azimuth angle": (azimuth, {}),
        },
    )
    found = inspect_file(path, tile_place(0, 1))
    assert (found.product, found.time_utc) == ("mod13q1", datetime(2025, 1, 1, tzinfo=UTC))
    assert (found.shape, found.crs) == ((2, 3), SINUSOIDAL)
    assert told(found) == {
        "NDVI": ("1", pytest.approx(4 / 6), 0.45),
        "pixel_reliability": ("1", pytest.approx(4 / 6), 0),
        "relative_azimuth_angle": ("deg", pytest.approx(5 / 6), 0),
    }
    assert [one.at for one in inspect_file(path, tile_place(5, 5)).variables] == [None] * 3


def test_its_successor_in_hdf5(tmp_path: Path) -> None:
    path = tmp_path / "VNP13A1.A2025001.h28v06.002.2025018000000.h5"
    with h5py.File(path, "w") as file:
        file["HDFEOS INFORMATION/StructMetadata.0"] = np.bytes_(tile_text(1, 3))
        fields = "HDFEOS/GRIDS/VIIRS_Grid_16Day_VI_500m/Data Fields"
        file[f"{fields}/500 m 16 days NDVI"] = np.array([[-15000, -3000, 5000]], "int16")
        file[f"{fields}/500 m 16 days EVI"] = np.array([[-15000, -3000, 4000]], "int16")
        evi2 = file.create_dataset(f"{fields}/500 m 16 days EVI2", data=[[0, 200, 20001]])
        evi2.attrs["scale_factor"], evi2.attrs["valid_range"] = 10000.0, [-10000, 10000]
    found = inspect_file(path, tile_place(0, 1))
    assert found.product == "vnp13a1"
    assert told(found) == {
        "NDVI": ("1", pytest.approx(2 / 3), -0.3),
        "EVI": ("1", pytest.approx(2 / 3), -0.3),
        "500 m 16 days EVI2": ("1", pytest.approx(2 / 3), 0.02),
    }


def test_a_damaged_tile_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "MOD13Q1.A2025001.h28v06.061.2025018000000.hdf"
    write_hdf4(path, {"250m 16 days NDVI": (np.ones((2, 3), "int16"), {})})
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(GranuleError, match=f"{path.name}: "):
        inspect_file(path)
