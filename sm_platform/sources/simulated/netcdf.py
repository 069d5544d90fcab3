"""The netCDF-4 file of one day of hourly weather, as the Climate Data Store lays it out."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from sm_platform.grid.window import GridWindow, centres

N_HOURS = 25
"""00 UTC of the day to 00 UTC of the next."""
FINAL, NOT_FINAL = "0001", "0005"
TIME_UNIT = "seconds since 1970-01-01"
DIMENSIONS = ("valid_time", "latitude", "longitude")


@dataclass(frozen=True, slots=True)
class DayFile:
    """Content of one file; arrays are (25, rows, cols)."""

    day: date
    window: GridWindow
    temperature_k: NDArray[np.float32]
    accumulated_m: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Blank:
    """A file of one grid without its numbers, and where in it they go.

    The files of all days differ in nothing else, and making each anew takes 20 times as long.
    """

    image: bytes
    offsets: Mapping[str, int]
    """First byte of each variable, stored in one piece in the machine's order."""


def blank_file(window: GridWindow, *, is_final: bool) -> Blank:
    """A netCDF-4 file (HDF5 with dimension scales) whose numbers are still to be filled in."""
    target = io.BytesIO()
    nothing = np.zeros((N_HOURS, *window.shape), np.float32)
    with h5py.File(target, "w", libver=("v108", "v108")) as file:
        file.attrs["Conventions"] = "CF-1.7"
        file.attrs["institution"] = "European Centre for Medium-Range Weather Forecasts"
        file.attrs["history"] = "simulated"
        for number, (name, values) in enumerate(_coordinates(window).items()):
            scale = file.create_dataset(name, data=values)
            scale.make_scale(name)
            scale.attrs["_Netcdf4Dimid"] = np.int32(number)
            scale.attrs.update(COORDINATE_ATTRIBUTES[name])
        for name in VARIABLE_ATTRIBUTES:
            _add_variable(file, name, nothing)
        versions = [FINAL if is_final else NOT_FINAL] * N_HOURS
        expver = file.create_dataset("expver", data=versions, dtype=h5py.string_dtype())
        expver.dims[0].attach_scale(file["valid_time"])
        offsets = {name: file[name].id.get_offset() for name in ("valid_time", "t2m", "tp")}
    return Blank(target.getvalue(), offsets)


def filled(blank: Blank, content: DayFile) -> bytes:
    """The file of one day."""
    start = int(datetime.combine(content.day, time(), UTC).timestamp())
    numbers: dict[str, NDArray[Any]] = {
        "valid_time": start + 3600 * np.arange(N_HOURS, dtype=np.int64),
        "t2m": content.temperature_k,
        "tp": content.accumulated_m,
    }
    image = bytearray(blank.image)
    for name, values in numbers.items():
        stored = values.tobytes()
        image[blank.offsets[name] : blank.offsets[name] + len(stored)] = stored
    return bytes(image)


def _coordinates(window: GridWindow) -> dict[str, NDArray[Any]]:
    x, y = centres(window)
    return {
        "valid_time": np.zeros(N_HOURS, np.int64),
        "latitude": np.round(y[:, 0], 6),
        "longitude": np.round(x[0], 6),
    }


def _add_variable(file: h5py.File, name: str, values: NDArray[np.float32]) -> None:
    data = file.create_dataset(name, data=values, fillvalue=np.float32(np.nan))
    data.attrs["_FillValue"] = np.array([np.nan], np.float32)
    data.attrs.update(VARIABLE_ATTRIBUTES[name])
    for axis, dimension in enumerate(DIMENSIONS):
        data.dims[axis].attach_scale(file[dimension])


COORDINATE_ATTRIBUTES: Mapping[str, Mapping[str, str]] = {
    "valid_time": {
        "long_name": "time",
        "standard_name": "time",
        "units": TIME_UNIT,
        "calendar": "proleptic_gregorian",
    },
    "latitude": {
        "units": "degrees_north",
        "standard_name": "latitude",
        "long_name": "latitude",
        "stored_direction": "decreasing",
    },
    "longitude": {
        "units": "degrees_east",
        "standard_name": "longitude",
        "long_name": "longitude",
    },
}
VARIABLE_ATTRIBUTES: Mapping[str, Mapping[str, str]] = {
    "t2m": {
        "long_name": "2 metre temperature",
        "units": "K",
        "standard_name": "unknown",
        "GRIB_shortName": "2t",
        "GRIB_stepType": "instant",
        "coordinates": "expver",
    },
    "tp": {
        "long_name": "Total precipitation",
        "units": "m",
        "standard_name": "unknown",
        "GRIB_shortName": "tp",
        "GRIB_stepType": "accum",
        "coordinates": "expver",
    },
}
