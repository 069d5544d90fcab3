"""A series of one's own: a CSV whose columns a person names, whatever wrote it.

Nothing is guessed about meaning: unit and zone of time are said by the person. What is found out
is how the text is written (`series_cells`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from sm_platform.errors import GranuleError, UsageError
from sm_platform.formats.series_cells import numbers, read_cells
from sm_platform.formats.series_file import SeriesFile
from sm_platform.formats.series_time import utc_times
from sm_platform.schema.readings import READINGS

FACTORS = {"m3/m3": 1.0, "m3 m-3": 1.0, "cm3/cm3": 1.0, "percent": 0.01, "%": 0.01}
"""Units of soil moisture by volume, and what turns them to m3/m3."""
MISSING_BELOW = -99.0
BLANK = ("", "na", "n/a", "#n/a", "nan", "null", "none", "-", "--")
"""Written for no value, in any case of letters."""
DEEPEST_M = 10.0
"""Deeper no sensor lies: such a depth is told in another unit."""
MOST_TOLD = 20
"""Rows named among those left out; the rest is counted."""
UNIT_PERCENT, UNIT_FRACTION, SWAPPED = "unit_percent", "unit_fraction", "swapped_lonlat"

Numbers = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class SeriesColumns:
    """What the columns of a file are called, or what is the same on all rows."""

    time: str
    value: str
    unit: str
    """`m3/m3` or `percent`."""
    site: str | None = None
    lon: str | None = None
    lat: str | None = None
    depth: str | None = None
    """Of the sensor, metres."""
    depth_to: str | None = None
    """Lower end of the layer where `depth` is its upper one."""
    site_name: str | None = None
    lon_deg: float | None = None
    lat_deg: float | None = None
    depth_m: float | None = None
    timezone: str = "UTC"
    """Zone of times that name none."""
    time_format: str | None = None

    def __post_init__(self) -> None:
        if self.unit not in FACTORS:
            raise UsageError(
                f"Unit '{self.unit}' is no unit of soil moisture here: say m3/m3 or percent (by "
                "volume)."
            )
        for what, column, constant in (
            ("site", self.site, self.site_name),
            ("longitude", self.lon, self.lon_deg),
            ("latitude", self.lat, self.lat_deg),
        ):
            if (column is None) == (constant is None):
                raise UsageError(f"Name the {what} once: by its column or as one value for all.")
        _check_place(self.lon_deg, self.lat_deg)
        _check_depth(self.depth, self.depth_to, self.depth_m)
        _check_zone(self.timezone)

    @property
    def named(self) -> list[str]:
        """Columns that a file must have, each once."""
        roles = (self.time, self.value, self.site, self.lon, self.lat, self.depth, self.depth_to)
        return list(dict.fromkeys(name for name in roles if name is not None))


@dataclass(frozen=True, slots=True)
class _Rows:
    """What the rows of a file tell, (n,) each."""

    site: pd.Series
    moment: pd.Series
    """UTC, NaT where there is none."""
    value: Numbers
    """In the unit of the file; NaN where there is no number."""
    is_missing: Mask
    lon: Numbers
    lat: Numbers
    upper: Numbers
    lower: Numbers
    """Ends of the layer, metres; NaN where not told."""


def read_series_csv(path: Path, columns: SeriesColumns) -> SeriesFile:
    """Readings of the file, m3/m3 and UTC; rows that cannot be read are told by their line.

    A site said to be in m3/m3 whose median lies in 1..100 keeps its values with the reason
    `unit_percent`, one said to be in percent with a median up to 1 has `unit_fraction`; a latitude
    beyond 90 degrees has the reason `swapped_lonlat`.

    Raises:
        GranuleError: the file is no table, or none of its rows can be read.
        UsageError: a named column is not there.
    """
    cells = read_cells(path, columns.named)
    rows = _rows(cells.columns, columns)
    left_out = _unreadable(rows, columns)
    is_read = ~np.any(list(left_out.values()), axis=0)
    if not is_read.any():
        first = cells.columns.iloc[0].to_dict() if len(cells.columns) else "none"
        raise GranuleError(
            f"{path.name}: no row has a site, a time, a place and a value that can be read: check "
            f"the columns and the time format (first row: {first})."
        )
    told = {"more fields than the header": cells.odd_lines}
    told |= {f"no {what}": cells.lines[mask] for what, mask in left_out.items()}
    return SeriesFile(_table(rows, is_read, FACTORS[columns.unit]), _skipped(path, told))


def _rows(frame: pd.DataFrame, columns: SeriesColumns) -> _Rows:
    n = len(frame)
    value = numbers(frame[columns.value])
    upper = _numbers(frame, columns.depth, columns.depth_m)
    lower = upper if columns.depth_to is None else numbers(frame[columns.depth_to])
    is_blank = frame[columns.value].str.lower().isin(BLANK).to_numpy()
    site = frame[columns.site] if columns.site else pd.Series([columns.site_name] * n, dtype="str")
    return _Rows(
        site=site,
        moment=utc_times(frame[columns.time], columns.timezone, columns.time_format),
        value=value,
        is_missing=is_blank | (value <= MISSING_BELOW),
        lon=_numbers(frame, columns.lon, columns.lon_deg),
        lat=_numbers(frame, columns.lat, columns.lat_deg),
        upper=upper,
        lower=lower,
    )


def _numbers(frame: pd.DataFrame, name: str | None, constant: float | None) -> Numbers:
    if name is not None:
        return numbers(frame[name])
    return np.full(len(frame), np.nan if constant is None else constant)


def _unreadable(rows: _Rows, columns: SeriesColumns) -> Mapping[str, Mask]:
    """What is wrong, and which rows have it; of several things a row has the first."""
    zone = columns.timezone
    hour = "" if zone == "UTC" else f" (an hour that {zone} skips or has twice is none)"
    found: dict[str, Mask] = {
        f"time{hour}": rows.moment.isna().to_numpy(),
        "site": (rows.site == "").to_numpy(),
        "place": ~(np.isfinite(rows.lon) & np.isfinite(rows.lat)),
        "value": ~rows.is_missing & np.isnan(rows.value),
        "depth": (columns.depth is not None) & (np.isnan(rows.upper) | np.isnan(rows.lower)),
    }
    before = np.zeros(len(rows.value), np.bool_)
    for what, mask in found.items():
        found[what] = mask & ~before
        before |= mask
    return found


def _table(rows: _Rows, is_read: Mask, factor: float) -> pa.Table:
    """Readings of the rows that can be read."""
    lon, lat, is_missing = rows.lon[is_read], rows.lat[is_read], rows.is_missing[is_read]
    value = np.where(is_missing, np.nan, rows.value[is_read])
    site = rows.site[is_read].reset_index(drop=True)
    typical = pd.Series(value).groupby(site).transform("median").to_numpy()
    reason = np.full(len(value), None, object)
    if factor == 1:
        reason[(typical > 1) & (typical <= 100)] = UNIT_PERCENT
    else:
        reason[typical <= 1] = UNIT_FRACTION
    reason[is_missing] = "missing"
    reason[(np.abs(lat) > 90) & (np.abs(lon) <= 90)] = SWAPPED
    columns = {
        "station_id": pa.array(site, pa.string()),
        "lon_deg": lon,
        "lat_deg": lat,
        "depth_from_m": pa.array(rows.upper[is_read].astype(np.float32), from_pandas=True),
        "depth_to_m": pa.array(rows.lower[is_read].astype(np.float32), from_pandas=True),
        "sensor": pa.nulls(len(value), pa.string()),
        "sensed_utc": pa.Array.from_pandas(rows.moment[is_read]).cast(pa.timestamp("us", "UTC")),
        "sm_m3m3": pa.array((value * factor).astype(np.float32), from_pandas=True),
        "provider_reason": pa.array(reason, pa.string()),
    }
    return pa.table(columns, schema=READINGS)


def _skipped(path: Path, told: Mapping[str, NDArray[np.int64]]) -> tuple[tuple[str, str], ...]:
    return tuple((path.name, _sentence(what, lines)) for what, lines in told.items() if len(lines))


def _sentence(what: str, lines: NDArray[np.int64]) -> str:
    named = ", ".join(str(line) for line in lines[:MOST_TOLD])
    more = f" and {len(lines) - MOST_TOLD} more" if len(lines) > MOST_TOLD else ""
    return f"{len(lines)} rows with {what}: line {named}{more}"


def _check_place(lon: float | None, lat: float | None) -> None:
    if not (-180 <= (lon or 0.0) <= 180 and -90 <= (lat or 0.0) <= 90):
        raise UsageError(f"Place {lon} E, {lat} N is not on the globe: longitude comes first.")


def _check_depth(column: str | None, lower: str | None, constant: float | None) -> None:
    if column is not None and constant is not None:
        raise UsageError("Name the depth once: by its column or as one value for all.")
    if column is None and lower is not None:
        raise UsageError(f"Column '{lower}' is the lower end of a layer: name the upper one too.")
    if constant is not None and not 0 <= constant <= DEEPEST_M:
        raise UsageError(f"Depth {constant} is not within 0..{DEEPEST_M:g} m: give it in metres.")


def _check_zone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UsageError(
            f"There is no time zone '{name}': say UTC or a name such as Asia/Ho_Chi_Minh."
        ) from error
