"""MOD13Q1 and MYD13Q1, collection 6.1, as LP DAAC ships them: one HDF-EOS 2 (HDF 4) file a tile.

The fields are those of formats/mod13q1.py under their full names (`250m 16 days NDVI`), 4800 x 4800
cells. The grid stands in the text `StructMetadata.0` (HDF-EOS library user's guide): outer corners
in metres, XDim columns, YDim rows, row 0 north. Only the wanted rows and columns are read.
"""

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from affine import Affine
from numpy.typing import NDArray

from sm_platform.errors import GranuleError, GridError
from sm_platform.formats.geotiff import Bounds
from sm_platform.formats.hdf_eos import SPHERE_M, Part, part_of
from sm_platform.formats.magic import HDF4, first_bytes, mistaken_for
from sm_platform.formats.mod13q1 import (
    SINUSOIDAL,
    composite_day,
    decode_ndvi,
    decode_observed_day,
    decode_reliability,
)
from sm_platform.grid.window import GridWindow, Raster

METADATA = "StructMetadata.0"
GRID = "MODIS_Grid_16DAY_250m_500m_VI"
CELL_M = 231.656358264
"""Side of a cell: a tile of 1111950.52 m holds 4800."""
FIELDS = {
    "250m 16 days NDVI": "int16",
    "250m 16 days pixel reliability": "int8",
    "250m 16 days composite day of the year": "int16",
}
"""Name in the file and type."""


def read_composite(path: Path, granule_id: str, *, bounds_lonlat: Bounds | None = None) -> Raster:
    """NDVI and its quality of one composite, on the sinusoidal grid of the file.

    Bands and their meaning are those of `mod13q1.read_composite`: `ndvi`, `ndvi_range_code`,
    `reliability_code`, `observed_day`.

    Raises:
        GranuleError: the file is damaged or no HDF 4; a field is missing or of another type; the
            grid is not that of the product; the bounds lie outside the tile.
    """
    start = composite_day(granule_id)
    with _opened(path) as file:
        with _told(path):
            text, held = str(file.attributes().get(METADATA, "")), file.datasets()
        grid = _grid(text, path)
        part = part_of(grid, path, bounds_lonlat)
        ndvi, reliability, observed = (
            _numbers(file, held, path, name, grid=grid, part=part) for name in FIELDS
        )
    values, code = decode_ndvi(ndvi)
    return Raster(
        part.window,
        {
            "ndvi": values,
            "ndvi_range_code": code,
            "reliability_code": decode_reliability(reliability),
            "observed_day": decode_observed_day(observed, start),
        },
    )


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """The open file; raises GranuleError when it is none."""
    from pyhdf.SD import SD, SDC

    if not first_bytes(path).startswith(HDF4):
        raise GranuleError(f"{path.name}: is {mistaken_for(path)}, not HDF 4: fetch it again.")
    with _told(path):
        file = SD(str(path), SDC.READ)
    try:
        yield file
    finally:
        with _told(path):
            file.end()


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """What the HDF 4 library fails with, as GranuleError: only calls of it stand in the block."""
    from pyhdf.error import HDF4Error

    try:
        yield
    except (HDF4Error, ValueError, TypeError, MemoryError, OverflowError) as error:
        raise GranuleError(
            f"{path.name}: the file is damaged or cut off ({error}): fetch it again."
        ) from error


def _grid(text: str, path: Path) -> GridWindow:
    """The whole tile."""
    for group in re.split(r"\bEND_GROUP=GRID_\d+", text):
        if f'GridName="{GRID}"' in group:
            break
    else:
        raise _damaged(path, f"no grid {GRID}")
    left, top = _pair(group, path, "UpperLeftPointMtrs")
    right, bottom = _pair(group, path, "LowerRightMtrs")
    sizes = {name: int(number) for name, number in re.findall(r"\b([XY]Dim)=(\d{1,6})\b", group)}
    sphere = re.search(r"\bProjParams=\(\s*([\d.]+)", group)
    if "Projection=GCTP_SNSOID" not in group or not sphere or abs(float(sphere[1]) - SPHERE_M) > 1:
        raise _damaged(path, "a projection that is not the sinusoidal one of the land grid")
    try:
        cols, rows = sizes["XDim"], sizes["YDim"]
        affine = Affine((right - left) / cols, 0, left, 0, (bottom - top) / rows, top)
        grid = GridWindow(SINUSOIDAL, affine, (rows, cols))
    except (KeyError, ZeroDivisionError, GridError) as error:
        raise _damaged(path, f"XDim and YDim {sizes} between its corners ({error})") from error
    if max(abs(affine.a - CELL_M), abs(-affine.e - CELL_M)) > 1e-3:
        raise _damaged(path, f"cells of {affine.a:.6f} x {-affine.e:.6f} m, not {CELL_M:.6f}")
    return grid


def _pair(text: str, path: Path, name: str) -> tuple[float, float]:
    found = re.search(rf"\b{name}=\(\s*([-+.\dEe]+)\s*,\s*([-+.\dEe]+)\s*\)", text)
    try:
        x, y = (float(found[1]), float(found[2])) if found else (math.nan, math.nan)
    except ValueError:
        x = y = math.nan
    if not (math.isfinite(x) and math.isfinite(y)):
        raise _damaged(path, f"{name} is missing or no pair of numbers")
    return x, y


def _numbers(  # noqa: PLR0913 - what is read, and where
    file: Any,  # noqa: ANN401 - pyhdf has no types
    held: dict[str, Any],
    path: Path,
    name: str,
    *,
    grid: GridWindow,
    part: Part,
) -> NDArray[Any]:
    """The wanted part of a field, as stored."""
    if name not in held:
        raise GranuleError(f"{path.name}: field {name} is missing: fetch the original.")
    shape = tuple(held[name][1])
    if shape != grid.shape:
        raise GranuleError(f"{path.name}: {name} has shape {shape}: fetch it again.")
    start, count = (part.rows.start, part.cols.start), part.window.shape
    with _told(path):
        field = file.select(name)
        try:
            values = np.asarray(field.get(start=start, count=count))
        finally:
            field.endaccess()
    if str(values.dtype) != FIELDS[name]:
        raise GranuleError(
            f"{path.name}: {name} is {values.dtype}, not {FIELDS[name]}: fetch the original."
        )
    return values.reshape(part.window.shape)


def _damaged(path: Path, what: str) -> GranuleError:
    return GranuleError(f"{path.name}: {METADATA}: {what}: fetch the tile again.")
