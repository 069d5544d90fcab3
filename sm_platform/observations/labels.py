"""Reading a soil-moisture granule at sites; a reading that is no label keeps its reason."""

from datetime import datetime
from enum import StrEnum

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sm_platform.grid.calendar import utc
from sm_platform.grid.window import Raster, cell_index, reproject_points

ABOVE_M3M3 = 0.0
UP_TO_M3M3 = 0.7
"""A label lies above 0 and at most at 0.7 m3/m3 (as Zhu et al. 2024, 10.1016/j.rse.2023.113944)."""
REJECT_MASK = 0xFFA0
"""Quality bits of Planet's soil water content that reject a reading; believed, so an argument."""


class Rejection(StrEnum):
    """Why a reading is no label; the first that applies, in this order."""

    OUT_OF_BOUNDS = "out_of_bounds"
    MISSING = "missing"
    OUT_OF_RANGE = "out_of_range"
    FLAGGED = "flagged"


def observe(
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
    swc: Raster,
    *,
    sensed_utc: datetime,
    reject_mask: int = REJECT_MASK,
) -> pa.Table:
    """What the granule says at each place (degrees, (n,)): the cell that holds it, never another.

    `swc` has `sm_m3m3` (NaN where missing) and `swc_flags` on its own grid.

    Returns:
        One row a place, in order: `sensed_utc`, `sm_m3m3` (m3/m3; null when the granule has
        none there, kept when it is rejected), `swc_flags` (0 outside), `reason` (null when good).
    """
    cell = cell_index(swc.window, *reproject_points(lon, lat, "EPSG:4326", swc.window.crs))
    is_outside = cell < 0
    sm = np.where(is_outside, np.float32(np.nan), swc.values["sm_m3m3"].ravel()[cell])
    flags = np.where(is_outside, 0, swc.values["swc_flags"].ravel()[cell]).astype(np.uint16)
    # To the sixth decimal: 0.7 as float32 is not 0.7, and files hold thousandths.
    exact = np.round(sm.astype(np.float64), 6)
    is_wrong = ~((exact > ABOVE_M3M3) & (exact <= UP_TO_M3M3))
    reason = np.select(
        [is_outside, np.isnan(sm), is_wrong, (flags & reject_mask) != 0],
        [reason.value for reason in Rejection],
        default="",
    )
    moment = pa.scalar(utc(sensed_utc), pa.timestamp("us", tz="UTC"))
    return pa.table(
        {
            "sensed_utc": pa.repeat(moment, len(cell)),
            "sm_m3m3": pa.array(sm.astype(np.float32), mask=np.isnan(sm)),
            "swc_flags": pa.array(flags),
            "reason": pa.array(reason.astype(object), pa.string(), mask=reason == ""),
        }
    )


def count_reasons(labels: pa.Table) -> dict[str, int]:
    """How many rows each reason took away; every reason is named, `good` is the rest."""
    found = dict.fromkeys([reason.value for reason in Rejection], 0) | {"good": 0}
    for entry in labels["reason"].value_counts().to_pylist():
        found[entry["values"] or "good"] = entry["counts"]
    return found
