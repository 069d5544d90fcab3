"""GeoTIFF files with named bands, and the sampling of a place's pixels on another grid."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray
from rasterio.crs import CRS

from sm_platform.grid.window import GridWindow, centres, reproject_points

Array = NDArray[Any]
Cells = tuple[NDArray[np.intp], NDArray[np.intp]]
"""Row and column of a source cell for each target cell, of the target's shape."""


@dataclass(frozen=True, slots=True)
class Tiff:
    """How a file is written; every band has the same type."""

    nodata: float | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    is_compressed: bool = True
    """Deflate at its quickest level."""


def write_tiff(path: Path, window: GridWindow, bands: Mapping[str, Array], how: Tiff) -> None:
    """Write the bands, each of the window's shape, in the order of the mapping.

    The names become the band descriptions. The same input gives the same bytes.
    """
    first = next(iter(bands.values()))
    packing: dict[str, object] = {"compress": "deflate", "zlevel": 1} if how.is_compressed else {}
    with rasterio.open(
        os.fspath(path),
        "w",
        driver="GTiff",
        height=window.shape[0],
        width=window.shape[1],
        count=len(bands),
        dtype=first.dtype.name,
        crs=_crs(window.crs),
        transform=window.affine,
        nodata=how.nodata,
        **packing,
    ) as file:
        file.write(np.stack(list(bands.values())))
        file.descriptions = tuple(bands)
        if how.tags:
            file.update_tags(**how.tags)


@cache
def _crs(text: str) -> CRS:
    return CRS.from_user_input(text)


def nearest_cells(target: GridWindow, source: GridWindow) -> Cells:
    """For each cell of `target` the `source` cell at its centre, or the nearest border cell."""
    x, y = centres(target)
    x, y = reproject_points(np.asarray(x), np.asarray(y), target.crs, source.crs)
    inverse = ~source.affine
    col = np.floor(inverse.a * x + inverse.c)
    row = np.floor(inverse.e * y + inverse.f)
    rows, cols = source.shape
    return (
        np.clip(row, 0, rows - 1).astype(np.intp),
        np.clip(col, 0, cols - 1).astype(np.intp),
    )


def bounds_in(window: GridWindow, crs: str) -> tuple[float, float, float, float]:
    """Left, bottom, right, top of the window's cell centres in another CRS, in its units."""
    x, y = centres(window)
    x, y = reproject_points(np.asarray(x), np.asarray(y), window.crs, crs)
    return float(x.min()), float(y.min()), float(x.max()), float(y.max())


def snapped(
    bounds: tuple[float, float, float, float], grid: Affine, margin_cells: int, crs: str
) -> GridWindow:
    """The window of a grid's whole cells that covers bounds (left, bottom, right, top), grown.

    Args:
        bounds: in units of the CRS.
        grid: transform of the whole grid, of which the window is cut.
        margin_cells: cells added on each side.
        crs: of the grid.
    """
    left, bottom, right, top = bounds
    first_col = int(np.floor((left - grid.c) / grid.a)) - margin_cells
    last_col = int(np.ceil((right - grid.c) / grid.a)) + margin_cells
    first_row = int(np.floor((top - grid.f) / grid.e)) - margin_cells
    last_row = int(np.ceil((bottom - grid.f) / grid.e)) + margin_cells
    corner = grid @ Affine.translation(first_col, first_row)
    return GridWindow(crs, corner, (last_row - first_row, last_col - first_col))
