"""Coarse sites under a split by blocks: the area that a value stands for has one role."""

import math

import numpy as np
from numpy.typing import NDArray

from sm_platform.grid.ease2 import LEVEL_3KM
from sm_platform.samples.splits import Role, rows_and_cols

_MAY_TOUCH = (Role.TRAIN.value, Role.VALIDATION.value)


def support_blocks(support_m: float) -> int:
    """How many blocks the area of a site's value reaches beyond the block of its centre.

    0 up to 3 km, 1 for a 9 km cell (nine blocks), 6 for a 36 km cell; all cells nest.
    """
    return max(0, math.ceil((support_m / LEVEL_3KM.cell_m - 1) / 2 - 1e-6))


def reach_of(support_m: NDArray[np.floating]) -> NDArray[np.int64]:
    """`support_blocks` of each row (n,); NaN counts as a point."""
    sizes, row = np.unique(np.nan_to_num(support_m), return_inverse=True)
    return np.array([support_blocks(float(size)) for size in sizes], np.int64)[row]


def withdraw_coarse(
    block_id: NDArray[np.integer],
    reach: NDArray[np.int64],
    role: NDArray[np.str_],
    buffer_blocks: int,
) -> NDArray[np.str_]:
    """The roles (n,) with coarse rows turned to buffer where their area meets another role.

    `reach` is the number of blocks that a row's area reaches beyond its own. Finer rows keep
    their roles: one coarse value would cost all that lies within it. Between training and
    validation areas may touch; every other pair keeps `buffer_blocks` more.
    """
    place, row_place = np.unique(
        np.stack([block_id.astype(np.int64), reach, _number(role)]), axis=1, return_inverse=True
    )
    block, wide, part = place
    row, col = rows_and_cols(block)
    is_used = part != _NUMBER[Role.BUFFER.value]
    is_bad = np.zeros(len(block), np.bool_)
    for n in np.flatnonzero((wide > 0) & is_used):
        apart = np.maximum(np.abs(row - row[n]), np.abs(col - col[n]))
        may_touch = (part < len(_MAY_TOUCH)) & (part[n] < len(_MAY_TOUCH))
        limit = wide + wide[n] + np.where(may_touch, 0, buffer_blocks)
        is_bad[n] = ((apart <= limit) & is_used & (part != part[n])).any()
    return np.where(is_bad[row_place.ravel()], Role.BUFFER.value, role).astype(role.dtype)


_NUMBER = {
    name: number
    for number, name in enumerate(
        (*_MAY_TOUCH, Role.CALIBRATION.value, Role.TEST.value, Role.BUFFER.value)
    )
}
"""Roles as numbers, those that may touch first."""


def _number(role: NDArray[np.str_]) -> NDArray[np.int64]:
    number = np.full(len(role), -1, np.int64)
    for name, value in _NUMBER.items():
        number[role == name] = value
    return number
