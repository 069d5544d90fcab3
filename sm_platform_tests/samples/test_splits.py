from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from sm_platform.errors import DataError, UsageError
from sm_platform.grid.ease2 import LEVEL_3KM
from sm_platform.samples.splits import SHARES, Role, roles_by_draw, split_by_block

COLUMNS = LEVEL_3KM.shape[1]
SEEDS = st.integers(0, 2**31)
SQUARE = (np.arange(100, 110)[:, None] * COLUMNS + np.arange(50, 60)).ravel()
BIG = (np.arange(300, 360)[:, None] * COLUMNS + np.arange(600, 660)).ravel()
KEPT_AWAY = [
    ("test", ["train", "validation", "calibration"]),
    ("calibration", ["train", "validation", "test"]),
]
BLOCKS = st.lists(st.sampled_from(SQUARE.tolist()), min_size=8, max_size=200)


def roles_of(block_id: NDArray[np.integer], role: NDArray[np.str_]) -> dict[int, set[str]]:
    found: dict[int, set[str]] = {}
    for block, name in zip(block_id.tolist(), role.tolist(), strict=True):
        found.setdefault(block, set()).add(name)
    return found


@given(BLOCKS, SEEDS, st.integers(1, 5))
def test_no_block_has_two_roles(rows: list[int], seed: int, unit_blocks: int) -> None:
    block_id = np.array([*SQUARE[[0, 9, 90, 99]].tolist(), *rows])
    role = split_by_block(block_id, seed=seed, unit_blocks=unit_blocks)
    assert len(role) == len(block_id)
    assert all(len(names) == 1 for names in roles_of(block_id, role).values())


@given(SEEDS, st.integers(4, 100))
def test_shares_are_kept_to_a_block_and_no_role_is_empty(seed: int, n: int) -> None:
    counts = Counter(split_by_block(SQUARE[:n], seed=seed).tolist())
    assert set(counts) == {"train", "validation", "calibration", "test"}
    if n >= 20:
        assert all(abs(counts[role] - share * n) < 1 for role, share in SHARES.items())


@given(SEEDS)
def test_order_of_the_rows_does_not_matter(seed: int) -> None:
    order = np.random.default_rng(seed).permutation(len(SQUARE))
    role = split_by_block(SQUARE, seed=3)
    np.testing.assert_array_equal(split_by_block(SQUARE[order], seed=3), role[order])


def test_the_lowest_draws_train_and_the_highest_test() -> None:
    draw = np.array([0.9, 0.1, 0.5, 0.3])
    role = roles_by_draw(draw, dict.fromkeys(SHARES, 0.25), "blocks")
    assert role.tolist() == ["test", "train", "calibration", "validation"]


def test_seed_decides_the_roles() -> None:
    one, two = (split_by_block(SQUARE, seed=seed) for seed in (1, 2))
    assert (one != two).any()
    np.testing.assert_array_equal(one, split_by_block(SQUARE, seed=1))


def test_a_new_block_moves_few_old_ones() -> None:
    before, after = split_by_block(SQUARE[:99], seed=7), split_by_block(SQUARE, seed=7)
    assert (before != after[:99]).sum() <= 4


@given(SEEDS, st.integers(1, 2))
def test_a_buffer_keeps_the_others_away_from_test_and_calibration(seed: int, reach: int) -> None:
    plain = split_by_block(SQUARE, seed=seed, unit_blocks=5)
    try:
        role = split_by_block(SQUARE, seed=seed, unit_blocks=5, buffer_blocks=reach)
    except DataError as error:
        assert "lessen it" in str(error)
        return
    row, col = np.divmod(SQUARE, COLUMNS)
    for kept, away in KEPT_AWAY:
        for n in np.flatnonzero(role == kept):
            near = (np.abs(row - row[n]) <= reach) & (np.abs(col - col[n]) <= reach)
            assert not np.isin(role[near], away).any()
    changed = role != plain
    assert "test" not in plain[changed].tolist()
    assert set(role[changed].tolist()) <= {"buffer"}


def test_buffer_takes_no_more_than_it_must() -> None:
    line = 100 * COLUMNS + np.arange(200)
    role = split_by_block(line, seed=5, buffer_blocks=2)
    kept = np.flatnonzero(np.isin(role, ["test", "calibration"]))
    far = [min(abs(n - kept)) for n in np.flatnonzero(role == Role.BUFFER)]
    assert (min(far), max(far)) == (1, 2)


def test_training_and_validation_may_touch() -> None:
    role = split_by_block(BIG, seed=1, buffer_blocks=1, unit_blocks=3)
    row, col = np.divmod(BIG[role == "validation"], COLUMNS)
    train = set(BIG[role == "train"].tolist())
    assert any((r * COLUMNS + c + 1) in train for r, c in zip(row, col, strict=True))


@given(SEEDS)
def test_blocks_of_one_square_share_their_role(seed: int) -> None:
    role = split_by_block(SQUARE, seed=seed, unit_blocks=3)
    row, col = np.divmod(SQUARE, COLUMNS)
    squares = roles_of(row // 3 * COLUMNS + col // 3, role)
    assert all(len(names) == 1 for names in squares.values())


def test_a_ring_leaves_the_share_that_is_said() -> None:
    single, squares = (
        (split_by_block(BIG, seed=0, buffer_blocks=1, unit_blocks=unit) == "train").mean()
        / SHARES[Role.TRAIN]
        for unit in (1, 3)
    )
    assert single == pytest.approx(1 / 8, abs=0.02)
    assert squares == pytest.approx(0.6, abs=0.06)


def test_a_buffer_that_takes_everything_is_refused() -> None:
    with pytest.raises(DataError, match="No rows are left for train.*buffer of 9 blocks"):
        split_by_block(SQUARE, seed=0, buffer_blocks=9)


@pytest.mark.parametrize(("buffer_blocks", "unit_blocks"), [(-1, 1), (0, 0)])
def test_impossible_sizes_are_refused(buffer_blocks: int, unit_blocks: int) -> None:
    with pytest.raises(UsageError, match="impossible"):
        split_by_block(SQUARE, seed=0, buffer_blocks=buffer_blocks, unit_blocks=unit_blocks)


def test_other_shares_and_fewer_roles() -> None:
    shares = {Role.TRAIN: 0.7, Role.TEST: 0.3}
    counts = Counter(split_by_block(SQUARE[:10], seed=0, shares=shares).tolist())
    assert counts == {"train": 7, "test": 3}


def test_too_few_blocks_are_refused() -> None:
    with pytest.raises(DataError, match="3 blocks cannot fill 4 roles"):
        split_by_block(np.array([5, 6, 7, 7, 5]), seed=0)


@pytest.mark.parametrize(
    "shares", [{Role.TRAIN: 0.7, Role.TEST: 0.2}, {Role.TRAIN: 1.2, Role.TEST: -0.2}]
)
def test_impossible_shares_are_refused(shares: dict[Role, float]) -> None:
    with pytest.raises(UsageError, match="add up to 1"):
        split_by_block(SQUARE, seed=0, shares=shares)
