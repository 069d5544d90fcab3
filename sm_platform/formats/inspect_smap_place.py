"""Where a field of a SMAP file lies: on which grid, and which of its cells holds a place.

A whole field holds every cell of a level of the EASE-Grid 2.0. A part says where its cells are by
arrays of global rows and columns, by the coordinates `y` and `x` of cell centres, or by their
latitudes and longitudes. Groups named `Polar` lie on the grid of the north (EPSG:6931), whose
cells of 36 km, exactly 36,000 m, begin 9,000 km from the pole (Brodzik et al. 2012).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import h5py
import numpy as np
from numpy.typing import NDArray
from pyproj import Transformer

from sm_platform.errors import GridError
from sm_platform.formats.ease2_hdf import NO_INDEX, OFF_CENTRE
from sm_platform.formats.inspected import Place
from sm_platform.grid import ease2

INDEXES = (("cell_row", "cell_column"), ("EASE_row_index", "EASE_column_index"))
LATLON = (("cell_lat", "cell_lon"), ("latitude", "longitude"))
FINEST = {"_3km": ease2.LEVEL_3KM, "_1km": ease2.LEVEL_1KM}
"""Level that a field's name tells, in products of two resolutions."""
COARSER = dict.fromkeys(("spl3smp", "spl2smp"), ease2.LEVEL_36KM)
FINER = dict.fromkeys(("spl3sma", "spl2sma"), ease2.LEVEL_3KM)
POLAR = "Polar"
POLAR_EDGE_M, POLAR_CELL_M = 9e6, 36e3

Indexes = tuple[NDArray[np.int64], NDArray[np.int64]]


@dataclass(frozen=True, slots=True)
class _Spot:
    """A cell of a whole grid of `shape`, by its row and column."""

    shape: tuple[int, int]
    row: int
    col: int


def is_polar(stored: h5py.Dataset) -> bool:
    """Whether the field is one of the north's grid."""
    return POLAR in str(stored.name)


def cell_of(
    file: h5py.File, stored: h5py.Dataset, product: str, place: Place
) -> tuple[int, ...] | None:
    """Index of the field's cell that holds the place; None where it has none."""
    level, shape = level_of(stored, product), tuple(stored.shape)
    spot = _polar_spot(level, place) if is_polar(stored) else _spot(level, place)
    if spot is None:
        return None
    if shape[:2] == spot.shape:
        return spot.row, spot.col
    for rows, cols in _indexes(file, stored, level):
        hits = np.argwhere((rows == spot.row) & (cols == spot.col))
        return tuple(hits[0].tolist()) if len(hits) else None
    starts = _by_coordinates(file, shape, level)
    if starts is None or is_polar(stored):
        return None
    row, col = spot.row - starts[0], spot.col - starts[1]
    return (row, col) if 0 <= row < shape[0] and 0 <= col < shape[1] else None


def level_of(stored: h5py.Dataset, product: str) -> ease2.Level:
    """By the shape of a whole grid, by the field's or group's name, by the product, else 9 km."""
    for level in ease2.LEVELS:
        if stored.shape[:2] == level.shape:
            return level
    named = next((level for text, level in FINEST.items() if text in stored.name), None)
    return named or {**COARSER, **FINER}.get(product, ease2.LEVEL_9KM)


def grid_of(
    file: h5py.File, fields: Sequence[h5py.Dataset], product: str
) -> tuple[tuple[float, ...], tuple[int, int]] | None:
    """Affine and shape of the file's cells where they are one rectangle; None where not."""
    for stored in fields:
        if len(stored.shape) < 2 or is_polar(stored):
            continue
        level, (rows, cols) = level_of(stored, product), stored.shape[:2]
        starts = (0, 0) if (rows, cols) == level.shape else _starts(file, stored, level)
        if starts is not None:
            return tuple(ease2.window(level, *starts, (rows, cols)).affine)[:6], (rows, cols)
    return None


def _spot(level: ease2.Level, place: Place) -> _Spot | None:
    try:
        row, col = ease2.cells(level, *ease2.project(*place))
    except GridError:
        return None
    return _Spot(level.shape, int(row), int(col))


