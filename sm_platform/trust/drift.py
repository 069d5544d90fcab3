"""Whether inputs are still like those that a checkpoint was trained on, one input at a time.

Of each input of the training rows seven quantiles are kept, and the share of the rows between
them. Against these, new values are counted: how many lie where no training row was, and how far
their distribution has moved as a whole.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sm_platform.errors import DataError

Values = NDArray[np.floating]

LEVELS = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
"""Of the quantiles that are kept."""
MARGIN = 0.25
"""Of the width between the outer quantiles: a value farther from them than this lies outside. Of
training rows 0.1 % lie outside then in one of 13 inputs, of a map of the same region 3 %."""
NARROWEST = 0.01
"""Least margin, in scaled inputs (0..1): of a flat delta's elevation the quantiles nearly meet."""
DRIFTED = 0.25
"""Stability index above which a population has moved: the limit in use for scorecards, Siddiqi
2006, Credit Risk Scorecards (ISBN 978-0-471-75451-0). 1 dB more VV on training rows gives 0.3."""
LEAST_SHARE = 1e-3
"""Shares below count as this: an empty class would make the index infinite."""


@dataclass(frozen=True, slots=True)
class InputRange:
    """Where the training rows lie in one input, scaled to 0..1."""

    quantiles: tuple[float, ...]
    """Of `LEVELS`, in order."""
    shares: tuple[float, ...]
    """Of the rows in the eight classes that the quantiles divide, lowest first; an upper end
    belongs to its class."""

    def __post_init__(self) -> None:
        n = len(LEVELS)
        is_whole = len(self.quantiles) == n and len(self.shares) == n + 1
        numbers = np.array([*self.quantiles, *self.shares], np.float64)
        if not is_whole or not np.isfinite(numbers).all() or np.any(np.diff(self.quantiles) < 0):
            raise DataError(
                f"Quantiles {self.quantiles} with shares {self.shares} tell no range of an input: "
                f"{n} in order and {n + 1} are needed; train the checkpoint again."
            )

    @property
    def limits(self) -> tuple[float, float]:
        """The 1 % and the 99 % quantile."""
        return self.quantiles[0], self.quantiles[-1]


def range_of(values: Values) -> InputRange | None:
    """The range of the training rows' values of one input; NaN is left out, None without any."""
    known = values[np.isfinite(values)].astype(np.float64)
    if not len(known):
        return None
    quantiles = tuple(round(float(one), 5) for one in np.quantile(known, LEVELS))
    n = _classes(known, quantiles)
    return InputRange(quantiles, tuple(round(float(one), 5) for one in n / n.sum()))


def counts(values: Values, known: InputRange, weight: Values | None = None) -> NDArray[np.float64]:
    """(8,): how many values lie in each class of the training range; NaN is left out.

    Args:
        values: of one input, scaled to 0..1.
        known: range of the training rows in this input.
        weight: how often each value counts, of the same shape; None: once.
    """
    return _classes(values, known.quantiles, weight)


def stability_index(found: NDArray[np.float64], known: InputRange) -> float:
    """Population stability index of counts by class: 0 for the training rows themselves.

    `sum((a - e) ln(a / e))` over the classes, a the share found, e the share in training; NaN
    when nothing was counted.
    """
    if not found.sum():
        return float("nan")
    a = np.maximum(found / found.sum(), LEAST_SHARE)
    e = np.maximum(np.array(known.shares), LEAST_SHARE)
    return float(np.sum((a - e) * np.log(a / e)))


def is_outside(values: Values, known: InputRange) -> NDArray[np.bool_]:
    """Where a value lies clearly beyond the training rows: by `MARGIN`; NaN does not."""
    low, high = known.limits
    margin = max(MARGIN * (high - low), NARROWEST)
    return np.asarray((values < low - margin) | (values > high + margin))


def _classes(
    values: Values, quantiles: tuple[float, ...], weight: Values | None = None
) -> NDArray[np.float64]:
    is_known = np.isfinite(values)
    place = np.searchsorted(quantiles, values[is_known], side="left")
    often = None if weight is None else weight[is_known]
    return np.bincount(place, weights=often, minlength=len(quantiles) + 1).astype(np.float64)
