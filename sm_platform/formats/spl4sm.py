"""SPL4SMGP and SPL4SMAU: soil moisture of a land model that assimilates SMAP, 9 km, 3 hours.

SMAP L4_SM product specification (Reichle et al.): `sm_surface` is the mean of 0-5 cm over 3 hours,
the name has their centre (01:30, 04:30, ... UTC); `sm_surface_analysis` is the analysis at an
instant (00:00, 03:00, ... UTC). The time comes from the name: the file's `time` counts from noon
while its units say 11:58:55.816. No field tells a bad value: flagged are the granules that a notice
speaks against (`smap_notices`), whole.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np

from sm_platform.errors import GranuleError
from sm_platform.formats.ease2_hdf import cut, find_patch, need_field, opened_hdf, read_moisture
from sm_platform.formats.geotiff import Bounds
from sm_platform.formats.smap_notices import SPL4, is_bad
from sm_platform.grid.window import Raster
from sm_platform.schema.readings import FieldReading

NAME = re.compile(
    r"SMAP_L4_SM_(?P<kind>gph|aup)_(?P<when>\d{8}T\d{6})_V[A-Za-z]?(?P<release>\d{4})_"
    r"(?P<counter>\d{3})(?:_\w+)?\.(?:h5|hdf5|nc4?)",
    re.ASCII,
)
"""File names, with whatever a subsetting service appends."""
FIELDS = {"gph": "Geophysical_Data/sm_surface", "aup": "Analysis_Data/sm_surface_analysis"}
FIRST_MINUTE = {"gph": 90, "aup": 0}
"""Minute of the day of the first of the eight granules, 180 minutes apart."""
INDEXES = ("cell_row", "cell_column")


def sensed_utc(name: str) -> datetime:
    """Centre of the 3-hour mean, or instant of the analysis, from the file's name.

    Raises:
        GranuleError: no such name, or a time at which the product has no granule.
    """
    return _named(name).sensed_utc


def day_of(name: str) -> date:
    """UTC day of the granule; raises as `sensed_utc`."""
    return sensed_utc(name).date()


def read_spl4(path: Path, *, bounds_lonlat: Bounds | None = None) -> list[FieldReading]:
    """The one field of a granule, on cells of the 9 km EASE-Grid 2.0 (EPSG:6933).

    `sm_m3m3` float32, NaN where fill or outside the file's valid range; `is_flagged` is the same
    everywhere, see above. `pass_name` is the hour and minute of the name.

    Raises:
        GranuleError: the name tells no time; the file is damaged, no HDF5, lacks the field, has it
            in another unit or off the grid; the bounds lie outside it.
    """
    named = _named(path.name)
    with opened_hdf(path) as file:
        stored = need_field(file, path, FIELDS[named.kind])
        patch, part = cut(find_patch(file, path, stored, INDEXES), path, bounds_lonlat)
        values = read_moisture(stored, path, part)
    is_flagged = np.full(patch.shape, named.is_bad)
    raster = Raster(patch.window, {"sm_m3m3": values, "is_flagged": is_flagged})
    return [FieldReading(raster, named.sensed_utc, f"{named.sensed_utc:%H%M}")]


@dataclass(frozen=True, slots=True)
class _Name:
    """What a file name tells."""

    kind: str
    """`gph` or `aup`."""
    sensed_utc: datetime
    is_bad: bool
    """Whether a notice speaks against the granule."""


def _named(name: str) -> _Name:
    """The parts of a file name; raises GranuleError as `sensed_utc`."""
    found = NAME.fullmatch(name)
    try:
        parts = found.groupdict() if found else {"when": ""}
        sensed = datetime.strptime(parts["when"], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    except ValueError as error:
        raise GranuleError(
            f"{name}: is no name like SMAP_L4_SM_gph_20250110T013000_Vv8011_001.h5: check it."
        ) from error
    kind, numbers = parts["kind"], {one: int(parts[one]) for one in ("release", "counter")}
    minutes = sensed.hour * 60 + sensed.minute - FIRST_MINUTE[kind]
    if minutes % 180 or sensed.second:
        raise GranuleError(f"{name}: no granule has the time {sensed:%H:%M:%S}: check its name.")
    return _Name(kind, sensed, is_bad(SPL4, sensed.date(), **numbers))
