"""Planet soil water content as the seed system exported it from EO Browser.

Band 1 is the quality (0 good), band 2 the value: times 2 it is m3/m3, band 3 the data mask (0: no
data). The day is in the name. Whole-number exports spread 0..1 over their type's range.
"""

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np

from sm_platform.errors import GranuleError
from sm_platform.formats.geotiff import Bounds, read_bands
from sm_platform.grid.window import Raster, lonlat_bounds
from sm_platform.schema.readings import FieldReading

NAME = re.compile(r"(?<!\d)(\d{4}-\d{2}-\d{2})(?!\d).*\.tiff?$", re.IGNORECASE)
FACTOR = 2.0
FULL_SCALE = {"uint8": 255.0, "uint16": 65535.0, "float32": 1.0, "float64": 1.0}
OVERPASS_H = 1.5
"""Local solar hour of the night overpass, from which the export is made."""


def day_of(name: str) -> date:
    """The day in a file name (local, as exported); raises GranuleError when there is none."""
    found = NAME.search(name)
    try:
        return date.fromisoformat(found.group(1) if found else "")
    except ValueError as error:
        raise GranuleError(f"{name}: holds no day like 2025-01-10: check its name.") from error


def read_eo_browser(path: Path, *, bounds_lonlat: Bounds | None = None) -> list[FieldReading]:
    """The one field of an export.

    Raises:
        GranuleError: not three bands of a known type, no day in the name, or a damaged file.
    """
    stored = read_bands(
        path, ("quality", "value", "mask"), dtypes=tuple(FULL_SCALE), bounds_lonlat=bounds_lonlat
    )
    quality, value, mask = stored.bands
    day = day_of(path.name)
    sm = value.astype(np.float64) / FULL_SCALE[str(value.dtype)] * FACTOR
    has_data = (mask > 0) & np.isfinite(sm) & (value != stored.nodata)
    bands = {
        "sm_m3m3": np.where(has_data, sm, np.nan).astype(np.float32),
        "is_flagged": np.asarray(quality != 0),
    }
    west, _, east, _ = lonlat_bounds(stored.window)
    local = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(hours=OVERPASS_H)
    moment = local - timedelta(hours=(west + east) / 30)
    return [FieldReading(Raster(stored.window, bands), moment.replace(microsecond=0), "")]
