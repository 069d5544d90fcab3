"""Where two label sources speak of the same soil: pairs of their values, and common ancestry."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sm_platform.errors import UsageError
from sm_platform.observations.collocation import collocate
from sm_platform.observations.groups import group_numbers, group_starts
from sm_platform.schema.label_sources import find_source

HOUR_US = 3_600_000_000
READ = pa.schema(
    [
        ("site_id", pa.string()),
        ("sensed_utc", pa.timestamp("us", tz="UTC")),
        ("sm_m3m3", pa.float64()),
    ]
)


@dataclass(frozen=True, slots=True)
class Pairs:
    """Good readings of two sources that meet; score them as prediction and reference."""

    site_id: list[str]
    """(n,): where they meet, in order of site and time."""
    a_m3m3: NDArray[np.float64]
    """(n,): volumetric soil moisture of the first source."""
    b_m3m3: NDArray[np.float64]
    """(n,): of the second source."""
    difference_h: NDArray[np.float64]
    """(n,): time of `b` minus time of `a` in hours; of daily means 0."""


def paired(a: pa.Table, b: pa.Table, *, max_hours: float | None = None) -> Pairs:
    """Good readings of two sources at the same site and time.

    With `max_hours` a reading of `a` is paired with the nearest of `b` at its site (of two as near
    the earlier), when it is the nearest to that one, too: no reading is used twice. Without, the
    means of each UTC day are paired.

    Args:
        a: `site_id`, `sensed_utc`, `sm_m3m3`, and `reason` when it was judged.
        b: the other source, the same columns.
        max_hours: how far apart paired readings are at most; None: of the same UTC day.

    Raises:
        UsageError: a column is missing, or `max_hours` is negative.
    """
    limit = 0.0 if max_hours is None else max_hours
    sides = [_good(side) if max_hours is not None else _daily(_good(side)) for side in (a, b)]
    rows_a, rows_b = _mutual(sides[0], sides[1], limit)
    first, second = sides[0].take(rows_a), sides[1].take(rows_b)
    return Pairs(
        site_id=first["site_id"].to_pylist(),
        a_m3m3=first["sm_m3m3"].to_numpy(),
        b_m3m3=second["sm_m3m3"].to_numpy(),
        difference_h=(_us(second) - _us(first)) / HOUR_US,
    )


def common_origin(source_a: str, source_b: str) -> frozenset[str]:
    """What both sources were made from, and so may be wrong about together; empty when nothing.

    Raises:
        UsageError: a source does not exist.
    """
    return find_source(source_a).made_from & find_source(source_b).made_from


def _good(readings: pa.Table) -> pa.Table:
    """Good readings by site and time, values in float64."""
    missing = {"site_id", "sensed_utc", "sm_m3m3"} - set(readings.column_names)
    if missing:
        raise UsageError(f"Readings lack the column {min(missing)}: two sources cannot be paired.")
    is_good = pc.is_finite(readings["sm_m3m3"])
    if "reason" in readings.column_names:
        is_good = pc.and_(is_good, pc.is_null(readings["reason"]))
    good = readings.filter(is_good).select(["site_id", "sensed_utc", "sm_m3m3"]).cast(READ)
    return good.sort_by([("site_id", "ascending"), ("sensed_utc", "ascending")])


def _daily(readings: pa.Table) -> pa.Table:
    """Means of UTC days, at their first moment."""
    day = pc.floor_temporal(readings["sensed_utc"], unit="day")
    days = readings.set_column(1, "sensed_utc", day).group_by(["site_id", "sensed_utc"])
    means = days.aggregate([("sm_m3m3", "mean")]).rename_columns({"sm_m3m3_mean": "sm_m3m3"})
    ordered = [("site_id", "ascending"), ("sensed_utc", "ascending")]
    return means.select(READ.names).sort_by(ordered)


def _mutual(
    a: pa.Table, b: pa.Table, max_hours: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows of `a` and of `b`, both sorted by site and time, that are nearest to one another."""
    site = group_numbers(pa.concat_tables([a, b]), ("site_id",))
    places = [_by_site(part) for part in np.split(site, [a.num_rows])]
    found = [np.zeros((2, 0), np.int64)]
    for number in places[0].keys() & places[1].keys():
        rows_a, rows_b = places[0][number], places[1][number]
        near = _nearest_both(_us(a)[rows_a], _us(b)[rows_b], max_hours)
        found.append(np.stack([rows_a[near[0]], rows_b[near[1]]]))
    rows = np.concatenate(found, axis=1)
    rows = rows[:, np.argsort(rows[0])]
    return rows[0], rows[1]


def _nearest_both(
    a: NDArray[np.int64], b: NDArray[np.int64], max_hours: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Indices of times (microseconds) of one site that are nearest to one another."""
    to_b = collocate(_moments(a), _moments(b), max_hours=max_hours).pass_index
    # Backwards in time, so that of two as near the later is taken: pairs of staggered series meet.
    to_a = collocate(_moments(-b), _moments(-a), max_hours=max_hours).pass_index
    mine = np.flatnonzero(to_b >= 0)
    mine = mine[to_a[to_b[mine]] == mine]
    return mine, to_b[mine].astype(np.int64)


def _by_site(site: NDArray[np.int64]) -> dict[int, NDArray[np.int64]]:
    """Rows of each site, of rows sorted by site."""
    if not len(site):
        return {}
    starts = group_starts(site)
    parts = np.split(np.arange(len(site)), starts[1:])
    return dict(zip(site[starts].tolist(), parts, strict=True))


def _us(readings: pa.Table) -> NDArray[np.int64]:
    return np.asarray(readings["sensed_utc"].cast(pa.int64()).to_numpy())


def _moments(us: NDArray[np.int64]) -> NDArray[np.datetime64]:
    return us.astype("datetime64[us]")
