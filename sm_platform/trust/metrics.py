"""Scores of soil moisture against a reference."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sm_platform.errors import DataError


@dataclass(frozen=True, slots=True)
class Agreement:
    """How predictions agree with a reference over n pairs; all but `r` and `n` in m3/m3."""

    n: int
    bias: float
    """Mean of prediction minus reference."""
    rmse: float
    """Root of the mean squared difference."""
    ubrmse: float
    """The same after the bias is removed: ubrmse^2 = rmse^2 - bias^2 (Entekhabi et al. 2010,
    10.1175/2010JHM1223.1)."""
    r: float
    """Pearson's correlation; NaN when either side is constant."""


def agreement(predicted: NDArray[np.floating], reference: NDArray[np.floating]) -> Agreement:
    """Scores over the pairs (n,) in which both are known.

    Raises:
        DataError: fewer than two such pairs.
    """
    known = np.isfinite(predicted) & np.isfinite(reference)
    x, y = predicted[known].astype(np.float64), reference[known].astype(np.float64)
    if len(x) < 2:
        raise DataError(f"{len(x)} pairs cannot be scored: bring at least two.")
    error = x - y
    is_constant = np.ptp(x) == 0 or np.ptp(y) == 0
    return Agreement(
        n=len(x),
        bias=float(error.mean()),
        rmse=float(np.sqrt(np.mean(error**2))),
        ubrmse=float(error.std()),
        r=float("nan") if is_constant else float(np.corrcoef(x, y)[0, 1]),
    )
