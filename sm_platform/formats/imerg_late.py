"""GPM_3IMERGDL, version 07: the late daily rain of the IMERG satellites, 0.1 deg (netCDF 4).

One file holds a UTC day of the globe under a name such as
`3B-DAY-L.MS.MRG.3IMERG.20250301-S000000-E235959.V07B.nc4`: `precipitation` float32 in mm/day with
the dimensions (time 1, lon 3600, lat 1800), fill -9999.9, west to east and south to north;
`lon`, `lat` float32 or float64 cell centres in degrees; `time` in days since a day that its unit
names. GES DISC README for IMERG daily products; IMERG V07 technical documentation.

It is the mean rate of the half hours that have an estimate, times 24 h, and no sum: what was not
seen is taken to be like the rest. `precipitation_cnt` (0 to 48) tells how many there were; a file
cut out by a service may lack it.
"""

import re
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from affine import Affine
from numpy.typing import NDArray

from sm_platform.errors import GranuleError
from sm_platform.formats.ease2_hdf import find_field, need_field, opened_hdf, text_of
from sm_platform.formats.era5_land import decode_precipitation
from sm_platform.formats.geotiff import Bounds
from sm_platform.formats.hdf_eos import Part, part_of
from sm_platform.grid.window import GridWindow, Raster

NAME = "precipitation"
COUNT = "precipitation_cnt"
HALF_HOURS = 48
LEAST_HALF_HOURS = 36
"""With fewer the day is missing: a quarter of it unseen can hold a whole storm (our choice)."""
UNITS = ("mm/day", "mm")
"""Of a whole day both are the same: the rate holds for 24 hours."""
STEP_DEG = 0.1
STEP_TOLERANCE_DEG = 1e-3
"""The centres are written with four bytes."""
MM = 1e-3
FILE_NAME = re.compile(r"3B-DAY-L\.MS\.MRG\.3IMERG\.(\d{8})-", re.ASCII)
EPOCH = re.compile(r"days since (\d{4}-\d{2}-\d{2})", re.ASCII)


def read_day(path: Path, day: date, *, bounds_lonlat: Bounds | None = None) -> Raster:
    """Rain of one UTC day on the 0.1 deg grid, EPSG:4326, north up.

    `precipitation_m` float32 (m of the UTC day), NaN where nothing was seen, fewer than 36 of the
    48 half hours were (as far as the file tells), or the number is out of range;
    `precipitation_range_code` int8 (1 above 2 m, -1 below zero, else 0). Only the cells of
    `bounds_lonlat` with a margin of one are read.

    Raises:
        GranuleError: the file is of another day, lacks the variable, has it in another unit, type,
            order or grid, or is damaged or no netCDF 4 at all; the bounds lie outside it.
    """
    with opened_hdf(path) as file:
        _check_day(file, path, day)
        grid = _grid(file, path)
        part = part_of(grid, path, bounds_lonlat)
        stored = _stored(file, path, grid.shape)
        values = _values(stored, part, grid.shape[0])
        is_seen = _is_seen(file, path, stored.shape, part)
    values = np.where(is_seen, values, np.nan)
    rain, code = decode_precipitation(values * MM)
    bands: dict[str, NDArray[Any]] = {"precipitation_m": rain, "precipitation_range_code": code}
    return Raster(_rounded(part.window), bands)


def _rounded(window: GridWindow) -> GridWindow:
    """The window with its corner to a ten-thousandth of a degree, like that of ERA5-Land."""
    west, north = round(window.affine.c, 4), round(window.affine.f, 4)
    return replace(window, affine=Affine(STEP_DEG, 0, west, 0, -STEP_DEG, north))


def _check_day(file: h5py.File, path: Path, day: date) -> None:
    """Raises GranuleError unless name and `time` say the day, as far as they say one."""
    told = [one for one in (_day_of_name(path.name), _day_of_time(file, path)) if one is not None]
    if not told:
        raise GranuleError(f"{path.name}: neither name nor time tells its day: fetch it again.")
    for found in told:
        if found != day:
            raise GranuleError(f"{path.name}: holds {found}, not {day}: fetch the file of the day.")


