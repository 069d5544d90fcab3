"""Seeded rows, labels and forests for the tests of this room."""

import numpy as np
from numpy.typing import NDArray

from sm_platform.schema.recipes import DEFAULT_RECIPE
from sm_platform.schema.rows import FeatureRows
from sm_platform.trees.boosting import TreeSettings
from sm_platform.trees.forest import Forest

QUICK = TreeSettings(
    members=2, max_iter=8, learning_rate=0.3, max_leaf_nodes=8, min_samples_leaf=10
)
ROWS_A_BLOCK = 40


def rows_of_blocks(blocks: int, seed: int = 0) -> FeatureRows:
    """Rows of blocks that lie side by side, each block with four series of its own."""
    rng = np.random.default_rng(seed)
    n = blocks * ROWS_A_BLOCK
    return FeatureRows(
        scalars=rng.random((n, 15), dtype=np.float32),
        series=rng.random((4 * blocks, 3, 46), dtype=np.float32),
        series_index=(np.arange(n) // (ROWS_A_BLOCK // 4)).astype(np.int32),
        recipe_id=DEFAULT_RECIPE.recipe_id,
        recipe_fingerprint=DEFAULT_RECIPE.fingerprint,
    )


def blocks_of(rows: FeatureRows) -> NDArray[np.int64]:
    return np.arange(len(rows)) // ROWS_A_BLOCK


def moisture(rows: FeatureRows) -> NDArray[np.float64]:
    """m3/m3: rises with radar where there is clay, falls with the mean temperature of 16 steps."""
    radar, clay = rows.scalars[:, 0], rows.scalars[:, 6]
    warmth = rows.series[:, 1, -16:].mean(axis=1)[rows.series_index]
    return np.asarray(0.1 + 0.3 * radar * clay + 0.4 * (1 - warmth), np.float64)


def two_trees() -> Forest:
    """Columns 0 and 3: a tree of three leaves, then one of two.

    First x0 <= 0.5 ? (x3 <= 0.25 ? .1 : .2) : .3, then x3 <= 0.75 ? -.01 : .02; baseline 1.
    """
    return Forest(
        baseline=np.array([1.0]),
        first=np.array([0, 5], np.int32),
        column=np.array([0, 3, -1, -1, -1, 3, -1, -1], np.int16),
        threshold=np.array([0.5, 0.25, 0, 0, 0, 0.75, 0, 0], np.float32),
        left=np.array([1, 2, -1, -1, -1, 6, -1, -1], np.int32),
        right=np.array([4, 3, -1, -1, -1, 7, -1, -1], np.int32),
        value=np.array([0, 0, 0.1, 0.2, 0.3, 0, -0.01, 0.02], np.float32),
    )
