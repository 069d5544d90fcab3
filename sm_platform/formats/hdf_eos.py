"""HDF-EOS grids in the sinusoidal projection: where a tile lies, and the part that is wanted.

The grid stands in the text `StructMetadata.0` (HDF-EOS library user's guide): outer corners in
metres, XDim columns, YDim rows, row 0 north (HDFE_GD_UL). HDF-EOS 5 keeps the text below `HDFEOS
INFORMATION` and puts HE5_ before the names of projection and origin.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import h5py
from affine import Affine
from pyproj import Transformer

from sm_platform.errors import GranuleError, GridError
from sm_platform.formats.ease2_hdf import need_field, text_of
from sm_platform.formats.geotiff import MARGIN_CELLS, Bounds
from sm_platform.formats.mod13q1 import SINUSOIDAL
from sm_platform.grid.window import GridWindow

METADATA = "HDFEOS INFORMATION/StructMetadata.0"
MOST_METADATA = 1 << 20
"""Bytes; the text of a vegetation tile has some 8,000, HDF-EOS reserves 32,000."""
SPHERE_M = 6371007.181
HE5 = "HE5_"
"""Before names in files of HDF-EOS 5."""
_PAIR = r"=\(\s*([-+.\dEe]+)\s*,\s*([-+.\dEe]+)\s*\)"


@dataclass(frozen=True, slots=True)
class Part:
    """Rows and columns of a file's grid, and the window they make."""

    rows: slice
    cols: slice
    window: GridWindow


def tile_window(file: h5py.File, path: Path, grid_name: str) -> GridWindow:
    """The grid of that name, all of it.

    Raises:
        GranuleError: no such grid, or one that is not sinusoidal on the sphere of the land grid,
            north-up, with its origin in the north-west.
    """
    return window_of(metadata_of(file, path), path, grid_name, prefix=HE5)


def metadata_of(file: h5py.File, path: Path) -> str:
    """The text that tells the grids of a file of HDF-EOS 5; raises GranuleError without one."""
    stored = need_field(file, path, METADATA)
    if stored.shape not in ((), (1,)) or stored.dtype.itemsize > MOST_METADATA:
        raise _damaged(path, f"{METADATA} is no text")
    return text_of(stored[()])


def first_grid(metadata: str, path: Path) -> str:
    """Name of the grid that the text of a file tells first; raises GranuleError without one."""
    for name, _ in _grids(metadata):
        return name
    raise _damaged(path, "it tells no grid")


def window_of(metadata: str, path: Path, grid_name: str, *, prefix: str) -> GridWindow:
    """The grid of that name in the text of a file; as `tile_window`.

    `prefix` stands before the names of projection and origin: HE5, nothing in HDF-EOS 2.
    """
    text = _grid_text(metadata, path, grid_name)
    left, top = _pair(path, text, "UpperLeftPointMtrs")
    right, bottom = _pair(path, text, "LowerRightMtrs")
    cols, rows = (int(_word(path, text, name, r"\d{1,6}")) for name in ("XDim", "YDim"))
    _check_projection(path, text, prefix)
    try:
        affine = Affine((right - left) / cols, 0, left, 0, (bottom - top) / rows, top)
        return GridWindow(SINUSOIDAL, affine, (rows, cols))
    except (GridError, ZeroDivisionError) as error:
        raise _damaged(path, f"{cols} x {rows} cells between its corners ({error})") from error


def part_of(grid: GridWindow, path: Path, bounds: Bounds | None) -> Part:
    """The cells that the bounds touch, with a margin, clipped to the tile.

    Raises:
        GranuleError: the bounds are not west, south, east, north, or lie outside the tile.
    """
    rows, cols = grid.shape
    if bounds is None:
        return Part(slice(0, rows), slice(0, cols), grid)
    west, south, east, north = bounds
    if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
        raise GranuleError(f"Bounds {bounds} are not west, south, east, north: check the region.")
    turn = Transformer.from_crs("EPSG:4326", grid.crs, always_xy=True)
    left, bottom, right, top = turn.transform_bounds(*bounds)
    (first_col, first_row), (last_col, last_row) = (
        ~grid.affine * corner for corner in ((left, top), (right, bottom))
    )
    found = _span(first_row, last_row, rows), _span(first_col, last_col, cols)
    if any(side.stop <= side.start for side in found):
        raise GranuleError(f"{path.name}: lies outside {bounds}: fetch the tile of the region.")
    corner = grid.affine * Affine.translation(found[1].start, found[0].start)
    shape = (found[0].stop - found[0].start, found[1].stop - found[1].start)
    return Part(*found, GridWindow(grid.crs, corner, shape))


def _span(first: float, last: float, count: int) -> slice:
    start = max(math.floor(first) - MARGIN_CELLS, 0)
    return slice(start, min(math.ceil(last) + MARGIN_CELLS, count))


def _grid_text(metadata: str, path: Path, grid_name: str) -> str:
    """What the metadata say of one grid."""
    for name, text in _grids(metadata):
        if name == grid_name:
            return text
    raise _damaged(path, f"no grid {grid_name}")


def _grids(metadata: str) -> Iterator[tuple[str, str]]:
    """Name and text of each whole grid, in order, without the lists of its fields."""
    for group in re.split(r"\bEND_GROUP=GRID_\d+", metadata)[:-1]:  # what follows the last is none
        text = re.split(r"\bGROUP=GRID_\d+", group)[-1].partition("GROUP=Dimension")[0]
        if name := re.search(r'\bGridName="([^"\n]+)"', text):
            yield name[1], text


def _check_projection(path: Path, text: str, prefix: str) -> None:
    projection, wanted = _word(path, text, "Projection", r"\w+"), f"{prefix}GCTP_SNSOID"
    if projection != wanted:
        raise _damaged(path, f"projection {projection}, not {wanted}")
    numbers = _word(path, text, "ProjParams", r"\([^)]*\)").strip("()").split(",")
    if abs(_number(path, numbers[0]) - SPHERE_M) > 1 or any(_number(path, n) for n in numbers[1:]):
        raise _damaged(path, f"projection parameters {numbers}, not those of the land grid")
    origin = re.search(r"\bGridOrigin=(\w+)", text)
    if origin and origin[1] != f"{prefix}HDFE_GD_UL":  # one that is not named is the north-west
        raise _damaged(path, f"origin {origin[1]}, not the north-west")


def _pair(path: Path, text: str, name: str) -> tuple[float, float]:
    found = re.search(rf"\b{name}{_PAIR}", text)
    if found is None:
        raise _damaged(path, f"{name} is missing")
    return _number(path, found[1]), _number(path, found[2])


def _word(path: Path, text: str, name: str, pattern: str) -> str:
    found = re.search(rf"\b{name}=({pattern})", text)
    if found is None:
        raise _damaged(path, f"{name} is missing")
    return found[1]


def _number(path: Path, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise _damaged(path, f"'{text[:40]}' is no number")
    return number


def _damaged(path: Path, what: str) -> GranuleError:
    return GranuleError(
        f"{path.name}: StructMetadata.0: {what}: fetch a tile of the sinusoidal land grid again."
    )
