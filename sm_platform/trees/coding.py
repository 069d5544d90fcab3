"""Columns as small whole numbers, by steps that the rows of the training are spread over evenly.

Boosting compares codes, not values. They are made once for all members; scikit-learn would find
steps of its own for each, and with weights that takes ten times as long as the trees.
"""

import numpy as np
from numpy.typing import NDArray

MOST_CODES = 255
"""As many as scikit-learn tells apart."""
Steps = tuple[NDArray[np.float32], ...]
"""For each column its rising steps; a value has the number of steps below it as its code."""


def steps_of(columns: NDArray[np.float32]) -> Steps:
    """At most 254 steps for each of the columns (168, n): between neighbours where values are few.

    A column of one value has none.
    """
    return tuple(_steps(column) for column in columns)


def _steps(column: NDArray[np.float32]) -> NDArray[np.float32]:
    values = np.unique(column)
    if len(values) <= MOST_CODES:
        # half way, but below the upper one even where no float lies between the two
        middles = values[:-1] + (values[1:] - values[:-1]) / 2
        return np.where(middles < values[1:], middles, values[:-1])
    shares = np.arange(1, MOST_CODES) / MOST_CODES
    return np.unique(np.quantile(column, shares, method="lower"))


def coded(columns: NDArray[np.float32], steps: Steps) -> NDArray[np.float32]:
    """Codes (n, 168) of columns (168, n), in the layout that scikit-learn reads."""
    codes = [np.searchsorted(own, column) for own, column in zip(steps, columns, strict=True)]
    return np.stack(codes, axis=1).astype(np.float32)
