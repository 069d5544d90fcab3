"""Judging series at places: each reading keeps its place in the table and gets its reason."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sm_platform.errors import DataError
from sm_platform.observations.groups import group_numbers, group_starts
from sm_platform.observations.place import Bounds, is_inside, is_moved
from sm_platform.observations.rejection import Rejection, first_reason
from sm_platform.observations.values import is_fill, is_percent, reasons_of_values
from sm_platform.schema.readings import READINGS

SERIES = ("station_id", "sensor", "depth_from_m", "depth_to_m")
"""Readings equal in these belong to one series."""
SAME_M3M3 = 1e-6
"""Values at most this far apart are the same."""
STUCK_DAYS = 5.0
"""A value that does not move for longer is the instrument's, not the soil's. The ISMN looks for
plateaus from 12 hours on, but only at a sensor's dry and wet ends (flags D09 and D10, Dorigo et al.
2013, 10.2136/vzj2012.0097); for any value we ask for ten times as long."""
STUCK_READINGS = 20
"""So a daily series is stuck after 20 equal days, and a few readings far apart never are."""
DAY_US = 86_400_000_000

Mask = NDArray[np.bool_]
Found = dict[Rejection, Mask]


@dataclass(frozen=True, slots=True)
class _Columns:
    """The readings as arrays (n,)."""

    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    us: NDArray[np.int64]
    """Microseconds since 1970-01-01 UTC."""
    sm: NDArray[np.float64]
    upper: NDArray[np.float64]
    lower: NDArray[np.float64]
    """Ends of the layer (m), NaN where not told."""
    station: NDArray[np.int64]
    series: NDArray[np.int64]
    """Number of the station and of the series."""


def judge_series(readings: pa.Table, bounds_lonlat: Bounds | None = None) -> pa.Table:
    """The same rows in the same order, with `reason` (null when good).

    Percent, duplicates and stuck sensors are looked for in each series of a station, sensor and
    layer, moves in each station: give whole series. A provider's reason that is the name of one
    of ours is kept as that; any other is `provider_flag`.

    Args:
        readings: columns of `READINGS`; others stay as they are.
        bounds_lonlat: of the region; without them no place is rejected for lying outside.

    Raises:
        DataError: a column is missing, or a reading has no station or time.
    """
    columns = _read(readings)
    found = _said(readings["provider_reason"])
    _add(found, _placed(columns, bounds_lonlat))
    _add(found, {Rejection.IMPOSSIBLE_DEPTH: _no_layer(columns)})
    in_percent = _in_percent(columns, _none(found))
    _add(found, reasons_of_values(columns.sm, in_percent))
    _add(found, {Rejection.STATION_MOVED: _moved(columns, _none(found))})
    _add(found, {Rejection.DUPLICATE_TIME: _duplicates(columns, _none(found))})
    _add(found, {Rejection.STUCK_SENSOR: _stuck(columns, found)})
    kept = readings.drop_columns("reason") if "reason" in readings.column_names else readings
    return kept.append_column("reason", first_reason(found))


def _read(readings: pa.Table) -> _Columns:
    missing = [name for name in READINGS.names if name not in readings.column_names]
    if missing:
        raise DataError(f"Readings lack the column {missing[0]}: read the file again.")
    for name in ("station_id", "sensed_utc", "lon_deg", "lat_deg"):
        if readings[name].null_count:
            raise DataError(f"A reading has no {name}: give it in the file, or leave the row out.")
    moments = readings["sensed_utc"].cast(READINGS.field("sensed_utc").type).cast(pa.int64())
    return _Columns(
        lon=readings["lon_deg"].to_numpy().astype(np.float64),
        lat=readings["lat_deg"].to_numpy().astype(np.float64),
        us=moments.to_numpy(),
        sm=readings["sm_m3m3"].to_numpy().astype(np.float64),
        upper=readings["depth_from_m"].to_numpy().astype(np.float64),
        lower=readings["depth_to_m"].to_numpy().astype(np.float64),
        station=group_numbers(readings, ("station_id",)),
        series=group_numbers(readings, SERIES),
    )


def _said(provider: pa.ChunkedArray) -> Found:
    """The provider's reasons: those with a name of ours, and all others as its flag."""
    found = {reason: _mask(pc.equal(provider, reason.value)) for reason in Rejection}
    found[Rejection.PROVIDER_FLAG] = _mask(pc.is_valid(provider)) & _none(found)
    return found


