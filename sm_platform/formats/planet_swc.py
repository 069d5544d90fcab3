"""Planet Soil Water Content: GeoTIFF pairs of value and quality flags.

Planet's product specification: value uint16, x 0.001 m3/m3, nodata 65535; a second band, if there,
holds the value before flags; the flag file is a uint16 bit field. Names and item ids carry the
*local solar* time of the overpass (01:30 or 13:30), not UTC.
"""

import re
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from sm_platform.errors import GranuleError
from sm_platform.formats.geotiff import read_first
from sm_platform.grid.window import Raster
from sm_platform.schema.readings import FieldReading

SCALE_M3M3 = 0.001
NODATA = 65535
HIGHEST = 1000
"""1 m3/m3: no soil holds more."""
REJECT_MASK = 0xFFA0
"""Flag bits under which the value is not used by default."""

_TIME = re.compile(r"(?<!\d)(\d{4})-?(\d{2})-?(\d{2})T(\d{2}):?(\d{2})(?!\d)")


def read_swc(swc_path: Path, flags_path: Path) -> Raster:
    """`sm_m3m3` float32 (NaN where nodata or above 1) and `swc_flags` uint16, all bits as stored.

    Rejecting by flags is left to the caller: `swc_flags & REJECT_MASK`.

    Raises:
        GranuleError: a file is missing, damaged, not uint16, or the two lie on different grids.
    """
    stored = read_first(swc_path, "swc", dtypes=("uint16",))
    flags = read_first(flags_path, "swc-qf", dtypes=("uint16",))
    if stored.window != flags.window:
        raise GranuleError(f"{flags_path.name}: lies on another grid than the value: fetch both.")
    digits = stored.bands[0].astype(np.float64)
    values = np.where(digits <= HIGHEST, digits * SCALE_M3M3, np.nan).astype(np.float32)
    return Raster(stored.window, {"sm_m3m3": values, "swc_flags": flags.bands[0]})


def read_swc_field(
    swc_path: Path, flags_path: Path, *, sensed_utc: datetime, reject_mask: int = REJECT_MASK
) -> list[FieldReading]:
    """The one field of a pair of files; flagged where a bit of the mask is set. As `read_swc`."""
    stored = read_swc(swc_path, flags_path)
    is_flagged = (stored.values["swc_flags"].astype(np.int64) & reject_mask) != 0
    bands = {"sm_m3m3": stored.values["sm_m3m3"], "is_flagged": is_flagged}
    return [FieldReading(Raster(stored.window, bands), sensed_utc, "")]


def sensing_time(name: str, lon: float) -> datetime:
    """UTC of the overpass from an item id or a file name, to the second.

    Local solar time minus lon / 15 h: `...-20250110T0130_swc.tiff` at 106.4 E is 18:24:24 UTC of
    the day before. Where an item states `item_datetime`, that is better.

    Args:
        name: with a date and an hour, `YYYY-MM-DDTHHMM` or `YYYYMMDDTHHMM`.
        lon: of the place, degrees east within -180..180.

    Raises:
        GranuleError: the name holds no such time.
    """
    found = _TIME.search(name)
    try:
        digits = "".join(found.groups()) if found else ""
        local = datetime.strptime(f"{digits}+0000", "%Y%m%d%H%M%z")
    except ValueError as error:
        message = f"{name}: holds no time like 20250110T0130: check its name."
        raise GranuleError(message) from error
    return local - timedelta(seconds=round(lon / 15 * 3600))
