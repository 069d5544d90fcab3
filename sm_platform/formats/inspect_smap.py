"""What a SMAP file (HDF5 on EASE-Grid 2.0) holds: every field of it, whichever product it is."""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from sm_platform.formats.ease2_hdf import opened_hdf, text_of
from sm_platform.formats.inspect_smap_place import cell_of, grid_of, is_polar
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
from sm_platform.formats.recognised import Recognised, moment_of
from sm_platform.formats.spl3smp_e import NOON_2000
from sm_platform.grid import ease2

STRIP_CELLS = 8_000_000
"""Cells of a field that are in memory at once: a field of the 9 km grid is read in one go."""
COORDINATES = (
    "latitude", "longitude", "lat", "lon", "cell_lat", "cell_lon", "cell_row", "cell_column",
    "ease_row_index", "ease_column_index", "x", "y", "time", "crs",
)  # fmt: skip
"""Names (with whatever resolution or pass is appended) that are no data variables."""
FIXED = ("latitude", "longitude", "ease_row_index", "ease_column_index")
"""Of these, those that providers append `_3km`, `_pm`, `_centroid` to."""
FILL = -9999.0
GRANULE = re.compile(r"SMAP_L[234]_\w+?_(\d{8}(?:T\d{6})?)_")
"""The name of any granule, with whatever a service puts before or after it."""


def inspect_smap(path: Path, known: Recognised, place: Place | None) -> Inspection:
    """All numeric fields of a file; raises GranuleError when it is damaged."""
    with opened_hdf(path) as file:
        fields = _fields(file)
        found = tuple(
            _variable(file, stored, name, (known.product, place))
            for stored, name in zip(fields, _names(fields), strict=True)
        )
        grid = grid_of(file, fields, known.product)
        moment = known.time_utc or _told_time(file, path.name)
    affine, shape = grid if grid else (None, _shape(fields))
    return Inspection(known.product, moment, ease2.CRS, affine, shape, found)


def _told_time(file: h5py.File, name: str) -> datetime | None:
    """By the granule's first name, by `time` (from noon of 2000-01-01), or by its metadata."""
    identity = file.get("Metadata/DatasetIdentification")
    first_name = text_of(identity.attrs.get("fileName", "")) if identity is not None else ""
    found = GRANULE.search(name) or GRANULE.search(first_name)
    if found:
        return moment_of(found[1])
    stored = file.get("time")
    if isinstance(stored, h5py.Dataset) and stored.size and stored.dtype.kind == "f":
        return NOON_2000 + timedelta(seconds=round(float(np.ravel(stored[()])[0])))
    extent = file.get("Metadata/Extent")
    begin = text_of(extent.attrs.get("rangeBeginningDateTime", "")) if extent is not None else ""
    try:
        moment = datetime.fromisoformat(begin)
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _fields(file: h5py.File) -> list[h5py.Dataset]:
    """Numbers of cells, in the order of the file; coordinates and indexes are passed over."""
    found: list[h5py.Dataset] = []

    def visit(_: str, stored: object) -> None:
        if isinstance(stored, h5py.Dataset) and _is_field(stored):
            found.append(stored)

    file.visititems(visit)
    return found


def _is_field(stored: h5py.Dataset) -> bool:
    name = stored.name.rsplit("/", 1)[-1].lower()
    is_fixed = name in COORDINATES or any(name.startswith(f"{one}_") for one in FIXED)
    shape: tuple[int, ...] = stored.shape or ()
    is_numeric = stored.dtype.kind in "iuf" and not (stored.is_virtual or stored.external)
    # A number alone in a list is metadata; a part of one cell has fields of 1 x 1.
    is_cells = len(shape) in (2, 3) or (len(shape) == 1 and shape[0] > 1)
    return is_numeric and is_cells and not is_fixed and not stored.name.startswith("/Metadata/")


def _names(fields: Sequence[h5py.Dataset]) -> list[str]:
    """The last part of each, with its groups where two are the same, and for the polar grid."""
    plain = iter(unique_names([one.name for one in fields if not is_polar(one)]))
    return [one.name.lstrip("/") if is_polar(one) else next(plain) for one in fields]


def _shape(fields: Sequence[h5py.Dataset]) -> tuple[int, ...] | None:
    """Of cells that are no rectangle."""
    plainest = min(fields, key=lambda one: len(one.shape), default=None)
    return None if plainest is None else tuple(plainest.shape[:2])


def _variable(
    file: h5py.File, stored: h5py.Dataset, name: str, asked: tuple[str, Place | None]
) -> Variable:
    product, place = asked
    unit = unit_of(text_of(stored.attrs.get("units", stored.attrs.get("unit", ""))))
    cell = cell_of(file, stored, product, place) if place else None
    n_valid, value = 0, None
    for first, part in _parts(stored):
        valid = _valid(stored, part)
        n_valid += int(np.count_nonzero(valid))
        if cell is not None and 0 <= cell[0] - first < len(part):
            here = (cell[0] - first, *cell[1:])
            value = _at(stored, np.ravel(part[here]), np.ravel(valid[here]))
    return Variable(name, unit, share_of(n_valid, stored.size), value)


def _parts(stored: h5py.Dataset) -> Iterator[tuple[int, NDArray[Any]]]:
    """First row and values of each strip: a chunk is unpacked once, not again for the place."""
    step = max(STRIP_CELLS * stored.shape[0] // max(stored.size, 1), 1)
    for first in range(0, stored.shape[0], step):
        yield first, stored[first : first + step]


def _valid(stored: h5py.Dataset, values: NDArray[Any]) -> NDArray[np.bool_]:
    """Neither fill nor outside the valid range, as stored."""
    is_float = stored.dtype.kind == "f"
    low, high = _range(stored)
    valid = (values >= low) & (values <= high)
    for name in ("_FillValue", "missing_value"):
        fill = _number(stored, name, FILL if is_float else None)
        if fill is not None:
            valid &= values != (values.dtype.type(fill) if is_float else int(fill))
    return np.asarray(valid)


def _range(stored: h5py.Dataset) -> tuple[float, float]:
    """Valid ends in the type of the numbers, so that an end itself is valid."""
    ends = _number(stored, "valid_min", None), _number(stored, "valid_max", None)
    kind = stored.dtype.type if stored.dtype.kind == "f" else float
    low, high = (None if end is None else float(kind(end)) for end in ends)
    return (-np.inf if low is None else low, np.inf if high is None else high)


def _at(stored: h5py.Dataset, values: NDArray[Any], valid: NDArray[np.bool_]) -> float | int | None:
    """The first of a cell's values, after scale and offset; None where it is missing."""
    if not values.size or not valid[0]:
        return None
    scale, offset = _number(stored, "scale_factor", 1.0), _number(stored, "add_offset", 0.0)
    if scale in (None, 1.0) and not offset:
        return number_of(shortest(float(values[0]), stored.dtype))
    return number_of(float(f"{float(values[0]) * (scale or 1.0) + (offset or 0.0):.12g}"))


def _number(stored: h5py.Dataset, name: str, absent: float | None) -> float | None:
    """An attribute as a number; `absent` when there is none that is finite."""
    value = np.ravel(stored.attrs.get(name, np.nan))
    if not value.size or value.dtype.kind not in "iuf" or not np.isfinite(float(value[0])):
        return absent
    return float(value[0])
