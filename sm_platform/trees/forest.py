"""A forest: the boosted trees of one member as plain arrays, and whether they are sound."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sm_platform.errors import CheckpointError
from sm_platform.trees.columns import N_COLUMNS

MOST_LEAVES = 32
"""Of one tree: as many as the bits that evaluation marks them by."""
LEAF = -1
"""In place of a column and of children, where a node is a leaf."""


@dataclass(frozen=True, slots=True, eq=False)
class Forest:
    """Trees whose values add up; N nodes of T trees, a tree's nodes side by side, root first."""

    baseline: NDArray[np.float64]
    """(1,): m3/m3 before the first tree."""
    first: NDArray[np.int32]
    """(T,): node at which each tree begins; the first begins at 0."""
    column: NDArray[np.int16]
    """(N,): column that an inner node compares, -1 for a leaf."""
    threshold: NDArray[np.float32]
    """(N,): a row goes left when its column is not above it; 0 for a leaf."""
    left: NDArray[np.int32]
    """(N,): node to the left, behind its parent, -1 for a leaf."""
    right: NDArray[np.int32]
    """(N,): node to the right, likewise."""
    value: NDArray[np.float32]
    """(N,): what a leaf adds, m3/m3; 0 for an inner node."""

    @property
    def sizes(self) -> NDArray[np.int64]:
        """(T,): nodes of each tree."""
        return np.diff(self.first, append=len(self.column))


def check_forest(forest: Forest, where: str) -> None:
    """Raise CheckpointError unless every row of any numbers ends in one leaf of each tree.

    Every node but a root is the child of exactly one node before it in its own tree: so none is
    out of reach, and no path returns.
    """
    _check_arrays(forest, where)
    is_inner = forest.column != LEAF
    inner = np.flatnonzero(is_inner)
    tree = np.repeat(np.arange(len(forest.first)), forest.sizes)
    children = np.concatenate([forest.left[inner], forest.right[inner]])
    parents = np.concatenate([inner, inner])
    is_there = (children > parents) & (children < len(tree))
    if not is_there.all():
        spot = np.flatnonzero(~is_there)[0]
        raise _unsound(where, f"node {parents[spot]} has the child {children[spot]}")
    if not np.array_equal(tree[children], tree[parents]):
        raise _unsound(where, "a node's child is of another tree")
    n_parents = np.bincount(children, minlength=len(tree))
    n_parents[forest.first] += 1
    if not np.all(n_parents == 1):
        raise _unsound(where, f"node {np.flatnonzero(n_parents != 1)[0]} has no parent or several")
    leaves = np.bincount(tree[~is_inner], minlength=len(forest.first))
    if leaves.max() > MOST_LEAVES:
        raise _unsound(where, f"a tree has {leaves.max()} leaves, at most {MOST_LEAVES} can be")


def _check_arrays(forest: Forest, where: str) -> None:
    """Lengths, ranges and finite numbers; what `first` says is one tree after the other."""
    n, is_leaf = len(forest.column), forest.column == LEAF
    arrays = forest.column, forest.threshold, forest.left, forest.right, forest.value
    if any(array.shape != (n,) for array in arrays) or forest.baseline.shape != (1,):
        raise _unsound(where, "its arrays differ in length")
    starts = forest.first
    is_split = starts.ndim == 1 and starts.size and starts[0] == 0 and (forest.sizes > 0).all()
    if not is_split:
        raise _unsound(where, "its nodes are not cut into trees")
    if forest.column.min() < LEAF or forest.column.max() >= N_COLUMNS:
        raise _unsound(where, f"a node compares a column outside 0..{N_COLUMNS - 1}")
    if np.any(forest.left[is_leaf] != LEAF) or np.any(forest.right[is_leaf] != LEAF):
        raise _unsound(where, "a leaf has children")
    numbers = forest.baseline, forest.threshold, forest.value
    if not all(np.isfinite(array).all() for array in numbers):
        raise _unsound(where, "it holds NaN or infinity")


def _unsound(where: str, why: str) -> CheckpointError:
    return CheckpointError(f"{where}: {why}: train these trees again, or fetch them anew.")
