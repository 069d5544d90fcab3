"""Excerpts of netCDF files: what is kept, what is cut, and what is refused."""

import zipfile
from datetime import UTC, date, datetime
from pathlib import Path

import h5py
import netCDF4
import numpy as np
import pytest

from sm_platform.errors import SourceError
from sm_platform.formats.era5_land import read_day
from sm_platform.sources.climate_store.netcdf_excerpt import times_in, write_excerpt

DAY = date(2025, 1, 31)
START = int(datetime(2025, 1, 31, tzinfo=UTC).timestamp())
HOURS = START + 3600 * np.arange(25, dtype=np.int64)
LATITUDE, LONGITUDE = np.array([20.6, 20.5, 20.4]), np.array([106.3, 106.4])


def month_file(
    path: Path, first: date, n_days: int, variables: tuple[str, ...] = ("t2m", "tp")
) -> Path:
    """A file as the netCDF library writes it: compressed, chunked, `expver` of text, a scalar."""
    start = int(datetime(first.year, first.month, first.day, tzinfo=UTC).timestamp())
    times = start + 3600 * np.arange(24 * n_days, dtype=np.int64)
    with netCDF4.Dataset(path, "w") as file:
        file.Conventions = "CF-1.7"
        for name, size in (("valid_time", times.size), ("latitude", 3), ("longitude", 2)):
            file.createDimension(name, size)
        number = file.createVariable("number", "i8", ())
        number[...] = 0
        time = file.createVariable("valid_time", "i8", ("valid_time",))
        time.units, time.calendar = "seconds since 1970-01-01", "proleptic_gregorian"
        time[:] = times
        for name, values in (("latitude", LATITUDE), ("longitude", LONGITUDE)):
            file.createVariable(name, "f8", (name,))[:] = values
        expver = file.createVariable("expver", str, ("valid_time",))
        expver[:] = np.array(["0001"] * times.size, dtype=object)
        for name in variables:
            held = file.createVariable(
                name, "f4", ("valid_time", "latitude", "longitude"),
                zlib=True, complevel=1, shuffle=True, chunksizes=(min(times.size, 100), 3, 2),
                fill_value=np.float32(np.nan),
            )  # fmt: skip
            held.units = {"t2m": "K", "tp": "m"}[name]
            held.GRIB_paramId = np.int64(167)
            held[:] = numbers(name, times)
    return path


def numbers(name: str, times: np.ndarray) -> np.ndarray:
    """What a variable is at these times: it tells the hour, and one cell is sea."""
    base, step = {"t2m": (280.0, 0.01), "tp": (0.0, 1e-4)}[name]
    field = np.repeat(base + step * ((times // 3600) % 24), 6).reshape(-1, 3, 2)
    field[:, 0, 0] = np.nan
    return field.astype(np.float32)


def test_hours_of_two_files_become_one_and_all_else_is_kept(tmp_path: Path) -> None:
    january = month_file(tmp_path / "january.nc", date(2025, 1, 1), 31)
    february = month_file(tmp_path / "february.nc", date(2025, 2, 1), 2)
    write_excerpt([january, february], HOURS, tmp_path / "day.nc")
    assert np.array_equal(times_in(tmp_path / "day.nc"), HOURS)
    with netCDF4.Dataset(tmp_path / "day.nc") as day, netCDF4.Dataset(january) as month:
        assert day.ncattrs() == month.ncattrs()
        assert set(day.variables) == set(month.variables)
        for name, held in month.variables.items():
            kept = day[name]
            assert kept.dimensions == held.dimensions
            assert kept.dtype == held.dtype
            assert {k: str(kept.getncattr(k)) for k in kept.ncattrs()} == {
                k: str(held.getncattr(k)) for k in held.ncattrs()
            }
            if name in ("t2m", "tp"):
                assert kept.filters() == held.filters()
                kept.set_auto_mask(False)
                np.testing.assert_array_equal(kept[:], numbers(name, HOURS))
        assert list(day["expver"][:]) == ["0001"] * 25
    raster = read_day(tmp_path / "day.nc", DAY)
    assert np.isnan(raster.values["temperature_k"][0, 0])
    assert raster.values["temperature_k"][1, 1] == pytest.approx(280 + 0.01 * 11.5)


def test_the_same_input_makes_the_same_bytes(tmp_path: Path) -> None:
    source = month_file(tmp_path / "a.nc", date(2025, 1, 31), 2)
    for name in ("one.nc", "two.nc"):
        write_excerpt([source], HOURS, tmp_path / name)
    assert (tmp_path / "one.nc").read_bytes() == (tmp_path / "two.nc").read_bytes()


def test_a_zip_stays_a_zip_of_the_same_members(tmp_path: Path) -> None:
    paths = {}
    for month, first, n_days in (("01", date(2025, 1, 30), 2), ("02", date(2025, 2, 1), 1)):
        paths[month] = tmp_path / f"{month}.nc"
        with zipfile.ZipFile(paths[month], "w") as archive:
            for member, variable in (("instant.nc", "t2m"), ("accum.nc", "tp")):
                made = month_file(tmp_path / member, first, n_days, (variable,))
                archive.write(made, f"data_stepType-{member}")
    write_excerpt([paths["01"], paths["02"]], HOURS, tmp_path / "day.nc")
    with zipfile.ZipFile(tmp_path / "day.nc") as archive:
        assert sorted(archive.namelist()) == ["data_stepType-accum.nc", "data_stepType-instant.nc"]
    rain = read_day(tmp_path / "day.nc", DAY).values["precipitation_m"]
    assert rain[1, 1] == 0  # hour 0 of the next day, in the second file


def test_a_missing_hour_another_grid_and_damage_are_told(tmp_path: Path) -> None:
    january = month_file(tmp_path / "january.nc", date(2025, 1, 31), 1)
    with pytest.raises(SourceError, match=r"january\.nc.*1 of 25 hours are missing"):
        write_excerpt([january], HOURS, tmp_path / "day.nc")
    other = month_file(tmp_path / "february.nc", date(2025, 2, 1), 1)
    with h5py.File(other, "r+") as file:
        file["latitude"][0] = 21.0
    with pytest.raises(SourceError, match="latitude is not the same in all files"):
        write_excerpt([january, other], HOURS, tmp_path / "day.nc")
    other.write_bytes(january.read_bytes()[:3000])
    with pytest.raises(SourceError, match=r"february\.nc.*damaged or no netCDF-4"):
        times_in(other)
