"""GPM IMERG Late: one netCDF-4 file a UTC day, as GES DISC hands out a part of GPM_3IMERGDL V07.

`precipitation` (mm/day, fill -9999.9) and `precipitation_cnt` (half hours with an estimate, 0 to
48) over (time, lon, lat), the latitude ascending; `time` in days since 1980-01-06. The name is that
of the global file, whichever part is inside. It comes 14 hours after the end of its day.

What it makes of the true rain (chosen, not fitted to any study): the mean of each 0.1 degree cell
and UTC day times a lognormal factor of mean 1 and log-sd 0.6, drawn for each cell and day; of the
days of a cell with less than 1 mm, 60 % are taken for dry; 0.5 % have no estimate.
"""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from affine import Affine
from numpy.typing import NDArray

from sm_platform.grid.window import GridWindow, centres, lonlat_bounds
from sm_platform.sources.protocol import Product
from sm_platform.sources.simulated.archive_index import Entry, after, granule_folder
from sm_platform.sources.simulated.fields import Streams
from sm_platform.sources.simulated.period import Period
from sm_platform.sources.simulated.weather_errors import CELL_DEG, hourly_rain, own_rain
from sm_platform.sources.simulated.world import World
from sm_platform.sources.simulated.write_tiff import snapped

GRID = Affine(CELL_DEG, 0, -180, 0, -CELL_DEG, 90)
"""The global grid: edges on whole tenths of a degree, half a cell beside that of ERA5-Land."""
MARGIN_CELLS = 1
DELAY_DAYS = 14 / 24
AMOUNT_SD = 0.6
DRIZZLE_M, MISSED_SHARE = 0.001, 0.6
MISSING_SHARE = 0.005
FILL = np.float32(-9999.9)
HALF_HOURS = 48
EPOCH = date(1980, 1, 6)
DOI = "10.5067/GPM/IMERGDL/DAY/07"
LICENCE = "NASA Earthdata, no restrictions (simulated)"


@dataclass(frozen=True, slots=True)
class LateRain:
    """The satellite's rain of a world's whole period."""

    window: GridWindow
    first_day: date
    rain_m: NDArray[np.float64]
    """(n_days, rows, cols) m per UTC day; NaN where there is no estimate."""


def write_imerg(root: Path, world: World, period: Period, first: date) -> list[Entry]:
    """Write a file for every driver day of the period from the first day on."""
    late, days = late_rain(world), [day for day in period.driver_days if day >= first]
    return [_write(root, world.place.region_id, late, day) for day in days]


def late_rain(world: World) -> LateRain:
    """The true rain of the region and its surroundings, with the errors of a satellite."""
    window = snapped(lonlat_bounds(world.window), GRID, MARGIN_CELLS, "EPSG:4326")
    rain = utc_days(own_rain(world, window), world.first_day)
    streams = Streams(world.seed, world.place.index)
    noise = streams.rng("imerg_amount").standard_normal(rain.shape)
    seen = rain * np.exp(AMOUNT_SD * noise - AMOUNT_SD**2 / 2)
    is_missed = streams.rng("imerg_missed").random(rain.shape) < MISSED_SHARE
    seen = np.where(is_missed & (rain < DRIZZLE_M), 0.0, seen)
    is_missing = streams.rng("imerg_missing").random(rain.shape) < MISSING_SHARE
    return LateRain(window, world.first_day, np.where(is_missing, np.nan, seen))


def utc_days(local: NDArray[np.float64], first_day: date) -> NDArray[np.float64]:
    """Rain of local days, (n_days, rows, cols), as the totals of UTC days of the same dates.

    The last one lacks what falls in the local day after it.
    """
    return np.asarray(hourly_rain(local, first_day).reshape(-1, 24, *local.shape[1:]).sum(axis=1))


def day_file(window: GridWindow, day: date, rain_m: NDArray[np.float64]) -> bytes:
    """The file of one day; `rain_m` is (rows, cols), row 0 north, NaN without an estimate."""
    target = io.BytesIO()
    with h5py.File(target, "w", libver=("v108", "v108")) as file:
        file.attrs.update(
            BeginDate=f"{day}", BeginTime="00:00:00.000Z", EndDate=f"{day}",
            EndTime="23:59:59.999Z", DOI=DOI, history="simulated",
        )  # fmt: skip
        for number, (name, values) in enumerate(_coordinates(window, day).items()):
            scale = file.create_dataset(name, data=values)
            scale.make_scale(name)
            scale.attrs["_Netcdf4Dimid"] = np.int32(number)
            scale.attrs.update(COORDINATE_ATTRIBUTES[name])
        is_missing = np.isnan(rain_m)
        millimetres = np.where(is_missing, FILL, 1000 * rain_m).astype(np.float32)
        counts = np.where(is_missing, 0, HALF_HOURS).astype(np.int16)
        rain = _add(file, "precipitation", millimetres)
        rain.attrs["_FillValue"] = np.array([FILL])
        _add(file, "precipitation_cnt", counts)
    return target.getvalue()


def _coordinates(window: GridWindow, day: date) -> dict[str, NDArray[Any]]:
    x, y = centres(window)
    return {
        "time": np.array([(day - EPOCH).days], np.float64),
        "lon": np.round(x[0], 2).astype(np.float32),
        "lat": np.round(y[::-1, 0], 2),
    }


def _add(file: h5py.File, name: str, raster: NDArray[Any]) -> h5py.Dataset:
    """A variable over (time, lon, lat) from a raster whose row 0 is north."""
    data = file.create_dataset(name, data=np.ascontiguousarray(raster[::-1].T[None]))
    data.attrs.update(VARIABLE_ATTRIBUTES[name])
    for axis, dimension in enumerate(COORDINATE_ATTRIBUTES):
        data.dims[axis].attach_scale(file[dimension])
    return data


def _write(root: Path, region_id: str, late: LateRain, day: date) -> Entry:
    name = f"3B-DAY-L.MS.MRG.3IMERG.{day:%Y%m%d}-S000000-E235959.V07B"
    folder = granule_folder(root, Product.LATE_RAIN, region_id, name)
    rain_m = late.rain_m[(day - late.first_day).days]
    (folder / f"{name}.nc4").write_bytes(day_file(late.window, day, rain_m))
    return Entry(
        product=Product.LATE_RAIN,
        region_id=region_id,
        granule_id=name,
        day=day,
        files=(f"{name}.nc4",),
        format="imerg_late",
        available_utc=after(day, DELAY_DAYS),
        licence=LICENCE,
        bounds=late.window.bounds,
    )


COORDINATE_ATTRIBUTES: Mapping[str, Mapping[str, str]] = {
    "time": {"standard_name": "time", "units": "days since 1980-01-06 00:00:00Z"},
    "lon": {"standard_name": "longitude", "long_name": "Longitude", "units": "degrees_east"},
    "lat": {"standard_name": "latitude", "long_name": "Latitude", "units": "degrees_north"},
}
"""By dimension, in their order."""
VARIABLE_ATTRIBUTES: Mapping[str, Mapping[str, str]] = {
    "precipitation": {"long_name": "Daily mean precipitation rate", "units": "mm/day"},
    "precipitation_cnt": {"long_name": "Count of valid half-hourly estimates", "units": "count"},
}
