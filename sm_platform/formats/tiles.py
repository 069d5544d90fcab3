"""Global lon/lat rasters cut into tiles named by their south-west corner, and mosaics of them."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from affine import Affine
from numpy.typing import NDArray

from sm_platform.errors import GranuleError
from sm_platform.formats.geotiff import MARGIN_CELLS, Bounds, grid_of, opened, read_part
from sm_platform.grid.window import GridWindow

CRS = "EPSG:4326"
_CORNER = re.compile(r"(?<![A-Za-z])([NS])(\d{2})(?:_00_)?([EW])(\d{3})")


@dataclass(frozen=True, slots=True)
class TileGrid:
    """The cells of the whole globe, rows from the north, columns from 180 W."""

    cells_per_degree: int
    tile_degrees: int
    is_centred: bool
    """Whether cell centres, instead of edges, lie on whole degrees."""
    dtype: str
    """Type of the stored numbers."""

    def window(self, box: "Box") -> GridWindow:
        """The cells of a box as a window."""
        half = 0.5 if self.is_centred else 0.0
        step = 1 / self.cells_per_degree
        west = (box.cols.start - half) / self.cells_per_degree - 180
        north = 90 - (box.rows.start - half) / self.cells_per_degree
        return GridWindow(CRS, Affine(step, 0, west, 0, -step, north), box.shape)


@dataclass(frozen=True, slots=True)
class Box:
    """Rows and columns of a TileGrid, stop excluded."""

    rows: slice
    cols: slice

    @property
    def shape(self) -> tuple[int, int]:
        """Rows, columns; not positive when the box is empty."""
        return self.rows.stop - self.rows.start, self.cols.stop - self.cols.start

    def within(self, outer: "Box") -> tuple[slice, slice]:
        """Where this box lies in an array that holds the outer one."""
        return _shift(self.rows, outer.rows.start), _shift(self.cols, outer.cols.start)


@dataclass(frozen=True, slots=True)
class Corner:
    """South-west corner of a tile, whole degrees."""

    lat: int
    lon: int

    def named(self, template: str) -> str:
        """The template with `{lat}` as N09 and `{lon}` as E106."""
        lat = f"{'S' if self.lat < 0 else 'N'}{abs(self.lat):02d}"
        lon = f"{'W' if self.lon < 0 else 'E'}{abs(self.lon):03d}"
        return template.format(lat=lat, lon=lon)


def box_around(grid: TileGrid, bounds: Bounds) -> Box:
    """The cells that the bounds (degrees) touch, with the margin; raises GranuleError if none."""
    west, south, east, north = bounds
    if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
        raise GranuleError(f"Bounds {bounds} are not west, south, east, north: check the region.")
    half, per_degree = (0.5 if grid.is_centred else 0.0), grid.cells_per_degree
    rows = _span((90 - north) * per_degree + half, (90 - south) * per_degree + half)
    cols = _span((west + 180) * per_degree + half, (east + 180) * per_degree + half)
    return Box(_clip(rows, 180 * per_degree), _clip(cols, 360 * per_degree))


def corners(grid: TileGrid, bounds: Bounds) -> list[Corner]:
    """South-west corners of the tiles that hold the cells of the bounds, north to south."""
    box, size = box_around(grid, bounds), grid.cells_per_degree * grid.tile_degrees
    found = []
    for row in range(box.rows.start // size, (box.rows.stop - 1) // size + 1):
        for col in range(box.cols.start // size, (box.cols.stop - 1) // size + 1):
            south = 90 - (row + 1) * grid.tile_degrees
            found.append(Corner(south, col * grid.tile_degrees - 180))
    return found


def mosaic(
    grid: TileGrid, paths: Sequence[Path], bounds: Bounds, *, absent: float, uncovered: float
) -> tuple[GridWindow, NDArray[np.generic]]:
    """The window around the bounds and its values, from the tiles at hand.

    Args:
        grid: of the product.
        paths: tiles, named by their corner; those that do not touch the bounds are skipped.
        bounds: west, south, east, north in degrees.
        absent: value where no path belongs to the tile.
        uncovered: value where a present file does not reach (an excerpt of its tile).

    Raises:
        GranuleError: a file is damaged, has another type, CRS, cell or place than its name says.
    """
    target = box_around(grid, bounds)
    values = np.full(target.shape, absent, dtype=grid.dtype)
    for path in paths:
        tile = _tile_box(grid, path)
        values_there = _overlap(tile, target)
        if min(values_there.shape) > 0:
            values[values_there.within(target)] = uncovered
            _paste(grid, path, tile, target, values)
    return grid.window(target), values


def _paste(grid: TileGrid, path: Path, tile: Box, target: Box, values: NDArray[np.generic]) -> None:
    """Write what the file holds of the target into `values`."""
    with opened(path) as file:
        if file.dtypes[0] != grid.dtype:
            raise GranuleError(
                f"{path.name}: band 1 is {file.dtypes[0]}, not {grid.dtype}: fetch it again."
            )
        whole = grid_of(file, path, CRS)
        held = _held_box(grid, path, whole)
        if _overlap(held, tile) != held:
            raise GranuleError(f"{path.name}: grid is not where its name says: fetch it again.")
        box = _overlap(held, target)
        if min(box.shape) > 0:
            stored = read_part(file, whole, [1], box.within(held))
            values[box.within(target)] = stored.bands[0]


def _tile_box(grid: TileGrid, path: Path) -> Box:
    """The cells of a whole tile, from the corner in its name."""
    found = _CORNER.search(path.name)
    if found is None:
        raise GranuleError(f"{path.name}: names no tile corner such as N09E106: check its name.")
    lat = int(found[2]) * (-1 if found[1] == "S" else 1)
    lon = int(found[4]) * (-1 if found[3] == "W" else 1)
    size = grid.cells_per_degree * grid.tile_degrees
    row = (90 - lat) * grid.cells_per_degree - size
    col = (lon + 180) * grid.cells_per_degree
    return Box(slice(row, row + size), slice(col, col + size))


def _held_box(grid: TileGrid, path: Path, whole: GridWindow) -> Box:
    """The global cells of a file's grid, which must fall on them within a hundredth of a cell."""
    half, per_degree = (0.5 if grid.is_centred else 0.0), grid.cells_per_degree
    affine = whole.affine
    col = (affine.c + 180) * per_degree + half
    row = (90 - affine.f) * per_degree + half
    drift = [
        abs(col - round(col)),
        abs(row - round(row)),
        abs(affine.a * per_degree - 1) * whole.shape[1],
        abs(affine.e * per_degree + 1) * whole.shape[0],
    ]
    if max(drift) > 0.01:
        raise GranuleError(
            f"{path.name}: grid has not {per_degree} cells a degree at the product's places: "
            "fetch the original tile."
        )
    rows, cols = whole.shape
    return Box(slice(round(row), round(row) + rows), slice(round(col), round(col) + cols))


def _overlap(one: Box, other: Box) -> Box:
    return Box(_common(one.rows, other.rows), _common(one.cols, other.cols))


def _common(one: slice, other: slice) -> slice:
    return slice(max(one.start, other.start), min(one.stop, other.stop))


def _shift(span: slice, start: int) -> slice:
    return slice(span.start - start, span.stop - start)


def _span(first: float, last: float) -> slice:
    return slice(math.floor(first) - MARGIN_CELLS, math.ceil(last) + MARGIN_CELLS)


def _clip(span: slice, count: int) -> slice:
    return slice(max(span.start, 0), min(span.stop, count))
