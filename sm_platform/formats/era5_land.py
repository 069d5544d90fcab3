"""ERA5-Land hours as the Climate Data Store writes them (netCDF 4): one UTC day of weather.

ECMWF, ERA5-Land data documentation: `t2m` in K; `tp` in m, accumulated from 00 UTC, so the total of
day D is the value at 00 UTC of D+1; `expver` 0001 is final, 0005 preliminary; sea is NaN. A
download may be a ZIP under the name `.nc`, its variables spread over several members.
"""

import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import h5py
import numpy as np
from affine import Affine
from numpy.typing import NDArray

from sm_platform.errors import GranuleError
from sm_platform.formats.magic import HDF5, first_bytes, is_zip, mistaken_for
from sm_platform.formats.ranges import range_code
from sm_platform.grid.window import GridWindow, Raster

STEP_DEG = 0.1
HOURS = 25
"""00 UTC of the day to 00 UTC of the next, both included."""
LOWEST_K, HIGHEST_K = 150.0, 350.0
HIGHEST_M = 2.0
NOISE_M = -1e-4
"""Packing and interpolation leave totals a little below zero: down to here they mean no rain."""
TIME_UNITS = "seconds since 1970-01-01"
_FINAL, _PRELIMINARY = 1, 5


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where and when the numbers of one file lie, for one day."""

    window: GridWindow
    order: NDArray[np.intp]
    """Columns of the file in the order from west to east."""
    steps: slice
    """The day's 25 hours."""
    hours_in_file: int
    is_preliminary: bool


def read_day(path: Path, day: date) -> Raster:
    """Weather of one UTC day on the file's 0.1 deg grid, EPSG:4326, north up.

    `temperature_k` float32, mean of the hours 00..23; `precipitation_m` float32, total (m/day);
    both NaN over sea and where out of range, `temperature_range_code` and
    `precipitation_range_code` int8 saying so (-1 below, 1 above, else 0; valid 150..350 K, 0..2 m,
    totals down to -1e-4 m are 0); `is_preliminary` bool, true when any hour is.

    Raises:
        GranuleError: the file ends before 00 UTC of the next day, lacks an hour, a variable or its
            version, has another unit, type or grid, or is damaged or no netCDF 4 at all.
    """
    with _opened(path) as files:
        holders = [_holder(files, path, name) for name in ("t2m", "tp")]
        frames = [_frame(holders[0], path, day)]
        frames.append(frames[0] if holders[0] is holders[1] else _frame(holders[1], path, day))
        temperature = _hours(holders[0], path, ("t2m", "K"), frames[0])
        total = _hours(holders[1], path, ("tp", "m"), frames[1])
    window = frames[0].window
    if window != frames[1].window:
        raise GranuleError(f"{path.name}: t2m and tp lie on different grids: fetch it again.")
    mean, mean_code = _mean(temperature[:-1])
    rain, rain_code = decode_precipitation(total[-1])
    is_preliminary = any(frame.is_preliminary for frame in frames)
    return Raster(
        window,
        {
            "temperature_k": mean,
            "precipitation_m": rain,
            "temperature_range_code": mean_code,
            "precipitation_range_code": rain_code,
            "is_preliminary": np.full(window.shape, is_preliminary),
        },
    )


def decode_precipitation(
    total: NDArray[np.floating],
) -> tuple[NDArray[np.float32], NDArray[np.int8]]:
    """A day's total (m) with noise below zero set to 0, NaN out of range, and its range code."""
    code = range_code(total, NOISE_M, HIGHEST_M)
    kept = np.where(code == 0, np.maximum(total, 0), np.nan)
    return kept.astype(np.float32), code


def _mean(hours: NDArray[np.floating]) -> tuple[NDArray[np.float32], NDArray[np.int8]]:
    """Mean over axis 0 (K), NaN where any hour is missing or out of range, and the range code."""
    codes = range_code(hours, LOWEST_K, HIGHEST_K)
    code = np.where(codes.min(axis=0) < 0, np.int8(-1), codes.max(axis=0))
    mean = hours.mean(axis=0, dtype=np.float64)
    return np.where(code == 0, mean, np.nan).astype(np.float32), code


@contextmanager
def _opened(path: Path) -> Iterator[list[h5py.File]]:
    """The file, or the `.nc` members of a ZIP; HDF5's failures are raised as GranuleError."""
    if not is_zip(path) and not first_bytes(path).startswith(HDF5):
        raise GranuleError(f"{path.name}: is {mistaken_for(path)}, not netCDF 4: fetch it again.")
    try:
        with ExitStack() as stack:
            contents = _members(path) if is_zip(path) else [path]
            yield [stack.enter_context(h5py.File(content, "r")) for content in contents]
    except (OSError, RuntimeError, KeyError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        reason = str(error).splitlines()[0][:160]
        raise GranuleError(
            f"{path.name}: the file is damaged or cut off ({reason}): fetch it again."
        ) from error


def _members(path: Path) -> list[io.BytesIO]:
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.endswith(".nc")]
        if not names:
            raise GranuleError(f"{path.name}: a ZIP without a .nc member: ask for netCDF again.")
        return [io.BytesIO(archive.read(name)) for name in names]


