"""What a SMAP file (HDF5 on EASE-Grid 2.0) holds: every field of it, whichever product it is."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from sm_platform.errors import GranuleError, GridError
from sm_platform.formats.ease2_hdf import OFF_CENTRE, find_patch, opened_hdf
from sm_platform.formats.inspected import (
    Inspection,
    Place,
    Variable,
    number_of,
    share_of,
    shortest,
    unique_names,
    unit_of,
)
from sm_platform.formats.recognised import Recognised
from sm_platform.formats.spl3smp_e import NOON_2000
from sm_platform.grid import ease2

STRIP_ROWS = 512
COORDINATES = (
    "latitude", "longitude", "cell_lat", "cell_lon", "cell_row", "cell_column", "ease_row_index",
    "ease_column_index", "x", "y", "time",
)  # fmt: skip
"""Names (with whatever resolution or pass is appended) that are no data variables."""
FIXED = ("latitude", "longitude", "ease_row_index", "ease_column_index")
"""Of these, those that providers append `_3km`, `_pm`, `_centroid` to."""
INDEXES = (("cell_row", "cell_column"), ("EASE_row_index", "EASE_column_index"))
FILL = -9999.0
FINEST = {"_3km": ease2.LEVEL_3KM, "_1km": ease2.LEVEL_1KM}
"""Level that a field's name tells, in products of two resolutions."""


@dataclass(frozen=True, slots=True)
class _Spot:
    """A cell of one level, by its global row and column."""

    level: ease2.Level
    row: int
    col: int


def inspect_smap(path: Path, known: Recognised, place: Place | None) -> Inspection:
    """All numeric fields of a file; raises GranuleError when it is damaged."""
    with opened_hdf(path) as file:
        fields = list(_fields(file))
        names = unique_names([stored.name for stored in fields])
        found = [
            _variable(file, stored, name, place) for stored, name in zip(fields, names, strict=True)
        ]
        grid, moment = _grid(file, fields), known.time_utc or _told_time(file)
    affine, shape = grid if grid else (None, fields[0].shape[:2] if fields else None)
    return Inspection(known.product, moment, ease2.CRS, affine, shape, tuple(found))


def _told_time(file: h5py.File) -> datetime | None:
    """Of a file whose name tells none: its `time` (from noon of 2000-01-01), or its metadata."""
    stored = file.get("time")
    if isinstance(stored, h5py.Dataset) and stored.size and stored.dtype.kind == "f":
        return NOON_2000 + timedelta(seconds=round(float(np.ravel(stored[()])[0])))
    extent = file.get("Metadata/Extent")
    begin = _text(extent.attrs.get("rangeBeginningDateTime", "")) if extent is not None else ""
    try:
        return datetime.fromisoformat(begin).astimezone(UTC) if begin else None
    except ValueError:
        return None


def _fields(file: h5py.File) -> Iterator[h5py.Dataset]:
    """Numbers of cells, in the order of the file; coordinates and indexes are passed over."""
    found: list[h5py.Dataset] = []

    def visit(_: str, stored: object) -> None:
        if isinstance(stored, h5py.Dataset) and _is_field(stored):
            found.append(stored)

    file.visititems(visit)
    yield from found


def _is_field(stored: h5py.Dataset) -> bool:
    name = stored.name.rsplit("/", 1)[-1].lower()
    is_fixed = name in COORDINATES or any(name.startswith(f"{one}_") for one in FIXED)
    shape = stored.shape or ()
    is_numeric = stored.dtype.kind in "iuf" and not (stored.is_virtual or stored.external)
    return bool(is_numeric and not is_fixed and len(shape) in (1, 2, 3) and np.prod(shape) > 1)


def _variable(file: h5py.File, stored: h5py.Dataset, name: str, place: Place | None) -> Variable:
    unit = unit_of(_text(stored.attrs.get("units", stored.attrs.get("unit", ""))))
    n_valid = sum(int(np.count_nonzero(_valid(stored, part))) for part in _parts(stored))
    value = _at(file, stored, place) if place else None
    return Variable(name, unit, share_of(n_valid, int(np.prod(stored.shape))), value)


def _parts(stored: h5py.Dataset) -> Iterator[NDArray[Any]]:
    for first in range(0, stored.shape[0], STRIP_ROWS):
        yield stored[first : first + STRIP_ROWS]


def _valid(stored: h5py.Dataset, values: NDArray[Any]) -> NDArray[np.bool_]:
    """Neither fill nor outside the valid range, as stored."""
    default = FILL if stored.dtype.kind == "f" else None
    low, high = _range(stored)
    valid = (values >= low) & (values <= high)
    for name in ("_FillValue", "missing_value"):
        fill = _number(stored, name, default)
        if fill is not None:
            valid &= values != values.dtype.type(fill)
    return np.asarray(valid)


