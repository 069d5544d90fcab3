"""Relief: slope and aspect of an elevation grid by Horn's formula, in true metres."""

import numpy as np
from numpy.typing import NDArray
from pyproj import Geod

from sm_platform.grid.window import GridWindow, reproject_points


def cell_metres(window: GridWindow) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """East-west and north-south size (m) of the cells of each row, each (rows,).

    Measured on the WGS 84 ellipsoid along the middle column, so that degrees of longitude shrink
    with latitude and projected grids need no table of scale factors.
    """
    rows, cols = window.shape
    x = window.affine.c + (cols / 2 + np.array([-0.5, 0.5])) * window.affine.a
    edges = np.asarray(window.affine.f + np.arange(rows + 1) * window.affine.e, np.float64)
    mid = np.asarray(edges[:-1] + window.affine.e / 2, np.float64)
    geod = Geod(ellps="WGS84")
    west = reproject_points(np.full(rows, x[0]), mid, window.crs, "EPSG:4326")
    east = reproject_points(np.full(rows, x[1]), mid, window.crs, "EPSG:4326")
    lon, lat = reproject_points(np.full(rows + 1, x.mean()), edges, window.crs, "EPSG:4326")
    dx = geod.inv(*west, *east)[2]
    dy = geod.inv(lon[:-1], lat[:-1], lon[1:], lat[1:])[2]
    return np.asarray(dx), np.asarray(dy)


def slope_and_aspect(
    elevation_m: NDArray[np.floating], dx_m: NDArray[np.float64], dy_m: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Slope and aspect (degrees) of every cell but the outermost ones, by Horn (1981).

    Args:
        elevation_m: (rows + 2, cols + 2) heights with one cell of surroundings; NaN missing.
        dx_m: (rows,) east-west size of the inner rows' cells [m].
        dy_m: (rows,) north-south size of the inner rows' cells [m].

    Returns:
        Slope 0..90 and aspect 0..360, clockwise from north, of the downhill direction; each
        (rows, cols). A flat cell has aspect 0. NaN where one of the eight neighbours is missing.
    """
    z = np.asarray(elevation_m, np.float64)
    columns = z[:-2] + 2 * z[1:-1] + z[2:]
    lines = z[:, :-2] + 2 * z[:, 1:-1] + z[:, 2:]
    eastward = (columns[:, 2:] - columns[:, :-2]) / (8 * dx_m[:, None])
    northward = (lines[:-2] - lines[2:]) / (8 * dy_m[:, None])
    slope = np.degrees(np.arctan(np.hypot(eastward, northward)))
    aspect = np.degrees(np.arctan2(-eastward, -northward)) % 360.0
    return slope, np.where((eastward == 0) & (northward == 0), 0.0, aspect)


def surrounded(elevation_m: NDArray[np.floating]) -> NDArray[np.float64]:
    """The grid with one more cell on each side, continued at the slope of its edge."""
    z = np.asarray(elevation_m, np.float64)
    if min(z.shape) < 2:
        return np.pad(z, 1, mode="edge")
    return np.pad(z, 1, mode="reflect", reflect_type="odd")
