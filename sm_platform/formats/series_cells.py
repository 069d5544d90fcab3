"""The cells of a text table, whatever wrote it: encoding, separator, header and decimal sign.

Found out is only how the text is written. Legacy encodings are told apart by Vietnamese letters
(windows-1258) and Chinese ones (GB 2312); any other text of single bytes is windows-1252.
"""

import codecs
import csv
import io
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sm_platform.errors import GranuleError, UsageError

SEPARATORS = ",;\t|"
PREAMBLE = 50
"""Lines among which the header is looked for."""
MOST_LINES = 20
"""Of one row: a quotation mark that is not closed would take all rows up to the next one."""
MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
VIETNAMESE = re.compile("[\u1ea0-\u1ef9]")
"""Letters with a tone mark, which no other language of windows-1258 has."""
FOREIGN = re.compile("[\u1e00-\u1e9f]")
"""Consonants with a mark: what an Italian `però` in windows-1252 would turn to."""


@dataclass(frozen=True, slots=True)
class Cells:
    """The asked columns of a table as texts without blanks around them."""

    columns: pd.DataFrame
    lines: NDArray[np.int64]
    """Number of each row's line in the file, from 1."""
    odd_lines: NDArray[np.int64]
    """Lines of the rows that have more fields than the header, which are left out."""


def column_names(path: Path) -> list[str]:
    """Names of the header, as they stand there.

    Raises:
        GranuleError: the file is no text or no table.
        UsageError: it cannot be read.
    """
    header = _header(path, _text(path)[0], ())[2]
    _check_header(path, header, (), "")
    return header


def read_cells(path: Path, names: Sequence[str]) -> Cells:
    """Columns by name; rows without any text and lines with `#` are passed over.

    Raises:
        GranuleError: the file is no text or no table.
        UsageError: it cannot be read, or a column is not there or there twice.
    """
    text, encoding = _text(path)
    wanted = [unicodedata.normalize("NFC", name.strip()) for name in names]
    n_before, separator, header = _header(path, text, wanted)
    _check_header(path, header, wanted, encoding)
    try:
        rows = list(_rows(text, n_before, separator, is_quoted=True))
    except csv.Error:
        rows = _unquoted(path, text, n_before, separator)
    if not rows:
        raise GranuleError(f"{path.name}: has no rows below its header: bring a CSV with both.")
    return _cells(rows, header, dict(zip(names, map(header.index, wanted), strict=True)))


def _check_header(path: Path, header: Sequence[str], wanted: Sequence[str], encoding: str) -> None:
    if len(header) == 1:
        raise GranuleError(f"{path.name}: its first line has one column only: {header[0][:60]!r}.")
    for name in wanted:
        if header.count(name) != 1:
            there = "no column" if name not in header else "more than one column"
            raise UsageError(
                f"{path.name} has {there} '{name}': it has {', '.join(header)} (read as "
                f"{encoding}; where that looks wrong, save it as UTF-8)."
            )


def _cells(
    rows: list[tuple[int, list[str]]], header: Sequence[str], places: Mapping[str, int]
) -> Cells:
    n = len(header)
    odd = {line for line, row in rows if len(row) > n and "".join(row[n:]).strip()}
    kept = [(line, row) for line, row in rows if line not in odd]
    full = [row if len(row) >= n else [*row, *[""] * (n - len(row))] for _, row in kept]
    columns = {
        name: pd.Series([row[at] for row in full], dtype="str").str.strip()
        for name, at in places.items()
    }
    lines = np.array([line for line, _ in kept], np.int64)
    return Cells(pd.DataFrame(columns), lines, np.array(sorted(odd), np.int64))


