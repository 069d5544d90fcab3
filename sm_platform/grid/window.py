"""GridWindow: a rectangle of cells of one grid, as a value, and Raster: values on it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from pyproj import CRS, Transformer

from sm_platform.errors import GridError


@dataclass(frozen=True, slots=True)
class GridWindow:
    """Cells of one north-up grid; `affine` takes a corner (col, row) to (x, y) of the CRS."""

    crs: str
    """Authority code ("EPSG:6933") or, for grids without one, a PROJ string or WKT."""
    affine: Affine
    """Row 0 north: `affine.e` is negative; no rotation."""
    shape: tuple[int, int]
    """Rows, columns."""

    def __post_init__(self) -> None:
        if min(self.shape) < 1:
            raise GridError(f"Window {self.shape} in {self.crs} is empty: widen the region.")
        turned = self.affine.b or self.affine.d
        if turned or self.affine.a <= 0 or self.affine.e >= 0:
            raise GridError(
                f"Grid {tuple(self.affine)[:6]} in {self.crs} is not north-up: warp it."
            )

    @property
    def size(self) -> int:
        """Number of cells."""
        return self.shape[0] * self.shape[1]

    @property
    def epsg(self) -> int | None:
        """EPSG code of the CRS, None when it has none."""
        return CRS.from_user_input(self.crs).to_epsg()

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Left, bottom, right, top in units of the CRS."""
        rows, cols = self.shape
        left, top = self.affine.c, self.affine.f
        return left, top + rows * self.affine.e, left + cols * self.affine.a, top


@dataclass(frozen=True, slots=True)
class Raster:
    """Named values on one window; each array has the window's shape, NaN (floats) where missing."""

    window: GridWindow
    values: Mapping[str, NDArray[np.generic]]

    def __post_init__(self) -> None:
        for name, array in self.values.items():
            if array.shape != self.window.shape:
                raise GridError(
                    f"Band {name} has shape {array.shape}, its window {self.window.shape}."
                )


def pad(window: GridWindow, cells: int) -> GridWindow:
    """The window grown by `cells` on each side; raises GridError when shrunk to nothing."""
    rows, cols = window.shape
    a, e = window.affine.a, window.affine.e
    corner = Affine(a, 0.0, window.affine.c - cells * a, 0.0, e, window.affine.f - cells * e)
    return replace(window, affine=corner, shape=(rows + 2 * cells, cols + 2 * cells))


def centres(window: GridWindow) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Every cell centre: x and y, each of the window's shape, in units of its CRS."""
    rows, cols = window.shape
    x = window.affine.c + (np.arange(cols) + 0.5) * window.affine.a
    y = window.affine.f + (np.arange(rows) + 0.5) * window.affine.e
    return np.broadcast_to(x, window.shape), np.broadcast_to(y[:, None], window.shape)


def reproject_points(
    x: NDArray[np.float64], y: NDArray[np.float64], source: str, target: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Points of one CRS in another (x is always east or longitude)."""
    if source == target:
        return x, y
    turn = Transformer.from_crs(source, target, always_xy=True)
    out_x, out_y = turn.transform(x, y)
    return np.asarray(out_x), np.asarray(out_y)


def lonlat(window: GridWindow) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Longitude and latitude (WGS 84, degrees) of every cell centre, of the window's shape."""
    x, y = centres(window)
    return reproject_points(np.asarray(x), np.asarray(y), window.crs, "EPSG:4326")


def lonlat_bounds(window: GridWindow) -> tuple[float, float, float, float]:
    """West, south, east, north in degrees, from the window's densified outline."""
    turn = Transformer.from_crs(window.crs, "EPSG:4326", always_xy=True)
    west, south, east, north = turn.transform_bounds(*window.bounds)
    return float(west), float(south), float(east), float(north)


def cell_index(
    window: GridWindow, x: NDArray[np.float64], y: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Flat row-major index of the cell that holds each point of the window's CRS; -1 outside.

    A point on a western or northern edge belongs to the cell (floor of the inverse transform).
    """
    inverse = ~window.affine
    col = np.floor(inverse.a * x + inverse.c)
    row = np.floor(inverse.e * y + inverse.f)
    rows, cols = window.shape
    inside = (row >= 0) & (row < rows) & (col >= 0) & (col < cols)
    return np.where(inside, np.where(inside, row, 0) * cols + col, -1).astype(np.int64)


def link(target: GridWindow, source: GridWindow) -> NDArray[np.int64]:
    """Flat index of the `source` cell at the centre of each `target` cell (its shape), or -1."""
    x, y = centres(target)
    return cell_index(
        source, *reproject_points(np.asarray(x), np.asarray(y), target.crs, source.crs)
    )


@dataclass(frozen=True, slots=True)
class DatedRaster:
    """A raster of one UTC day (or of the composite that begins on it)."""

    day: date
    available_utc: datetime | None
    """When the provider made it available; None when not known."""
    raster: Raster
    sensor: str | None = None
    """Who measured it, where it matters; None: the usual one."""
