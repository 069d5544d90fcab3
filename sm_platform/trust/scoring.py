"""Scores of pairs with their intervals: per site over time, pooled, and within 9 km on a day."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sm_platform.errors import DataError
from sm_platform.trust.anomalies import anomalies
from sm_platform.trust.bootstrap import DRAWS, Interval, block_draws, interval
from sm_platform.trust.metrics import bias, correlation, efficiency, rmse, ubrmse
from sm_platform.trust.moments import Floats, Moments, moments, pool, ratio
from sm_platform.trust.pairs import Pairs, choose
from sm_platform.trust.spatial import (
    MIN_SITES,
    cell_days,
    in_full_cells,
    mean_correlation,
    one_a_day,
)

METRICS = ("rmse", "bias", "ubrmse", "r", "anomaly_r", "kge")
UNITS = {"rmse": "m3/m3", "bias": "m3/m3", "ubrmse": "m3/m3"}
"""Unit of a metric where it is not 1."""
MIN_PAIRS = 20
"""Pairs that a site needs for scores over time."""
NO_PAIRS = "no pairs"


@dataclass(frozen=True, slots=True)
class Score:
    """One score with its 95 % interval; value, low and high are NaN where they cannot be told."""

    metric: str
    """One of METRICS."""
    unit: str
    """m3/m3 or 1."""
    value: float
    low: float
    high: float
    n: int
    """Pairs that the value rests on."""
    n_sites: int
    n_blocks: int
    """3 km blocks that were resampled."""
    note: str = ""
    """Why value or interval cannot be told; empty when they can."""


@dataclass(frozen=True, slots=True)
class Support:
    """What a score rests on."""

    n: int
    n_sites: int
    n_blocks: int


def score_pooled(pairs: Pairs, *, seed: int = 0, draws: int = DRAWS) -> tuple[Score, ...]:
    """All METRICS over the pairs of all sites and days together.

    anomaly_r is the correlation of both sides' anomalies (`anomalies`), taken site by site.
    Pooled scores mix differences between places with changes in time, so their r tells neither of
    the two. Blocks are resampled whole.
    """
    if not len(pairs):
        return _untold(METRICS, NO_PAIRS)
    blocks, block = np.unique(pairs.block_id, return_inverse=True)
    x, y, known = _anomalies(pairs)
    level = moments(pairs.predicted, pairs.reference, group=block, n_groups=len(blocks))
    anomaly = moments(x, y, group=block[known], n_groups=len(blocks))

    def scores(weights: NDArray[np.int64]) -> Floats:
        now = [pool(level, weights), pool(anomaly, weights)]
        return _six(*now)[:, :, 0]

    support = [_support(pairs)] * len(METRICS)
    support[METRICS.index("anomaly_r")] = _support(choose(pairs, known))
    weights = block_draws(len(blocks), draws=draws, seed=seed)
    return _with_intervals(scores, support, weights)


def score_by_site(
    pairs: Pairs, *, min_n: int = MIN_PAIRS, seed: int = 0, draws: int = DRAWS
) -> tuple[Score, ...]:
    """All METRICS of each site over time, then their plain mean over the sites.

    So the SMAP mission scores its core sites (Colliander et al. 2017, 10.1016/j.rse.2017.01.021).
    A site counts with at least `min_n` pairs, for anomaly_r with as many known anomalies; one
    whose score is unknown (a constant side has no r) is left out of that score. n, sites and
    blocks are those that count. Blocks are resampled whole, with all their sites.
    """
    long = _with_enough(pairs, np.ones(len(pairs), dtype=np.bool_), min_n)
    pairs = choose(pairs, long)
    if not len(pairs):
        return _untold(METRICS, f"no site has {min_n} pairs")
    values, counted = _site_scores(pairs, min_n)
    _, first = np.unique(pairs.site_id, return_index=True)
    blocks, block = np.unique(pairs.block_id[first], return_inverse=True)
    total, count = _sums(values, block, len(blocks))

    def means(weights: NDArray[np.int64]) -> Floats:
        return ratio(total @ weights.T, count @ weights.T)

    support = [_support(choose(pairs, mask)) for mask in counted]
    weights = block_draws(len(blocks), draws=draws, seed=seed)
    return _with_intervals(means, support, weights)


def score_spatial(
    pairs: Pairs, *, min_sites: int = MIN_SITES, seed: int = 0, draws: int = DRAWS
) -> tuple[Score, ...]:
    """One score, r: how well patterns within 9 km are told apart, whatever the day's mean.

    For each 9 km cell and day c with at least `min_sites` sites, r_c = corr over the sites of
    (x - mean_c x) and (y - mean_c y); the value is the plain mean of r_c. Several values of a site
    on a day are first averaged. A prediction that is constant within each cell, as a 9 km product
    is, has no r. Blocks are resampled whole, through all days and within their cells; a draw in
    which a cell and day has fewer than `min_sites` sites leaves it out.
    """
    pairs = in_full_cells(one_a_day(pairs), min_sites)
    if not len(pairs):
        return _untold(("r",), f"no 9 km cell has {min_sites} sites on a day")
    parts = cell_days(pairs)

    def mean_r(weights: NDArray[np.int64]) -> Floats:
        return mean_correlation(parts, weights, min_sites=min_sites)[None]

    weights = block_draws(parts.n_blocks, draws=draws, seed=seed)
    return _with_intervals(mean_r, [_support(pairs)], weights, names=("r",))


def _site_scores(pairs: Pairs, min_n: int) -> tuple[Floats, NDArray[np.bool_]]:
    """METRICS of each site (6, sites) in the order of their names, and their pairs (6, n)."""
    sites, first, site = np.unique(pairs.site_id, return_index=True, return_inverse=True)
    _refuse_wandering(pairs, pairs.block_id[first][site])
    x, y, known = _anomalies(pairs)
    enough = _with_enough(pairs, known, min_n)
    chosen = enough[known]
    level = moments(pairs.predicted, pairs.reference, group=site, n_groups=len(sites))
    anomaly = moments(x[chosen], y[chosen], group=site[enough], n_groups=len(sites))
    values = _six(level, anomaly)
    counted = np.isfinite(values)[:, site]
    counted[METRICS.index("anomaly_r")] &= enough
    return values, counted


def _six(level: Moments, anomaly: Moments) -> Floats:
    """METRICS in their order, shape (6, g) or (6, draws, g)."""
    return np.stack(
        [
            rmse(level),
            bias(level),
            ubrmse(level),
            correlation(level),
            correlation(anomaly),
            efficiency(level).kge,
        ]
    )


def _anomalies(pairs: Pairs) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Anomalies of both sides where they are known, and where that is (n,)."""
    x = anomalies(pairs.predicted, site_id=pairs.site_id, day=pairs.day)
    y = anomalies(pairs.reference, site_id=pairs.site_id, day=pairs.day)
    known = np.isfinite(x)  # a matter of days alone: the same on both sides
    return x[known], y[known], known


