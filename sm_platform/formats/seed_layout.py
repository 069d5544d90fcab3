"""The seed system's GeoTIFFs, read as that system reads them, so that its maps can be reproduced.

All files are in EPSG:4326, each on its own grid; their nodata tags are ignored. Which numbers count
as missing differs by file: exactly 0.0 dB or degrees (radar), -32768 (soil), NaN (all).
"""

import re
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sm_platform.errors import GranuleError
from sm_platform.formats.era5_land import HIGHEST_K, LOWEST_K, decode_precipitation
from sm_platform.formats.geotiff import Stored, grid_of, opened, read_bands, read_part
from sm_platform.formats.ranges import BACKSCATTER_DB, in_range
from sm_platform.grid.window import GridWindow, Raster

CRS = "EPSG:4326"
FILL = -32768
NDVI_LOWEST, NDVI_HIGHEST = -2000.0, 10000.0
"""Valid range of NDVI x 10000 (MOD13 user guide)."""

DEGREES = (1.0, 90.0)
"""Angles of a radar; a fill such as -9999 counts as the nearer end, as that system does."""

_DAY = re.compile(r"(?<!\d)(\d{4}-\d{2}-\d{2})(?!\d)")


def day_of(path: Path) -> date:
    """The day in a file's name (`S1_2025-01-03.tif`); raises GranuleError when there is none."""
    found = _DAY.search(path.stem)
    try:
        return date.fromisoformat(found[1] if found else "")
    except ValueError as error:
        raise GranuleError(f"{path.name}: names no day YYYY-MM-DD: rename it.") from error


def read_s1(path: Path) -> Raster:
    """`vv_db`, `vh_db`, `angle_deg` float32; exactly 0.0 is NaN, band by band.

    Numbers that no radar measures are clipped to -80..40 dB and 1..90 degrees, not missing.

    Raises:
        GranuleError: a band is missing, another CRS, or the file is damaged.
    """
    window, bands = _floats(path, ("VV", "VH", "angle"))
    ranges = BACKSCATTER_DB, BACKSCATTER_DB, DEGREES
    kept = [np.clip(_without(band, 0.0), *ends) for band, ends in zip(bands, ranges, strict=True)]
    return _named(window, ("vv_db", "vh_db", "angle_deg"), kept)


def read_ndvi(path: Path) -> Raster:
    """NDVI of a composite from a file of NDVI x 10000.

    `ndvi` float32 (unit 1), NaN where NaN or out of range, `ndvi_range_code` int8 telling which (0
    NaN in the file or valid, -1 below -2000, 1 above 10000). These files carry no quality:
    `reliability_code` (int8) and `observed_day` (int32) are -1, unknown.

    Raises:
        GranuleError: another CRS, or the file is damaged.
    """
    window, (stored,) = _floats(path, ("NDVI",))
    ndvi, code = in_range(stored, NDVI_LOWEST, NDVI_HIGHEST)
    unknown = np.full(window.shape, -1)
    return Raster(
        window,
        {
            "ndvi": (ndvi.astype(np.float64) / 10000).astype(np.float32),
            "ndvi_range_code": code,
            "reliability_code": unknown.astype(np.int8),
            "observed_day": unknown.astype(np.int32),
        },
    )


def read_weather(path: Path) -> Raster:
    """`temperature_k` and `precipitation_m` (m/day) float32 of the day, with their range codes.

    NaN where NaN or out of range (150..350 K, 0..2 m; totals down to -1e-4 m are 0), the int8 codes
    telling which: -1 below, 1 above, else 0. `is_preliminary` is false: the files do not say.

    Raises:
        GranuleError: a band is missing, another CRS, or the file is damaged.
    """
    names = ("temperature_2m", "total_precipitation_sum")
    window, (temperature, total) = _floats(path, names)
    kelvin, kelvin_code = in_range(temperature, LOWEST_K, HIGHEST_K)
    rain, rain_code = decode_precipitation(total)
    return Raster(
        window,
        {
            "temperature_k": kelvin,
            "precipitation_m": rain,
            "temperature_range_code": kelvin_code,
            "precipitation_range_code": rain_code,
            "is_preliminary": np.zeros(window.shape, dtype=bool),
        },
    )


def read_soil(path: Path) -> Raster:
    """`sand_g_kg`, `clay_g_kg`, `bulk_density_cg_cm3` float32 as stored, -32768 as NaN; 0 is kept.

    Raises:
        GranuleError: a band is missing, another CRS, or the file is damaged.
    """
    window, bands = _floats(path, ("sand", "clay", "bdod"))
    names = ("sand_g_kg", "clay_g_kg", "bulk_density_cg_cm3")
    return _named(window, names, [_without(band, FILL) for band in bands])


def read_terrain(path: Path) -> Raster:
    """`elevation_m`, `slope_deg`, `aspect_deg` float32 at 30 m as stored, fills included.

    That system averages -32768 like any height, so who reads these bands decides about fills.

    Raises:
        GranuleError: a band is missing, another CRS, or the file is damaged.
    """
    window, bands = _floats(path, ("elevation", "slope", "aspect"))
    names = ("elevation_m", "slope_deg", "aspect_deg")
    return _named(window, names, bands)


def _floats(path: Path, names: Sequence[str]) -> tuple[GridWindow, list[NDArray[np.float32]]]:
    stored = read_bands(path, names, crs=CRS) if _names_any(path, names) else _in_order(path, names)
    return stored.window, [band.astype(np.float32) for band in stored.bands]


def _names_any(path: Path, names: Sequence[str]) -> bool:
    """Whether a description is one of the names, or there are too few bands to go by order."""
    with opened(path) as file:
        texts = [(text or "").lower() for text in file.descriptions]
        is_short = file.count < len(names)
    return is_short or any(text.startswith(name.lower()) for text in texts for name in names)


def _in_order(path: Path, names: Sequence[str]) -> Stored:
    """The first bands, as the seed system takes them, of a file whose descriptions say nothing."""
    with opened(path) as file:
        grid = grid_of(file, path, CRS)
        rows, cols = grid.shape
        numbers = range(1, len(names) + 1)
        return read_part(file, grid, numbers, (slice(0, rows), slice(0, cols)))


def _named(
    window: GridWindow, names: Sequence[str], bands: Sequence[NDArray[np.float32]]
) -> Raster:
    return Raster(window, dict(zip(names, bands, strict=True)))


def _without(band: NDArray[np.float32], missing: float) -> NDArray[np.float32]:
    return np.where(band == missing, np.float32(np.nan), band)
