"""One series file of the International Soil Moisture Network in any of its three layouts.

- header and values: a first line with network, station, place, layer and sensor, then
  `yyyy/mm/dd HH:MM value flag provider_flag`;
- CEOP, separate files: all of that on each row, one variable a file;
- CEOP: all variables of a depth on each row, temperature before soil moisture.

Times are UTC, soil moisture is m3/m3. Of the flags only `G` is good (ISMN data format and quality
flags; Dorigo et al. 2013, 10.2136/vzj2012.0097); they may be joined, as `C03,D10`.
"""

import csv
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from sm_platform.errors import GranuleError
from sm_platform.formats.ismn_place import DATE, Place, is_number, place_of_header, place_of_row
from sm_platform.schema.readings import READINGS

GOOD = "G"
MISSING = "M"
MISSING_BELOW = -99.0
"""-999.99 and -9999 stand for a missing hour."""
NO_NUMBER = ("nan", "na")
"""Written by some for a missing hour, in any case of letters."""
NETWORK = 5
"""Field of the network on a row that tells its place; the station's name follows."""


@dataclass(frozen=True, slots=True)
class _Layout:
    """Numbers of the fields on a row."""

    value: int
    flag: int
    place: tuple[int, int, int, int] | None = None
    """Latitude, longitude, upper and lower end of the layer; None when a header tells them."""

    @property
    def names(self) -> list[int]:
        """Fields of the network and the words of the station's name."""
        return list(range(NETWORK, self.place[0])) if self.place else []

    @property
    def numbers(self) -> list[int]:
        """Fields of the place and the layer."""
        return list(dict.fromkeys(self.place or ()))


HEADER = _Layout(value=2, flag=3)
ROW_ENDS = (("nn..nntnt", 7, (4, 4)), ("nn.nnnt.", 5, (3, 4)), ("nn.nnnt", 5, (3, 4)))
"""Numbers and texts from the latitude on, then the place of the value and of the layer's ends among
them: in the CEOP layout, in its separate files, and in those without a provider's flag."""


def read_stm(file: Path) -> tuple[pa.Table, int]:
    """Readings (columns of `READINGS`) in the order of the file, and how many rows are no reading.

    Raises:
        GranuleError: the file is empty, in no layout of the ISMN, or none of its rows can be read.
    """
    content, encoding = _content(file)
    first, _, rest = content.partition(b"\n")
    fields = first.decode(encoding).split()
    if DATE.fullmatch(fields[0]):
        layout = _layout(file, fields)
        rows = _rows(file, content, layout, encoding)
        places, number = _places(file, rows, layout)
    else:
        rows, layout = _rows(file, rest, HEADER, encoding), HEADER
        places, number = [place_of_header(file, fields)], np.zeros(len(rows), np.int64)
    readings = _readings(rows, layout, (places, number))
    if len(rows) and not readings.num_rows:
        raise GranuleError(f"{file.name}: none of its rows can be read: fetch it again.")
    return readings, len(rows) - readings.num_rows


