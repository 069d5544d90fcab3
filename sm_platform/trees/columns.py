"""What trees look at: the 153 inputs of a row and a few means over the last steps of each series.

A tree compares one number at a time, so a sum over weeks that networks learn by convolution has to
be laid before it. The means come from the rows; recipe and rows stay as they are.
"""

import numpy as np
from numpy.typing import NDArray

from sm_platform.grid.calendar import N_STEPS
from sm_platform.schema.recipes import N_INPUTS, N_SERIES
from sm_platform.schema.rows import FeatureRows

RECENT_STEPS = (2, 4, 8, 16, 46)
"""Over so many steps up to the last one: 16 days to a year; the last step is an input itself."""
N_COLUMNS = N_INPUTS + N_SERIES * len(RECENT_STEPS)


def columns_of(rows: FeatureRows, chosen: NDArray[np.integer]) -> NDArray[np.float32]:
    """Columns of the chosen rows, (168, chosen): the 153 inputs, then 5 means of each series.

    A column is contiguous, because a tree compares one column of many rows. Equal rows give equal
    bits whatever the rows beside them.
    """
    used, index = np.unique(rows.series_index[chosen], return_inverse=True)
    series = rows.series[used]
    told = np.concatenate([series.reshape(-1, N_SERIES * N_STEPS), _recent_means(series)], axis=1)
    return np.concatenate([rows.scalars[chosen].T, told.T[:, index]], dtype=np.float32)


def _recent_means(series: NDArray[np.float32]) -> NDArray[np.float32]:
    """Means over the last steps, (m, 3 * 5), of (m, 3, 46); series by series.

    A running sum adds in one order for any number of series, a sum over an axis does not.
    """
    sums = np.cumsum(series[:, :, ::-1], axis=2, dtype=np.float64)
    steps = np.array(RECENT_STEPS)
    means: NDArray[np.float64] = sums[:, :, steps - 1] / steps
    return means.reshape(-1, N_SERIES * len(steps)).astype(np.float32)
