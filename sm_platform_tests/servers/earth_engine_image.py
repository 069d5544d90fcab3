"""Images as the stand-in of Earth Engine evaluates them, and bands on a coarse, turned grid."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from affine import Affine
from numpy.typing import NDArray

from sm_platform.grid.window import GridWindow, centres, reproject_points

Floats = NDArray[np.float64]
Bands = Mapping[str, Any]
"""Masked arrays or coarse bands, by name."""
Grid = tuple[str, Affine]
"""CRS and transform of a projection."""


class RefusalError(Exception):
    """Status and message of an error."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


@dataclass(frozen=True, slots=True)
class CoarseBand:
    """Values on a grid that `affine` takes to a CRS, for the cells of a target."""

    crs: str
    affine: Affine
    values: Floats
    target: GridWindow
    rest: Any = 0.0
    """Masked array on the target: added."""
    is_bilinear: bool = False

    def array(self) -> Any:  # noqa: ANN401
        """The band on the target, masked beyond the grid (between points: beyond their centres)."""
        col, row = positions(self.target, self.crs, self.affine)
        found = (
            between(self.values, col - 0.5, row - 0.5) if self.is_bilinear else self._own(col, row)
        )
        return np.ma.masked_invalid(found) + self.rest

    def _own(self, col: Floats, row: Floats) -> Floats:
        rows, cols = self.values.shape
        inside = (col >= 0) & (col < cols) & (row >= 0) & (row < rows)
        r, c = (np.where(inside, one, 0).astype(int) for one in (row, col))
        return np.where(inside, self.values[r, c], np.nan)

    def moved(self, affine: Affine) -> "CoarseBand":
        """Its pixels at the same places of another grid of the CRS."""
        return replace(self, affine=affine)


def positions(target: GridWindow, crs: str, affine: Affine) -> tuple[Floats, Floats]:
    """Column and row on a grid of every cell's centre; whole numbers are corners of pixels."""
    x, y = (np.asarray(one) for one in centres(target))
    return (~affine) @ reproject_points(x, y, target.crs, crs)


def between(values: Floats, col: Floats, row: Floats) -> Floats:
    """Linear between the four values around; whole numbers are values, NaN beyond the last."""
    rows, cols = values.shape
    inside = (col >= 0) & (col <= cols - 1) & (row >= 0) & (row <= rows - 1)
    c = np.clip(np.floor(col), 0, cols - 2).astype(int)
    r = np.clip(np.floor(row), 0, rows - 2).astype(int)
    right, down = col - c, row - r
    upper = values[r, c] * (1 - right) + values[r, c + 1] * right
    lower = values[r + 1, c] * (1 - right) + values[r + 1, c + 1] * right
    return np.where(inside, upper * (1 - down) + lower * down, np.nan)


@dataclass(frozen=True, slots=True)
class Image:
    """Masked arrays or coarse bands, by name.

    `is_fine`: there are bands of 10 m pixels that no reducer has put together.
    """

    bands: Bands
    is_fine: bool = False


def is_coarse(values: object) -> bool:
    return isinstance(values, CoarseBand)


def array(values: Any) -> Any:  # noqa: ANN401
    return values.array() if isinstance(values, CoarseBand) else values


def _coarse(image: Image) -> tuple[str, CoarseBand]:
    """Name and values of an image of one coarse band; the archive's others have no such grid."""
    ((name, values),) = image.bands.items()
    if not isinstance(values, CoarseBand):
        raise RefusalError(400, f"{name} is no band of few points: it is not to be moved here")
    return name, values


def projection(graph: object, image: Image) -> Grid:
    values = _coarse(image)[1]
    return values.crs, values.affine


def translate(graph: object, projection: Grid, x: float, y: float) -> Grid:
    """In units of the projection's transform: pixels, as the shadows of clouds are moved by it."""
    return projection[0], projection[1] @ Affine.translation(x, y)


def change_projection(graph: object, input: Image, srcProj: Grid, dstProj: Grid) -> Image:  # noqa: A002
    name, values = _coarse(input)
    if srcProj != (values.crs, values.affine) or dstProj[0] != values.crs:
        raise RefusalError(400, "the band has another projection: it would be torn")
    return Image({name: values.moved(dstProj[1])})


def resample(graph: object, image: Image, mode: str = "bilinear") -> Image:
    name, values = _coarse(image)
    if mode != "bilinear":
        raise RefusalError(400, f"no {mode} here")
    return Image({name: replace(values, is_bilinear=True)})
