"""MOD13Q1 and MYD13Q1, collection 6.1: 16-day vegetation index composites, 250 m, sinusoidal.

MODIS Vegetation Index User's Guide (MOD13 series, collection 6.1), tables of the 250 m product:
NDVI int16, scale 0.0001, valid -2000..10000, fill -3000; pixel reliability int8, fill -1, 0 good,
1 marginal, 2 snow or ice, 3 cloudy (written as uint8 with 255 by some exports); composite day of
the year int16, fill -1, 1..366. The file's `scale_factor` is 10000, a divisor: it is not used.
Lossy copies smear the fill value, hence the valid range decides, not equality with the fill.
"""

import re
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sm_platform.errors import GranuleError
from sm_platform.formats.geotiff import Bounds, Stored, read_first
from sm_platform.formats.ranges import range_code
from sm_platform.grid.calendar import day_of_year
from sm_platform.grid.window import Raster

SINUSOIDAL = "+proj=sinu +lon_0=0 +x_0=0 +y_0=0 +R=6371007.181 +units=m +no_defs"
"""The MODIS land grid: sinusoidal on a sphere of 6371007.181 m."""
NDVI_SCALE = 1e-4
NDVI_LOWEST, NDVI_HIGHEST = -2000, 10000
"""Valid range of the stored numbers."""
COMPOSITE_DAYS = 16
FIRST_DAYS = {"MOD": 1, "MYD": 9}
"""Terra's composites begin on days 1, 17, ... of the year, Aqua's on 9, 25, ..."""

_ID = re.compile(r"(MOD|MYD)13Q1\.A(\d{4})(\d{3})\.h\d{2}v\d{2}\.\d{3}\.\d{13}", re.ASCII)


def composite_day(granule_id: str) -> date:
    """First day of the 16 of a composite, from `MOD13Q1.A2025001.h27v06.061.2025018000000`.

    Raises:
        GranuleError: not such an id, or a day on which no composite of this satellite begins.
    """
    parts = _ID.fullmatch(granule_id)
    if parts is None:
        raise GranuleError(f"{granule_id}: is no MOD13Q1 or MYD13Q1 id: check the file's name.")
    satellite, year, number = parts[1], int(parts[2]), int(parts[3])
    if not 1 <= number <= 366 or (number - FIRST_DAYS[satellite]) % COMPOSITE_DAYS:
        raise GranuleError(f"{granule_id}: no composite begins on day {number}: check its name.")
    return date(year, 1, 1) + timedelta(days=number - 1)


def read_composite(folder: Path, granule_id: str, *, bounds_lonlat: Bounds | None = None) -> Raster:
    """NDVI and its quality of one composite, on the sinusoidal grid of the file.

    `ndvi` float32 (unit 1, NaN missing); `ndvi_range_code` int8 (-1 where the stored number, a fill
    value too, lies below the valid range, 1 above, else 0); `reliability_code` int8 (0..3, -1
    unknown); `observed_day` int32 (proleptic ordinal, -1 unknown).

    Raises:
        GranuleError: a file of the three is missing, damaged, of another type, CRS or grid.
    """
    start = composite_day(granule_id)
    ndvi = _layer(folder, granule_id, ("NDVI", "int16"), bounds_lonlat)
    reliability = _layer(folder, granule_id, ("pixel_reliability", "int8", "uint8"), bounds_lonlat)
    observed = _layer(folder, granule_id, ("composite_day_of_the_year", "int16"), bounds_lonlat)
    if not ndvi.window == reliability.window == observed.window:
        raise GranuleError(f"{granule_id}: layers lie on different grids: fetch them again.")
    values, code = decode_ndvi(ndvi.bands[0])
    return Raster(
        ndvi.window,
        {
            "ndvi": values,
            "ndvi_range_code": code,
            "reliability_code": decode_reliability(reliability.bands[0]),
            "observed_day": decode_observed_day(observed.bands[0], start),
        },
    )


def decode_ndvi(stored: NDArray[Any]) -> tuple[NDArray[np.float32], NDArray[np.int8]]:
    """NDVI (NaN outside the valid range) and range code (-1 below, 1 above, 0 within)."""
    code = range_code(stored, NDVI_LOWEST, NDVI_HIGHEST)
    scaled = np.where(code == 0, stored * NDVI_SCALE, np.nan)
    return scaled.astype(np.float32), code


def _layer(folder: Path, granule_id: str, layer: tuple[str, ...], bounds: Bounds | None) -> Stored:
    """One layer (name, then allowed types) of the granule."""
    name, *dtypes = layer
    path = folder / f"{granule_id}_250m_16_days_{name}.tif"
    return read_first(path, name, crs=SINUSOIDAL, dtypes=dtypes, bounds_lonlat=bounds)


def decode_reliability(stored: NDArray[Any]) -> NDArray[np.int8]:
    """Pixel reliability 0..3, -1 where it is anything else."""
    known = (stored >= 0) & (stored <= 3)
    return np.where(known, stored, -1).astype(np.int8)


def decode_observed_day(stored: NDArray[Any], start: date) -> NDArray[np.int32]:
    """Ordinal of the observation; the last composite of a year runs into the next one.

    A day of the year outside the composite's 16 days is no observation of it: unknown.
    """
    days_in_year = day_of_year(date(start.year, 12, 31))
    offset = stored.astype(np.int32) - day_of_year(start)
    offset = np.where(offset < 0, offset + days_in_year, offset)
    known = (stored >= 1) & (offset < COMPOSITE_DAYS)
    return np.where(known, start.toordinal() + offset, -1).astype(np.int32)
