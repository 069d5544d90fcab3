"""Short-term anomalies: what a series does beside its season."""

import numpy as np
from numpy.typing import NDArray

from sm_platform.trust.pairs import Names

WINDOW_DAYS = 35
"""Days of the centred window whose mean is taken away, as pytesmo's `calc_anomaly` has them."""
MIN_IN_WINDOW = 3
"""Values that a window must hold: a lonely one is its own mean, an anomaly of exactly 0 on both
sides. A pass every 12 days gives 3."""


def anomalies(
    values: NDArray[np.floating], *, site_id: Names, day: NDArray[np.datetime64]
) -> NDArray[np.float64]:
    """Value minus the mean of its site's values within 17 days before and after, itself included.

    Args:
        values: (n,) in m3/m3, finite, in any order.
        site_id: (n,).
        day: (n,) UTC days; several values on one day all count.

    Returns:
        (n,) in m3/m3; NaN where the window of 35 days holds fewer than 3 values. The definition of
        Albergel et al. 2009 (10.5194/hess-13-115-2009), without their division by the sd.
    """
    if len(values) == 0:
        return np.empty(0)
    reach = WINDOW_DAYS // 2
    place = _places(site_id, day)
    order = np.argsort(place, kind="stable")
    line, x = place[order], values[order].astype(np.float64)
    x = x - x.mean()  # small sums keep their digits
    first = np.searchsorted(line, line - reach, side="left")
    beyond = np.searchsorted(line, line + reach, side="right")
    sums = np.concatenate([[0.0], np.cumsum(x)])
    held = beyond - first
    found = np.empty(len(values))
    found[order] = np.where(held < MIN_IN_WINDOW, np.nan, x - (sums[beyond] - sums[first]) / held)
    return found


def _places(site_id: Names, day: NDArray[np.datetime64]) -> NDArray[np.int64]:
    """Days on one line (n,) where sites follow each other, further apart than a window."""
    _, site = np.unique(site_id, return_inverse=True)
    number = day.astype("datetime64[D]").astype(np.int64)
    number = number - number.min()
    line: NDArray[np.int64] = site * (number.max() + WINDOW_DAYS) + number
    return line
