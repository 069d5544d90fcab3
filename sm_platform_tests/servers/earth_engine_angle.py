"""The angle of a radar frame as Earth Engine has it: few points, on the corners of their pixels.

The service takes the values as those of pixel centres, which they are not. The archive's angles
are those of single pixels; what the points of the grid cannot tell of them is added as it is. So
only who moves the grid by half a pixel and resamples it gets the archive's angles, and that to the
last bit.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from affine import Affine

from sm_platform.grid.window import GridWindow, lonlat_bounds, reproject_points
from sm_platform_tests.servers.earth_engine_image import CoarseBand, positions

SHAPE = (10, 21)
"""Points along and across the track."""
STEPS_M = ((13123.154, -2997.124), (1943.617, 20154.352))
"""From point to point: those of the real S1A_IW_GRDH_1SDV_20191202T163455 in EPSG:32634."""
MIDDLE = (10.3, 4.6)
"""Where on the grid (column, row) the archive's excerpt of a frame lies."""


def grid_of(bounds: Sequence[float]) -> tuple[str, Affine]:
    """CRS and transform of the points of a frame, by the excerpt's west, south, east, north."""
    west, south, east, north = bounds
    lon, lat = (west + east) / 2, (south + north) / 2
    crs = f"EPSG:{(32600 if lat >= 0 else 32700) + int(lon // 6) + 31}"
    x, y = reproject_points(np.array([lon]), np.array([lat]), "EPSG:4326", crs)
    (a, b), (d, e) = STEPS_M
    at_corner = Affine(a, b, 0, d, e, 0) @ MIDDLE
    return crs, Affine(a, b, float(x[0]) - at_corner[0], d, e, float(y[0]) - at_corner[1])


def thinned(angle: Any, window: GridWindow, target: GridWindow) -> tuple[CoarseBand, Any]:  # noqa: ANN401
    """The archive's angle on its own window as points, and the plane of the points on the target.

    The points lie on the plane through the archive's angles, which are a few kilometres wide while
    the points are many apart.
    """
    crs, affine = grid_of(lonlat_bounds(window))
    col, row = positions(window, crs, affine)
    known = ~np.ma.getmaskarray(angle)
    sides = np.stack([np.ones(known.sum()), col[known], row[known]], axis=1)
    level, across, along = np.linalg.lstsq(sides, np.asarray(angle[known], float), rcond=None)[0]
    rows, cols = np.indices(SHAPE)
    there = positions(target, crs, affine)
    plane = level + across * there[0] + along * there[1]
    return CoarseBand(crs, affine, level + across * cols + along * rows, target), plane
