"""Evaluation of a forest on columns, one comparison of a whole column at a time.

A row's leaf is found by sets instead of paths. The leaves of a tree are bits of a number, left to
right. A node that sends a row to the right rules out all leaves to its left; the first leaf that no
node rules out is the row's (Lucchese et al. 2015, SIGIR, "QuickScorer"). So nodes are visited in
any order and nothing is gathered: measured 3 times faster than following paths.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sm_platform.trees.forest import LEAF, MOST_LEAVES, Forest


@dataclass(frozen=True, slots=True, eq=False)
class Splits:
    """The inner nodes of a forest, tree by tree, and the values of its leaves."""

    baseline: float
    """m3/m3"""
    first: tuple[int, ...]
    """Inner node at which each of T trees begins, and the number of all at the end."""
    column: tuple[int, ...]
    threshold: NDArray[np.float32]
    ruled_out: NDArray[np.uint32]
    """Leaves to the left of each node, as bits: what a row above the threshold cannot reach."""
    values: NDArray[np.float64]
    """(T, 33): m3/m3 by the place of a leaf in its tree, counted from 1."""


def splits_of(forest: Forest) -> Splits:
    """What `evaluate` reads, from a forest that `check_forest` accepts."""
    tree = np.repeat(np.arange(len(forest.first)), forest.sizes)
    is_inner = forest.column != LEAF
    leaves = _leaves_below(forest, tree)
    values = np.zeros((len(forest.first), MOST_LEAVES + 1))
    values[tree[~is_inner], _bit_length(leaves[~is_inner])] = forest.value[~is_inner]
    starts = np.searchsorted(tree[is_inner], np.arange(len(forest.first) + 1))
    return Splits(
        baseline=float(forest.baseline[0]),
        first=tuple(starts.tolist()),
        column=tuple(forest.column[is_inner].tolist()),
        threshold=forest.threshold[is_inner],
        ruled_out=leaves[forest.left[is_inner]],
        values=values,
    )


def _leaves_below(forest: Forest, tree: NDArray[np.intp]) -> NDArray[np.uint32]:
    """Leaves below each node as bits, the leftmost of a tree first; a leaf has its own bit."""
    left, right = forest.left.tolist(), forest.right.tolist()
    count = [1] * len(tree)
    for node in reversed(range(len(tree))):  # children lie behind their parents
        if left[node] != LEAF:
            count[node] = count[left[node]] + count[right[node]]
    place = [0] * len(tree)  # of the leftmost leaf below
    for node in range(len(tree)):
        if left[node] != LEAF:
            place[left[node]] = place[node]
            place[right[node]] = place[node] + count[left[node]]
    ones = (np.uint64(1) << np.array(count, np.uint64)) - np.uint64(1)
    return (ones << np.array(place, np.uint64)).astype(np.uint32)


def _bit_length(bits: NDArray[np.uint32]) -> NDArray[np.int32]:
    """Place of the highest bit, counted from 1; 0 without one. Exact: 32 bits fit a double."""
    return np.frexp(bits)[1]


def evaluate(splits: Splits, columns: NDArray[np.float32]) -> NDArray[np.float64]:
    """Soil moisture (n,) in m3/m3 of columns (168, n) without a missing value."""
    n = columns.shape[1]
    total = np.full(n, splits.baseline)
    is_above, lost, out = np.empty(n, bool), np.empty(n, np.uint32), np.empty(n, np.uint32)
    for tree, values in enumerate(splits.values):
        out.fill(0)
        for node in range(splits.first[tree], splits.first[tree + 1]):
            np.greater(columns[splits.column[node]], splits.threshold[node], out=is_above)
            np.multiply(is_above, splits.ruled_out[node], out=lost)
            np.bitwise_or(out, lost, out=out)
        np.invert(out, out=out)
        total += values[_bit_length(out & (~out + np.uint32(1)))]  # its lowest bit
    return total