def _day_of_name(name: str) -> date | None:
    found = FILE_NAME.match(name)
    try:
        return datetime.strptime(found[1], "%Y%m%d").date() if found else None
    except ValueError:
        return None


def _day_of_time(file: h5py.File, path: Path) -> date | None:
    stored = need_field(file, path, "time")
    epoch = EPOCH.match(text_of(stored.attrs.get("units", "")))
    if epoch is None or stored.shape != (1,):
        return None
    return date.fromisoformat(epoch[1]) + timedelta(days=int(stored[0]))


def _grid(file: h5py.File, path: Path) -> GridWindow:
    """The file's grid, row 0 north, though it is stored from the south."""
    edges = [_first_edge(need_field(file, path, name), path, name) for name in ("lon", "lat")]
    (west, cols), (south, rows) = edges
    affine = Affine(STEP_DEG, 0, west, 0, -STEP_DEG, round(south + rows * STEP_DEG, 4))
    return GridWindow("EPSG:4326", affine, (rows, cols))


def _first_edge(stored: h5py.Dataset, path: Path, name: str) -> tuple[float, int]:
    """Outer edge (degrees) of the first cell, and how many there are."""
    centres = stored[()].astype(np.float64)
    is_line = centres.ndim == 1 and centres.size > 0
    if not is_line or not np.allclose(np.diff(centres), STEP_DEG, atol=STEP_TOLERANCE_DEG):
        raise GranuleError(f"{path.name}: {name} does not rise by {STEP_DEG} deg: fetch it again.")
    return round(float(centres[0]) - STEP_DEG / 2, 3), centres.size


def _stored(file: h5py.File, path: Path, shape: tuple[int, int]) -> h5py.Dataset:
    stored = need_field(file, path, NAME)
    rows, cols = shape
    if stored.dtype.kind != "f" or stored.shape != (1, cols, rows):
        raise GranuleError(
            f"{path.name}: {NAME} is {stored.dtype} of shape {stored.shape}, not floating point of "
            f"{(1, cols, rows)} (time, lon, lat): fetch the original."
        )
    unit = text_of(stored.attrs.get("units", ""))
    if unit not in UNITS:
        raise GranuleError(f"{path.name}: {NAME} is in '{unit}', not '{UNITS[0]}': fetch it again.")
    return stored


def _part(stored: h5py.Dataset, part: Part, rows: int) -> NDArray[np.float64]:
    """The wanted part as it is stored, row 0 north."""
    from_south = slice(rows - part.rows.stop, rows - part.rows.start)
    read: NDArray[Any] = stored[0, part.cols, from_south]
    return read.T[::-1].astype(np.float64)


def _is_seen(
    file: h5py.File, path: Path, shape: tuple[int, ...], part: Part
) -> NDArray[np.bool_] | np.bool_:
    """Where enough half hours have an estimate; everywhere when the file does not tell."""
    counts = find_field(file, path, COUNT)
    if counts is None:
        return np.True_
    if counts.dtype.kind not in "iuf" or counts.shape != shape:
        raise GranuleError(
            f"{path.name}: {COUNT} is {counts.dtype} of shape {counts.shape}, not a number a cell: "
            "fetch the original."
        )
    n_seen = _part(counts, part, shape[2])
    is_count = n_seen <= HALF_HOURS  # else a fill value; which one is not documented
    return np.asarray(is_count & (n_seen >= LEAST_HALF_HOURS), np.bool_)


def _values(stored: h5py.Dataset, part: Part, rows: int) -> NDArray[np.float64]:
    """Millimetres of the wanted part, row 0 north, NaN where fill."""
    values = _part(stored, part, rows)
    fill = np.ravel(stored.attrs.get("_FillValue", np.nan))[0]
    return np.where(values == np.float64(fill), np.nan, values)
