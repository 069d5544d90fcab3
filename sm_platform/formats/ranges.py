"""Valid ranges: what lies outside is missing, and a code says on which side it lay."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

BACKSCATTER_DB = (-80.0, 40.0)
"""Far outside of what land, water or ships give; beyond it a file is damaged or scaled."""


def range_code(values: NDArray[Any], lowest: float, highest: float) -> NDArray[np.int8]:
    """-1 below the lowest, 1 above the highest, 0 within and for NaN; the shape of `values`."""
    return (values > highest).astype(np.int8) - (values < lowest).astype(np.int8)


def in_range(
    values: NDArray[np.float32], lowest: float, highest: float
) -> tuple[NDArray[np.float32], NDArray[np.int8]]:
    """The values with NaN outside the range, and their range code."""
    code = range_code(values, lowest, highest)
    return np.where(code == 0, values, np.float32(np.nan)), code
