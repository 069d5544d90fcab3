"""Scores of soil moisture against a reference."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sm_platform.errors import DataError
from sm_platform.trust.moments import Floats, Moments, moments, ratio

CONSTANT_SD = 1e-9
"""m3/m3: a series of smaller sd is constant; float32 at 0.25 m3/m3 has steps of 3e-8."""


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
    found = _one_group(predicted, reference)
    return Agreement(
        n=int(found.n[0]),
        bias=float(bias(found)[0]),
        rmse=float(rmse(found)[0]),
        ubrmse=float(ubrmse(found)[0]),
        r=float(correlation(found)[0]),
    )


def bias(of: Moments) -> Floats:
    """Mean of prediction minus reference by group in m3/m3 (Entekhabi et al. 2010)."""
    return of.x - of.y


def ubrmse(of: Moments) -> Floats:
    """sqrt(mean((e - mean e)^2)) by group in m3/m3, e = prediction - reference.

    Entekhabi et al. 2010, 10.1175/2010JHM1223.1.
    """
    return np.sqrt(ratio(of.ee, of.n))


def rmse(of: Moments) -> Floats:
    """sqrt(bias^2 + ubrmse^2) by group in m3/m3, which is sqrt(mean(e^2)).

    Entekhabi et al. 2010, 10.1175/2010JHM1223.1.
    """
    return np.hypot(bias(of), ubrmse(of))


def correlation(of: Moments) -> Floats:
    """Pearson's r = xy / sqrt(xx yy) by group; NaN where either side is constant."""
    least = np.maximum(of.n, 1) * CONSTANT_SD**2
    varies = (of.xx > least) & (of.yy > least)
    scale = np.where(varies, np.sqrt(of.xx) * np.sqrt(of.yy), 0.0)
    return np.clip(ratio(of.xy, scale), -1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Efficiency:
    """Kling-Gupta efficiency and its parts, each by group and unitless; 1 is perfect."""

    kge: Floats
    """1 - sqrt((r - 1)^2 + (bias_ratio - 1)^2 + (variability_ratio - 1)^2); the mean of the
    reference as prediction tends to 1 - sqrt(2) (Knoben et al. 2019, 10.5194/hess-23-4323-2019)."""
    r: Floats
    bias_ratio: Floats
    """Mean of the predictions over mean of the references; NaN where the latter is 0."""
    variability_ratio: Floats
    """Coefficient of variation (sd / mean) of the predictions over that of the references."""


def efficiency(of: Moments) -> Efficiency:
    """Kling-Gupta efficiency by group; NaN where either side is constant or has mean 0.

    The form of Kling et al. 2012 (10.1016/j.jhydrol.2012.01.011), in which the variability is a
    ratio of coefficients of variation; Gupta et al. 2009 (10.1016/j.jhydrol.2009.08.003) have a
    ratio of sd there, which a bias changes as well.
    """
    r = correlation(of)
    bias_ratio = ratio(of.x, of.y)
    variability = ratio(np.sqrt(ratio(of.xx, of.yy)), bias_ratio)
    distance = np.sqrt((r - 1) ** 2 + (bias_ratio - 1) ** 2 + (variability - 1) ** 2)
    return Efficiency(1 - distance, r, bias_ratio, variability)


def kge(predicted: NDArray[np.floating], reference: NDArray[np.floating]) -> Efficiency:
    """Efficiency (arrays of shape (1,)) over the pairs (n,) in which both are known.

    Raises:
        DataError: fewer than two such pairs.
    """
    return efficiency(_one_group(predicted, reference))


def _one_group(predicted: NDArray[np.floating], reference: NDArray[np.floating]) -> Moments:
    known = np.isfinite(predicted) & np.isfinite(reference)
    n = int(np.count_nonzero(known))
    if n < 2:
        raise DataError(f"{n} pairs cannot be scored: bring at least two.")
    group = np.zeros(n, dtype=np.int64)
    return moments(predicted[known], reference[known], group=group, n_groups=1)
