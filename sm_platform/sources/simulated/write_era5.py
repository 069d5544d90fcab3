"""ERA5-Land: one netCDF-4 file a UTC day, as the Climate Data Store writes them.

Variables t2m (K) and tp (m, accumulated from 00 UTC) over (valid_time, latitude, longitude), 25
hours from 00 UTC to 00 UTC of the next day, which alone holds the day's total; `expver` says
along the time which values are preliminary. Sea cells are NaN.
"""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from sm_platform.grid.window import GridWindow, centres
from sm_platform.sources.protocol import Product
from sm_platform.sources.simulated.archive_index import Entry, after, granule_folder
from sm_platform.sources.simulated.fields import Streams
from sm_platform.sources.simulated.period import Period
from sm_platform.sources.simulated.weather_errors import CoarseWeather, coarse_weather
from sm_platform.sources.simulated.world import World

DELAY_DAYS = 5
N_HOURS = 25
PRELIMINARY = timedelta(days=90)
"""The newest days are not final yet."""
FINAL, NOT_FINAL = "0001", "0005"
NEGATIVE_SHARE, NEGATIVE_M = 0.03, 2e-8
"""Share of the dry hours written as a tiny negative, and its size at most (packing noise)."""
LICENCE = "Copernicus licence (simulated)"
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


def write_era5(root: Path, world: World, period: Period) -> list[Entry]:
    """Write a file for every driver day of the period."""
    weather = coarse_weather(world)
    rng = Streams(world.seed, world.place.index).rng("era5_negative")
    noise = np.where(
        rng.random(weather.rain_m.shape) < NEGATIVE_SHARE,
        -NEGATIVE_M * rng.random(weather.rain_m.shape),
        0.0,
    )
    blanks = {is_final: blank_file(weather.window, is_final=is_final) for is_final in (True, False)}
    entries = []
    for day in period.driver_days:
        is_final = day <= period.last - PRELIMINARY
        content = day_file(weather, noise, day)
        entries.append(_write(root, world.place.region_id, content, blanks[is_final]))
    return entries


def day_file(weather: CoarseWeather, noise: NDArray[np.float64], day: date) -> DayFile:
    """The 25 hours of a day; hour 0 carries the total of the day before.

    Args:
        weather: the hours of the whole period.
        noise: of the shape of its rain, m; written in hours before any rain has fallen.
        day: a UTC day of the period.
    """
    start = 24 * (day - weather.first_day).days
    hours = slice(start, start + 25)
    before = weather.rain_m[max(start - 24, 0) : start].sum(axis=0)
    fallen = np.concatenate([before[None], weather.rain_m[start : start + 24].cumsum(axis=0)])
    dry = np.concatenate([noise[start : start + 24], noise[start : start + 1]])
    accumulated = np.where(fallen > 0, fallen, dry)
    return DayFile(
        day,
        weather.window,
        np.where(weather.is_sea, np.nan, weather.temperature_k[hours]).astype(np.float32),
        np.where(weather.is_sea, np.nan, accumulated).astype(np.float32),
    )


def _write(root: Path, region_id: str, content: DayFile, blank: Blank) -> Entry:
    name = f"era5-land_{region_id}_{content.day:%Y%m%d}"
    folder = granule_folder(root, Product.WEATHER, region_id, name)
    (folder / f"{name}.nc").write_bytes(filled(blank, content))
    return Entry(
        product=Product.WEATHER,
        region_id=region_id,
        granule_id=name,
        day=content.day,
        files=(f"{name}.nc",),
        format="era5_land",
        available_utc=after(content.day, DELAY_DAYS),
        licence=LICENCE,
        bounds=content.window.bounds,
    )


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
