"""MOD13Q1 and MYD13Q1, collection 6.1, as LP DAAC ships them: one HDF-EOS 2 (HDF 4) file a tile.

The fields are those of formats/mod13q1.py under their full names (`250m 16 days NDVI`), 4800 x 4800
cells; the grid as in formats/hdf_eos.py. Only the wanted rows and columns are read.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sm_platform.errors import GranuleError
from sm_platform.formats.geotiff import Bounds
from sm_platform.formats.hdf_eos import Part, part_of, window_of
from sm_platform.formats.magic import HDF4, first_bytes, mistaken_for
from sm_platform.formats.mod13q1 import (
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
    grid = window_of(text, path, GRID, prefix="")
    width, height = grid.affine.a, -grid.affine.e
    if max(abs(width - CELL_M), abs(height - CELL_M)) > 1e-3:
        raise GranuleError(
            f"{path.name}: cells of {width:.6f} x {height:.6f} m, not {CELL_M:.6f}: fetch the tile "
            "again."
        )
    return grid


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
