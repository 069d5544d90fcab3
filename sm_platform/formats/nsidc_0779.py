"""NSIDC-0779: SMAP soil moisture sharpened to 1 km by surface temperature, morning and evening.

SMAP-Derived 1-km Downscaled Surface Soil Moisture, version 1 (Lakshmi and Fang): GeoTIFF on the
1 km EASE-Grid 2.0, band 1 at 6 h and band 2 at 18 h local solar time, m3/m3. Some files carry a CRS
that no library understands: the corner and the cell decide where a file lies. Values that are no
soil moisture (<= 0, > 1, NaN, -9999) are missing; the provider flags none.
"""

import re
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.errors import CRSError
from rasterio.io import DatasetReader
from rasterio.windows import Window

from sm_platform.errors import GranuleError
from sm_platform.formats.ease2_hdf import (
    HIGHEST_M3M3,
    Patch,
    cut,
    is_m3m3,
    refuse_percent,
    solar_moment,
)
from sm_platform.formats.geotiff import Bounds, opened
from sm_platform.grid import ease2
from sm_platform.grid.window import Raster
from sm_platform.schema.readings import FieldReading

NAME = re.compile(r"NSIDC-0779_EASE2_G1km_SMAP_SM_DS_(\d{8})(?:_\w+)?\.tiff?", re.ASCII)
"""File names, with whatever a clip to a region appends."""
LEVEL = ease2.LEVEL_1KM
HOURS = {"am": 6.0, "pm": 18.0}
"""Local solar time of band 1 and band 2."""
TYPES = ("float32", "float64")
DRIFT_CELLS = 0.05
"""How far a corner may lie from a corner of the 1 km grid."""


def day_of(name: str) -> date:
    """UTC day of the passes, from the file's name; raises GranuleError when it has none."""
    found = NAME.fullmatch(name)
    try:
        return datetime.strptime(found[1] if found else "", "%Y%m%d").date()
    except ValueError as error:
        raise GranuleError(
            f"{name}: is no name like NSIDC-0779_EASE2_G1km_SMAP_SM_DS_20250110.tif: check it."
        ) from error


def read_nsidc(path: Path, *, bounds_lonlat: Bounds | None = None) -> list[FieldReading]:
    """The morning (`am`) and the evening (`pm`) field, on cells of the 1 km EASE-Grid 2.0.

    `sm_m3m3` float32, NaN where missing; `is_flagged` is False. `sensed_utc` is the moment of the
    UTC day at which it is 6 or 18 h local solar time in the raster's middle.

    Raises:
        GranuleError: the name tells no day; the file is damaged, no GeoTIFF, not two bands of
            floating point, in percent, or not on the 1 km grid; the bounds lie outside it.
    """
    day = day_of(path.name)
    with opened(path) as file:
        _check_bands(file, path)
        patch, part = cut(_patch(file, path), path, bounds_lonlat)
        bands = file.read([1, 2], window=Window.from_slices(*part))
    refuse_percent(bands, path)
    is_flagged = np.zeros(patch.shape, dtype=bool)
    return [
        FieldReading(
            Raster(patch.window, {"sm_m3m3": _decode(band), "is_flagged": is_flagged}),
            solar_moment(day, hour, patch.middle_lon),
            name,
        )
        for (name, hour), band in zip(HOURS.items(), bands, strict=True)
    ]


def _decode(stored: NDArray[Any]) -> NDArray[np.float32]:
    is_valid = (stored > 0) & (stored <= HIGHEST_M3M3)
    return np.where(is_valid, stored, np.nan).astype(np.float32)


def _check_bands(file: DatasetReader, path: Path) -> None:
    """Two bands of floating point, neither scaled nor in another unit."""
    if file.count != 2:
        raise GranuleError(
            f"{path.name}: has {file.count} bands, not two (6 h, 18 h): fetch the original."
        )
    for dtype, unit, scale, offset in zip(
        file.dtypes, file.units, file.scales, file.offsets, strict=True
    ):
        if dtype not in TYPES or (scale, offset) != (1.0, 0.0):
            raise GranuleError(f"{path.name}: holds packed {dtype}: fetch the original.")
        if unit and not is_m3m3(unit):
            raise GranuleError(f"{path.name}: is in '{unit}', not in m3/m3: fetch the original.")


def _patch(file: DatasetReader, path: Path) -> Patch:
    """The file's cells on the 1 km grid, all four corners within DRIFT_CELLS of it."""
    affine, (rows, cols) = file.transform, file.shape
    left, top = affine.c, affine.f
    x, y = affine * (cols, rows)
    (first_row, last_row), (first_col, last_col) = ease2.position(LEVEL, (left, x), (top, y))
    row, col = round(float(first_row)), round(float(first_col))
    drift = [first_row - row, first_col - col, last_row - row - rows, last_col - col - cols]
    is_inside = 0 <= row <= LEVEL.shape[0] - rows and 0 <= col <= LEVEL.shape[1] - cols
    if affine.b or affine.d or not is_inside or not max(np.abs(drift)) <= DRIFT_CELLS:
        raise GranuleError(
            f"{path.name}: cells ({affine.a:.6g} x {affine.e:.6g} from {left:.6g}, {top:.6g}, CRS "
            f"{_crs_name(file)}) are not those of the 1 km EASE-Grid 2.0: fetch the original."
        )
    return Patch(LEVEL, row, col, (rows, cols))


def _crs_name(file: DatasetReader) -> str:
    try:
        return str(file.crs)[:80]
    except CRSError:
        return "unreadable"
