"""GeoTIFF and JPEG 2000 files: bands as stored, on their own grid; rasterio's errors become ours.

Only the file's own bytes count: side files (`.aux.xml`, `.ovr`, world files) are not looked at.
"""

import math
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import rasterio
from affine import Affine, AffineError
from numpy.typing import NDArray
from pyproj import Transformer
from pyproj.exceptions import ProjError
from rasterio.crs import CRS
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.io import DatasetReader
from rasterio.windows import Window

from sm_platform.errors import GranuleError, GridError
from sm_platform.formats.magic import is_jp2, is_tiff, mistaken_for
from sm_platform.grid.window import GridWindow

Bounds = tuple[float, float, float, float]
"""West, south, east, north in degrees (WGS 84)."""
MARGIN_CELLS = 1
"""Cells read around the asked bounds, so that a nearest neighbour across the edge is there."""
DAMAGE = (RasterioError, ProjError, AffineError, UnicodeDecodeError)
"""What rasterio and its relatives raise over changed bytes (tags that are no text included)."""


@dataclass(frozen=True, slots=True)
class Stored:
    """Numbers as the file stores them: no scale applied, fill values still in place."""

    window: GridWindow
    """The part of the file's grid that was read."""
    bands: tuple[NDArray[Any], ...]
    """One array of the window's shape per asked band, in the asked order."""
    nodata: float | None
    """The nodata tag, one for all bands of a GeoTIFF; None when there is none."""


@contextmanager
def opened(path: Path) -> Iterator[DatasetReader]:
    """The open file; whatever rasterio fails with while it is open is raised as GranuleError."""
    driver = _driver_of(path)
    try:
        with rasterio.Env(GDAL_DISABLE_READDIR_ON_OPEN="EMPTY_DIR"), warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            with rasterio.open(path, driver=driver) as file:
                yield file
    except DAMAGE as error:
        raise GranuleError(
            f"{path.name}: the image is damaged or cut off ({_reason(error)}): fetch it again."
        ) from error


def grid_of(file: DatasetReader, path: Path, crs: str | None) -> GridWindow:
    """The whole grid of an open file; its CRS is written as `crs` when that is given.

    Raises:
        GranuleError: no CRS, no position, a rotated grid, or a CRS other than the declared one.
    """
    if file.crs is None or not file.crs.wkt or file.transform == Affine.identity():
        raise GranuleError(
            f"{path.name}: CRS or position is missing or cut off: fetch the original."
        )
    if crs is not None and CRS.from_string(crs) != file.crs:
        raise GranuleError(
            f"{path.name}: CRS is {code_of(file.crs.to_wkt())[:80]}, declared is {crs}: "
            "fetch the original, or warp it to the declared CRS."
        )
    try:
        return GridWindow(crs or code_of(file.crs.to_wkt()), file.transform, file.shape)
    except GridError as error:
        raise GranuleError(f"{path.name}: grid: {error}") from error


def read_part(
    file: DatasetReader, grid: GridWindow, indexes: Sequence[int], part: tuple[slice, slice]
) -> Stored:
    """Bands by number (from 1) of rows and columns `part` of the file's whole grid."""
    rows, cols = part
    values = file.read(list(indexes), window=Window.from_slices(rows, cols))
    corner = grid.affine * Affine.translation(cols.start, rows.start)
    return Stored(GridWindow(grid.crs, corner, values.shape[1:]), tuple(values), file.nodata)


def read_bands(
    path: Path,
    names: Sequence[str],
    *,
    crs: str | None = None,
    dtypes: Sequence[str] = (),
    bounds_lonlat: Bounds | None = None,
) -> Stored:
    """Bands found by their description, or by their order in a file that describes none.

    A description fits a name when it is the name or begins with the name and an underscore,
    in any case of letters (`sand_0-5cm_mean` fits `sand`).

    Raises:
        GranuleError: a band is missing or of another type than `dtypes`; CRS other than `crs`;
            the bounds lie outside the file; the file is damaged.
    """
    with opened(path) as file:
        indexes = [_band(file, path, name, place) for place, name in enumerate(names, start=1)]
        for name, index in zip(names, indexes, strict=True):
            _check_dtype(path, name, file.dtypes[index - 1], dtypes)
        grid = grid_of(file, path, crs)
        return read_part(file, grid, indexes, _part(grid, path, bounds_lonlat))


