"""Which radar pass is nearest in time to a reading, and how far apart they are."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sm_platform.errors import UsageError

MAX_HOURS = 12.0
"""Farther apart than this, a reading says too little about the soil that the radar saw."""
HOUR_US = 3_600_000_000


@dataclass(frozen=True, slots=True)
class Collocation:
    """The nearest pass of `n` readings."""

    pass_index: NDArray[np.int32]
    """(n,): index of the pass, -1 when none is near enough."""
    time_difference_h: NDArray[np.float32]
    """(n,): time of the reading minus time of the pass in hours, NaN when there is none."""


def collocate(
    sensed_utc: NDArray[np.datetime64],
    pass_utc: NDArray[np.datetime64],
    *,
    max_hours: float = MAX_HOURS,
) -> Collocation:
    """The pass nearest to each reading, at most `max_hours` away; of two as near, the earlier.

    Times are UTC, in any order; NaT is a reading without a pass.

    Raises:
        UsageError: a pass has no time, or `max_hours` is negative.
    """
    if max_hours < 0 or np.isnat(pass_utc).any():
        raise UsageError(f"Passes need times, and {max_hours} h must not be negative.")
    if not len(pass_utc):
        return _none(len(sensed_utc))
    order = np.argsort(pass_utc, kind="stable")
    moments = _microseconds(pass_utc)[order]
    sensed = _microseconds(sensed_utc)
    place = np.searchsorted(moments, sensed)
    before, after = np.maximum(place - 1, 0), np.minimum(place, len(moments) - 1)
    is_later = np.abs(moments[after] - sensed) < np.abs(sensed - moments[before])
    nearest = np.where(is_later, after, before)
    hours = (sensed - moments[nearest]) / HOUR_US
    is_near = ~np.isnat(sensed_utc) & (np.abs(hours) <= max_hours)
    return Collocation(
        pass_index=np.where(is_near, order[nearest], -1).astype(np.int32),
        time_difference_h=np.where(is_near, hours, np.nan).astype(np.float32),
    )


def _none(n: int) -> Collocation:
    """No pass for any of `n` readings."""
    return Collocation(np.full(n, -1, np.int32), np.full(n, np.nan, np.float32))


def _microseconds(moments: NDArray[np.datetime64]) -> NDArray[np.int64]:
    """Microseconds since 1970-01-01 UTC; the smallest integer for NaT."""
    return moments.astype("datetime64[us]").astype(np.int64)
