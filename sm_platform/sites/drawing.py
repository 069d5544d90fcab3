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
TEXTURE_BITS = 2
THIRDS = (1 / 3, 2 / 3)
PLACE_BITS = 32
PLACE_MASK = (1 << PLACE_BITS) - 1
"""A key and a cell's place are sorted as one number: ten times as fast as a stable argsort."""

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
) -> NDArray[np.int16]:
    """Stratum of each cell (n,): class, texture and the third of these cells' known moisture.

    The moisture is the mean of labels of all days, those of later test rows among them. It decides
    which cells become sites and nothing else: no network sees it, no role depends on it. But sites
    drawn so are even in moisture, not as common as the area is, and so are the figures over them.
    """
    known = mean_sm[~np.isnan(mean_sm)]
    third = np.zeros(len(mean_sm), np.int64)
    if known.size:
        limits = np.quantile(known, THIRDS)
        third = np.where(np.isnan(mean_sm), 0, 1 + np.searchsorted(limits, mean_sm, side="left"))
    whole = land_cover_code.astype(np.int16) << CLASS_BITS
    return np.asarray(whole | (texture.astype(np.int16) << TEXTURE_BITS) | third.astype(np.int16))


def in_turn(stratum: NDArray[np.int16], block: NDArray[np.int32], draw: NDArray[np.uint64]) -> Ints:
    """Indices (n,) in the order of drawing.

    Classes give one cell in turn; within a class its strata do, within a stratum its blocks, and
    within a block the lower draw comes first, as it does wherever turns are equal.
    """
    order = np.argsort(draw)  # from here on a cell is its place in this order
    stratum, block = stratum[order], block[order]
    classes: dict[int, list[Ints]] = {}
    for cells in _equal(stratum):
        of_class = classes.setdefault(int(stratum[cells[0]]) >> CLASS_BITS, [])
        of_class.append(_blocks_in_turn(cells, block))
    return np.asarray(order[_rounds([_rounds(queues) for queues in classes.values()])])


def known_first(
    stratum: NDArray[np.int16], block: NDArray[np.int32], draw: NDArray[np.uint64]
) -> Ints:
    """As `in_turn`, cells of unknown moisture or texture after all others, where any has one.

    Labels or soil that are there for the region and not for the cell (beside open water, out of a
    swath) will not come for a site in it either: not known is no stratum to be filled evenly.
    """
    has_moisture, has_texture = stratum & THIRD_MASK > 0, stratum >> TEXTURE_BITS & THIRD_MASK > 0
    is_known = (has_moisture | ~has_moisture.any()) & (has_texture | ~has_texture.any())
    parts = (np.flatnonzero(part) for part in (is_known, ~is_known) if part.any())
    return np.concatenate([part[in_turn(stratum[part], block[part], draw[part])] for part in parts])


def first_of_squares(order: Ints, flat: Ints, level: Level, square_cells: int) -> Ints:
    """Of each spacing square, counted from the grid's corner, the cell first in the order."""
    row, col = (centre // square_cells for centre in centre_100m(flat, level))
    square = row << PLACE_BITS | col
    by_square = np.argsort(square, kind="stable")  # quick: cells stand by rows, almost in order
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    first = np.minimum.reduceat(place[by_square], _starts(square[by_square]))
    return np.asarray(order[np.sort(first)])


def _equal(stratum: NDArray[np.int16]) -> list[Ints]:
    """Places of the cells of each stratum, ascending."""
    cells = np.argsort(stratum, kind="stable")
    return np.split(cells, _starts(stratum[cells])[1:])


def _blocks_in_turn(cells: Ints, block: NDArray[np.int32]) -> Ints:
    """The cells of a stratum, ascending, so that its blocks give in turn."""
    packed = np.sort(block[cells].astype(np.int64) << PLACE_BITS | cells)
    starts = _starts(packed >> PLACE_BITS)
    turn = np.arange(len(cells)) - np.repeat(starts, np.diff(starts, append=len(cells)))
    return np.sort(turn << PLACE_BITS | packed & PLACE_MASK) & PLACE_MASK


def _rounds(queues: list[Ints]) -> Ints:
    """The first of each queue, then the second of each, and so on; within a round the lower."""
    packed = [np.arange(len(queue)) << PLACE_BITS | queue for queue in queues]
    return np.sort(np.concatenate(packed)) & PLACE_MASK


def _starts(ordered: Ints | NDArray[np.int16]) -> Ints:
    """Index of the first of each run of equal numbers."""
    return np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
