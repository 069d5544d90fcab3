"""What an EO Browser export of soil water content holds, through its own reader."""

from pathlib import Path

import numpy as np

from sm_platform.formats.eo_browser import read_eo_browser
from sm_platform.formats.inspected import (
    Inspection,
    Place,
    Variable,
    number_of,
    share_of,
    shortest,
)
from sm_platform.formats.recognised import Recognised
from sm_platform.grid.window import cell_index, reproject_points


def inspect_eo_browser(path: Path, known: Recognised, place: Place | None) -> Inspection:
    """Soil water content and whether the provider rejects it; raises GranuleError."""
    (field,) = read_eo_browser(path)
    window, values = field.raster.window, field.raster.values
    sm, is_flagged = values["sm_m3m3"].ravel(), values["is_flagged"].ravel()
    at: tuple[float | int | None, int | None] = (None, None)
    if place:
        lon, lat = (np.array([one]) for one in place)
        x, y = reproject_points(lon, lat, "EPSG:4326", window.crs)
        cell = int(cell_index(window, x, y)[0])
        if cell >= 0:
            value = shortest(float(sm[cell]), sm.dtype)
            at = number_of(value), int(is_flagged[cell])
    share = share_of(int(np.isfinite(sm.astype(np.float64)).sum()), sm.size)
    variables = (
        Variable("swc", "m3/m3", share, at[0]),
        Variable("is_flagged", "1", 1.0, at[1]),
    )
    affine = tuple(window.affine)[:6]
    return Inspection(known.product, field.sensed_utc, window.crs, affine, window.shape, variables)
