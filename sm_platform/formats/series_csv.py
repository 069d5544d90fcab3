"""A series of one's own: a CSV whose columns a person names, whatever wrote it.

Nothing is guessed about meaning: unit and zone of time are said by the person. What is found out
is how the text is written: its encoding, separator and decimal sign.
"""

import csv
import io
from dataclasses import dataclass, fields
from datetime import UTC
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pandas as pd
import pyarrow as pa
from charset_normalizer import from_bytes

from sm_platform.errors import GranuleError, UsageError
from sm_platform.formats.series_file import SeriesFile
from sm_platform.schema.readings import READINGS

FACTORS = {"m3/m3": 1.0, "m3 m-3": 1.0, "cm3/cm3": 1.0, "percent": 0.01, "%": 0.01}
"""Units of soil moisture by volume, and what turns them to m3/m3."""
MISSING_BELOW = -99.0
SEPARATORS = ",;\t|"
MOST_TOLD = 20
"""Rows named among those left out; the rest is counted."""
UNIT_PERCENT, SWAPPED, NO_PLACE = "unit_percent", "swapped_lonlat", "no_place"


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
        try:
            ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise UsageError(
                f"There is no time zone '{self.timezone}': say UTC or a name such as "
                "Asia/Ho_Chi_Minh."
            ) from error


def read_series_csv(path: Path, columns: SeriesColumns) -> SeriesFile:
    """Readings of the file, m3/m3 and UTC; rows that cannot be read are told by their number.

    A file said to be in m3/m3 whose values lie in 1..100 keeps them with the reason
    `unit_percent`; a latitude beyond 90 degrees has the reason `swapped_lonlat`.

    Raises:
        GranuleError: the file is no table, or none of its rows can be read.
        UsageError: a named column is not there.
    """
    frame, decimal = _frame(path)
    _check_columns(path, frame, columns)
    moments = _moments(frame[columns.time], columns)
    value = _numbers(frame[columns.value], decimal)
    is_blank = frame[columns.value].str.strip().isin(["", "NA", "NaN", "nan", "null", "-"])
    lon, lat = (
        _place(frame, name, constant, decimal)
        for name, constant in ((columns.lon, columns.lon_deg), (columns.lat, columns.lat_deg))
    )
    is_read = moments.notna().to_numpy() & (~np.isnan(value) | is_blank.to_numpy())
    is_read &= ~np.isnan(lon) & ~np.isnan(lat)
    if not is_read.any():
        raise GranuleError(
            f"{path.name}: no row has a time, a place and a value that can be read: check the "
            f"columns and the time format (first time: {_first(frame[columns.time])!r})."
        )
    table = _table(
        frame[is_read],
        columns,
        decimal,
        (moments[is_read], value[is_read], lon[is_read], lat[is_read]),
    )
    return SeriesFile(table, _left_out(path, np.flatnonzero(~is_read)))


def _table(
    frame: pd.DataFrame,
    columns: SeriesColumns,
    decimal: str,
    read: tuple[pd.Series, np.ndarray, np.ndarray, np.ndarray],
) -> pa.Table:
    moments, value, lon, lat = read
    is_missing = np.isnan(value) | (value <= MISSING_BELOW)
    sm = np.where(is_missing, np.nan, value * FACTORS[columns.unit])
    known = sm[~is_missing]
    is_percent = FACTORS[columns.unit] == 1 and len(known) and 1 < np.median(known) <= 100
    reason = np.full(len(sm), "", object)
    reason[is_missing] = "missing"
    reason[~is_missing & bool(is_percent)] = UNIT_PERCENT
    reason[(np.abs(lat) > 90) & (np.abs(lon) <= 90)] = SWAPPED
    upper, lower = _layer(frame, columns, decimal)
    n = len(frame)
    names = frame[columns.site].str.strip() if columns.site else [columns.site_name] * n
    return pa.table(
        {
            "station_id": pa.array(list(names), pa.string()),
            "lon_deg": lon,
            "lat_deg": lat,
            "depth_from_m": pa.array(upper, mask=np.isnan(upper)),
            "depth_to_m": pa.array(lower, mask=np.isnan(lower)),
            "sensor": pa.nulls(n, pa.string()),
            "sensed_utc": pa.Array.from_pandas(moments).cast(pa.timestamp("us", tz="UTC")),
            "sm_m3m3": pa.array(sm.astype(np.float32), mask=is_missing),
            "provider_reason": pa.array(reason, pa.string(), mask=reason == ""),
        },
        schema=READINGS,
    )


