"""What a fitted booster of scikit-learn holds, as plain arrays."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sm_platform.trees.coding import Steps
from sm_platform.trees.forest import LEAF, Forest

if TYPE_CHECKING:
    from sklearn.ensemble import HistGradientBoostingRegressor


def forest_of(booster: "HistGradientBoostingRegressor", steps: Steps) -> Forest:
    """The trees fitted on coded columns as plain arrays that compare the columns themselves.

    Trees after the best on the steer rows are left out, and so is where missing values go: rows
    with one have no result.
    """
    stages = booster._predictors[: _best(booster)]  # there is no public way to the nodes
    trees = [stage[0].nodes for stage in stages]
    sizes = [len(nodes) for nodes in trees]
    first = np.cumsum([0, *sizes[:-1]])
    nodes, shift = np.concatenate(trees), np.repeat(first, sizes)
    is_leaf = nodes["is_leaf"].astype(bool)
    return Forest(
        baseline=np.asarray(booster._baseline_prediction, np.float64).reshape(1),
        first=first.astype(np.int32),
        column=np.where(is_leaf, LEAF, nodes["feature_idx"]).astype(np.int16),
        threshold=_thresholds(nodes, ~is_leaf, steps),
        left=np.where(is_leaf, LEAF, nodes["left"] + shift).astype(np.int32),
        right=np.where(is_leaf, LEAF, nodes["right"] + shift).astype(np.int32),
        value=np.where(is_leaf, nodes["value"], 0).astype(np.float32),
    )


def _best(booster: "HistGradientBoostingRegressor") -> int:
    """With how many trees the steer rows were met best, 1 or more; all where none were given."""
    scores = booster.validation_score_  # higher is better, the first without any tree
    return max(int(np.argmax(scores)), 1) if len(scores) else int(booster.n_iter_)


def _thresholds(
    nodes: NDArray[np.void], is_inner: NDArray[np.bool_], steps: Steps
) -> NDArray[np.float32]:
    """The step that stands behind each inner node's code, (N,); 0 for a leaf.

    A row is at or below step k just when its code is at or below k, so at or below k.5.
    """
    found = np.zeros(len(nodes), np.float32)
    codes = np.floor(nodes["num_threshold"][is_inner]).astype(np.intp)
    columns = nodes["feature_idx"][is_inner]
    found[is_inner] = [
        steps[column][code] for column, code in zip(columns.tolist(), codes.tolist(), strict=True)
    ]
    return found
