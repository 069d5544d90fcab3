"""What a number alone tells: fill values, percent, and the range of soil moisture."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sm_platform.observations.rejection import Rejection

ABOVE_M3M3 = 0.0
UP_TO_M3M3 = 0.7
"""A label lies above 0 and at most at 0.7 m3/m3 (as Zhu et al. 2024, 10.1016/j.rse.2023.113944)."""
FILLS = (-9999.0, -999.0, -999.9, -999.99, -99.0, -99.9, -99.99, 999.0, 999.9, 9999.0, 99999.0)
"""Written for "none" by loggers and tables (SMAP products and ISMN: -9999, CEOP files: -999.99)."""
INTEGER_FILLS = (255.0, 32767.0, -32767.0, -32768.0, 65535.0)
"""Ends of integer types, which files of scaled integers keep for "none"."""
HUGE = 1e19
"""From here on only fills such as 1e20 and 9.96921e36 (netCDF's) and infinity."""
PERCENT = 1.0, 100.0
"""A series whose typical value lies above the first and up to the second is in percent."""


def is_fill(sm: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Which values (any shape) are numbers that stand for none; NaN is not among them."""
    # Files of float32 hold -999.99 as -999.98999.
    told = np.round(sm.astype(np.float64), 2)
    return np.asarray(np.isin(told, (*FILLS, *INTEGER_FILLS)) | (np.abs(told) >= HUGE), np.bool_)


def is_percent(typical: ArrayLike) -> NDArray[np.bool_]:
    """Whether series with these medians of good values are in percent; not for NaN."""
    middle = np.asarray(typical)
    return (middle > PERCENT[0]) & (middle <= PERCENT[1])


def is_in_range(sm: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Which values can be soil moisture in m3/m3, to the sixth decimal; NaN cannot."""
    # 0.7 as float32 is not 0.7, and files hold thousandths.
    exact = np.round(sm.astype(np.float64), 6)
    return np.asarray((exact > ABOVE_M3M3) & (exact <= UP_TO_M3M3), np.bool_)


def reasons_of_values(
    sm: NDArray[np.floating], in_percent: NDArray[np.bool_] | bool
) -> dict[Rejection, NDArray[np.bool_]]:
    """Which reasons the numbers (n,) alone give, NaN where missing.

    Args:
        sm: m3/m3.
        in_percent: (n,) or one for all: whether the series of the value is in percent.
    """
    fill = is_fill(sm)
    within = np.abs(sm) <= PERCENT[1]
    return {
        Rejection.MISSING: np.isnan(sm),
        Rejection.FILL_VALUE: fill,
        Rejection.UNIT_PERCENT: within & (sm >= 0) & in_percent,
        Rejection.OUT_OF_RANGE: ~is_in_range(sm),
    }
