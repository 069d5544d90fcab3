"""SMAP products on EASE-Grid 2.0: HDF5 opened with suspicion, placed on the grid, cut to bounds.

A whole file holds every cell of the 9 km grid; a subset says where it lies by arrays of global
rows and columns, by the coordinates `y` and `x` of its cell centres, or by both.
"""

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from sm_platform.errors import GranuleError
from sm_platform.formats.geotiff import MARGIN_CELLS, Bounds
from sm_platform.formats.magic import HDF5, first_bytes, mistaken_for
from sm_platform.grid import ease2
from sm_platform.grid.window import GridWindow

LEVEL = ease2.LEVEL_9KM
FILL = -9999.0
NO_INDEX = 65534
"""Lowest number that stands for no row or column (4294967294 does, too)."""
HIGHEST_M3M3 = 1.0
"""No soil holds more water than its volume."""
OFF_CENTRE = 0.05
"""How far (cells) a coordinate may lie from the centre of its cell: providers round the corner."""
_UNITS = {"m3/m3", "cm3/cm3", "m3m-3", "cm3cm-3"}
_DAMAGE = (OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError, MemoryError)


@dataclass(frozen=True, slots=True)
class Patch:
    """A rectangle of cells of one level, by its global row and column in the north-west."""

    level: ease2.Level
    row: int
    col: int
    shape: tuple[int, int]

    @property
    def window(self) -> GridWindow:
        """The same cells as a window of EPSG:6933."""
        return ease2.window(self.level, self.row, self.col, self.shape)

    @property
    def middle_lon(self) -> float:
        """Longitude of the middle, degrees east within -180..180."""
        return (self.col + self.shape[1] / 2) / self.level.shape[1] * 360 - 180


def solar_moment(day: date, hour: float, lon: float) -> datetime:
    """The moment of the UTC day at which it is `hour` by local solar time, to the second.

    06:00 at 106.4 E is 22:54:24 UTC: on a UTC day, the morning pass comes after the evening pass.
    """
    seconds = round((hour - lon / 15) % 24 * 3600) % 86400
    return datetime.combine(day, time(), UTC) + timedelta(seconds=seconds)


def is_m3m3(units: str) -> bool:
    """Whether a text is one of the ways to write m3/m3 (`cm**3/cm**3` and `m3 m-3` are)."""
    return re.sub(r"[\s*^]", "", units.lower()) in _UNITS


def cut(held: Patch, path: Path, bounds: Bounds | None) -> tuple[Patch, tuple[slice, slice]]:
    """The cells of a file that the bounds touch, with the margin, and where the file has them.

    Raises:
        GranuleError: the bounds are not west, south, east, north, or lie outside the file.
    """
    if bounds is None:
        return held, (slice(0, held.shape[0]), slice(0, held.shape[1]))
    west, south, east, north = bounds
    if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
        raise GranuleError(f"Bounds {bounds} are not west, south, east, north: check the region.")
    (left, right), (bottom, top) = ease2.project((west, east), (south, north))
    (first_row, last_row), (first_col, last_col) = ease2.position(
        held.level, (left, right), (top, bottom)
    )
    rows = _span(first_row - held.row, last_row - held.row, held.shape[0])
    cols = _span(first_col - held.col, last_col - held.col, held.shape[1])
    if rows.stop <= rows.start or cols.stop <= cols.start:
        raise GranuleError(f"{path.name}: lies outside {bounds}: fetch the part of the region.")
    shape = rows.stop - rows.start, cols.stop - cols.start
    return Patch(held.level, held.row + rows.start, held.col + cols.start, shape), (rows, cols)


@contextmanager
def opened_hdf(path: Path) -> Iterator[h5py.File]:
    """The open file; whatever HDF5 fails with while it is open is raised as GranuleError."""
    if not first_bytes(path).startswith(HDF5):
        raise GranuleError(f"{path.name}: is {mistaken_for(path)}, not HDF5: fetch it again.")
    try:
        with h5py.File(path, "r") as file:
            yield file
    except _DAMAGE as error:
        reason = (str(error) or type(error).__name__).splitlines()[0][:160]
        raise GranuleError(
            f"{path.name}: the file is damaged or cut off ({reason}): fetch it again."
        ) from error


def find_field(file: h5py.File, path: Path, field: str) -> h5py.Dataset | None:
    """The numbers at `group/name`, None when the file has none there.

    Raises:
        GranuleError: a group has that name, or the numbers lie in another file.
    """
    stored = file.get(field)
    if stored is None:
        return None
    if not isinstance(stored, h5py.Dataset) or stored.is_virtual or stored.external:
        raise GranuleError(f"{path.name}: {field} holds no numbers of its own: fetch it again.")
    if stored.file.filename != file.filename:
        raise GranuleError(f"{path.name}: {field} points to another file: fetch the original.")
    return stored


def need_field(file: h5py.File, path: Path, field: str) -> h5py.Dataset:
    """As `find_field`; raises GranuleError when the file has no such field."""
    stored = find_field(file, path, field)
    if stored is None:
        raise GranuleError(f"{path.name}: {field} is missing: fetch the file with it.")
    return stored


