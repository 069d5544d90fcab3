"""Roles of samples: whole blocks of ground go to training or to a test, never to both."""

from collections.abc import Mapping
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from sm_platform.errors import DataError, UsageError
from sm_platform.grid.ease2 import LEVEL_3KM


class Role(StrEnum):
    """What a row is used for; the four roles share no block."""

    TRAIN = "train"
    VALIDATION = "validation"
    """Steers the training: learning rate, early stopping."""
    CALIBRATION = "calibration"
    """Sets the width of the intervals."""
    TEST = "test"
    """Reported, and used for nothing else."""
    BUFFER = "buffer"
    """Left out: a training block too near to a test block."""


SHARES = {Role.TRAIN: 0.55, Role.VALIDATION: 0.15, Role.CALIBRATION: 0.15, Role.TEST: 0.15}
"""Share of the blocks for each role."""


def split_by_block(
    block_id: NDArray[np.integer],
    *,
    seed: int,
    shares: Mapping[Role, float] = SHARES,
    buffer_blocks: int = 0,
) -> NDArray[np.str_]:
    """Role of each row, (n,): drawn per 3 km block, so all rows of a block share theirs.

    `block_id` is the flat row-major index of a 3 km EASE-Grid 2.0 cell. Each block draws its own
    number from the seed, so a few new blocks move few old ones. Training blocks within
    `buffer_blocks` of a test block become `buffer`.

    Raises:
        UsageError: the shares are not positive or do not add up to 1.
        DataError: there are fewer blocks than roles.
    """
    found, row_block = np.unique(block_id, return_inverse=True)
    counts = _counts(len(found), shares)
    draw = [np.random.default_rng((seed, int(block))).random() for block in found]
    role = np.empty(len(found), dtype=f"<U{max(map(len, Role))}")
    role[np.argsort(draw)] = np.repeat([part.value for part in shares], counts)
    if buffer_blocks:
        role[_near_test(found, role, buffer_blocks) & (role == Role.TRAIN)] = Role.BUFFER
    return role[row_block]


def _counts(n_blocks: int, shares: Mapping[Role, float]) -> list[int]:
    """Blocks of each role: at least one, as near to the shares as whole blocks can be."""
    if min(shares.values()) <= 0 or abs(sum(shares.values()) - 1) > 1e-9:
        raise UsageError(f"Shares {dict(shares)} must be positive and add up to 1.")
    if n_blocks < len(shares):
        raise DataError(
            f"{n_blocks} blocks cannot fill {len(shares)} roles: add sites in other blocks."
        )
    wanted = np.array(list(shares.values())) * n_blocks
    counts = np.maximum(np.floor(wanted), 1).astype(int)
    while counts.sum() != n_blocks:
        step = 1 if counts.sum() < n_blocks else -1
        gain = np.where(counts + step > 0, step * (wanted - counts), -np.inf)
        counts[np.argmax(gain)] += step
    return [int(count) for count in counts]


def _near_test(block: NDArray[np.integer], role: NDArray[np.str_], reach: int) -> NDArray[np.bool_]:
    """Whether each block lies within `reach` rows and columns of a test block."""
    row, col = np.divmod(block.astype(np.int64), LEVEL_3KM.shape[1])
    is_test = role == Role.TEST
    apart = np.maximum(np.abs(row[:, None] - row[is_test]), np.abs(col[:, None] - col[is_test]))
    return np.asarray((apart <= reach).any(axis=1))