def _holder(files: list[h5py.File], path: Path, name: str) -> h5py.File:
    """The first file that holds the variable."""
    for file in files:
        if name in file:
            return file
    raise GranuleError(f"{path.name}: variable {name} is missing: ask for t2m and tp again.")


def _frame(file: h5py.File, path: Path, day: date) -> _Frame:
    """Place, time and version of the day in one file."""
    steps, count = _steps(file, path, day)
    window, order = _grid(file, path)
    return _Frame(window, order, steps, count, _is_preliminary(file, path, steps))


def _hours(
    file: h5py.File, path: Path, wanted: tuple[str, str], frame: _Frame
) -> NDArray[np.floating]:
    """The day's 25 hours (hour, row, col) of a variable (name, unit), NaN where fill."""
    name, unit = wanted
    stored = file[name]
    _check(stored, path, name, unit)
    if stored.shape != (frame.hours_in_file, *frame.window.shape):
        raise GranuleError(f"{path.name}: {name} has shape {stored.shape}: fetch it again.")
    values = stored[frame.steps][..., frame.order]
    fill = np.ravel(stored.attrs.get("_FillValue", np.nan))[0]
    return np.where(values == fill, np.nan, values)


def _check(stored: h5py.Dataset, path: Path, name: str, unit: str) -> None:
    if stored.dtype.kind != "f":
        raise GranuleError(
            f"{path.name}: {name} is {stored.dtype}, not floating point: fetch the new format."
        )
    found = _text(stored.attrs.get("units", ""))
    if found != unit:
        raise GranuleError(f"{path.name}: {name} is in '{found}', not '{unit}': fetch it again.")


def _steps(file: h5py.File, path: Path, day: date) -> tuple[slice, int]:
    """Positions of the day's 25 hours along `valid_time`, and its length."""
    stored = file["valid_time"]
    if not _text(stored.attrs.get("units", "")).startswith(TIME_UNITS):
        raise GranuleError(f"{path.name}: valid_time is not in {TIME_UNITS}: fetch it again.")
    times = stored[:].astype(np.int64)
    start = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
    first = int(np.searchsorted(times, start))
    found = times[first : first + HOURS]
    expected = start + 3600 * np.arange(HOURS)
    if times.size == 0 or times[-1] < expected[-1]:
        raise GranuleError(
            f"{path.name}: tp ends before 00 UTC of the day after {day}, so {day} has no total: "
            "fetch it again with that hour."
        )
    if not np.array_equal(found, expected):
        raise GranuleError(f"{path.name}: valid_time lacks hours of {day}: fetch it again.")
    return slice(first, first + HOURS), times.size


def _grid(file: h5py.File, path: Path) -> tuple[GridWindow, NDArray[np.intp]]:
    """The grid, west to east within -180..180, and the order that brings the columns there."""
    latitude, longitude = file["latitude"][:], file["longitude"][:]
    wrapped = np.where(longitude >= 180, longitude - 360, longitude)
    order = np.argsort(wrapped, kind="stable")
    wrapped = wrapped[order]
    for name, values, step in (
        ("latitude", latitude, -STEP_DEG),
        ("longitude", wrapped, STEP_DEG),
    ):
        if values.size == 0 or not np.allclose(np.diff(values), step, atol=1e-3):
            raise GranuleError(f"{path.name}: {name} does not step by {step} deg: fetch it again.")
    west = round(float(wrapped[0]) - STEP_DEG / 2, 4)
    north = round(float(latitude[0]) + STEP_DEG / 2, 4)
    affine = Affine(STEP_DEG, 0, west, 0, -STEP_DEG, north)
    return GridWindow("EPSG:4326", affine, (latitude.size, longitude.size)), order


def _is_preliminary(file: h5py.File, path: Path, steps: slice) -> bool:
    """Whether any of the hours is of the preliminary version (expver 5)."""
    if "expver" not in file:
        raise GranuleError(f"{path.name}: variable expver is missing: fetch the new format.")
    stored = file["expver"]
    texts = [_text(value) for value in (stored[steps] if stored.ndim else [stored[()]])]
    versions = {int(text) if text.isdigit() else -1 for text in texts}
    if not versions or versions - {_FINAL, _PRELIMINARY}:
        raise GranuleError(f"{path.name}: expver {sorted(set(texts))} is unknown: fetch it again.")
    return _PRELIMINARY in versions


def _text(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
