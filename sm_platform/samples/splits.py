"""Roles of samples by place: whole blocks of ground go to training or to a test, never to both."""

from collections.abc import Mapping
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from sm_platform.errors import DataError, UsageError
from sm_platform.grid.ease2 import LEVEL_3KM


class Role(StrEnum):
    """What a row is used for; no row has two."""

    TRAIN = "train"
    VALIDATION = "validation"
    """Steers the training: learning rate, early stopping."""
    CALIBRATION = "calibration"
    """Sets the width of the intervals."""
    TEST = "test"
    """Reported, and used for nothing else."""
    BUFFER = "buffer"
    """Left out: too near, in place or time, to a row of another role."""


SHARES = {Role.TRAIN: 0.55, Role.VALIDATION: 0.15, Role.CALIBRATION: 0.15, Role.TEST: 0.15}
"""Share of the blocks (or of the time) for each role."""
ROLE_TYPE = f"<U{max(map(len, Role))}"
_GIVE_WAY = {
    Role.TEST: (Role.TRAIN, Role.VALIDATION, Role.CALIBRATION),
    Role.CALIBRATION: (Role.TRAIN, Role.VALIDATION),
}
"""Whose blocks become buffer near a block of the key."""


def split_by_block(
    block_id: NDArray[np.integer],
    *,
    seed: int,
    shares: Mapping[Role, float] = SHARES,
    buffer_blocks: int = 0,
    unit_blocks: int = 1,
) -> NDArray[np.str_]:
    """Role of each row, (n,): drawn per 3 km block, so all rows of a block share theirs.

    `block_id` is the flat row-major index of a 3 km EASE-Grid 2.0 cell. Each block draws its own
    number from the seed, so a few new blocks move few old ones.

    With `buffer_blocks` whatever shaped a network or its intervals keeps that many blocks away
    from the test: blocks of the other three roles near a test block become `buffer`. So do
    training and validation blocks near a calibration block, or the intervals would be set where
    the network does better than at the test. Validation may touch training: it only stops it.

    The default is 0. Regions of 15 x 15 km have 25-36 blocks, and single blocks lie scattered: a
    ring of one block leaves an eighth of the training blocks, in a large region too. Draw squares
    of `unit_blocks` x `unit_blocks` blocks instead, which nest in the grid: of squares of 3 (9 km)
    it leaves six tenths.

    Raises:
        UsageError: the shares are not positive or do not add up to 1, a size is negative.
        DataError: there are fewer blocks than roles, or a role loses all of its blocks.
    """
    if buffer_blocks < 0 or unit_blocks < 1:
        raise UsageError(
            f"A buffer of {buffer_blocks} blocks around squares of {unit_blocks} is impossible: "
            "the buffer is 0 or more, a square 1 or more."
        )
    found, row_block = np.unique(block_id, return_inverse=True)
    units, block_unit = np.unique(_unit(found, unit_blocks), return_inverse=True)
    draw = np.array([np.random.default_rng((seed, int(unit))).random() for unit in units])
    role = roles_by_draw(draw, shares, "blocks")[block_unit]
    if buffer_blocks:
        _set_buffer(found, role, buffer_blocks)
        refuse_empty(role, shares, f"a buffer of {buffer_blocks} blocks takes them all: lessen it")
    return role[row_block]


def roles_by_draw(
    draw: NDArray[np.float64], shares: Mapping[Role, float], things: str
) -> NDArray[np.str_]:
    """Role of each thing (n,): the lowest draws train, the highest are the test.

    Raises:
        UsageError: the shares are not positive or do not add up to 1.
        DataError: there are fewer things than roles.
    """
    counts = _counts(len(draw), shares, things)
    role = np.empty(len(draw), dtype=ROLE_TYPE)
    role[np.argsort(draw, kind="stable")] = np.repeat([part.value for part in shares], counts)
    return role


def refuse_empty(role: NDArray[np.str_], shares: Mapping[Role, float], why: str) -> None:
    """Raise DataError when one of the wanted roles has no row."""
    empty = [part.value for part in shares if not (role == part.value).any()]
    if empty:
        raise DataError(f"No rows are left for {', '.join(empty)}: {why}.")


def check_shares(shares: Mapping[Role, float]) -> None:
    """Raise UsageError when the shares are not positive or do not add up to 1."""
    if not shares or min(shares.values()) <= 0 or abs(sum(shares.values()) - 1) > 1e-9:
        raise UsageError(f"Shares {dict(shares)} must be positive and add up to 1.")


def rows_and_cols(block_id: NDArray[np.integer]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Row and column of each block on the 3 km grid."""
    row, col = np.divmod(block_id.astype(np.int64), LEVEL_3KM.shape[1])
    return row, col


def _unit(block_id: NDArray[np.integer], unit_blocks: int) -> NDArray[np.int64]:
    """Flat index of the block in the unit's upper left corner."""
    row, col = rows_and_cols(block_id)
    corner = row // unit_blocks * LEVEL_3KM.shape[1] + col // unit_blocks
    return np.asarray(corner * unit_blocks)


def _counts(n: int, shares: Mapping[Role, float], things: str) -> list[int]:
    """How many of n each role gets: at least one, as near to the shares as possible."""
    check_shares(shares)
    if n < len(shares):
        raise DataError(f"{n} {things} cannot fill {len(shares)} roles: add sites elsewhere.")
    wanted = np.array(list(shares.values())) * n
    counts = np.maximum(np.floor(wanted), 1).astype(int)
    while counts.sum() != n:
        step = 1 if counts.sum() < n else -1
        gain = np.where(counts + step > 0, step * (wanted - counts), -np.inf)
        counts[np.argmax(gain)] += step
    return [int(count) for count in counts]


def _set_buffer(block: NDArray[np.integer], role: NDArray[np.str_], reach: int) -> None:
    """Turn blocks of the lesser roles near a protected block into buffer, in place."""
    for kept, lesser in _GIVE_WAY.items():
        near = near_any(block, block[role == kept.value], reach)
        role[near & np.isin(role, [part.value for part in lesser])] = Role.BUFFER.value


def near_any(
    block: NDArray[np.integer], others: NDArray[np.integer], reach: int
) -> NDArray[np.bool_]:
    """Whether each block lies within `reach` rows and columns of one of the others."""
    row, col = rows_and_cols(block)
    steps = np.arange(-reach, reach + 1)
    around = (row[:, None, None] + steps[:, None]) * LEVEL_3KM.shape[1] + col[:, None, None] + steps
    return np.asarray(np.isin(around, others).any(axis=(1, 2)))