def _content(file: Path) -> tuple[bytes, str]:
    """What stands in the file, each line ended by a line feed, and its encoding."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise GranuleError(f"{file.name}: cannot be read ({error.strerror}).") from error
    content = content.removeprefix(b"\xef\xbb\xbf").lstrip().replace(b"\r", b"\n")
    if not content or b"\0" in content:
        raise GranuleError(f"{file.name}: is empty or no text: fetch it again.")
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return content, "latin-1"
    return content, "utf-8"


def _layout(file: Path, fields: Sequence[str]) -> _Layout:
    """Told from the end of the first row: names may hold blanks, what follows them may not."""
    n, kinds = len(fields), "".join("n" if is_number(text) else "t" for text in fields)
    for end, value, layer in ROW_ENDS:
        lat = n - len(end)
        if lat >= NETWORK + 2 and re.search(f"{end}$", kinds):
            upper, lower = (lat + place for place in layer)
            return _Layout(lat + value, lat + value + 1, (lat, lat + 1, upper, lower))
    raise GranuleError(f"{file.name}: a row of {n} fields is in no layout of the ISMN.")


def _rows(file: Path, content: bytes, layout: _Layout, encoding: str) -> pd.DataFrame:
    """The needed fields by number, as categories: each different text is looked at once.

    A field that a row lacks is an empty text.
    """
    others = [0, 1, *layout.numbers, layout.value, layout.flag]
    # Of categories that are all numbers pandas makes numbers: a station 007 would lose its zeros.
    kinds = dict.fromkeys(others, "category") | dict.fromkeys(layout.names, "str")
    try:
        rows = pd.read_csv(
            io.BytesIO(content),
            sep=r"\s+",
            header=None,
            names=list(range(layout.flag + 1)),
            usecols=list(kinds),
            dtype=kinds,
            keep_default_na=False,
            quoting=csv.QUOTE_NONE,
            index_col=False,
            encoding=encoding,
        )
    except pd.errors.EmptyDataError:
        rows = pd.DataFrame({field: pd.Series([], dtype="str") for field in kinds})
    except pd.errors.ParserError as error:  # not a single row is long enough
        raise GranuleError(f"{file.name}: none of its rows can be read: fetch it again.") from error
    return rows.astype("category")


def _places(
    file: Path, rows: pd.DataFrame, layout: _Layout
) -> tuple[list[Place], NDArray[np.int64]]:
    """The different places that the rows tell, and (n,) the number of each row's."""
    fields = layout.names + layout.numbers
    number = np.asarray(rows.groupby(fields, observed=True, sort=False).ngroup(), np.int64)
    firsts = rows[fields].iloc[np.unique(number, return_index=True)[1]]
    n_names = len(layout.names)
    told = ([str(text) for text in row] for row in firsts.itertuples(index=False))
    return [place_of_row(file, row[:n_names], row[n_names:]) for row in told], number


def _readings(
    rows: pd.DataFrame, layout: _Layout, where: tuple[list[Place], NDArray[np.int64]]
) -> pa.Table:
    """Readings of the rows that can be read."""
    places, number = where
    day, minute = _each(rows[0], _days), _each(rows[1], _minutes)
    value, is_missing = _each(rows[layout.value], _values), _each(rows[layout.value], _is_missing)
    is_placed = np.array([place.is_known for place in places], np.bool_)[number]
    has_flag = _each(rows[layout.flag], lambda flags: flags != "")
    is_read = ~np.isnat(day) & ~np.isnat(minute) & is_placed & has_flag
    is_read &= is_missing | ~np.isnan(value)
    is_missing, number = is_missing[is_read], pa.array(number[is_read])
    reason = _each(rows[layout.flag], _reasons)[is_read]
    columns = {
        name: pa.array([getattr(place, name) for place in places]).take(number)
        for name in READINGS.names[:6]
    }
    moments = (day + minute)[is_read]
    columns |= {
        "sensed_utc": pa.array(moments).cast(pa.timestamp("us", tz="UTC")),
        "sm_m3m3": pa.array(value[is_read].astype(np.float32), mask=is_missing),
        "provider_reason": pa.array(np.where(is_missing, f"ismn {MISSING}", reason), pa.string()),
    }
    return pa.table(columns).cast(READINGS)


def _each(column: pd.Series, look: Callable[[pd.Index], Any]) -> NDArray[Any]:
    """(n,): what a function tells of each different text, put back on the rows."""
    told = np.asarray(look(column.cat.categories.astype(str)))
    return told[column.cat.codes.to_numpy()]


def _days(texts: pd.Index) -> NDArray[np.datetime64]:
    found = pd.to_datetime(texts, format="%Y/%m/%d", errors="coerce")
    return found.to_numpy().astype("datetime64[us]")


def _minutes(texts: pd.Index) -> NDArray[np.timedelta64]:
    found = pd.to_datetime(texts, format="%H:%M", errors="coerce").to_numpy()
    return found.astype("datetime64[us]") - np.datetime64("1900-01-01", "us")


def _values(texts: pd.Index) -> NDArray[np.float64]:
    return pd.to_numeric(pd.Series(texts), errors="coerce").to_numpy(np.float64)


def _is_missing(texts: pd.Index) -> NDArray[np.bool_]:
    return (_values(texts) <= MISSING_BELOW) | texts.str.lower().isin(NO_NUMBER)


def _reasons(flags: pd.Index) -> list[str | None]:
    return [None if flag == GOOD else f"ismn {flag}" for flag in flags]
