"""Whether one prediction is better than another on the same rows."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sm_platform.errors import DataError
from sm_platform.trust.bootstrap import DRAWS, block_draws, interval
from sm_platform.trust.metrics import rmse
from sm_platform.trust.moments import Floats, moments, pool
from sm_platform.trust.pairs import Pairs


@dataclass(frozen=True, slots=True)
class Difference:
    """RMSE of a minus RMSE of b in m3/m3: below 0, a is better.

    `low` and `high` are the ends of the 95 % interval; NaN where it cannot be told.
    """

    value: float
    low: float
    high: float
    n: int
    """Pairs."""
    n_sites: int
    n_blocks: int
    """3 km blocks that were resampled."""
    note: str = ""
    """Why the interval cannot be told; empty when it can."""


def compare(a: Pairs, b: Pairs, *, seed: int = 0, draws: int = DRAWS) -> Difference:
    """rmse(a) - rmse(b), both pooled, by a paired bootstrap: a draw takes the same blocks of both.

    What both share (a hard day, a noisy label) cancels, so the interval is narrower than the two
    scores' own would say (Efron & Tibshirani 1993, 10.1201/9780429246593, chapter 8).

    Raises:
        DataError: no pairs, or not the same rows in the same order.
    """
    _refuse_other_rows(a, b)
    blocks, block = np.unique(a.block_id, return_inverse=True)
    parts = [moments(p.predicted, p.reference, group=block, n_groups=len(blocks)) for p in (a, b)]

    def difference(weights: NDArray[np.int64]) -> Floats:
        of_a, of_b = (rmse(pool(part, weights))[:, 0] for part in parts)
        return of_a - of_b

    drawn = difference(block_draws(len(blocks), draws=draws, seed=seed))
    ends = interval(drawn, len(blocks))
    return Difference(
        value=float(difference(np.ones((1, len(blocks)), dtype=np.int64))[0]),
        low=ends.low,
        high=ends.high,
        n=len(a),
        n_sites=len(np.unique(a.site_id)),
        n_blocks=len(blocks),
        note=ends.note,
    )


def _refuse_other_rows(a: Pairs, b: Pairs) -> None:
    if not len(a):
        raise DataError("No pairs to compare: bring rows that both predictions know.")
    for name in ("reference", "site_id", "block_id", "day"):
        if not np.array_equal(getattr(a, name), getattr(b, name)):
            raise DataError(
                f"The two predictions differ in {name}: compare them on the same rows in one "
                "order (`alike` keeps those)."
            )
