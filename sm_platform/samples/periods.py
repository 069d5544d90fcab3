"""Roles of samples by time: contiguous periods of whole days, with a gap between them."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from sm_platform.errors import DataError, UsageError
from sm_platform.samples.splits import ROLE_TYPE, SHARES, Role, check_shares

GAP_DAYS = 12
"""One repeat of Sentinel-1: by then soil moisture has forgotten most of what it was."""


def split_by_time(
    day: NDArray[np.datetime64],
    *,
    shares: Mapping[Role, float] = SHARES,
    gap_days: int = GAP_DAYS,
) -> NDArray[np.str_]:
    """Role of each row, (n,): the earliest passes train, the latest are the test.

    `day` is the UTC day of each row's pass; passes of one day share a role. Between the last day
    of a role and the first of the next lie at least `gap_days`; passes in between become buffer.
    The periods share the time that the gaps leave. Nothing is drawn. More passes shift the
    periods, so roles hold for one cut-off day only.

    Raises:
        UsageError: the shares are impossible, the gap is negative.
        DataError: a day is missing, or there are too few days for all roles and gaps.
    """
    check_shares(shares)
    if gap_days < 0:
        raise UsageError(f"A gap of {gap_days} days is impossible: give 0 or more.")
    if np.isnat(day).any():
        raise DataError(f"{int(np.isnat(day).sum())} rows have no day of their pass.")
    found, row_day = np.unique(day.astype("datetime64[D]").astype(np.int64), return_inverse=True)
    return _periods(found, shares, gap_days)[row_day]


def _periods(
    day: NDArray[np.int64], shares: Mapping[Role, float], gap_days: int
) -> NDArray[np.str_]:
    """Role of each day (sorted, distinct): each period starts at a pass, the last takes the rest.

    A period that has begun with a pass leaves the gap behind its last pass, not behind its last
    day: a revisit of 12 days loses no pass to a gap of 12.
    """
    role = np.full(len(day), Role.BUFFER.value, dtype=ROLE_TYPE)
    span = int(day[-1] - day[0]) + 1 if len(day) else 0
    to_share = max(span - gap_days * (len(shares) - 1), 0)
    start = 0
    for place, (part, share) in enumerate(shares.items()):
        if start >= len(day):
            raise DataError(
                f"Passes of {len(day)} days over {span} days cannot fill {len(shares)} periods "
                f"with gaps of {gap_days} days: {part.value} is empty; take more days or lessen "
                "the gap."
            )
        is_last = place == len(shares) - 1
        last = day[-1] if is_last else day[start] + max(share * to_share - 1, 0)
        end = int(np.searchsorted(day, last, "right"))
        role[start:end] = part.value
        start = int(np.searchsorted(day, day[end - 1] + max(gap_days, 1), "left"))
    return role