def is_whole(stored: h5py.Dataset, path: Path) -> bool:
    """Whether a field holds every cell of the 9 km grid, rather than a part of it.

    Raises:
        GranuleError: the field is no raster, or larger than the grid.
    """
    shape = stored.shape
    if shape is None or len(shape) != 2 or 0 in shape:
        raise GranuleError(f"{path.name}: {stored.name} has shape {shape}: fetch it again.")
    if shape[0] > LEVEL.shape[0] or shape[1] > LEVEL.shape[1]:
        raise GranuleError(
            f"{path.name}: {stored.name} has shape {shape}, more than the 9 km grid: "
            "fetch it again."
        )
    return bool(shape == LEVEL.shape)


def find_patch(
    file: h5py.File, path: Path, stored: h5py.Dataset, indexes: tuple[str, str]
) -> Patch:
    """Where a field lies on the 9 km grid.

    Args:
        file: open.
        path: of the file, for messages.
        stored: the field.
        indexes: names of the arrays of global rows and columns that a subset may have.

    Raises:
        GranuleError: the field is no raster, a subset does not say where it lies, or says so twice
            and differently.
    """
    if is_whole(stored, path):
        return Patch(LEVEL, 0, 0, LEVEL.shape)
    shape = stored.shape
    row, col = (_first(file, path, (indexes[axis], "yx"[axis]), shape, axis) for axis in (0, 1))
    return Patch(LEVEL, row, col, shape)


def read_moisture(
    stored: h5py.Dataset, path: Path, part: tuple[slice, slice]
) -> NDArray[np.float32]:
    """Soil moisture (m3/m3) of the part; NaN where fill, or outside the file's valid range.

    Raises:
        GranuleError: not floating point, packed, or in another unit (percent is not converted,
            whatever unit the file states).
    """
    packed = {"scale_factor", "add_offset"} & set(stored.attrs)
    if stored.dtype.kind != "f" or packed:
        raise GranuleError(f"{path.name}: {stored.name} is packed {stored.dtype}: fetch it again.")
    units = text_of(stored.attrs.get("units", ""))
    if not is_m3m3(units):
        raise GranuleError(
            f"{path.name}: {stored.name} is in '{units}', not in m3/m3: fetch the original."
        )
    fill = _number(stored, path, "_FillValue", FILL)
    lowest = max(_number(stored, path, "valid_min", 0.0), 0.0)
    highest = min(_number(stored, path, "valid_max", HIGHEST_M3M3), HIGHEST_M3M3)
    values = np.asarray(stored[part], np.float32)
    refuse_percent(values, path)
    # The limits in the type of the numbers: 0.02 itself is valid.
    is_valid = (values >= np.float32(lowest)) & (values <= np.float32(highest))
    return np.where(is_valid & (values != np.float32(fill)), values, np.float32(np.nan))


def refuse_percent(values: NDArray[np.floating], path: Path) -> None:
    """Raises GranuleError when more values are like a percentage than like m3/m3."""
    in_percent = np.count_nonzero((values > HIGHEST_M3M3) & (values <= 100))
    if in_percent > np.count_nonzero((values > 0) & (values <= HIGHEST_M3M3)):
        raise GranuleError(
            f"{path.name}: most values lie between 1 and 100, like percent, not m3/m3: "
            "fetch the original."
        )


def _first(
    file: h5py.File, path: Path, names: tuple[str, str], shape: tuple[int, int], axis: int
) -> int:
    """Global row (axis 0) or column (axis 1) of a subset's first one.

    By the array of indexes and by the coordinates (`names`), as far as the file has them.
    """
    starts = set()
    stored = find_field(file, path, names[0])
    if stored is not None and stored.shape in (shape, (shape[axis],)):
        index = np.moveaxis(stored[()], axis * (stored.ndim - 1), -1).astype(np.float64)
        is_known = (index >= 0) & (index < NO_INDEX)
        starts |= set((index - np.arange(shape[axis]))[is_known].tolist())
    stored = find_field(file, path, names[1])
    if stored is not None and stored.shape == (shape[axis],):
        place = ease2.position(LEVEL, stored[()], stored[()])[axis] - 0.5 - np.arange(shape[axis])
        near = np.rint(place)
        starts |= set(np.where(np.abs(place - near) < OFF_CENTRE, near, np.nan).tolist())
    if not starts:
        raise GranuleError(
            f"{path.name}: a part of the grid, but neither {names[0]} nor {names[1]} says which: "
            "fetch it with them."
        )
    if len(starts) > 1 or not 0 <= min(starts) <= LEVEL.shape[axis] - shape[axis]:
        raise GranuleError(
            f"{path.name}: {names[0]} and {names[1]} do not count cells of the 9 km grid one by "
            "one: fetch it again."
        )
    return int(starts.pop())


def _span(first: float, last: float, count: int) -> slice:
    start = max(math.floor(first) - MARGIN_CELLS, 0)
    return slice(start, min(math.ceil(last) + MARGIN_CELLS, count))


def _number(stored: h5py.Dataset, path: Path, name: str, absent: float) -> float:
    """An attribute as a number, `absent` when there is none."""
    value = np.ravel(stored.attrs.get(name, absent))
    if value.size == 0 or value.dtype.kind not in "iuf":
        raise GranuleError(f"{path.name}: {name} of {stored.name} is no number: fetch it again.")
    return float(value[0])


def text_of(value: object) -> str:
    """An attribute as text, the first of several; bytes as UTF-8, empty when there is none."""
    first = np.ravel(np.asarray(value, object))
    found = first[0] if first.size else ""
    return found.decode(errors="replace") if isinstance(found, bytes) else str(found)
