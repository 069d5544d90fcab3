"""A day of ERA5-Land as Earth Engine holds it: a GeoTIFF of two bands on the 0.1 degree grid.

Catalogue page of ECMWF/ERA5_LAND/DAILY_AGGR: `temperature_2m` (K), mean of the hours 00..23;
`total_precipitation_sum` (m), total of the day. Masked over sea, written as NaN. Whether the day
was still preliminary when it was fetched is a tag of the file, as is the day itself.
"""

from datetime import date
from pathlib import Path

import numpy as np

from sm_platform.errors import GranuleError
from sm_platform.formats.era5_land import (
    HIGHEST_K,
    LOWEST_K,
    STEP_DEG,
    decode_precipitation,
)
from sm_platform.formats.geotiff import Stored, opened, read_bands
from sm_platform.formats.ranges import in_range
from sm_platform.grid.window import Raster

BANDS = ("temperature_2m", "total_precipitation_sum")
DAY_TAG, PRELIMINARY_TAG = "day", "is_preliminary"
CRS = "EPSG:4326"
_STATES = {"yes": True, "no": False}
_DRIFT = 1e-6
"""Of a cell's place, degrees."""


def read_day(path: Path, day: date) -> Raster:
    """Weather of one UTC day on the 0.1 deg grid; bands and meaning as `era5_land.read_day`.

    Raises:
        GranuleError: a band or tag is missing; the file is damaged or of another day, type, grid.
    """
    with opened(path) as file:
        tags = file.tags()
    if tags.get(DAY_TAG) != day.isoformat():
        raise GranuleError(
            f"{path.name}: is of {tags.get(DAY_TAG, 'no day')}, not of {day}: fetch it again."
        )
    is_preliminary = _STATES.get(tags.get(PRELIMINARY_TAG, ""))
    if is_preliminary is None:
        raise GranuleError(
            f"{path.name}: does not tell whether it is preliminary ({PRELIMINARY_TAG}): fetch it "
            "again."
        )
    stored = read_bands(path, BANDS, crs=CRS, dtypes=("float32",))
    _check_grid(path, stored)
    kelvin, total = stored.bands
    temperature, temperature_code = in_range(kelvin, LOWEST_K, HIGHEST_K)
    rain, rain_code = decode_precipitation(total)
    return Raster(
        stored.window,
        {
            "temperature_k": temperature,
            "precipitation_m": rain,
            "temperature_range_code": temperature_code,
            "precipitation_range_code": rain_code,
            "is_preliminary": np.full(stored.window.shape, is_preliminary),
        },
    )


def _check_grid(path: Path, stored: Stored) -> None:
    """Cell centres lie on tenths of a degree: else it is another product, or was resampled."""
    affine = stored.window.affine
    west, north = affine.c / STEP_DEG + 0.5, affine.f / STEP_DEG + 0.5
    drift = max(
        abs(affine.a - STEP_DEG),
        abs(affine.e + STEP_DEG),
        abs(west - round(west)) * STEP_DEG,
        abs(north - round(north)) * STEP_DEG,
    )
    if drift > _DRIFT:
        raise GranuleError(
            f"{path.name}: cells are not those of ERA5-Land (0.1 degrees, centres on tenths): "
            "fetch it again."
        )
