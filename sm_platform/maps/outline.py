"""Outline of the cells that the radar measured, in degrees."""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull

from sm_platform.errors import ProductError
from sm_platform.grid.window import reproject_points
from sm_platform.maps.product import MapProduct
from sm_platform.schema.product import QA, Qa

DIGITS = 7
"""Decimals of a degree that are kept: about a centimetre."""
Ring = list[list[float]]


def measured_ring(product: MapProduct) -> Ring:
    """Closed counterclockwise ring of lon, lat around all cells with radar: their convex hull.

    Raises:
        ProductError: no cell has radar; such a day has no map.
    """
    qa = product.layers[QA.name].astype(np.uint16)
    measured = (qa & int(Qa.NO_SENTINEL1)) == 0
    if not measured.any():
        raise ProductError(
            f"No cell of {product.seen.region_id} has radar: record the day as no_data instead."
        )
    corners = _row_ends(measured)
    affine = product.window.affine
    x = np.asarray(affine.c + corners[:, 0] * affine.a, dtype=np.float64)
    y = np.asarray(affine.f + corners[:, 1] * affine.e, dtype=np.float64)
    around = ConvexHull(np.column_stack([x, y])).vertices
    lon, lat = reproject_points(x[around], y[around], product.window.crs, "EPSG:4326")
    ring: Ring = np.column_stack([lon, lat]).round(DIGITS).tolist()
    return [*ring, ring[0]]


def ring_bounds(ring: Ring) -> list[float]:
    """West, south, east, north of a ring."""
    lon, lat = [point[0] for point in ring], [point[1] for point in ring]
    return [min(lon), min(lat), max(lon), max(lat)]


def _row_ends(measured: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Corners (col, row) of the first and last measured cell of each row; shape (n, 2)."""
    rows = np.flatnonzero(measured.any(axis=1))
    first = measured[rows].argmax(axis=1)
    last = measured.shape[1] - measured[rows][:, ::-1].argmax(axis=1)
    ends = [(col, row) for col in (first, last) for row in (rows, rows + 1)]
    return np.concatenate([np.column_stack(pair) for pair in ends])