def read_first(
    path: Path,
    field: str,
    *,
    crs: str | None = None,
    dtypes: Sequence[str] = (),
    bounds_lonlat: Bounds | None = None,
) -> Stored:
    """Band 1 whatever its description; `field` names it in messages. Raises as `read_bands`."""
    with opened(path) as file:
        _check_dtype(path, field, file.dtypes[0], dtypes)
        grid = grid_of(file, path, crs)
        return read_part(file, grid, [1], _part(grid, path, bounds_lonlat))


def _part(grid: GridWindow, path: Path, bounds: Bounds | None) -> tuple[slice, slice]:
    """Rows and columns of the bounds with the margin, clipped to the file."""
    rows, cols = grid.shape
    if bounds is None:
        return slice(0, rows), slice(0, cols)
    left, bottom, right, top = _in_crs(grid.crs, bounds)
    if not all(math.isfinite(edge) for edge in (left, bottom, right, top)):
        raise GranuleError(f"{path.name}: CRS has no place for {bounds}: check the region.")
    inverse = ~grid.affine
    first_col, first_row = inverse * (left, top)
    last_col, last_row = inverse * (right, bottom)
    found = _clip(first_row, last_row, rows), _clip(first_col, last_col, cols)
    if any(side.stop <= side.start for side in found):
        raise GranuleError(f"{path.name}: lies outside {bounds}: fetch the tile of the region.")
    return found


def _clip(first: float, last: float, count: int) -> slice:
    """Cells that a span of fractional indexes touches, with the margin, within 0..count."""
    start = math.floor(first) - MARGIN_CELLS
    return slice(max(start, 0), min(math.ceil(last) + MARGIN_CELLS, count))


def _band(file: DatasetReader, path: Path, name: str, place: int) -> int:
    """Number (from 1) of the band with this name, or the `place`-th when none is described."""
    texts = [(text or "").lower() for text in file.descriptions]
    if not any(texts) and place <= file.count:
        return place
    for index, text in enumerate(texts, start=1):
        if text == name.lower() or text.startswith(f"{name.lower()}_"):
            return index
    raise GranuleError(
        f"{path.name}: band {name} is missing among {', '.join(map(str, file.descriptions))}: "
        "fetch it again with all bands."
    )


def _check_dtype(path: Path, field: str, found: str, allowed: Sequence[str]) -> None:
    if allowed and found not in allowed:
        raise GranuleError(
            f"{path.name}: {field} is {found}, not {' or '.join(allowed)}, so its scale would not "
            "hold: fetch the original."
        )


def _driver_of(path: Path) -> str:
    """GDAL's driver by the first bytes; no other driver may guess what a file might be."""
    if is_tiff(path):
        return "GTiff"
    if is_jp2(path):
        return "JP2OpenJPEG"
    raise GranuleError(f"{path.name}: is {mistaken_for(path)}, not a GeoTIFF: fetch it again.")


def _reason(error: Exception) -> str:
    """The innermost cause in one line: rasterio itself says no more than 'Read failed'."""
    while error.__cause__ is not None and isinstance(error.__cause__, Exception):
        error = error.__cause__
    return str(error).splitlines()[0][:160] if str(error) else type(error).__name__


@lru_cache(maxsize=32)
def code_of(wkt: str) -> str:
    """`EPSG:n` of a CRS, or its WKT when it has no such code."""
    epsg = CRS.from_wkt(wkt).to_epsg()
    return wkt if epsg is None else f"EPSG:{epsg}"


@lru_cache(maxsize=32)
def _to_crs(crs: str) -> Transformer:
    return Transformer.from_crs("EPSG:4326", crs, always_xy=True)


def _in_crs(crs: str, bounds: Bounds) -> Bounds:
    """Bounds in units of the CRS, from the densified outline."""
    if crs == "EPSG:4326":
        return bounds
    left, bottom, right, top = _to_crs(crs).transform_bounds(*bounds)
    return left, bottom, right, top
