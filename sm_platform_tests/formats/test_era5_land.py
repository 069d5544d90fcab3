"""A UTC day of ERA5-Land: totals, means, versions, and every way a file can be wrong."""

import time
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import rasterio
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st

from sm_platform.errors import GranuleError
from sm_platform.formats.era5_land import decode_precipitation, read_day
from sm_platform_tests.formats.provider_files import weather_hours, write_era5

DAY = date(2025, 3, 1)
Shared = Callable[..., Path]


def test_a_day_is_the_mean_of_its_hours_and_the_total_at_the_next_midnight(tmp_path: Path) -> None:
    hours = weather_hours(1)
    found = read_day(write_era5(tmp_path / "a.nc", DAY, hours), DAY)
    mean = hours["t2m"][:24].mean(axis=0, dtype=np.float64)
    np.testing.assert_allclose(found.values["temperature_k"], mean, rtol=1e-7)
    np.testing.assert_array_equal(found.values["precipitation_m"], hours["tp"][24])
    assert not found.values["is_preliminary"].any()
    assert {name: band.dtype.name for name, band in found.values.items()} == {
        "temperature_k": "float32",
        "precipitation_m": "float32",
        "temperature_range_code": "int8",
        "precipitation_range_code": "int8",
        "is_preliminary": "bool",
    }
    assert found.window.crs == "EPSG:4326"
    assert found.window.affine.almost_equals(Affine(0.1, 0, 106.15, 0, -0.1, 20.65), 1e-9)


def test_a_day_inside_a_longer_file(tmp_path: Path) -> None:
    hours = weather_hours(2, hours=73)
    found = read_day(write_era5(tmp_path / "a.nc", DAY, hours), date(2025, 3, 2))
    np.testing.assert_array_equal(found.values["precipitation_m"], hours["tp"][48])
    mean = hours["t2m"][24:48].mean(axis=0, dtype=np.float64)
    np.testing.assert_allclose(found.values["temperature_k"], mean, rtol=1e-7)


def test_a_file_that_ends_before_the_next_midnight_has_no_total(tmp_path: Path) -> None:
    path = write_era5(tmp_path / "a.nc", DAY, weather_hours(3, hours=24))
    with pytest.raises(GranuleError, match=r"a\.nc: tp ends before 00 UTC .* 2025-03-01 has no"):
        read_day(path, DAY)


@pytest.mark.parametrize("day", [date(2025, 2, 28), date(2024, 3, 1)])
def test_a_day_that_the_file_does_not_begin_with_is_refused(tmp_path: Path, day: date) -> None:
    path = write_era5(tmp_path / "a.nc", DAY, weather_hours(3))
    with pytest.raises(GranuleError, match=rf"a\.nc: valid_time lacks hours of {day}"):
        read_day(path, day)


@pytest.mark.parametrize(
    ("expver", "is_preliminary"), [("0001", False), ("0005", True), ("5", True)]
)
def test_the_version_tells_preliminary_from_final(
    tmp_path: Path, expver: str, is_preliminary: bool
) -> None:
    path = write_era5(tmp_path / "a.nc", DAY, weather_hours(4), expver=expver)
    assert (read_day(path, DAY).values["is_preliminary"] == is_preliminary).all()


def test_one_preliminary_hour_makes_the_day_preliminary(tmp_path: Path) -> None:
    path = write_era5(tmp_path / "a.nc", DAY, weather_hours(4))
    with h5py.File(path, "r+") as file:
        file["expver"][24] = "0005"
    assert read_day(path, DAY).values["is_preliminary"].all()


def test_versions_stored_as_fixed_bytes_are_read(tmp_path: Path) -> None:
    path = write_era5(tmp_path / "a.nc", DAY, weather_hours(4))
    with h5py.File(path, "r+") as file:
        del file["expver"]
        file["expver"] = np.array([b"0005"] * 25)
    assert read_day(path, DAY).values["is_preliminary"].all()


def test_sea_is_missing_and_impossible_values_are_told_from_it(tmp_path: Path) -> None:
    hours = weather_hours(5, shape=(1, 5))
    hours["t2m"][:, 0, 0] = np.nan
    hours["t2m"][7, 0, 1] = -32767
    hours["t2m"][23, 0, 2] = 351
    hours["t2m"][24, 0, 3] = 999
    hours["tp"][24, 0] = [np.nan, -2e-4, -5e-5, 2.5, 0]
    found = read_day(write_era5(tmp_path / "a.nc", DAY, hours), DAY).values
    np.testing.assert_array_equal(np.isnan(found["temperature_k"]), [[1, 1, 1, 0, 0]])
    np.testing.assert_array_equal(found["temperature_range_code"], [[0, -1, 1, 0, 0]])
    nan = np.nan
    np.testing.assert_array_equal(found["precipitation_m"], [[nan, nan, 0, nan, 0]])
    np.testing.assert_array_equal(found["precipitation_range_code"], [[0, -1, 0, 1, 0]])


