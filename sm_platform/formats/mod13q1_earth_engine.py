"""MOD13Q1, MYD13Q1 (6.1) and VNP13A1 (2) as Earth Engine holds them: one GeoTIFF, three bands.

Catalogue pages of MODIS/061/MOD13Q1, MODIS/061/MYD13Q1 and NASA/VIIRS/002/VNP13A1: NDVI x 10000;
`SummaryQA` bits 0 and 1 are the reliability (0 good, 1 marginal, 2 snow or ice, 3 cloudy), of VIIRS
`pixel_reliability` 0..11; `DayOfYear`, of VIIRS `composite_day_of_the_year`. Masked pixels were
given -32768 when they were fetched. Images are named by the first day of the composite.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sm_platform.errors import GranuleError
from sm_platform.formats.geotiff import Bounds, read_bands
from sm_platform.formats.mod13q1 import (
    SINUSOIDAL,
    decode_ndvi,
    decode_observed_day,
    decode_reliability,
)
from sm_platform.formats.vnp13a1 import modis_reliability
from sm_platform.grid.calendar import day_of_year
from sm_platform.grid.window import Raster

RELIABILITY_BITS = 0b11
"""Of SummaryQA."""

_ID = re.compile(r"(MOD13Q1\.061|MYD13Q1\.061|VNP13A1\.002)_(\d{4})_(\d{2})_(\d{2})", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Sensor:
    """Band names of a collection, on which days composites begin, and what the quality means."""

    bands: tuple[str, str, str]
    """NDVI, quality, day of the year."""
    first_day_of_year: int
    every_days: int
    reliability: Callable[[NDArray[Any]], NDArray[np.int8]]


def _summary(stored: NDArray[Any]) -> NDArray[np.int8]:
    """Reliability from SummaryQA, -1 where it is masked."""
    return decode_reliability(np.where(stored >= 0, stored & RELIABILITY_BITS, -1))


_MODIS_BANDS = ("NDVI", "SummaryQA", "DayOfYear")
_SENSORS = {
    "MOD13Q1.061": _Sensor(_MODIS_BANDS, 1, 16, _summary),
    "MYD13Q1.061": _Sensor(_MODIS_BANDS, 9, 16, _summary),
    "VNP13A1.002": _Sensor(
        ("NDVI", "pixel_reliability", "composite_day_of_the_year"), 1, 8, modis_reliability
    ),
}


def composite_day(granule_id: str) -> date:
    """First day of the 16 of a composite, from `MOD13Q1.061_2025_01_01`.

    Raises:
        GranuleError: not such an id, or a day on which no composite of this satellite begins.
    """
    return _parsed(granule_id)[1]


def read_composite(path: Path, granule_id: str, *, bounds_lonlat: Bounds | None = None) -> Raster:
    """NDVI and its quality of one composite; bands and meaning as `mod13q1.read_composite`.

    Raises:
        GranuleError: a band is missing, damaged, or of another type or CRS.
    """
    sensor, start = _parsed(granule_id)
    stored = read_bands(
        path, sensor.bands, crs=SINUSOIDAL, dtypes=("int16",), bounds_lonlat=bounds_lonlat
    )
    ndvi, quality, observed = stored.bands
    values, code = decode_ndvi(ndvi)
    return Raster(
        stored.window,
        {
            "ndvi": values,
            "ndvi_range_code": code,
            "reliability_code": sensor.reliability(quality),
            "observed_day": decode_observed_day(observed, start),
        },
    )


def _parsed(granule_id: str) -> tuple[_Sensor, date]:
    parts = _ID.fullmatch(granule_id)
    if parts is None:
        raise GranuleError(
            f"{granule_id}: is no composite such as MOD13Q1.061_2025_01_01: check the file's name."
        )
    sensor = _SENSORS[parts[1]]
    try:
        day = date(int(parts[2]), int(parts[3]), int(parts[4]))
    except ValueError as error:
        raise GranuleError(f"{granule_id}: names no day: check the file's name.") from error
    if (day_of_year(day) - sensor.first_day_of_year) % sensor.every_days:
        raise GranuleError(f"{granule_id}: no composite begins on {day}: check the file's name.")
    return sensor, day