@cache
def _to_polar() -> Transformer:
    return Transformer.from_crs("EPSG:4326", "EPSG:6931", always_xy=True)


def _polar_spot(level: ease2.Level, place: Place) -> _Spot | None:
    x, y = _to_polar().transform(*place)
    if not max(abs(x), abs(y)) < POLAR_EDGE_M:  # infinite at the south pole
        return None
    cell_m = POLAR_CELL_M / level.divisor
    n = round(2 * POLAR_EDGE_M / cell_m)
    return _Spot((n, n), int((POLAR_EDGE_M - y) // cell_m), int((x + POLAR_EDGE_M) // cell_m))


def _starts(file: h5py.File, stored: h5py.Dataset, level: ease2.Level) -> tuple[int, int] | None:
    """Global row and column of a part's first cell, where its cells count one by one."""
    shape = stored.shape[:2]
    for pair in _indexes(file, stored, level):
        row, col = (_first(one, axis) for axis, one in enumerate(pair))
        if row is not None and col is not None:
            return row, col
    return _by_coordinates(file, shape, level)


def _first(index: NDArray[np.int64], axis: int) -> int | None:
    if index.ndim != 2:
        return None
    starts = np.unique((index - np.indices(index.shape)[axis])[_is_index(index)])
    return int(starts[0]) if starts.size == 1 and starts[0] >= 0 else None


def _is_index(index: NDArray[np.int64]) -> NDArray[np.bool_]:
    return np.asarray((index >= 0) & (index < NO_INDEX))


def _indexes(file: h5py.File, stored: h5py.Dataset, level: ease2.Level) -> Iterator[Indexes]:
    """Global rows and columns of the field's cells, by each pair of arrays that tells them."""
    for names in _beside(stored, INDEXES):
        pair = _pair(file, stored, names)
        if pair is not None:
            rows, cols = (one.astype(np.int64) for one in pair)
            yield rows, cols
    for names in _beside(stored, LATLON) if not is_polar(stored) else ():
        pair = _pair(file, stored, names)
        if pair is not None:
            yield _cells(level, *pair)


def _cells(level: ease2.Level, lat: NDArray[np.float64], lon: NDArray[np.float64]) -> Indexes:
    """Rows and columns of places; -1 where they are fill or off the grid."""
    known = (np.abs(lat) < 85) & (np.abs(lon) <= 180)
    found = np.full((2, *lat.shape), -1)
    found[:, known] = ease2.cells(level, *ease2.project(lon[known], lat[known]))
    return found[0], found[1]


def _beside(stored: h5py.Dataset, pairs: Sequence[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Names of pairs of arrays that may stand beside a field: of its group and its suffix."""
    group, name = stored.name.rsplit("/", 1)
    endings = [end for end in ("_3km", "_1km", "_pm", "_dca_pm") if name.endswith(end)]
    for where in (group, ""):
        for first, second in pairs:
            for end in ("", *endings, *FINEST, "_pm"):
                yield f"{where}/{first}{end}", f"{where}/{second}{end}"


def _pair(
    file: h5py.File, stored: h5py.Dataset, names: tuple[str, str]
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Two arrays of numbers of the shape of the field's cells; None where they are none."""
    found = [file.get(name) for name in names]
    for one in found:
        if not isinstance(one, h5py.Dataset) or one.dtype.kind not in "iuf":
            return None
        if not one.shape or one.shape != stored.shape[: len(one.shape)]:
            return None
    first, second = (one[()].astype(np.float64) for one in found)
    return (first, second) if first.shape == second.shape else None


def _by_coordinates(
    file: h5py.File, shape: tuple[int, ...], level: ease2.Level
) -> tuple[int, int] | None:
    """By the coordinates of cell centres that a part has."""
    starts = []
    for axis, name in enumerate("yx"):
        stored = file.get(name)
        if not isinstance(stored, h5py.Dataset) or stored.shape != shape[axis : axis + 1]:
            return None
        place = ease2.position(level, stored[:1], stored[:1])[axis][0] - 0.5
        if not abs(place - np.rint(place)) <= OFF_CENTRE:
            return None
        starts.append(round(place))
    return (starts[0], starts[1]) if min(starts) >= 0 else None
