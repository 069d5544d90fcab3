"""Grids for export: whole steps of a CRS, so that exports of neighbouring maps align."""

import math

from affine import Affine
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError, ProjError

from sm_platform.errors import UsageError
from sm_platform.grid.window import GridWindow

STEP_M = 100.0
"""Cell side in a CRS in metres; edges are multiples of it."""
STEP_DEG = 1 / 1200
"""Cell side in a CRS in degrees, 3 arc seconds: 92.8 m along a meridian; edges likewise."""
DENSE = 101
"""Points along each edge when its extent is carried over."""


def target_window(window: GridWindow, crs: str) -> GridWindow:
    """The smallest window of whole steps of a CRS around a window; itself in its own CRS.

    Raises:
        UsageError: no such CRS, its units are neither metres nor degrees, or the map lies outside
            its domain.
    """
    target = _known(crs)
    if target == CRS.from_user_input(window.crs):
        return window
    step = _step(target, crs)
    turn = Transformer.from_crs(window.crs, target, always_xy=True)
    try:
        edges = turn.transform_bounds(*window.bounds, densify_pts=DENSE)
    except ProjError as error:
        raise UsageError(_outside(crs)) from error
    if not all(math.isfinite(edge) for edge in edges):
        raise UsageError(_outside(crs))
    left, bottom = math.floor(edges[0] / step), math.floor(edges[1] / step)
    right, top = math.ceil(edges[2] / step), math.ceil(edges[3] / step)
    if max(right - left, top - bottom) > 10 * sum(window.shape):
        raise UsageError(_outside(crs))
    corner = Affine(step, 0.0, left * step, 0.0, -step, top * step)
    return GridWindow(_name(target), corner, (top - bottom, right - left))


def _known(crs: str) -> CRS:
    try:
        return CRS.from_user_input(crs)
    except CRSError as error:
        raise UsageError(f"'{crs}' is no CRS: write it like EPSG:32648.") from error


def _step(target: CRS, crs: str) -> float:
    units = {axis.unit_name for axis in target.axis_info[:2]}
    if units == {"metre"}:
        return STEP_M
    if units == {"degree"}:
        return STEP_DEG
    raise UsageError(f"{crs} counts in {', '.join(sorted(units))}: choose metres or degrees.")


def _name(target: CRS) -> str:
    code = target.to_epsg()
    return f"EPSG:{code}" if code else str(target.to_wkt())


def _outside(crs: str) -> str:
    return f"The map lies outside the domain of {crs}: choose a CRS for its place."
