"""Repeats of a training: other blocks steer it, the same blocks calibrate and test."""

import numpy as np
from numpy.typing import NDArray

from sm_platform.grid.ease2 import LEVEL_3KM
from sm_platform.samples.splits import SHARES, Role, roles_by_draw, rows_and_cols

_TAUGHT = (Role.TRAIN, Role.VALIDATION)


def redraw(
    role: NDArray[np.str_],
    block_id: NDArray[np.integer],
    *,
    seed: int,
    repeat: int,
    unit_blocks: int = 1,
) -> NDArray[np.str_]:
    """The roles (n,) of a split by blocks for a repeat; the first one has the roles as given.

    Training and validation blocks are mixed and drawn anew in the shares of `SHARES`; every other
    role stays, row by row. Both may lie at the same distance from calibration and test, so the
    distances of the split hold. Squares of `unit_blocks` x `unit_blocks` blocks are drawn as one.

    Raises:
        DataError: there are fewer than two blocks (or squares) to be drawn from.
    """
    is_taught = np.isin(role, [part.value for part in _TAUGHT])
    if repeat == 1 or not is_taught.any():
        return role
    row, col = rows_and_cols(block_id[is_taught])
    square = row // unit_blocks * LEVEL_3KM.shape[1] + col // unit_blocks
    found, place = np.unique(square, return_inverse=True)
    draw = np.array([np.random.default_rng((seed, repeat, int(one))).random() for one in found])
    total = sum(SHARES[part] for part in _TAUGHT)
    shares = {part: SHARES[part] / total for part in _TAUGHT}
    drawn = role.copy()
    drawn[is_taught] = roles_by_draw(draw, shares, "blocks")[place]
    return drawn
