"""SPL3SMP_E: soil moisture of the SMAP radiometer on the 9 km grid, the passes of a UTC day.

SMAP enhanced L3 radiometer product: a file holds the half-orbits of 00-24 UTC, descending (6 h
local solar time, group `_AM`) and ascending (18 h, `_PM`, names end in `_pm`). The bits of
`retrieval_qual_flag`: 0 not recommended, 1 not attempted, 2 not successful, 3 no freeze/thaw
retrieval; so 0 and 8 are good. Granules that a notice speaks against (`smap_notices`) are flagged
whole. `tb_time_seconds` counts from noon of 2000-01-01 UTC by its
description; were it from the epoch J2000, it would tell times 64 to 69 s late, which does not
matter to a pairing within hours.
"""

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from sm_platform.errors import GranuleError
from sm_platform.formats.ease2_hdf import (
    Patch,
    cut,
    find_field,
    find_patch,
    is_whole,
    need_field,
    opened_hdf,
    read_moisture,
    solar_moment,
)
from sm_platform.formats.geotiff import Bounds
from sm_platform.formats.smap_notices import SPL3SMP_E, is_bad
from sm_platform.grid.window import Raster
from sm_platform.schema.readings import FieldReading

NAME = re.compile(
    r"SMAP_L3_SM_P_E_(?P<when>\d{8})_R(?P<release>\d{5})_(?P<counter>\d{3})(?:_\w+)?\."
    r"(?:h5|hdf5|nc4?)",
    re.ASCII,
)
"""File names, with whatever a subsetting service appends."""
GROUP = "Soil_Moisture_Retrieval_Data_"
HOURS = {"am": 6.0, "pm": 18.0}
"""Local solar time of the passes over the equator."""
GOOD = (0, 8)
EVERYTHING = (slice(None), slice(None))
NOON_2000 = datetime(2000, 1, 1, 12, tzinfo=UTC)
GAP_S = 1800.0
"""Cells whose times have a longer gap between them were seen by different half-orbits, which begin
98 minutes apart and take 49."""


def day_of(name: str) -> date:
    """UTC day of the passes, from the file's name; raises GranuleError when it has none."""
    found = NAME.fullmatch(name)
    try:
        return datetime.strptime(found[1] if found else "", "%Y%m%d").date()
    except ValueError as error:
        raise GranuleError(
            f"{name}: is no name like SMAP_L3_SM_P_E_20250110_R19240_001.h5: check it."
        ) from error


def read_spl3(path: Path, *, bounds_lonlat: Bounds | None = None) -> list[FieldReading]:
    """The morning and the evening field, as far as the radiometer saw the cells, on EPSG:6933.

    `sm_m3m3` float32, NaN where fill, not seen, or outside the file's valid range; `is_flagged`
    where the retrieval is not recommended, and everywhere when a notice speaks against the granule.
    `sensed_utc` is the median of the cells' own times; for
    cells without one, the local solar time of the raster's middle. Where two half-orbits of the
    same kind saw cells, each has a field (`am_0004`, `am_2351`); a pass that saw none has no field.

    Raises:
        GranuleError: the name tells no day; the file is damaged, no HDF5, lacks soil moisture of
            both passes or the quality of one, has another unit or a field off the grid; the bounds
            lie outside it.
    """
    day = day_of(path.name)
    with opened_hdf(path) as file:
        held = {name: find_field(file, path, _field("soil_moisture", name)) for name in HOURS}
        if not any(held.values()):
            raise GranuleError(
                f"{path.name}: {_field('soil_moisture', 'am')} and "
                f"{_field('soil_moisture', 'pm')} are missing: fetch the file with them."
            )
        return [
            one
            for name, stored in held.items()
            if stored is not None and _saw_any(stored, path)
            for one in _fields(file, path, (stored, name, day), bounds_lonlat)
        ]


def _is_bad(name: str, day: date) -> bool:
    """Whether a notice speaks against the granule of that file name."""
    found = NAME.fullmatch(name)
    return found is not None and is_bad(
        SPL3SMP_E, day, release=int(found["release"]), counter=int(found["counter"])
    )


def _saw_any(stored: h5py.Dataset, path: Path) -> bool:
    """False for a part of the grid without a reading: outside the swath it has no indexes, too."""
    if is_whole(stored, path):
        return True
    return bool(np.isfinite(read_moisture(stored, path, EVERYTHING)).any())


def _fields(
    file: h5py.File, path: Path, wanted: tuple[h5py.Dataset, str, date], bounds: Bounds | None
) -> list[FieldReading]:
    """Fields of one pass (soil moisture, `am` or `pm`, day)."""
    stored, name, day = wanted
    indexes = _field("EASE_row_index", name), _field("EASE_column_index", name)
    patch, part = cut(find_patch(file, path, stored, indexes), path, bounds)
    values = read_moisture(stored, path, part)
    quality = need_field(file, path, _field("retrieval_qual_flag", name))
    if quality.shape != stored.shape or quality.dtype.kind not in "iu":
        raise GranuleError(f"{path.name}: {quality.name} is no flag a cell: fetch it again.")
    is_flagged = ~np.isin(quality[part], GOOD) | _is_bad(path.name, day)
    times = find_field(file, path, _field("tb_time_seconds", name))
    if times is not None and (times.shape != stored.shape or times.dtype.kind != "f"):
        times = None
    seconds = _seconds(None if times is None else times[part], patch, (name, day))
    return _split(patch, name, {"sm_m3m3": values, "is_flagged": is_flagged}, seconds)


def _field(name: str, which: str) -> str:
    """`soil_moisture` of the evening is `Soil_Moisture_Retrieval_Data_PM/soil_moisture_pm`."""
    return f"{GROUP}{which.upper()}/{name}{'_pm' if which == 'pm' else ''}"


def _seconds(
    stored: NDArray[np.floating] | None, patch: Patch, wanted: tuple[str, date]
) -> NDArray[np.float64]:
    """Time of each cell in seconds since NOON_2000, the solar one where the file has none.

    A time that is not of the file's day, give or take a day, is none (fill values included).
    """
    name, day = wanted
    solar = (solar_moment(day, HOURS[name], patch.middle_lon) - NOON_2000).total_seconds()
    if stored is None:
        return np.full(patch.shape, solar)
    noon = (datetime(day.year, day.month, day.day, 12, tzinfo=UTC) - NOON_2000).total_seconds()
    is_near = np.abs(stored - noon) <= 36 * 3600
    return np.where(is_near, stored, solar)


def _split(
    patch: Patch,
    name: str,
    bands: dict[str, NDArray[np.generic]],
    seconds: NDArray[np.float64],
) -> list[FieldReading]:
    """One field a half-orbit that saw a cell."""
    is_seen = np.isfinite(bands["sm_m3m3"])
    if not is_seen.any():
        return []
    ordered = np.sort(seconds[is_seen])
    runs = np.split(ordered, np.flatnonzero(np.diff(ordered) > GAP_S) + 1)
    found = []
    for run in runs:
        sensed = NOON_2000 + timedelta(seconds=round(float(run[run.size // 2])))
        is_own = (seconds >= run[0]) & (seconds <= run[-1])
        values = np.where(is_own, bands["sm_m3m3"], np.float32(np.nan))
        raster = Raster(patch.window, {**bands, "sm_m3m3": values})
        pass_name = name if len(runs) == 1 else f"{name}_{sensed:%H%M}"
        found.append(FieldReading(raster, sensed, pass_name))
    return found
