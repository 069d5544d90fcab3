from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from sm_platform.errors import CheckpointError
from sm_platform.trees.evaluation import evaluate, splits_of
from sm_platform.trees.forest import Forest, check_forest
from sm_platform_tests.trees.making import two_trees


def columns(*rows: tuple[float, float]) -> NDArray[np.float32]:
    """Columns 0 and 3 of each row; the others are beyond every threshold and must not count."""
    found = np.full((168, len(rows)), 9, np.float32)
    found[[0, 3]] = np.array(rows, np.float32).T
    return found


def test_two_trees_are_added_to_the_baseline() -> None:
    above = np.nextafter(np.float32(0.5), np.float32(1))
    rows = (0.5, 0.25), (0.5, 0.5), (above, 0.25), (0.9, 0.76), (0.1, 0.8)
    found = evaluate(splits_of(two_trees()), columns(*rows))
    np.testing.assert_allclose(found, [1.09, 1.19, 1.29, 1.32, 1.22], atol=1e-7)


def only_leaf() -> Forest:
    """A tree that never found a split, as one of constant labels."""
    none = np.array([-1], np.int32)
    return Forest(
        baseline=np.array([0.5]),
        first=np.array([0], np.int32),
        column=np.array([-1], np.int16),
        threshold=np.zeros(1, np.float32),
        left=none,
        right=none,
        value=np.array([0.25], np.float32),
    )


def test_a_tree_may_be_a_single_leaf() -> None:
    check_forest(only_leaf(), "one")
    np.testing.assert_array_equal(evaluate(splits_of(only_leaf()), columns((0, 0), (1, 1))), 0.75)


def spine(leaves: int, *, to_the_left: bool) -> Forest:
    """A tree that has a leaf beside every inner node, of values 0, 1, 2 ... by depth.

    Each node splits column 0 at one more than the last; the leaf lies on the other side.
    """
    n = 2 * leaves - 1
    inner = np.arange(0, n - 1, 2)
    column, side, down = (
        np.full(n, -1, np.int16),
        np.full(n, -1, np.int32),
        np.full(n, -1, np.int32),
    )
    column[inner], side[inner], down[inner] = 0, inner + 1, inner + 2
    threshold = np.zeros(n, np.float32)
    threshold[inner] = -inner / 2 if to_the_left else inner / 2
    value = np.where(column == -1, np.arange(n) // 2, 0).astype(np.float32)
    left, right = (down, side) if to_the_left else (side, down)
    first = np.array([0], np.int32)
    return Forest(np.zeros(1), first, column, threshold, left, right, value)


@pytest.mark.parametrize("to_the_left", [True, False])
def test_the_deepest_tree_of_32_leaves_gives_each_leaf(to_the_left: bool) -> None:
    forest = spine(32, to_the_left=to_the_left)
    check_forest(forest, "deep")
    sign = -1 if to_the_left else 1
    rows = [(sign * (depth - 0.5), 0.0) for depth in range(32)]
    np.testing.assert_array_equal(
        evaluate(splits_of(forest), columns(*rows)), [*range(31), 31] if sign else []
    )


def test_a_tree_of_more_leaves_than_bits_is_refused() -> None:
    with pytest.raises(CheckpointError, match="33 leaves, at most 32"):
        check_forest(spine(33, to_the_left=True), "deep")


@pytest.mark.parametrize(
    ("array", "place", "number", "said"),
    [
        ("left", 1, 8, "node 1 has the child 8"),
        ("left", 0, -1, "node 0 has the child -1"),
        ("right", 1, 0, "node 1 has the child 0"),  # a cycle
        ("right", 1, 1, "node 1 has the child 1"),
        ("right", 0, 6, "child is of another tree"),
        ("right", 1, 4, "node 3 has no parent or several"),
        ("right", 2, 3, "a leaf has children"),
        ("column", 0, 168, "column outside 0..167"),
        ("column", 0, -2, "column outside 0..167"),
        ("first", 1, 8, "not cut into trees"),
        ("first", 0, 1, "not cut into trees"),
        ("first", 1, 0, "not cut into trees"),
        ("first", 1, 4, "another tree"),
        ("threshold", 0, np.nan, "NaN or infinity"),
        ("value", 2, np.inf, "NaN or infinity"),
        ("baseline", 0, np.nan, "NaN or infinity"),
    ],
)
def test_a_forest_in_which_a_row_could_go_astray_is_refused(
    array: str, place: int, number: float, said: str
) -> None:
    check_forest(two_trees(), "member a")
    changed = getattr(two_trees(), array).copy()
    changed[place] = number
    with pytest.raises(CheckpointError, match=f"member a: .*{said}"):
        check_forest(replace(two_trees(), **{array: changed}), "member a")


@pytest.mark.parametrize("array", ["column", "threshold", "left", "right", "value", "baseline"])
def test_arrays_of_unequal_length_are_refused(array: str) -> None:
    shorter = replace(two_trees(), **{array: getattr(two_trees(), array)[:-1]})
    with pytest.raises(CheckpointError, match="differ in length"):
        check_forest(shorter, "member a")


def test_a_forest_of_nothing_is_refused() -> None:
    empty = {name: getattr(two_trees(), name)[:0] for name in two_trees().__slots__[1:]}
    with pytest.raises(CheckpointError, match="not cut into trees"):
        check_forest(replace(two_trees(), **empty), "member a")