def _frame(path: Path) -> tuple[pd.DataFrame, str]:
    """All cells as texts, and the decimal sign."""
    text = _text(path)
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    if len(lines) < 2:
        raise GranuleError(f"{path.name}: has no header and rows: bring a CSV with both.")
    head = "\n".join(lines[:20])
    separator = max(SEPARATORS, key=lines[0].count)
    if separator not in lines[0]:
        raise GranuleError(f"{path.name}: its first line has one column only: {lines[0][:60]!r}.")
    try:
        frame = pd.read_csv(
            io.StringIO("\n".join(lines)),
            sep=separator,
            dtype=str,
            keep_default_na=False,
            on_bad_lines="skip",
            quoting=csv.QUOTE_MINIMAL,
            skipinitialspace=True,
        )
    except (ValueError, pd.errors.ParserError) as error:
        raise GranuleError(f"{path.name}: is no table ({error}).") from error
    frame.columns = [str(name).strip() for name in frame.columns]
    decimal = "," if separator != "," and _has_decimal_commas(head) else "."
    return frame.fillna(""), decimal


def _has_decimal_commas(head: str) -> bool:
    cells = head.replace(";", "\t").replace("|", "\t").replace("\n", "\t").split("\t")
    return any(
        cell.strip().replace(",", "", 1).lstrip("-").isdigit() and "," in cell for cell in cells
    )


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}): check the path.") from error
    for encoding in (
        ("utf-8-sig", "utf-16") if content[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig",)
    ):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    best = from_bytes(content).best()
    if best is None or "\0" in str(best):
        raise GranuleError(f"{path.name}: is no text in a known encoding: save it as UTF-8.")
    return str(best)


def _check_columns(path: Path, frame: pd.DataFrame, columns: SeriesColumns) -> None:
    named = {f.name: getattr(columns, f.name) for f in fields(columns)}
    for role in ("time", "value", "site", "lon", "lat", "depth", "depth_to"):
        if named[role] is not None and named[role] not in frame.columns:
            raise UsageError(
                f"{path.name} has no column '{named[role]}' ({role}): it has "
                f"{', '.join(frame.columns)}."
            )


def _moments(texts: pd.Series, columns: SeriesColumns) -> pd.Series:
    """UTC times; those without a zone are of the file's."""
    plain = texts.str.strip()
    if columns.time_format is None:
        return _iso(plain, columns.timezone)
    found = pd.to_datetime(plain, format=columns.time_format, errors="coerce")
    zoned = found if found.dt.tz else _localized(found, columns.timezone)
    return pd.Series(zoned.dt.tz_convert(UTC))


def _iso(texts: pd.Series, zone: str) -> pd.Series:
    """ISO 8601, with or without a zone on each row."""
    has_zone = texts.str.contains(r"(?:Z|[+-]\d{2}:?\d{2})$", regex=True)
    found = pd.Series(pd.NaT, index=texts.index, dtype="datetime64[us, UTC]")
    for is_zoned in (True, False):
        own = texts[has_zone == is_zoned].str.replace("/", "-")
        if len(own):
            read = pd.to_datetime(own, format="ISO8601", errors="coerce", utc=is_zoned)
            if not is_zoned:
                read = _localized(read, zone).dt.tz_convert(UTC)
            found[own.index] = read.astype("datetime64[us, UTC]")
    return found


def _localized(moments: pd.Series, zone: str) -> pd.Series:
    """Local times with their zone; an hour that a change of clocks skips or repeats is missing."""
    return pd.Series(moments.dt.tz_localize(zone, ambiguous="NaT", nonexistent="NaT"))


def _numbers(texts: pd.Series, decimal: str) -> np.ndarray:
    plain = texts.str.strip()
    if decimal == ",":
        plain = plain.str.replace(".", "", regex=False).str.replace(",", ".", regex=False)
    return pd.to_numeric(plain, errors="coerce").to_numpy(np.float64)


def _place(
    frame: pd.DataFrame, name: str | None, constant: float | None, decimal: str
) -> np.ndarray:
    if name is None:
        return np.full(len(frame), np.nan if constant is None else constant)
    return _numbers(frame[name], decimal)


def _layer(
    frame: pd.DataFrame, columns: SeriesColumns, decimal: str
) -> tuple[np.ndarray, np.ndarray]:
    """Upper and lower end in metres; NaN where not told."""
    upper = _place(frame, columns.depth, columns.depth_m, decimal)
    lower = upper if columns.depth_to is None else _numbers(frame[columns.depth_to], decimal)
    return upper.astype(np.float32), lower.astype(np.float32)


def _left_out(path: Path, rows: np.ndarray) -> tuple[tuple[str, str], ...]:
    if not len(rows):
        return ()
    named = ", ".join(str(int(row) + 2) for row in rows[:MOST_TOLD])
    more = f" and {len(rows) - MOST_TOLD} more" if len(rows) > MOST_TOLD else ""
    return ((path.name, f"{len(rows)} rows without a time, place or value: {named}{more}"),)


def _first(texts: pd.Series) -> str:
    return str(texts.iloc[0]) if len(texts) else ""