def _with_enough(pairs: Pairs, known: NDArray[np.bool_], min_n: int) -> NDArray[np.bool_]:
    """Known pairs (n,) of the sites that have `min_n` of them."""
    _, site = np.unique(pairs.site_id, return_inverse=True)
    return known & (np.bincount(site, known, minlength=1)[site] >= min_n)


def _refuse_wandering(pairs: Pairs, home: NDArray[np.integer]) -> None:
    """A site whose pairs lie in several blocks would be resampled with one of them only."""
    astray = np.flatnonzero(pairs.block_id != home)
    if len(astray):
        raise DataError(
            f"Site {pairs.site_id[astray[0]]} is in blocks {home[astray[0]]} and "
            f"{pairs.block_id[astray[0]]}: a site has one block, that of its centre."
        )


def _sums(values: Floats, block: NDArray[np.integer], n_blocks: int) -> tuple[Floats, Floats]:
    """Per block, each (6, n_blocks): sum over the sites whose score is known, and their count."""
    is_known = np.isfinite(values)
    total = [np.bincount(block, np.nan_to_num(row), minlength=n_blocks) for row in values]
    count = [np.bincount(block, row, minlength=n_blocks) for row in is_known]
    return np.stack(total), np.stack(count)


def _support(pairs: Pairs) -> Support:
    return Support(len(pairs), len(np.unique(pairs.site_id)), len(np.unique(pairs.block_id)))


def _with_intervals(
    statistic: Callable[[NDArray[np.int64]], Floats],
    support: list[Support],
    weights: NDArray[np.int64],
    *,
    names: tuple[str, ...] = METRICS,
) -> tuple[Score, ...]:
    """Scores of the blocks as they are, with the intervals of the blocks as they were drawn.

    `statistic` maps weights (draws, n_blocks) to scores (len(names), draws).
    """
    values = statistic(np.ones((1, weights.shape[1]), dtype=np.int64))[:, 0]
    drawn = statistic(weights)
    return tuple(
        _score(name, float(value), row, on)
        for name, value, row, on in zip(names, values, drawn, support, strict=True)
    )


def _score(name: str, value: float, drawn: Floats, on: Support) -> Score:
    if np.isfinite(value):
        ends = interval(drawn, on.n_blocks)
    else:
        ends = Interval(np.nan, np.nan, "a side is constant, or pairs are too few")
    return Score(
        metric=name,
        unit=UNITS.get(name, "1"),
        value=value,
        low=ends.low,
        high=ends.high,
        n=on.n,
        n_sites=on.n_sites,
        n_blocks=on.n_blocks,
        note=ends.note,
    )


def _untold(names: tuple[str, ...], why: str) -> tuple[Score, ...]:
    """Scores of nothing."""
    nan = float("nan")
    return tuple(Score(name, UNITS.get(name, "1"), nan, nan, nan, 0, 0, 0, why) for name in names)