@given(st.floats(width=32))
def test_a_total_is_kept_clipped_or_coded(total: float) -> None:
    (kept,), (code,) = decode_precipitation(np.array([total], dtype=np.float32))
    if 0 <= total <= 2:
        assert (kept, code) == (np.float32(total), 0)
    elif np.float32(-1e-4) <= total < 0:
        assert (kept, code) == (0, 0)
    else:
        assert np.isnan(kept)
        assert code == (1 if total > 2 else -1 if total < -1e-4 else 0)


def test_a_numeric_fill_value_is_missing_without_a_code(tmp_path: Path) -> None:
    hours = weather_hours(6)
    hours["tp"][24, 0, 0] = -9
    path = write_era5(tmp_path / "a.nc", DAY, hours)
    with h5py.File(path, "r+") as file:
        file["tp"].attrs["_FillValue"] = np.array([-9], dtype=np.float32)
    found = read_day(path, DAY).values
    assert np.isnan(found["precipitation_m"][0, 0])
    assert found["precipitation_range_code"][0, 0] == 0


def test_longitudes_beyond_180_are_turned_west(tmp_path: Path) -> None:
    hours = weather_hours(7, shape=(2, 4))
    path = write_era5(tmp_path / "a.nc", DAY, hours, north_west=(40.0, -0.2))
    with h5py.File(path) as file:
        np.testing.assert_allclose(file["longitude"][:], [359.8, 359.9, 0, 0.1], atol=1e-9)
    found = read_day(path, DAY)
    assert found.window.affine.c == pytest.approx(-0.25)
    np.testing.assert_array_equal(found.values["precipitation_m"], hours["tp"][24])


def test_a_globe_from_0_to_360_is_reordered(tmp_path: Path) -> None:
    hours = weather_hours(8, shape=(1, 3600))
    path = write_era5(tmp_path / "a.nc", DAY, hours, north_west=(10.0, 0.0))
    found = read_day(path, DAY)
    assert found.window.affine.c == pytest.approx(-180.05)
    rain = found.values["precipitation_m"]
    np.testing.assert_array_equal(rain[0, 1800:], hours["tp"][24, 0, :1800])
    np.testing.assert_array_equal(rain[0, :1800], hours["tp"][24, 0, 1800:])


def test_a_zip_under_the_name_of_a_netcdf_is_opened(tmp_path: Path) -> None:
    hours = weather_hours(9)
    plain = write_era5(tmp_path / "data_0.nc", DAY, hours)
    packed = tmp_path / "era5-land_x_20250301.nc"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.write(plain, "data_0.nc")
    direct, unpacked = read_day(plain, DAY), read_day(packed, DAY)
    assert direct.window == unpacked.window
    for name, band in direct.values.items():
        np.testing.assert_array_equal(unpacked.values[name], band)


def test_variables_spread_over_members_are_brought_together(tmp_path: Path) -> None:
    hours = weather_hours(10)
    packed = tmp_path / "a.nc"
    with zipfile.ZipFile(packed, "w") as archive:
        for name, expver in (("t2m", "0001"), ("tp", "0005")):
            part = write_era5(tmp_path / f"{name}.nc", DAY, {name: hours[name]}, expver=expver)
            archive.write(part, f"data_stream-{name}.nc")
    found = read_day(packed, DAY).values
    np.testing.assert_array_equal(found["precipitation_m"], hours["tp"][24])
    assert found["is_preliminary"].all()


def change_units(file: h5py.File) -> None:
    file["t2m"].attrs["units"] = "C"


def change_epoch(file: h5py.File) -> None:
    file["valid_time"].attrs["units"] = "hours since 1900-01-01"


def drop_rain(file: h5py.File) -> None:
    del file["tp"]


def drop_version(file: h5py.File) -> None:
    del file["expver"]


def change_version(file: h5py.File) -> None:
    file["expver"][3] = "0105"


def pack_rain(file: h5py.File) -> None:
    values = file["tp"][:]
    del file["tp"]
    file["tp"] = (values * 1e4).astype(np.int16)


def turn_latitude(file: h5py.File) -> None:
    file["latitude"][:] = file["latitude"][:][::-1]


def drop_latitude(file: h5py.File) -> None:
    del file["latitude"]


def cut_rain(file: h5py.File) -> None:
    values = file["tp"][1:]
    del file["tp"]
    file["tp"] = values
    file["tp"].attrs["units"] = "m"


