"""Series of the International Soil Moisture Network (.stm) in its three layouts.

- header and values: a first line with network, station, place, layer and sensor, then
  `yyyy/mm/dd HH:MM value flag provider_flag`;
- CEOP, separate files: all of that on each row, one variable a file;
- CEOP: all variables of a depth on each row, temperature before soil moisture.

Times are UTC, soil moisture is m3/m3. Of the flags only `G` is good (ISMN data format and quality
flags; Dorigo et al. 2013, 10.2136/vzj2012.0097); they may be joined, as `C03,D10`.
"""

import io
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from sm_platform.errors import GranuleError
from sm_platform.formats.safe_zip import unpacked
from sm_platform.formats.series_file import SeriesFile
from sm_platform.schema.readings import READINGS

SUFFIX = ".stm"
GOOD = "G"
MISSING = "M"
MISSING_BELOW = -99.0
"""-999.99 and -9999 stand for a missing hour."""
VARIABLE = re.compile(r"_([a-z][a-z0-9]*)_(-?\d+\.\d+)_(-?\d+\.\d+)_(.+)_\d{8}_\d{8}$")
"""In a file name: variable, layer and sensor."""
SOIL_MOISTURE = "sm"
DATE = re.compile(r"\d{4}/\d{2}/\d{2}")
HEADER_ROW, SEPARATE_ROW, CEOP_ROW = 5, 15, 16
"""Fields of a row in the three layouts (names without blanks)."""


@dataclass(frozen=True, slots=True)
class _Series:
    """Where a series was taken."""

    station_id: str
    lon: float
    lat: float
    depth_from_m: float
    depth_to_m: float
    sensor: str | None


def read_ismn(path: Path) -> SeriesFile:
    """Soil moisture of one file, of a folder with all below it, or of a zip.

    Files of other variables are passed over; a damaged one is named and the rest is read.

    Raises:
        GranuleError: no file of soil moisture can be read.
    """
    if path.is_dir():
        return _of_files(path, sorted(path.rglob("*")))
    if path.suffix.lower() == ".zip":
        with tempfile.TemporaryDirectory() as folder:
            unpacked(path, Path(folder))
            return _of_files(path, sorted(Path(folder).rglob("*")))
    return _of_files(path, [path])


def _of_files(path: Path, files: list[Path]) -> SeriesFile:
    parts: list[pa.Table] = []
    skipped: list[tuple[str, str]] = []
    for file in files:
        if file.suffix.lower() == ".zip" and file != path:
            inner = read_ismn(file)
            parts.append(inner.readings)
            skipped += inner.skipped
        elif file.suffix.lower() == SUFFIX and _variable(file) in (None, SOIL_MOISTURE):
            try:
                table, n_broken = _read(file)
            except GranuleError as error:
                skipped.append((file.name, str(error)))
                continue
            parts.append(table)
            if n_broken:
                skipped.append((file.name, f"{n_broken} rows cannot be read"))
    if not parts:
        why = f" ({skipped[0][1]})" if skipped else ""
        raise GranuleError(
            f"{path.name}: holds no series of soil moisture (*_sm_*{SUFFIX}){why}: bring an ISMN "
            "download with the variable soil moisture."
        )
    return SeriesFile(pa.concat_tables(parts), tuple(skipped))


def _variable(file: Path) -> str | None:
    found = VARIABLE.search(file.stem)
    return found.group(1) if found else None


def _read(file: Path) -> tuple[pa.Table, int]:
    lines = _lines(file)
    fields = lines[0].split()
    if not DATE.fullmatch(fields[0]):
        rows = _rows(lines[1:], HEADER_ROW)
        return _table(rows, _of_header(file, fields), (rows[2], rows[3]))
    if len(fields) == CEOP_ROW:
        return _ceop(file, _rows(lines, CEOP_ROW))
    if len(fields) == SEPARATE_ROW:
        rows = _rows(lines, SEPARATE_ROW)
        return _table(rows, _of_row(file, fields), (rows[12], rows[13]))
    raise GranuleError(f"{file.name}: a row of {len(fields)} fields is no ISMN layout.")


