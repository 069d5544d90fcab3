"""Look-back: which 46 steps a series has, whether enough of them are there, how gaps are closed.

Series are kept step first, (46, m), while they are computed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
from numpy.typing import NDArray

from sm_platform.errors import MissingInputError
from sm_platform.grid.calendar import N_STEPS

Series = NDArray[np.float32]
Mask = NDArray[np.bool_]

BLOCK_PLACES = 1 << 14
"""Places interpolated at once, so that what is needed for it stays small."""


@dataclass(frozen=True, slots=True)
class Moment:
    """When a row is computed for: the pass's UTC day and what was known then."""

    day: date
    issued: datetime | None
    """Only layers available by then are used; None: all."""
    min_lookback_share: float
    """Least share of the 46 steps that must be there at all."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the look-back, both days included."""

    first: date
    last: date


def require_steps(
    driver: str, steps: Sequence[Step], is_there: Sequence[bool], moment: Moment
) -> None:
    """Refuse a look-back that is mostly absent.

    Raises:
        MissingInputError: fewer than the asked-for share of the steps are there.
    """
    found = sum(is_there)
    if found >= moment.min_lookback_share * len(steps):
        return
    lacking = [n for n, there in enumerate(is_there) if not there]
    raise MissingInputError(
        f"{driver} before the pass of {moment.day}: {found} of {len(steps)} steps are there; "
        f"missing {_spans(steps, lacking)}. "
        f"Download and extract {driver} from {steps[lacking[0]].first}."
    )


def _spans(steps: Sequence[Step], chosen: Sequence[int]) -> str:
    """The chosen steps as spans of days, neighbours joined."""
    spans: list[list[int]] = []
    for n in chosen:
        if spans and n == spans[-1][1] + 1:
            spans[-1][1] = n
        else:
            spans.append([n, n])
    return ", ".join(f"{steps[a].first} to {steps[b].last}" for a, b in spans)


def steps_with(steps: Sequence[Step], days: Iterable[int]) -> list[bool]:
    """Whether any of the days (ordinals) lies in each step."""
    ordinals = np.array(sorted(days), np.int64)
    first = np.searchsorted(ordinals, [step.first.toordinal() for step in steps])
    end = np.searchsorted(ordinals, [step.last.toordinal() for step in steps], side="right")
    return [bool(n) for n in end > first]


def hold(values: Series, is_there: Mask) -> Series:
    """Steps that are not there take the previous one that is, leading ones the next.

    Args:
        values: (46, m).
        is_there: (46, m); a column without any step stays as it is.
    """
    out, known = values.copy(), np.logical_or.accumulate(is_there, axis=0)
    for step in range(1, len(out)):
        np.copyto(out[step], out[step - 1], where=~is_there[step] & known[step])
    for step in range(len(out) - 2, -1, -1):
        np.copyto(out[step], out[step + 1], where=~known[step])
    return out


def interpolate(values: Series, is_there: Mask) -> Series:
    """Steps that are not there lie on the line between their neighbours that are.

    Leading and trailing ones are held. All steps lie before the pass, so no value comes from
    after it. Shapes as in `hold`.
    """
    out = np.empty_like(values)
    for first in range(0, values.shape[1], BLOCK_PLACES):
        block = np.s_[:, first : first + BLOCK_PLACES]
        out[block] = _interpolated(values[block], is_there[block])
    return out


def _interpolated(values: Series, is_there: Mask) -> Series:
    steps = np.arange(len(values), dtype=np.float32)[:, None]
    before = hold(values, is_there)
    after = hold(values[::-1], is_there[::-1])[::-1]
    place = np.where(is_there, steps, np.float32(np.nan))
    left, right = hold(place, is_there), hold(place[::-1], is_there[::-1])[::-1]
    gap = right - left
    share = np.divide(steps - left, gap, out=np.zeros_like(before), where=gap > 0)
    return np.where(is_there, values, before + (after - before) * share)


def all_there(is_there: Sequence[bool], places: int) -> Mask:
    """(46, places): the same answer for every place."""
    return np.broadcast_to(np.asarray(is_there, np.bool_)[:, None], (N_STEPS, places))


def clipped(values: Series, code: NDArray[np.int8]) -> Series:
    """Values with out-of-range numbers (code -1, 1) as -inf and inf, which the scale clips."""
    return np.where(code == 0, values, np.where(code < 0, -np.inf, np.inf).astype(np.float32))