def lose_an_hour(file: h5py.File) -> None:
    file["valid_time"][5] += 1800


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (change_units, "t2m is in 'C', not 'K'"),
        (change_epoch, "valid_time is not in seconds"),
        (drop_rain, "variable tp is missing"),
        (drop_version, "variable expver is missing"),
        (change_version, r"expver \['0001', '0105'\] is unknown"),
        (pack_rain, "tp is int16, not floating point"),
        (turn_latitude, "latitude does not step by -0.1 deg"),
        (drop_latitude, "latitude"),
        (cut_rain, r"tp has shape \(24, 3, 4\)"),
        (lose_an_hour, "valid_time lacks hours of 2025-03-01"),
    ],
)
def test_what_is_wrong_is_named(
    tmp_path: Path, change: Callable[[h5py.File], None], said: str
) -> None:
    path = write_era5(tmp_path / "a.nc", DAY, weather_hours(11))
    with h5py.File(path, "r+") as file:
        change(file)
    with pytest.raises(GranuleError, match=rf"a\.nc: .*{said}.*: (fetch|ask)"):
        read_day(path, DAY)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "an empty file"),
        (b"<html>login</html>", "a web page"),
        (b"CDF\x01rest", "an old netCDF file"),
        (b"II*\0rest", "something else"),
    ],
)
def test_other_formats_are_refused_by_name(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "a.nc"
    path.write_bytes(content)
    with pytest.raises(GranuleError, match=rf"a\.nc: is {said}.*, not netCDF 4: fetch it again"):
        read_day(path, DAY)


def test_a_zip_without_netcdf_is_refused(tmp_path: Path, shared: Shared) -> None:
    path = shared("realdata", "vietnam", "era5_89edab2b-8b3e-42c2-9df1-2e5e06e30a3b.zip")
    with pytest.raises(GranuleError, match=r"a ZIP without a \.nc member"):
        read_day(path, date(2023, 1, 2))


@pytest.fixture(scope="module")
def contents(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A whole file and the same one in a ZIP, with a folder to damage them in."""
    folder = tmp_path_factory.mktemp("era5")
    plain = write_era5(folder / "whole.nc", DAY, weather_hours(12))
    packed = folder / "packed.nc"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(plain, "data_0.nc")
    return {"plain": plain.read_bytes(), "packed": packed.read_bytes(), "folder": folder}


@settings(max_examples=80, deadline=None)
@given(cut=st.floats(0, 0.9999), kind=st.sampled_from(["plain", "packed"]))
def test_a_file_cut_anywhere_is_refused(contents: dict[str, Any], cut: float, kind: str) -> None:
    path = contents["folder"] / "short.nc"
    path.write_bytes(contents[kind][: int(len(contents[kind]) * cut)])
    with pytest.raises(GranuleError, match=r"short\.nc: .*fetch it again"):
        read_day(path, DAY)


@settings(max_examples=150, deadline=None)
@given(
    place=st.floats(0, 0.9999), value=st.integers(0, 255), kind=st.sampled_from(["plain", "packed"])
)
def test_a_changed_byte_never_escapes_as_another_error(
    contents: dict[str, Any], place: float, value: int, kind: str
) -> None:
    path = contents["folder"] / "changed.nc"
    changed = bytearray(contents[kind])
    changed[int(len(changed) * place)] = value
    path.write_bytes(bytes(changed))
    try:
        found = read_day(path, DAY)
    except GranuleError as error:
        assert "changed.nc" in str(error)  # noqa: PT017
    else:
        assert found.window.size > 0


def test_real_hours_of_vietnam_are_averaged_as_plain_numpy_does(
    tmp_path: Path, shared: Shared
) -> None:
    """The third-party export labels local time as Z; as hours of one day they average the same."""
    path = shared("realdata", "vietnam", "era5_89edab2b-8b3e-42c2-9df1-2e5e06e30a3b.zip")
    names = [f"temperature_2m_era5_20230102_{hour:02d}0000Z.tif" for hour in range(24)]
    names.append("temperature_2m_era5_20230103_000000Z.tif")
    with zipfile.ZipFile(path) as archive:
        hours = np.stack([read_member(archive.read(name)) for name in names])
    made = write_era5(tmp_path / "a.nc", date(2023, 1, 2), {"t2m": hours, "tp": hours * 0})
    found = read_day(made, date(2023, 1, 2)).values["temperature_k"]
    np.testing.assert_allclose(found, hours[:24].mean(axis=0), rtol=1e-6)
    assert 285 < found.mean() < 300


def read_member(content: bytes) -> np.ndarray:
    """The one band of a GeoTIFF in memory."""
    with rasterio.MemoryFile(content) as memory, memory.open() as file:
        return np.asarray(file.read(1))


def test_a_day_is_read_in_milliseconds(tmp_path: Path) -> None:
    path = write_era5(tmp_path / "a.nc", DAY, weather_hours(13))
    took = []
    for _ in range(15):
        start = time.perf_counter()
        read_day(path, DAY)
        took.append(time.perf_counter() - start)
    assert min(took) < 0.015
