"""Patterns within 9 km on one day: what a map of 100 m adds to a coarse product."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sm_platform.trust.metrics import correlation
from sm_platform.trust.moments import Floats, Moments, combine, moments, ratio
from sm_platform.trust.pairs import Pairs, choose

MIN_SITES = 8
"""Sites that a 9 km cell needs on a day for a pattern."""
AT_ONCE = 1_000_000
"""Correlations held in memory together: some 100 MB."""


@dataclass(frozen=True, slots=True)
class CellDays:
    """Moments of the sites of one 9 km cell, one day and one 3 km block: e such parts."""

    parts: Moments
    cell_day: NDArray[np.int64]
    """(e,): cell and day of a part, 0..n_cell_days-1."""
    block: NDArray[np.int64]
    """(e,): its block, 0..n_blocks-1."""
    n_cell_days: int
    n_blocks: int


def cell_days(pairs: Pairs) -> CellDays:
    """The parts of one value per site and day: 9 km cells with their days, by 3 km block."""
    cell_day = _cell_day(pairs)
    blocks, block = np.unique(pairs.block_id, return_inverse=True)
    part, index = np.unique(cell_day * len(blocks) + block, return_inverse=True)
    return CellDays(
        parts=moments(pairs.predicted, pairs.reference, group=index, n_groups=len(part)),
        cell_day=part // max(len(blocks), 1),
        block=part % max(len(blocks), 1),
        n_cell_days=len(np.unique(cell_day)),
        n_blocks=len(blocks),
    )


def mean_correlation(of: CellDays, weights: NDArray[np.int64], *, min_sites: int) -> Floats:
    """Mean over the cells and days of r over the sites, for each row of weights (draws, n_blocks).

    Cells and days with fewer than `min_sites` sites (as often as taken) or a constant side count
    not at all; NaN when none is left. Shape (draws,).
    """
    rows = max(AT_ONCE // of.n_cell_days, 1)
    some = [weights[start : start + rows] for start in range(0, len(weights), rows)]
    return np.concatenate([_mean_correlation(of, one, min_sites) for one in some])


def _mean_correlation(of: CellDays, weights: NDArray[np.int64], min_sites: int) -> Floats:
    now = combine(of.parts, weights, unit=of.block, into=of.cell_day, n_groups=of.n_cell_days)
    r = correlation(now)
    counts = np.isfinite(r) & (now.n >= min_sites)
    return ratio(np.where(counts, r, 0.0).sum(axis=1), counts.sum(axis=1).astype(np.float64))


def one_a_day(pairs: Pairs) -> Pairs:
    """One pair per site and day: the mean of both sides over the day's passes and sources."""
    _, site = np.unique(pairs.site_id, return_inverse=True)
    days, day = np.unique(pairs.day, return_inverse=True)
    _, first, index = np.unique(
        site * max(len(days), 1) + day, return_index=True, return_inverse=True
    )
    mean = moments(pairs.predicted, pairs.reference, group=index, n_groups=len(first))
    return Pairs(
        mean.x,
        mean.y,
        pairs.site_id[first],
        pairs.block_id[first],
        pairs.day[first],
        pairs.coarse_id[first],
    )


def in_full_cells(pairs: Pairs, min_sites: int) -> Pairs:
    """The pairs, one a site and day, of 9 km cells and days with `min_sites` sites."""
    cell_day = _cell_day(pairs)
    return choose(pairs, np.bincount(cell_day, minlength=1)[cell_day] >= min_sites)


def _cell_day(pairs: Pairs) -> NDArray[np.int64]:
    """Number (n,) of each pair's 9 km cell and day, counted from 0 without gaps."""
    _, cell = np.unique(pairs.coarse_id, return_inverse=True)
    days, day = np.unique(pairs.day, return_inverse=True)
    _, found = np.unique(cell * max(len(days), 1) + day, return_inverse=True)
    return found.astype(np.int64)
