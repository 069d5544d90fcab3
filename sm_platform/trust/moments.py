"""Sufficient statistics of pairs in groups: all scores and all resampling follow from them."""

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Moments:
    """Counts, means and central sums of g groups of pairs; x predicted, y reference, in m3/m3.

    All have the shape (g,), or (draws, g) when resampled.

    Sums are central, as differences of plain sums would lose the digits that a correlation of
    nearly constant series needs (Chan et al. 1983, 10.1080/00031305.1983.10483115).
    """

    n: Floats
    """Pairs."""
    x: Floats
    """Mean of the predictions; NaN for an empty group."""
    y: Floats
    """Mean of the references."""
    xx: Floats
    """Sum of (x - mean x)^2; yy and xy alike."""
    yy: Floats
    xy: Floats
    ee: Floats
    """The same of the error x - y; kept apart, as xx - 2 xy + yy cancels for good maps."""


def moments(
    predicted: NDArray[np.floating],
    reference: NDArray[np.floating],
    *,
    group: NDArray[np.integer],
    n_groups: int,
) -> Moments:
    """Moments of the pairs (n,) by group (n,) in 0..n_groups-1; all values are finite."""
    x, y = predicted.astype(np.float64), reference.astype(np.float64)
    n = np.bincount(group, minlength=n_groups).astype(np.float64)
    total = partial(_total, group=group, n_groups=n_groups)
    mean_x, mean_y = ratio(total(x), n), ratio(total(y), n)
    dx, dy = x - mean_x[group], y - mean_y[group]
    return Moments(
        n, mean_x, mean_y, total(dx**2), total(dy**2), total(dx * dy), total((dx - dy) ** 2)
    )


def combine(
    parts: Moments,
    weights: NDArray[np.number],
    *,
    unit: NDArray[np.integer],
    into: NDArray[np.integer],
    n_groups: int,
) -> Moments:
    """Moments (draws, n_groups) of the larger groups that parts (g,) form, once for each draw.

    Equal to the moments of the pairs themselves, repeated as often as drawn: the law of total
    covariance, a product of matrices.

    Args:
        parts: moments of g small groups.
        weights: (draws, units), how often each draw takes a unit, for example a 3 km block.
        unit: (g,) the unit of each part.
        into: (g,) the larger group of each part, 0..n_groups-1.
        n_groups: number of larger groups.
    """
    taken = weights.astype(np.float64).T
    place = (into, unit)

    def total(values: Floats) -> Floats:
        table = csr_array((values, place), shape=(n_groups, len(taken)))
        return np.asarray(table @ taken).T

    x0, dx = _about_centre(parts.x, parts.n, into, n_groups)
    y0, dy = _about_centre(parts.y, parts.n, into, n_groups)
    n = total(parts.n)
    x, y = ratio(total(parts.n * dx), n), ratio(total(parts.n * dy), n)
    mx, my = np.nan_to_num(x), np.nan_to_num(y)
    return Moments(
        n=n,
        x=x0 + x,
        y=y0 + y,
        xx=np.maximum(total(parts.xx + parts.n * dx**2) - n * mx**2, 0),
        yy=np.maximum(total(parts.yy + parts.n * dy**2) - n * my**2, 0),
        xy=total(parts.xy + parts.n * dx * dy) - n * mx * my,
        ee=np.maximum(total(parts.ee + parts.n * (dx - dy) ** 2) - n * (mx - my) ** 2, 0),
    )


def pool(blocks: Moments, weights: NDArray[np.number]) -> Moments:
    """Moments (draws, 1) of all blocks (b,) together, each taken weights (draws, b) times."""
    each = np.arange(len(blocks.n))
    return combine(blocks, weights, unit=each, into=np.zeros_like(each), n_groups=1)


def ratio(over: Floats, under: Floats) -> Floats:
    """The quotient over / under; missing where `under` is zero or missing."""
    missing = np.full(np.broadcast_shapes(over.shape, under.shape), np.nan)
    found: Floats = np.divide(over, under, out=missing, where=np.abs(under) > 0)
    return found


def _total(values: Floats, *, group: NDArray[np.integer], n_groups: int) -> Floats:
    """Sum of the values (n,) by group, shape (n_groups,)."""
    return np.bincount(group, values, minlength=n_groups).astype(np.float64)


def _about_centre(
    mean: Floats, n: Floats, into: NDArray[np.integer], n_groups: int
) -> tuple[Floats, Floats]:
    """Mean of each larger group (n_groups,) with all parts once, and the parts' (g,) less it.

    Sums of these small numbers keep the digits that sums of the means would lose.
    """
    mean = np.where(n > 0, mean, 0.0)
    total = partial(_total, group=into, n_groups=n_groups)
    centre = ratio(total(n * mean), total(n))
    return centre, np.where(n > 0, mean - centre[into], 0.0)
