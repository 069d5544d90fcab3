"""Intervals by resampling whole 3 km blocks, because sites of one block err alike."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, stdtrit

from sm_platform.errors import DataError

DRAWS = 500
LEVEL = 0.95
MIN_BLOCKS = 3
"""Fewer blocks say nothing about how blocks differ."""
MIN_KNOWN = 0.5
"""Share of the draws in which a score must be known; the others (a correlation of a constant) are
left out of its interval."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A 95 % interval in the unit of its score; NaN where it cannot be told, `note` says why."""

    low: float
    high: float
    note: str = ""


def block_draws(n_blocks: int, *, draws: int = DRAWS, seed: int) -> NDArray[np.int64]:
    """How often each block is taken, shape (draws, n_blocks): each row sums to n_blocks.

    A draw takes n_blocks blocks with replacement (Davison & Hinkley 1997, 10.1017/CBO9780511802843,
    section 3.8: where data are nested, the highest level alone is resampled).

    Raises:
        DataError: no block at all.
    """
    if n_blocks < 1:
        raise DataError("No block to resample: bring at least one pair.")
    generator = np.random.default_rng(seed)
    return generator.multinomial(n_blocks, np.full(n_blocks, 1 / n_blocks), size=draws)


def interval(drawn: NDArray[np.float64], n_blocks: int) -> Interval:
    """The expanded percentile interval of a score's draws (draws,).

    Plain percentiles 2.5 and 97.5 are those of a normal law with a variance (B - 1) / B too small;
    with B blocks the tail is Phi(-sqrt(B / (B - 1)) t), t the 97.5 % point of Student's law with
    B - 1 degrees of freedom (Hesterberg 2015, 10.1080/00031305.2015.1089789). With
    50 blocks it is 2.1 instead of 2.5 %, with 5 it is 0.1 %: nearly the draws' lowest and highest.
    """
    if n_blocks < MIN_BLOCKS:
        return Interval(
            np.nan, np.nan, f"{n_blocks} blocks: an interval needs at least {MIN_BLOCKS}"
        )
    known = drawn[np.isfinite(drawn)]
    if len(known) < MIN_KNOWN * len(drawn):
        return Interval(np.nan, np.nan, f"known in {len(known)} of {len(drawn)} draws only")
    student = stdtrit(n_blocks - 1, (1 + LEVEL) / 2)
    tail = float(ndtr(-np.sqrt(n_blocks / (n_blocks - 1)) * student))
    low, high = np.quantile(known, [tail, 1 - tail])
    return Interval(float(low), float(high))