def _lines(file: Path) -> list[str]:
    """Lines that hold something, whatever ends them."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise GranuleError(f"{file.name}: cannot be read ({error.strerror}).") from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    lines = [line for line in re.split(r"[\r\n]+", text) if line.strip()]
    if not lines or "\0" in text:
        raise GranuleError(f"{file.name}: is empty or no text: fetch it again.")
    return lines


def _rows(lines: list[str], n_fields: int) -> pd.DataFrame:
    """Fields by number, as texts; NaN where a row is short."""
    if not lines:
        return pd.DataFrame({n: pd.Series(dtype=str) for n in range(n_fields)})
    body = io.StringIO("\n".join(lines))
    return pd.read_csv(
        body,
        sep=r"\s+",
        header=None,
        names=list(range(n_fields)),
        usecols=list(range(n_fields)),
        dtype=str,
        keep_default_na=False,
        na_values=[],
        on_bad_lines="skip",
        index_col=False,
    )


def _of_header(file: Path, fields: list[str]) -> _Series:
    """Names may hold blanks: what follows them are five numbers, then the sensor."""
    for n in range(3, len(fields) - 4):
        numbers = [_number(text) for text in fields[n : n + 5]]
        if not np.isnan([*numbers[:2], *numbers[3:]]).any():
            lat, lon, _, first, last = numbers
            sensor = " ".join(fields[n + 5 :]) or _sensor(file)
            name = f"{fields[1]}/{' '.join(fields[2:n])}"
            return _Series(name, lon, lat, first, last, sensor)
    raise GranuleError(f"{file.name}: its first line tells no place and layer: fetch it again.")


def _of_row(file: Path, fields: list[str]) -> _Series:
    lat, lon, _, first, last = (_number(text) for text in fields[7:12])
    if np.isnan([lat, lon, first, last]).any():
        raise GranuleError(f"{file.name}: its first row tells no place and layer.")
    return _Series(f"{fields[5]}/{fields[6]}", lon, lat, first, last, _sensor(file))


def _ceop(file: Path, rows: pd.DataFrame) -> tuple[pa.Table, int]:
    """Soil moisture of all depths, in the order of the file."""
    depth = pd.to_numeric(rows[11], errors="coerce").to_numpy(np.float32)
    first = _Series(
        f"{rows[5].iloc[0]}/{rows[6].iloc[0]}",
        _number(rows[8].iloc[0]),
        _number(rows[7].iloc[0]),
        0.0,
        0.0,
        None,
    )
    if np.isnan([first.lon, first.lat]).any():
        raise GranuleError(f"{file.name}: its first row tells no place: fetch it again.")
    return _table(rows, first, (rows[14], rows[15]), depth)


def _table(
    rows: pd.DataFrame,
    series: _Series,
    told: tuple[pd.Series, pd.Series],
    depth: np.ndarray | None = None,
) -> tuple[pa.Table, int]:
    """Readings of the rows that can be read, and how many cannot."""
    moments = pd.to_datetime(
        rows[0].astype(str) + " " + rows[1].astype(str),
        format="%Y/%m/%d %H:%M",
        errors="coerce",
        utc=True,
    )
    value = pd.to_numeric(told[0], errors="coerce").to_numpy(np.float64)
    flag = told[1].astype(str).to_numpy(object)
    is_read = moments.notna().to_numpy() & ~np.isnan(value)
    is_missing = value <= MISSING_BELOW
    reason = np.where(is_missing, f"ismn {MISSING}", "ismn " + flag.astype(str))
    is_good = (flag == GOOD) & ~is_missing
    n = int(is_read.sum())
    layer = np.full(len(rows), 0, np.float32) if depth is None else depth
    columns = {
        "station_id": pa.array([series.station_id] * n, pa.string()),
        "lon_deg": np.full(n, series.lon),
        "lat_deg": np.full(n, series.lat),
        "depth_from_m": (layer + np.float32(series.depth_from_m))[is_read],
        "depth_to_m": (layer + np.float32(series.depth_to_m))[is_read],
        "sensor": pa.array([series.sensor] * n, pa.string()),
        "sensed_utc": pa.Array.from_pandas(moments[is_read]).cast(pa.timestamp("us", tz="UTC")),
        "sm_m3m3": pa.array(value[is_read].astype(np.float32), mask=is_missing[is_read]),
        "provider_reason": pa.array(reason[is_read], pa.string(), mask=is_good[is_read]),
    }
    return pa.table(columns, schema=READINGS), len(rows) - n


def _sensor(file: Path) -> str | None:
    found = VARIABLE.search(file.stem)
    return found.group(4) if found else None


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")