def numbers(texts: pd.Series) -> NDArray[np.float64]:
    """(n,): NaN where a text is no number. Of point and comma the last is the decimal sign."""
    plain = texts.str.replace("\u2212", "-", regex=False)
    with_comma = plain.str.contains(",", regex=False)
    if with_comma.any():
        is_decimal = plain.str.rfind(",") > plain.str.rfind(".")
        as_point = plain.str.replace(".", "", regex=False).str.replace(",", ".", regex=False)
        plain = as_point.where(is_decimal, plain.str.replace(",", "", regex=False))
    return np.asarray(pd.to_numeric(plain, errors="coerce").to_numpy(np.float64))


def _text(path: Path) -> tuple[str, str]:
    """Composed letters (NFC), as keyboards write them, and the encoding that was found."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}): check the path.") from error
    encoding = next((name for mark, name in MARKS if content.startswith(mark)), None)
    for name in (encoding,) if encoding else _guesses(content):
        try:
            text = unicodedata.normalize("NFC", content.decode(name))
        except UnicodeDecodeError:
            continue
        if "\0" not in text and (name != "cp1258" or _is_vietnamese(text)):
            return text, name
    raise GranuleError(f"{path.name}: is no text in a known encoding: save it as UTF-8.")


def _guesses(content: bytes) -> tuple[str, ...]:
    """Encodings to be tried, the strictest first; latin-1 takes everything."""
    if b"\0" in content:
        return "utf-16-le", "utf-16-be"
    return "utf-8", "cp1258", "gb2312", "cp1252", "latin-1"


def _is_vietnamese(text: str) -> bool:
    """Whether tone marks are there and each stands on a letter that has it."""
    is_alone = any(unicodedata.combining(letter) for letter in set(text))
    return bool(VIETNAMESE.search(text)) and not is_alone and not FOREIGN.search(text)


def _header(path: Path, text: str, wanted: Sequence[str]) -> tuple[int, str, list[str]]:
    """Lines before the header, the separator and the names: the line that has most of the wanted.

    Among equals the first line that is no comment, and the separator with most columns.
    """
    best: tuple[tuple[int, bool, int, int], int, str, list[str]] | None = None
    lines = [line.rstrip("\n") for line, _ in zip(_lines(text), range(PREAMBLE), strict=False)]
    for number, line in enumerate(lines):
        for separator in SEPARATORS if line.strip() else "":
            names = _names(line.lstrip("#"), separator)
            n_found = len(set(wanted) & set(names))
            rank = (n_found, not line.startswith("#"), -number, len(names))
            if best is None or rank > best[0]:
                best = rank, number, separator, names
    if best is None:
        raise GranuleError(f"{path.name}: has no header and rows: bring a CSV with both.")
    return best[1], best[2], best[3]


def _names(line: str, separator: str) -> list[str]:
    try:
        return [name.strip() for name in next(csv.reader([line], delimiter=separator))]
    except csv.Error:
        return []


def _lines(text: str) -> Iterator[str]:
    return iter(io.StringIO(text, newline=None))


def _rows(
    text: str, n_before: int, separator: str, *, is_quoted: bool
) -> Iterator[tuple[int, list[str]]]:
    """Number of a row's last line in the file, and its fields.

    Raises:
        csv.Error: a quotation mark is not closed.
    """
    lines = _lines(text)
    for _ in range(n_before + 1):
        next(lines)
    quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if is_quoted else csv.QUOTE_NONE
    reader = csv.reader(lines, delimiter=separator, quoting=quoting, strict=True)
    before = 0
    for row in reader:
        if reader.line_num - before > MOST_LINES:
            raise csv.Error
        before = reader.line_num
        if "".join(row).strip() and not row[0].startswith("#"):
            yield before + n_before + 1, row


def _unquoted(path: Path, text: str, n_before: int, separator: str) -> list[tuple[int, list[str]]]:
    """Each line a row: what a stray quotation mark would swallow is read."""
    try:
        rows = list(_rows(text, n_before, separator, is_quoted=False))
    except csv.Error as error:
        raise GranuleError(f"{path.name}: is no table ({error}): bring a CSV.") from error
    return [(line, [cell.strip().strip('"') for cell in row]) for line, row in rows]
