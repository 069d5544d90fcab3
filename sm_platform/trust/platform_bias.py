"""Whether one satellite of a constellation reads otherwise than the others do.

Soil and crops change from pass to pass by more than a calibration does. So a pass is compared with
what another satellite shows on its own track and pixels before and after it, at its moment on the
line between them: what changes slowly falls out, what comes and goes cancels over several passes.
Only the steadiest pixels are taken, and of them the median. A satellite reads otherwise
when it differs from each of the others to the same side: those that differ from it alone are right.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sm_platform.errors import DataError

LEAST_DB = 0.5
"""Smaller offsets are not told apart from the land. Of 216 stretches of 72 days of the embedded
archive (two places of 5 km, three seeds, VV and VH), 1 dB planted on one of three satellites was
found in 195 and no other was found first; without it nothing was, with 0.25 dB planted on one."""
STEADY_SHARE = 0.25
"""Of the pixels, those that change least from pass to pass: towns and trees rather than paddies."""
N_ERRORS = 2.5
"""Of the median's standard error, which an offset must exceed, too."""
LEAST_PASSES = 4
"""Of the judged platform that one other flew before and after."""
LONGEST_GAP_D = 24.0
"""Between the two passes that one is compared with, days: two repeats of a satellite."""
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
    """Those it could be compared with."""
    offset_db: float
    """Mean over the others of the median over its passes; above them when positive."""
    nearest_db: float
    """To the other that is nearest; 0 when it lies between others."""
    n_passes: int
    """Compared with the other that has the fewest."""
    limit_db: float
    """Smallest offset that counts as found with so many passes of such a spread."""

    @property
    def is_found(self) -> bool:
        """Whether it differs from every other by more than can be told apart from nothing."""
        return abs(self.nearest_db) > self.limit_db


def steadiest(passes: TrackPasses) -> TrackPasses:
    """The passes at the pixels that change least, by their median absolute deviation in time."""
    is_known = np.isfinite(passes.values_db).any(axis=0)
    known = passes.values_db[:, is_known]
    if not known.size:
        return passes
    change = np.nanmedian(np.abs(known - np.nanmedian(known, axis=0)), axis=0)
    return replace(passes, values_db=known[:, change <= np.quantile(change, STEADY_SHARE)])


def pass_offsets(passes: TrackPasses, platform: str, other: str) -> NDArray[np.float64]:
    """Of each pass of a platform the median over the pixels of its difference to another, dB.

    Passes without one of the other before and after, at most `LONGEST_GAP_D` apart, are left out.
    """
    names = np.array(passes.platforms)
    others = np.flatnonzero(names == other)
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
    """How a platform reads beside the others, all tracks together; None with too few passes.

    Args:
        tracks: passes by track.
        platform: the judged one.
        without: platforms that are no comparison.
    """
    names = sorted({name for one in tracks for name in one.platforms} - {platform, *without})
    pairs = {
        other: np.concatenate([[], *(pass_offsets(one, platform, other) for one in tracks)])
        for other in names
    }
    pairs = {other: found for other, found in pairs.items() if len(found) >= LEAST_PASSES}
    if not pairs:
        return None
    medians = np.array([np.median(found) for found in pairs.values()])
    is_one_side = bool(np.all(medians > 0) or np.all(medians < 0))
    nearest = float(medians[np.argmin(np.abs(medians))]) if is_one_side else 0.0
    error = max(_error_of_median(found) for found in pairs.values())
    return PlatformOffset(
        platform,
        tuple(pairs),
        float(medians.mean()),
        nearest,
        min(len(found) for found in pairs.values()),
        max(LEAST_DB, N_ERRORS * error),
    )


def offsets_of(tracks: Sequence[TrackPasses]) -> list[PlatformOffset]:
    """Each platform beside the others, by name; first those found to read otherwise.

    The one farthest off is found first and is no comparison for the rest: one wrong satellite makes
    the right ones look wrong. Of two alone, of which either may be, the later launched is named.
    """
    names = sorted({name for one in tracks for name in one.platforms})
    tracks = [steadiest(one) for one in tracks]
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
    return (0.0 if alone else abs(offset.nearest_db)), offset.platform


def _error_of_median(values: NDArray[np.float64]) -> float:
    """Standard error of the median, from the spread of the values."""
    spread = NORMAL_MAD * float(np.median(np.abs(values - np.median(values))))
    return MEDIAN_ERROR * spread / float(np.sqrt(len(values)))


def _beside(passes: TrackPasses, own: int, before: int, after: int) -> float:
    """Median over the pixels of a pass less the line between two; NaN when these are far apart."""
    first, last = passes.days[before], passes.days[after]
    if last - first > LONGEST_GAP_D:
        return float("nan")
    share = (passes.days[own] - first) / (last - first) if last > first else 0.5
    line = (1 - share) * passes.values_db[before] + share * passes.values_db[after]
    difference = passes.values_db[own] - line
    known = difference[np.isfinite(difference)]
    return float(np.median(known)) if known.size else float("nan")
