"""Which radar pass is nearest in time to a reading, and which readings a pass can use."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sm_platform.errors import UsageError
from sm_platform.observations.groups import group_numbers, group_starts

MAX_HOURS = 12.0
"""Farther apart than this, a reading says too little about the soil that the radar saw."""
HOUR_US = 3_600_000_000
OF_ONE_SERIES = ("site_id", "source", "station_id", "sensor", "depth_from_m", "depth_to_m")
"""Readings equal in these compete for a pass; a column that a table lacks does not count."""
TIE_BREAKERS = ("granule_id", "reading_no")
"""Decide between readings of one series and time, so that the order of the rows does not."""


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


@dataclass(frozen=True, slots=True)
class NearReadings:
    """Readings near a pass; kept and left-out ones together are all that were given."""

    rows: pa.Table
    """The kept rows in their order, with `pass_index` (of the passes given) and
    `time_difference_h` (reading minus pass)."""
    n_without_pass: int
    """Left out: farther than the limit from every pass."""
    n_not_nearest: int
    """Left out: good, but another good one of the same series is nearer to the pass."""


def keep_near(
    readings: pa.Table, pass_utc: NDArray[np.datetime64], *, max_hours: float = MAX_HOURS
) -> NearReadings:
    """Of judged readings those that a pass can use, and the rejected ones around it.

    A reading belongs to the pass nearest in time, never to another. Of the good ones of a series
    at a site only the one nearest to the pass is kept, of two as near the earlier; rejected ones
    are all kept with their reason.

    Args:
        readings: `site_id`, `source`, `sensed_utc`, `reason` and what tells series apart: station,
            sensor, depth. Give readings of whole days around the passes.
        pass_utc: start of each pass over the sites.
        max_hours: farther apart than this, a reading says too little about the pass.

    Raises:
        UsageError: a column is missing, a pass has no time, or `max_hours` is negative.
    """
    needed = {"site_id", "source", "sensed_utc", "reason"} - set(readings.column_names)
    if needed:
        raise UsageError(f"Readings lack the column {min(needed)}: judge them at sites first.")
    moments = _moments(readings)
    near = collocate(moments, pass_utc, max_hours=max_hours)
    has_pass = near.pass_index >= 0
    is_good = readings["reason"].is_null().to_numpy()
    is_kept = has_pass & ~is_good
    rows = np.flatnonzero(has_pass & is_good)
    is_kept[rows[_nearest(readings.take(rows), near.pass_index[rows], pass_utc)]] = True
    kept = readings.filter(pa.array(is_kept))
    for name in ("pass_index", "time_difference_h"):
        kept = kept.append_column(name, pa.array(getattr(near, name)[is_kept]))
    return NearReadings(
        rows=kept,
        n_without_pass=int((~has_pass).sum()),
        n_not_nearest=int(has_pass.sum() - is_kept.sum()),
    )


def _nearest(
    readings: pa.Table, pass_index: NDArray[np.int32], pass_utc: NDArray[np.datetime64]
) -> NDArray[np.int64]:
    """Of these readings and their passes the row nearest to each pass in each series."""
    names = readings.column_names
    series = group_numbers(readings, [name for name in OF_ONE_SERIES if name in names])
    ranks = [_rank(readings[name]) for name in TIE_BREAKERS[::-1] if name in names]
    sensed = _microseconds(_moments(readings))
    # In microseconds: hours of float32 would make ties of readings that are none.
    apart = np.abs(sensed - _microseconds(pass_utc)[pass_index])
    order = np.lexsort((*ranks, sensed, apart, pass_index, series))
    return order[group_starts(series[order], pass_index[order])]


def _moments(readings: pa.Table) -> NDArray[np.datetime64]:
    """(n,): UTC times of sensing in microseconds; NaT where there is none."""
    moments = readings["sensed_utc"].cast(pa.timestamp("us", tz="UTC"))
    return np.asarray(moments.to_numpy()).astype("datetime64[us]")


def _rank(column: pa.ChunkedArray) -> NDArray[np.int64]:
    """(n,): the place of each value among the different ones in order."""
    return np.asarray(pc.rank(column.combine_chunks(), tiebreaker="dense").to_numpy(), np.int64)


def _none(n: int) -> Collocation:
    """No pass for any of `n` readings."""
    return Collocation(np.full(n, -1, np.int32), np.full(n, np.nan, np.float32))


def _microseconds(moments: NDArray[np.datetime64]) -> NDArray[np.int64]:
    """Microseconds since 1970-01-01 UTC; the smallest integer for NaT."""
    return moments.astype("datetime64[us]").astype(np.int64)
