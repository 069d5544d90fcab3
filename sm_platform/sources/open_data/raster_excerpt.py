"""An excerpt of an open raster as a GeoTIFF: exact cells, and whatever the file says of them."""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from pyproj import Transformer
from rasterio.errors import RasterioError
from rasterio.io import DatasetReader, DatasetWriter
from rasterio.windows import Window, transform

from sm_platform.errors import PassingError, SourceError
from sm_platform.sources.metering import spend

Bounds = tuple[float, float, float, float]
"""West, south, east, north in degrees (WGS 84)."""
PIECE_ROWS = 256
"""Rows read at once, at least; whole blocks always."""


@dataclass(frozen=True, slots=True)
class Cut:
    """What of a raster is wanted."""

    title: str
    """Of service and file, for messages."""
    bounds_lonlat: Bounds
    margin_cells: int
    """Cells of the file added on each side."""
    ends_at: float
    """On the monotonic clock: no further piece is read after it."""


def copy_excerpt(file: DatasetReader, cut: Cut, target: Path) -> None:
    """Write the cells that cover the bounds, and the margin, clipped to the file.

    Piece by piece, whole rows of blocks: none is asked for twice, and memory stays bounded. What
    is read is counted as the blocks' stored sizes, one request for each piece.

    Raises:
        PassingError: it took too long.
        SourceError: the bounds lie outside, or the raster has no CRS or is rotated.
        OSError: the disk is full.
    """
    part = part_of(file, cut)
    profile = {
        "driver": "GTiff",
        "height": part.height,
        "width": part.width,
        "count": file.count,
        "dtype": file.dtypes[0],
        "crs": file.crs,
        "transform": transform(part, file.transform),
        "nodata": file.nodata,
        "compress": "deflate",
    }
    with rasterio.open(target, "w", **profile) as out:
        _describe(file, out)
        for first, stop in _pieces(file, part):
            if time.monotonic() > cut.ends_at:
                raise PassingError(f"{cut.title}: was not whole in time: try again later.")
            piece = Window(part.col_off, first, part.width, stop - first)
            spend(requests=1, received_bytes=_stored_bytes(file, piece))
            values = file.read(window=piece)
            try:
                out.write(values, window=Window(0, first - part.row_off, *values.shape[:0:-1]))
            except RasterioError as error:  # the disk, not the provider
                raise OSError(
                    f"{target} cannot be written: see whether the disk is full."
                ) from error


def part_of(file: DatasetReader, cut: Cut) -> Window:
    """The file's cells that cover the bounds, with the margin.

    Raises:
        SourceError: there are none, or the raster has no CRS or is rotated.
    """
    if file.crs is None or file.transform.b or file.transform.d:
        raise SourceError(f"{cut.title}: has no CRS or is rotated: it cannot be cut.")
    turn = Transformer.from_crs("EPSG:4326", file.crs.to_wkt(), always_xy=True)
    left, bottom, right, top = turn.transform_bounds(*cut.bounds_lonlat)
    inverse = ~file.transform
    (first_col, first_row), (last_col, last_row) = inverse * (left, top), inverse * (right, bottom)
    if not all(map(math.isfinite, (first_row, last_row, first_col, last_col))):
        raise _outside(cut)
    rows = _span((first_row, last_row), cut.margin_cells, file.height)
    cols = _span((first_col, last_col), cut.margin_cells, file.width)
    if rows.stop <= rows.start or cols.stop <= cols.start:
        raise _outside(cut)
    return Window.from_slices(rows, cols)


def _span(ends: tuple[float, float], margin_cells: int, count: int) -> slice:
    start = max(math.floor(ends[0]) - margin_cells, 0)
    return slice(start, min(math.ceil(ends[1]) + margin_cells, count))


def _outside(cut: Cut) -> SourceError:
    west, south, east, north = cut.bounds_lonlat
    return SourceError(
        f"{cut.title}: does not reach {west:.3f}..{east:.3f} E, {south:.3f}..{north:.3f} N: choose "
        "another source for this region."
    )


def _describe(file: DatasetReader, out: DatasetWriter) -> None:
    """Descriptions, scale, units and tags as the file has them; statistics are of the whole."""
    out.update_tags(**file.tags())
    if any(file.descriptions):
        out.descriptions = file.descriptions
    if any(scale != 1 for scale in file.scales) or any(file.offsets):
        out.scales, out.offsets = file.scales, file.offsets
    if any(file.units):
        out.units = file.units
    for band in file.indexes:
        tags = file.tags(band).items()
        out.update_tags(band, **{k: v for k, v in tags if not k.startswith("STATISTICS_")})


def _pieces(file: DatasetReader, part: Window) -> Iterator[tuple[int, int]]:
    """First and stop row of each piece, in rows of the file."""
    block_rows = file.block_shapes[0][0]
    step = max(math.ceil(PIECE_ROWS / block_rows), 1) * block_rows
    first, stop = part.row_off, part.row_off + part.height
    while first < stop:
        following = min((first // step + 1) * step, stop)
        yield first, following
        first = following


def _stored_bytes(file: DatasetReader, piece: Window) -> int:
    """Bytes of the blocks that a piece touches, as stored; uncompressed where nothing is told."""
    block_rows, block_cols = file.block_shapes[0]
    sizes: list[Any] = [
        file.get_tag_item(f"BLOCK_SIZE_{col}_{row}", "TIFF", bidx=1)
        for row in _touched(piece.row_off, piece.height, block_rows)
        for col in _touched(piece.col_off, piece.width, block_cols)
    ]
    if any(sizes):
        return sum(int(size or 0) for size in sizes)
    return int(piece.width * piece.height * file.count * np.dtype(file.dtypes[0]).itemsize)


def _touched(first: int, count: int, side: int) -> range:
    return range(first // side, -(-(first + count) // side))
