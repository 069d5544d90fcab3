"""CSV files as people and programs write them, and the cell that is wrong in them."""

import csv
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as pa_csv

from sm_platform.errors import DataError

_SNIFFED_BYTES = 1 << 16
_DECIMAL_COMMA = re.compile(r"(?:^|[;\t])\s*-?\d+,\d+\s*(?:[;\t\r\n]|$)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class _Dialect:
    names: tuple[str, ...]
    delimiter: str
    decimal_point: str


def column_names(path: Path) -> tuple[str, ...]:
    """Names in the header; raises DataError when the file is not text in UTF-8."""
    return _dialect(path).names


def read_csv(
    path: Path, types: Mapping[str, pa.DataType], required: Collection[str] = ()
) -> pa.Table:
    """Those columns of a CSV that `types` names, as far as it has them; an empty cell is null.

    Comma, semicolon or tab between the cells; a decimal comma with the latter two; a byte order
    mark is passed over. Columns that `types` does not name are not read.

    Raises:
        DataError: no such file, a required column is absent, one is there twice, a row is broken
            or a cell is not what its column holds (the row counts from 1 after the header).
    """
    dialect = _dialect(path)
    _check_names(path, dialect.names, types, required)
    wanted = {name: kind for name, kind in types.items() if name in dialect.names}
    try:
        table = _parse(path, dialect, wanted)
    except pa.ArrowInvalid as error:
        raise DataError(_what_is_wrong(path, dialect, wanted, error)) from error
    return table


def write_csv(table: pa.Table, path: Path) -> None:
    """Write the table; every number with the fewest digits that give it back exactly."""
    pa_csv.write_csv(table, path)


def _dialect(path: Path) -> _Dialect:
    if not path.is_file():
        raise DataError(f"There is no file {path.name} in {path.parent}.")
    with path.open("rb") as file:
        head = file.read(_SNIFFED_BYTES)
    try:
        text = head.decode("utf-8-sig", errors="strict" if len(head) < _SNIFFED_BYTES else "ignore")
    except UnicodeDecodeError as error:
        raise DataError(f"{path.name} is not text in UTF-8: save it as CSV UTF-8.") from error
    header = text.splitlines()[0] if text.strip() else ""
    if not header or "\0" in header:
        raise DataError(f"{path.name} has no header: it is empty or not a CSV file.")
    delimiter = max(",;\t", key=header.count)
    names = tuple(name.strip() for name in next(csv.reader([header], delimiter=delimiter)))
    is_comma = delimiter != "," and _DECIMAL_COMMA.search(text.partition("\n")[2]) is not None
    return _Dialect(names, delimiter, "," if is_comma else ".")


def _check_names(
    path: Path,
    names: tuple[str, ...],
    types: Mapping[str, pa.DataType],
    required: Collection[str],
) -> None:
    absent = [name for name in required if name not in names]
    if absent:
        shown = ", ".join(absent[:5]) + (f" and {len(absent) - 5} more" if absent[5:] else "")
        raise DataError(f"{path.name} has no column {shown}: it has {', '.join(names[:8])} ...")
    twice = [name for name in types if names.count(name) > 1]
    if twice:
        raise DataError(f"{path.name} has column {twice[0]} twice: keep one.")


def _parse(
    path: Path, dialect: _Dialect, types: Mapping[str, pa.DataType], *, threads: bool = True
) -> pa.Table:
    unread = (
        f" {place}" if name not in types else name for place, name in enumerate(dialect.names)
    )
    return pa_csv.read_csv(
        path,
        read_options=pa_csv.ReadOptions(
            column_names=list(unread), skip_rows=1, use_threads=threads
        ),
        parse_options=pa_csv.ParseOptions(delimiter=dialect.delimiter, newlines_in_values=True),
        convert_options=pa_csv.ConvertOptions(
            column_types=dict(types),
            include_columns=list(types),
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            decimal_point=dialect.decimal_point,
        ),
    )


def _what_is_wrong(
    path: Path, dialect: _Dialect, types: Mapping[str, pa.DataType], error: pa.ArrowInvalid
) -> str:
    """The first cell that cannot be read, or what the parser says of a broken row."""
    try:
        texts = _parse(path, dialect, dict.fromkeys(types, pa.string()), threads=False)
    except pa.ArrowInvalid as broken:
        first = str(broken).splitlines()[0][:200]
        return f"{path.name} cannot be read: {first}; each row needs {len(dialect.names)} cells."
    for name, kind in types.items():
        row = _first_bad(texts[name], kind, dialect.decimal_point)
        if row is not None:
            return (
                f"{path.name}: row {row + 1}, column {name} holds '{texts[name][row]}', which is "
                f"not {_said(kind)}: correct it, or leave the cell empty when it is missing."
            )
    return f"{path.name} cannot be read: {error}."


def _first_bad(texts: pa.ChunkedArray, kind: pa.DataType, decimal_point: str) -> int | None:
    """Row of the first text that cannot become that type, by halving; None when all can."""
    plain = pc.replace_substring(texts, ",", ".") if decimal_point == "," else texts
    if _casts(plain, kind):
        return None
    low, high = 0, len(plain)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if not _casts(plain[low:middle], kind) else (middle, high)
    return low


def _casts(texts: pa.ChunkedArray, kind: pa.DataType) -> bool:
    try:
        texts.cast(kind)
    except pa.ArrowInvalid:
        return False
    return True


def _said(kind: pa.DataType) -> str:
    if pa.types.is_floating(kind):
        return "a number"
    if pa.types.is_integer(kind):
        return f"a whole number ({kind})"
    if pa.types.is_timestamp(kind):
        return "a UTC time such as 2025-01-03 22:51:00Z"
    return "true or false" if pa.types.is_boolean(kind) else f"of type {kind}"
