"""Fusion of label sources: how much each training row counts; rows of other roles are untouched."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from sm_platform.errors import DataError, UsageError
from sm_platform.samples.splits import Role
from sm_platform.schema.label_sources import LabelType, find_source

USED_M3M3 = (0.1, 0.7)
"""Labels that the balanced fusion of the seed system keeps at all, both included."""
WHOLE_M3M3 = (0.3, 0.4)
"""Labels of which it keeps every one, both included; of the drier and the wetter it keeps half."""
KEPT_SHARE = 0.5
MOST_INUNDATED = 0.05
"""Share of the land around a cell above which a label of it is one of the water."""
_SENSED = LabelType.PRODUCT.value


def weights(
    source: NDArray[np.str_] | NDArray[np.object_],
    sm_m3m3: NDArray[np.floating],
    role: NDArray[np.str_],
    *,
    per_source: Mapping[str, float],
    balanced: bool,
    seed: int,
) -> NDArray[np.float32]:
    """Weight of each row (n,) in the loss; 1 for every row that does not train.

    A training row counts by the factor of its source: a source with twice the rows has twice the
    say. Factors are not shares: a handful of readings can never outweigh thousands of others by
    being alone in their source. An empty `per_source` makes all sources equal. The weights of the
    rows that count (above 0) have mean 1, so the step of a training does not depend on the
    factors' scale. Several labels of one site and pass stay several rows.

    `balanced` follows the published fusion: training labels outside 0.1..0.7 m3/m3 (and missing
    ones) weigh 0, those in 0.3..0.4 stay, and half of the drier and half of the wetter, drawn by
    the seed over the rows in their order, weigh 0. It takes the dry end away from the training;
    it never touches a row that steers, calibrates or tests.

    Raises:
        UsageError: a factor is negative or no number, a source is not known or has no factor.
        DataError: the columns differ in length, or no training row is left to count.
    """
    if not len(source) == len(sm_m3m3) == len(role):
        raise DataError(
            f"{len(source)} sources, {len(sm_m3m3)} labels and {len(role)} roles do not make rows."
        )
    is_training = role == Role.TRAIN.value
    found = np.ones(len(role))
    found[is_training] = _factors(source[is_training], per_source)
    if balanced:
        found[np.flatnonzero(is_training)[~_balanced(sm_m3m3[is_training], seed)]] = 0
    counts = is_training & (found > 0)
    if is_training.any() and not counts.any():
        raise DataError("No training row has a weight above 0: raise a source's factor.")
    found[counts] /= found[counts].mean() if counts.any() else 1
    return found.astype(np.float32)


def besides_water(
    label_type: NDArray[np.str_] | NDArray[np.object_],
    inundated_share: NDArray[np.floating],
    most: float,
) -> NDArray[np.bool_]:
    """Whether each label (n,) stands for flooded land around its site more than for the soil.

    A product sees a footprint and does not tell standing water from wet soil. A land model has no
    irrigation, and a sensor stands where it stands. An unknown share (NaN) says nothing against a
    label.
    """
    with np.errstate(invalid="ignore"):
        return np.asarray((label_type == _SENSED) & (inundated_share > np.float32(most)))


def _factors(
    source: NDArray[np.str_] | NDArray[np.object_], per_source: Mapping[str, float]
) -> NDArray[np.float64]:
    """Factor of each row; every source present needs one, unless none is given at all."""
    for name, factor in per_source.items():
        find_source(name)
        if not (factor >= 0 and np.isfinite(factor)):
            raise UsageError(f"The weight of {name} is {factor}: give 0 or more.")
    names, row = np.unique(source.astype(np.str_), return_inverse=True)
    absent = [str(name) for name in names if per_source and name not in per_source]
    if absent:
        raise UsageError(f"Training rows of {', '.join(absent)} have no weight: give each one.")
    return np.array([per_source.get(str(name), 1.0) for name in names])[row]


def _balanced(sm_m3m3: NDArray[np.floating], seed: int) -> NDArray[np.bool_]:
    """Which labels the balanced fusion keeps."""
    sm = np.asarray(sm_m3m3, np.float64).round(6)  # 0.3 as float32 is 0.3
    is_used = (sm >= USED_M3M3[0]) & (sm <= USED_M3M3[1])
    rng = np.random.default_rng(seed)
    for thinned in (is_used & (sm < WHOLE_M3M3[0]), is_used & (sm > WHOLE_M3M3[1])):
        rows = np.flatnonzero(thinned)
        n_dropped = len(rows) - round(len(rows) * KEPT_SHARE)
        is_used[rng.choice(rows, n_dropped, replace=False)] = False
    return is_used