def _range(stored: h5py.Dataset) -> tuple[float, float]:
    """Valid ends in the type of the numbers, so that an end itself is valid."""
    ends = _number(stored, "valid_min", None), _number(stored, "valid_max", None)
    kind = stored.dtype.type if stored.dtype.kind == "f" else float
    low, high = (None if end is None else float(kind(end)) for end in ends)
    return (-np.inf if low is None else low, np.inf if high is None else high)


def _at(file: h5py.File, stored: h5py.Dataset, place: Place) -> float | int | None:
    """The field's value in the cell that holds the place."""
    cell = _cell(file, stored, place)
    if cell is None:
        return None
    values = np.atleast_1d(stored[cell])
    valid = _valid(stored, values)
    if not valid[0]:
        return None
    scale, offset = _number(stored, "scale_factor", 1.0), _number(stored, "add_offset", 0.0)
    value = float(values[0]) * (1.0 if scale is None else scale) + (offset or 0.0)
    return number_of(shortest(value, stored.dtype))


def _cell(file: h5py.File, stored: h5py.Dataset, place: Place) -> tuple[int, ...] | None:
    """Where in a field the cell of the place is: by its indexes, else by the whole grid."""
    axes = stored.shape[:2] if len(stored.shape) > 1 else stored.shape
    level = _level(stored)
    spot = _spot(level, place)
    if spot is None:
        return None
    if axes == level.shape:
        return spot.row, spot.col
    for pair in _index_names(stored):
        rows, cols = (_index(file, stored, name) for name in pair)
        if rows is not None and cols is not None and rows.shape == cols.shape == axes:
            hits = np.argwhere((rows == spot.row) & (cols == spot.col))
            return tuple(hits[0].tolist()) if len(hits) else None
    return _by_coordinates(file, axes, spot)


def _spot(level: ease2.Level, place: Place) -> _Spot | None:
    try:
        row, col = ease2.cells(level, *ease2.project(*place))
    except GridError:
        return None
    return _Spot(level, int(row), int(col))


def _level(stored: h5py.Dataset) -> ease2.Level:
    """By the shape of a whole grid, by the field's or group's name, else 9 km."""
    for level in ease2.LEVELS:
        if stored.shape[:2] == level.shape:
            return level
    return next((level for text, level in FINEST.items() if text in stored.name), ease2.LEVEL_9KM)


def _index_names(stored: h5py.Dataset) -> list[tuple[str, str]]:
    """Names of index arrays that may stand beside a field: of its group and its suffix."""
    group, name = stored.name.rsplit("/", 1)
    endings = [end for end in ("_3km", "_1km", "_pm", "_dca_pm") if name.endswith(end)]
    suffixes = ["", *endings, *FINEST]
    return [
        (f"{where}/{row}{end}", f"{where}/{col}{end}")
        for where in (group, "")
        for row, col in INDEXES
        for end in suffixes
    ]


def _index(file: h5py.File, stored: h5py.Dataset, name: str) -> NDArray[np.int64] | None:
    found = file.get(name)
    if not isinstance(found, h5py.Dataset) or found.dtype.kind not in "iuf":
        return None
    if found.shape == stored.shape[: len(found.shape)] or len(found.shape) <= 2:
        return np.asarray(found[()], np.int64)
    return None


def _by_coordinates(file: h5py.File, axes: tuple[int, ...], spot: _Spot) -> tuple[int, ...] | None:
    """By the coordinates of cell centres that a subset has."""
    starts = []
    for axis, name in enumerate("yx"):
        stored = file.get(name)
        if not isinstance(stored, h5py.Dataset) or stored.shape != axes[axis : axis + 1]:
            return None
        place = ease2.position(spot.level, stored[:1], stored[:1])[axis][0] - 0.5
        if abs(place - round(place)) > OFF_CENTRE:
            return None
        starts.append(round(place))
    cell = spot.row - starts[0], spot.col - starts[1]
    return cell if all(0 <= n < size for n, size in zip(cell, axes, strict=True)) else None


def _grid(
    file: h5py.File, fields: Sequence[h5py.Dataset]
) -> tuple[tuple[float, ...], tuple[int, int]] | None:
    """Affine and shape of the file's cells where they are one rectangle; None where not."""
    for stored in fields:
        if len(stored.shape) < 2:
            continue
        level = _level(stored)
        if stored.shape[:2] == level.shape:
            return tuple(ease2.window(level, 0, 0, level.shape).affine)[:6], level.shape
        if level is ease2.LEVEL_9KM:
            for pair in _index_names(stored):
                try:
                    patch = find_patch(file, Path(file.filename), stored, pair)
                except GranuleError:
                    continue
                return tuple(patch.window.affine)[:6], patch.shape
    return None


def _number(stored: h5py.Dataset, name: str, absent: float | None) -> float | None:
    value = np.ravel(stored.attrs.get(name, np.nan if absent is None else absent))
    if not value.size or value.dtype.kind not in "iuf" or np.isnan(float(value[0])):
        return absent
    return float(value[0])


def _text(value: object) -> str:
    first = np.ravel(np.asarray(value, object))
    found = first[0] if first.size else ""
    return found.decode(errors="replace") if isinstance(found, bytes) else str(found)
