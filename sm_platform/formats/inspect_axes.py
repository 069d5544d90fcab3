"""The axes of a netCDF data set: their grid, its CRS, and the cell that holds a place."""

from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np
import xarray as xr
from affine import Affine
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError

from sm_platform.formats.inspected import Place

LAT, LON = ("latitude", "lat", "y", "YDim"), ("longitude", "lon", "x", "XDim")
YS, XS = (*LAT, "yCoordinates"), (*LON, "xCoordinates")
"""How products name their axes."""
STEP_TOLERANCE = 1e-3
"""Share of a step by which steps of a regular axis may differ."""
WGS84 = "EPSG:4326"
SAME_DEG = 0.05
"""How far a series may lie from a place to be of it: half a cell of ERA5-Land."""


@dataclass(frozen=True, slots=True)
class Axis:
    """Coordinates of cell centres along a dimension."""

    dim: Hashable
    values: NDArray[np.float64]

    @property
    def half(self) -> float:
        """Half a step."""
        steps = np.abs(np.diff(self.values))
        return float(steps.mean()) / 2 if steps.size else SAME_DEG

    @property
    def is_regular(self) -> bool:
        """Whether all steps are alike."""
        steps = np.diff(self.values)
        return bool(steps.size and np.allclose(steps, steps.mean(), rtol=STEP_TOLERANCE, atol=0))

    def index(self, wanted: float) -> int | None:
        """The cell that holds a coordinate; None outside."""
        near = int(np.argmin(np.abs(self.values - wanted)))
        is_inside = abs(self.values[near] - wanted) <= self.half * (1 + 1e-9)
        return near if is_inside else None


def axes_of(one: xr.Dataset) -> tuple[Axis, Axis] | None:
    """The x and the y axis, where the file has both, each in a dimension of its own."""
    found = []
    for names in (XS, YS):
        name = next((n for n in names if n in one.variables and one[n].ndim == 1), None)
        if name is None or one[name].size == 0 or one[name].dtype.kind not in "iuf":
            return None
        found.append(Axis(one[name].dims[0], np.asarray(one[name].to_numpy(), np.float64)))
    return None if found[0].dim == found[1].dim else (found[0], found[1])


def grid_of(one: xr.Dataset) -> tuple[str | None, tuple[float, ...] | None, tuple[int, int]] | None:
    """CRS, affine (None where the axes are irregular) and rows, columns; None without axes."""
    axes = axes_of(one)
    if axes is None:
        return None
    x, y = axes
    affine = None
    if x.is_regular and y.is_regular:
        dx, dy = (float(v[-1] - v[0]) / (v.size - 1) for v in (x.values, y.values))
        left, top = float(x.values[0]) - dx / 2, float(y.values[0]) - dy / 2
        affine = tuple(Affine(dx, 0, left, 0, dy, top))[:6]
    return crs_of(one), affine, (y.values.size, x.values.size)


def cell_of(
    one: xr.Dataset, dims: tuple[Hashable, ...], place: Place
) -> dict[Hashable, int] | None:
    """Index along both axes of the cell that holds the place; None outside, or without axes."""
    axes = axes_of(one)
    if axes is None:
        return {} if _is_at(one, place) else None
    if not {axis.dim for axis in axes} <= set(dims):
        return None
    x, y = _in_crs(one, place)
    if crs_of(one) == WGS84:
        west = axes[0].values.min() - axes[0].half
        x = west + (x - west) % 360
    found = {axis.dim: axis.index(wanted) for axis, wanted in zip(axes, (x, y), strict=True)}
    return None if None in found.values() else {dim: at or 0 for dim, at in found.items()}


def _is_at(one: xr.Dataset, place: Place) -> bool:
    """Whether the data are a series of one place, and this is it."""
    found = [next((n for n in names if n in one.variables), None) for names in (LON, LAT)]
    if any(name is None or one[name].size != 1 for name in found):
        return False
    lon, lat = (one[name].item() for name in found)
    return bool(
        abs((place[0] - lon + 180) % 360 - 180) <= SAME_DEG and abs(place[1] - lat) <= SAME_DEG
    )


def crs_of(one: xr.Dataset) -> str | None:
    """By a grid mapping, else by the names of the axes."""
    for found in one.variables.values():
        text = found.attrs.get("crs_wkt") or found.attrs.get("spatial_ref")
        try:
            if text or "grid_mapping_name" in found.attrs:
                return _code(CRS.from_wkt(str(text)) if text else CRS.from_cf(found.attrs))
        except (CRSError, KeyError, TypeError, ValueError):
            continue
    is_degrees = any(name in one.variables for name in LAT[:2])
    return WGS84 if is_degrees else None


def _code(crs: CRS) -> str:
    """Authority code, else WKT; degrees on the ellipsoid of WGS 84 are WGS 84, named or not."""
    code, ellipsoid = crs.to_epsg(), crs.ellipsoid
    if not code and crs.is_geographic and ellipsoid is not None:
        is_wgs84 = abs(ellipsoid.semi_major_metre - 6378137) < 1e-3
        if is_wgs84 and abs(ellipsoid.inverse_flattening - 298.257223563) < 1e-6:
            return WGS84
    return f"EPSG:{code}" if code else str(crs.to_wkt())


def _in_crs(one: xr.Dataset, place: Place) -> Place:
    crs = crs_of(one)
    if crs in (None, WGS84):
        return place
    x, y = Transformer.from_crs(WGS84, crs, always_xy=True).transform(*place)
    return float(x), float(y)
