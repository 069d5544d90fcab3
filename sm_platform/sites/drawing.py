"""The draw: strata of cells, and the order in which classes, strata and blocks give in turn.

Each cell draws its own number from the seed and its place on the globe, never from its place in
the region: a larger region, or the same cells in another order, draws the same numbers.
"""

import numpy as np
from numpy.typing import NDArray

from sm_platform.grid.ease2 import Level
from sm_platform.sites.cells import Ints, centre_100m

CLASS_BITS = 4
"""A stratum is class code << 4 | texture << 2 | moisture third (0 not known, 1 dry ... 3 wet)."""
THIRD_MASK = 3
THIRDS = (1 / 3, 2 / 3)
GROUP_BITS = 32

# SplitMix64 (Steele, Lea and Flood 2014, 10.1145/2660193.2660195): increment, then the finalizer.
_INCREMENT = np.uint64(0x9E3779B97F4A7C15)
_FACTORS = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_SHIFTS = np.uint64(30), np.uint64(27), np.uint64(31)


def split_mix(state: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The next number of SplitMix64 after each state (n,); different states, different numbers."""
    mixed = state + _INCREMENT
    mixed = (mixed ^ (mixed >> _SHIFTS[0])) * _FACTORS[0]
    mixed = (mixed ^ (mixed >> _SHIFTS[1])) * _FACTORS[1]
    return np.asarray(mixed ^ (mixed >> _SHIFTS[2]))


def draws(flat: Ints, level: Level, seed: int) -> NDArray[np.uint64]:
    """One number for each cell (n,) by its flat index on the globe; no two cells draw the same."""
    stream = split_mix(split_mix(np.array([seed], np.uint64)) + np.uint64(level.divisor))
    return split_mix(flat.astype(np.uint64) + stream)


def strata(
    land_cover_code: NDArray[np.uint8], texture: NDArray[np.int8], mean_sm: NDArray[np.float32]
) -> Ints:
    """Stratum of each cell (n,): class, texture and the third of these cells' known moisture."""
    known = mean_sm[~np.isnan(mean_sm)]
    third = np.zeros(len(mean_sm), np.int64)
    if known.size:
        limits = np.quantile(known, THIRDS)
        third = np.where(np.isnan(mean_sm), 0, 1 + np.searchsorted(limits, mean_sm, side="left"))
    whole = land_cover_code.astype(np.int64) << CLASS_BITS
    return np.asarray(whole | (texture.astype(np.int64) << 2) | third)


def in_turn(stratum: Ints, block: NDArray[np.int32], draw: NDArray[np.uint64]) -> Ints:
    """Indices (n,) in the order of drawing.

    Classes give one cell in turn; within a class its strata do, within a stratum its blocks, and
    within a block the lower draw comes first, as it does wherever turns are equal.
    """
    order = np.argsort(draw, kind="stable")
    stratum, block = stratum[order], block[order]
    turn = _turn(stratum << GROUP_BITS | block, np.zeros(len(order), np.int64))
    turn = _turn(stratum, turn)
    turn = _turn(stratum >> CLASS_BITS, turn)
    return np.asarray(order[np.argsort(turn, kind="stable")])


def labelled_first(stratum: Ints, block: NDArray[np.int32], draw: NDArray[np.uint64]) -> Ints:
    """As `in_turn`, cells without a known moisture after all others, where any has one.

    Labels that are there for the region and not for the cell (beside open water, out of a swath)
    will not come for a site in it either.
    """
    is_known = stratum & THIRD_MASK > 0
    parts = np.flatnonzero(is_known), np.flatnonzero(~is_known)
    return np.concatenate([part[in_turn(stratum[part], block[part], draw[part])] for part in parts])


def first_of_squares(order: Ints, flat: Ints, level: Level, square_cells: int) -> Ints:
    """Of each spacing square, counted from the grid's corner, the cell first in the order."""
    row, col = centre_100m(flat[order], level)
    square = (row // square_cells << GROUP_BITS) | (col // square_cells)
    _, first = np.unique(square, return_index=True)
    return np.asarray(order[np.sort(first)])


def _turn(group: Ints, earlier: Ints) -> Ints:
    """Place (from 0) of each element within its group, by its earlier turn, then as they stand."""
    order = np.lexsort((earlier, group))
    ordered = group[order]
    count = np.arange(len(order))
    is_first = np.r_[True, ordered[1:] != ordered[:-1]][: len(order)]
    turn = np.empty(len(order), np.int64)
    turn[order] = count - np.maximum.accumulate(np.where(is_first, count, 0))
    return turn
