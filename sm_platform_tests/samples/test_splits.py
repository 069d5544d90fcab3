from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from sm_platform.errors import DataError, UsageError
from sm_platform.grid.ease2 import LEVEL_3KM
from sm_platform.samples.splits import SHARES, Role, split_by_block

COLUMNS = LEVEL_3KM.shape[1]
SEEDS = st.integers(0, 2**31)
SQUARE = (np.arange(100, 110)[:, None] * COLUMNS + np.arange(50, 60)).ravel()
BLOCKS = st.lists(st.sampled_from(SQUARE.tolist()), min_size=8, max_size=200)


def roles_of(block_id: NDArray[np.integer], role: NDArray[np.str_]) -> dict[int, set[str]]:
    found: dict[int, set[str]] = {}
    for block, name in zip(block_id.tolist(), role.tolist(), strict=True):
        found.setdefault(block, set()).add(name)
    return found


@given(BLOCKS, SEEDS, st.integers(0, 2))
def test_no_block_has_two_roles(rows: list[int], seed: int, buffer_blocks: int) -> None:
    block_id = np.array([*SQUARE[:4].tolist(), *rows])
    role = split_by_block(block_id, seed=seed, buffer_blocks=buffer_blocks)
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


def test_seed_decides_the_roles() -> None:
    one, two = (split_by_block(SQUARE, seed=seed) for seed in (1, 2))
    assert (one != two).any()
    np.testing.assert_array_equal(one, split_by_block(SQUARE, seed=1))


def test_a_new_block_moves_few_old_ones() -> None:
    before, after = split_by_block(SQUARE[:99], seed=7), split_by_block(SQUARE, seed=7)
    assert (before != after[:99]).sum() <= 4


@given(SEEDS, st.integers(1, 3))
def test_no_training_block_is_near_a_test_block_when_buffered(seed: int, reach: int) -> None:
    plain = split_by_block(SQUARE, seed=seed)
    role = split_by_block(SQUARE, seed=seed, buffer_blocks=reach)
    row, col = np.divmod(SQUARE, COLUMNS)
    for n in np.flatnonzero(role == Role.TEST):
        near = (np.abs(row - row[n]) <= reach) & (np.abs(col - col[n]) <= reach)
        assert not (role[near] == Role.TRAIN).any()
    changed = role != plain
    assert set(plain[changed].tolist()) == {"train"}
    assert set(role[changed].tolist()) == {"buffer"}


def test_buffer_takes_no_more_than_it_must() -> None:
    line = 100 * COLUMNS + np.arange(40)
    role = split_by_block(line, seed=5, buffer_blocks=2)
    test = np.flatnonzero(role == Role.TEST)
    far = [min(abs(n - test)) for n in np.flatnonzero(role == Role.BUFFER)]
    assert max(far) <= 2


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
