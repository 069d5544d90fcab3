"""Whether one satellite of a constellation reads otherwise than the others do.

Soil and crops change from pass to pass by more than a calibration does. So a pass is compared with
what the others show on its own track and pixels just before and just after, at its moment on the
line between them: what changes slowly falls out, what comes and goes cancels over several passes.
The medians keep a flooded field, a ship or a typhoon from deciding.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sm_platform.errors import DataError

LEAST_DB = 0.6
"""Smaller offsets are not told apart from the land: without a bias the median over 12 passes of the
embedded archive stays within 0.45 dB of the one planted (two places, three tracks), and 1 dB reads
as 0.6 to 1.1."""
N_ERRORS = 2.5
"""Of the median's standard error, which an offset must exceed, too."""
LEAST_PASSES = 4
"""Of the judged platform, with others before and after them on their tracks."""
LONGEST_GAP_D = 24.0
"""Between the two passes of others that one is compared with, days: two repeats of a satellite."""
MEDIAN_ERROR = 1.2533
"""Standard error of a median of normal values, over that of their mean: sqrt(pi / 2)."""
NORMAL_MAD = 1.4826
"""Standard deviation of normal values over their median absolute deviation."""


@dataclass(frozen=True, slots=True)
class TrackPasses:
    """Passes of several satellites over the same pixels from one track, in order of time."""

    platforms: tuple[str, ...]
    """(n,): names."""
    days: NDArray[np.float64]
    """(n,): moment of each pass in days, from any beginning."""
    values_db: NDArray[np.floating]
    """(n, m): backscatter of each pass and pixel, dB; NaN missing."""

    def __post_init__(self) -> None:
        n = len(self.platforms)
        if self.values_db.ndim != 2 or not n == len(self.days) == len(self.values_db):
            raise DataError(
                f"{n} platforms, {len(self.days)} days and backscatter of shape "
                f"{self.values_db.shape} are not the same passes: read them again."
            )
        if np.any(np.diff(self.days) < 0):
            raise DataError("Passes of a track are not in order of time: sort them.")


@dataclass(frozen=True, slots=True)
class PlatformOffset:
    """How a platform reads beside the others."""

    platform: str
    others: tuple[str, ...]
    offset_db: float
    """Median over its passes of the median over the pixels; above the others when positive."""
    n_passes: int
    limit_db: float
    """Smallest offset that counts as found with so many passes of such a spread."""

    @property
    def is_found(self) -> bool:
        """Whether the offset is larger than what can be told apart from nothing."""
        return abs(self.offset_db) > self.limit_db


def pass_offsets(
    passes: TrackPasses, platform: str, without: Collection[str] = ()
) -> NDArray[np.float64]:
    """Of each pass of a platform the median over the pixels of its difference to the others, dB.

    Passes without another's before and after them, at most `LONGEST_GAP_D` apart, are left out.

    Args:
        passes: of one track.
        platform: the judged one.
        without: platforms that are no comparison.
    """
    names = np.array(passes.platforms)
    others = np.flatnonzero((names != platform) & ~np.isin(names, list(without)))
    found = []
    for own in np.flatnonzero(names == platform):
        before, after = others[others < own], others[others > own]
        if len(before) and len(after):
            offset = _beside(passes, int(own), int(before[-1]), int(after[0]))
            found += [offset] if np.isfinite(offset) else []
    return np.array(found, np.float64)


def platform_offset(
    tracks: Sequence[TrackPasses], platform: str, without: Collection[str] = ()
) -> PlatformOffset | None:
    """How a platform reads beside the others, all tracks together; None with too few passes."""
    found = np.concatenate([[], *(pass_offsets(one, platform, without) for one in tracks)])
    if len(found) < LEAST_PASSES:
        return None
    median = float(np.median(found))
    spread = NORMAL_MAD * float(np.median(np.abs(found - median)))
    error = MEDIAN_ERROR * spread / np.sqrt(len(found))
    names = {name for one in tracks for name in one.platforms} - {platform, *without}
    return PlatformOffset(
        platform, tuple(sorted(names)), median, len(found), max(LEAST_DB, N_ERRORS * error)
    )


def offsets_of(tracks: Sequence[TrackPasses]) -> list[PlatformOffset]:
    """Each platform beside the others, by name; first those found to read otherwise.

    The one farthest off is found first and is no comparison for the rest: one wrong satellite makes
    the right ones look wrong. Of two alone, of which either may be, the later launched is named.
    """
    names = sorted({name for one in tracks for name in one.platforms})
    strange: list[PlatformOffset] = []
    while True:
        out = [one.platform for one in strange]
        judged = [platform_offset(tracks, name, out) for name in names if name not in out]
        known = [one for one in judged if one is not None]
        found = [one for one in known if one.is_found]
        if not found:
            return strange + known
        strange.append(max(found, key=_is_blamed_by))


def _is_blamed_by(offset: PlatformOffset) -> tuple[float, str]:
    alone = len(offset.others) == 1
    return (0.0 if alone else abs(offset.offset_db)), offset.platform


def _beside(passes: TrackPasses, own: int, before: int, after: int) -> float:
    """Median over the pixels of a pass less the line between two others; NaN when they are far."""
    first, last = passes.days[before], passes.days[after]
    if last - first > LONGEST_GAP_D:
        return float("nan")
    share = (passes.days[own] - first) / (last - first) if last > first else 0.5
    line = (1 - share) * passes.values_db[before] + share * passes.values_db[after]
    difference = passes.values_db[own] - line
    known = difference[np.isfinite(difference)]
    return float(np.median(known)) if known.size else float("nan")