def _placed(columns: _Columns, bounds: Bounds | None) -> Found:
    if bounds is None:
        return {}
    is_outside = ~is_inside(columns.lon, columns.lat, bounds)
    is_swapped = is_outside & is_inside(columns.lat, columns.lon, bounds)
    return {Rejection.SWAPPED_LONLAT: is_swapped, Rejection.OUT_OF_BOUNDS: is_outside}


def _no_layer(columns: _Columns) -> Mask:
    upper, lower = columns.upper, columns.lower
    return np.asarray((upper < 0) | (lower < 0) | (lower < upper), np.bool_)


def _in_percent(columns: _Columns, is_good: Mask) -> Mask:
    """(n,): whether the median of the series' good values is a percentage."""
    rows = np.flatnonzero(is_good & ~np.isnan(columns.sm) & ~is_fill(columns.sm))
    rows = rows[np.lexsort((columns.sm[rows], columns.series[rows]))]
    starts = group_starts(columns.series[rows])
    count = np.diff(np.r_[starts, len(rows)])
    lower, upper = (columns.sm[rows[starts + half]] for half in ((count - 1) // 2, count // 2))
    is_so = np.zeros(columns.series.max(initial=0) + 1, np.bool_)
    is_so[columns.series[rows[starts]]] = is_percent((lower + upper) / 2)
    return is_so[columns.series]


def _moved(columns: _Columns, is_good: Mask) -> Mask:
    return is_moved((columns.lon, columns.lat), columns.station, columns.us, is_good)


def _duplicates(columns: _Columns, is_good: Mask) -> Mask:
    """All good readings of one series and time when they differ, all but the first when not."""
    is_double = np.zeros(len(columns.sm), np.bool_)
    rows = np.flatnonzero(is_good)
    rows = rows[np.lexsort((columns.us[rows], columns.series[rows]))]
    starts = group_starts(columns.series[rows], columns.us[rows])
    if len(rows):
        sm = columns.sm[rows]
        spread = np.maximum.reduceat(sm, starts) - np.minimum.reduceat(sm, starts)
        count = np.diff(np.r_[starts, len(rows)])
        is_double[rows] = np.repeat(count > 1, count)
        is_double[rows[starts]] &= spread > SAME_M3M3
    return is_double


def _stuck(columns: _Columns, found: Mapping[Rejection, Mask]) -> Mask:
    """Readings of runs of one value, longer than 5 days and of 20 readings at least.

    Readings that the provider rejects belong to a run too; those without a value do not end it.
    """
    skipped = (
        Rejection.MISSING,
        Rejection.FILL_VALUE,
        Rejection.STATION_MOVED,
        Rejection.DUPLICATE_TIME,
    )
    rows = np.flatnonzero(~np.any([found[reason] for reason in skipped], axis=0))
    rows = rows[np.lexsort((columns.sm[rows], columns.us[rows], columns.series[rows]))]
    is_stuck = np.zeros(len(columns.sm), np.bool_)
    if len(rows):
        step = np.abs(np.diff(columns.sm[rows], prepend=np.nan)) > SAME_M3M3
        starts = group_starts(columns.series[rows], np.cumsum(step))
        count = np.diff(np.r_[starts, len(rows)])
        lasts = columns.us[rows[starts + count - 1]] - columns.us[rows[starts]]
        is_long = (lasts > STUCK_DAYS * DAY_US) & (count >= STUCK_READINGS)
        is_stuck[rows] = np.repeat(is_long, count)
    return is_stuck


def _add(found: Found, more: Mapping[Rejection, Mask]) -> None:
    """Put more reasons to those found."""
    for reason, mask in more.items():
        found[reason] = found[reason] | mask


def _none(found: Mapping[Rejection, Mask]) -> Mask:
    """(n,): readings without any reason so far."""
    return np.asarray(~np.any(list(found.values()), axis=0), np.bool_)


def _mask(values: pa.ChunkedArray) -> Mask:
    return np.asarray(pc.fill_null(values, fill_value=False).to_numpy(), np.bool_)
