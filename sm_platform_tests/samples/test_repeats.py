"""Repeats of a training: who steers changes, who calibrates and tests never does."""

import numpy as np
import pytest

from sm_platform.errors import DataError
from sm_platform.grid.ease2 import LEVEL_3KM
from sm_platform.samples.repeats import redraw
from sm_platform.samples.splits import split_by_block

COLS = LEVEL_3KM.shape[1]
BLOCKS = np.array([row * COLS + col for row in range(100, 112) for col in range(500, 512)])
ROWS = np.repeat(BLOCKS, 3)
ROLE = split_by_block(ROWS, seed=3)
HELD = np.isin(ROLE, ["calibration", "test"])


def test_the_first_repeat_has_the_roles_as_stored() -> None:
    assert np.array_equal(redraw(ROLE, ROWS, seed=1, repeat=1), ROLE)


@pytest.mark.parametrize("repeat", [2, 3])
def test_calibration_and_test_stay_and_other_blocks_steer(repeat: int) -> None:
    role = redraw(ROLE, ROWS, seed=1, repeat=repeat)
    assert np.array_equal(role[HELD], ROLE[HELD])
    assert set(role[~HELD]) == {"train", "validation"}
    steered = [set(ROWS[one == "validation"]) for one in (ROLE, role)]
    assert steered[0] != steered[1]
    for block in BLOCKS:
        assert len(set(role[block == ROWS])) == 1, "a block has one role"


def test_the_shares_stay_those_of_the_split() -> None:
    role = redraw(ROLE, ROWS, seed=1, repeat=2)
    n_steer = len(set(ROWS[role == "validation"]))
    n_taught = len(set(ROWS[~HELD]))
    assert n_steer / n_taught == pytest.approx(0.15 / 0.70, abs=0.01)


def test_every_repeat_and_every_seed_draws_its_own_the_same_each_time() -> None:
    drawn = [redraw(ROLE, ROWS, seed=s, repeat=r) for s, r in ((1, 2), (1, 3), (2, 2))]
    assert len({one.tobytes() for one in drawn}) == 3
    assert np.array_equal(drawn[0], redraw(ROLE, ROWS, seed=1, repeat=2))
    order = np.random.default_rng(0).permutation(len(ROWS))
    turned = redraw(ROLE[order], ROWS[order], seed=1, repeat=2)
    assert np.array_equal(turned, drawn[0][order]), "the order of the rows does not matter"


def test_squares_of_9_km_share_their_role() -> None:
    whole = split_by_block(ROWS, seed=3, unit_blocks=3)
    role = redraw(whole, ROWS, seed=1, repeat=2, unit_blocks=3)
    row, col = np.divmod(ROWS, COLS)
    square = row // 3 * COLS + col // 3
    for one in np.unique(square):
        assert len(set(role[square == one])) == 1


def test_one_block_cannot_train_and_steer() -> None:
    with pytest.raises(DataError, match="1 blocks cannot fill 2 roles"):
        redraw(np.array(["train", "train"]), np.array([7, 7]), seed=1, repeat=2)
