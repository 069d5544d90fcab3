"""Tables: written whole with their contract enforced, read by region and days.

A partition is one Parquet file. Beside the rows it carries a note (JSON in the file's metadata):
status, the hash of the inputs it was made from, grid, recipe - whatever its maker wants to find
again without reading the rows. Same rows and note, same bytes.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from sm_platform.errors import LakeError
from sm_platform.lake.atomic import replacing_file
from sm_platform.lake.layout import PART, Layout
from sm_platform.schema.tables import Table

NOTE = b"sm_platform"


@dataclass(frozen=True, slots=True)
class Partition:
    """Rows of one partition with the note its maker left."""

    rows: pa.Table
    note: Mapping[str, Any]


def write(
    layout: Layout,
    table: Table,
    rows: pa.Table,
    *,
    region: str,
    day: date | None = None,
    note: Mapping[str, Any] | None = None,
) -> Path:
    """Replace one partition whole; returns its file.

    Raises:
        LakeError: the rows break the table's contract, or the lake cannot be written.
    """
    told = {NOTE: json.dumps(note or {}, sort_keys=True).encode()}
    whole = check(table, rows).combine_chunks()  # Arrow ends pages of lists where chunks end
    checked = whole.replace_schema_metadata(told)
    part = layout.part(table.name, region, day)
    with replacing_file(part, layout.aside) as draft:
        pq.write_table(
            checked,
            draft,
            compression="zstd",
            use_dictionary=_repeating(checked.schema),
            write_page_index=True,
            write_page_checksum=True,
        )
    return part


def _repeating(schema: pa.Schema) -> list[str]:
    """Columns worth a dictionary: floats hardly repeat, and looking for it takes most of a write.

    Of 1,000 rows of 153 floats the write took 32 ms with dictionaries and 3.5 ms without. Lists
    (of floats, or of a few ids) get none either: Parquet would know them by another name.
    """
    plain = (pa.types.is_floating, pa.types.is_list, pa.types.is_fixed_size_list)
    return [field.name for field in schema if not any(is_(field.type) for is_ in plain)]


def check(table: Table, rows: pa.Table) -> pa.Table:
    """The rows in the contract's order and types, NaN as null.

    Raises:
        LakeError: naming a column that is absent, of another type, missing or out of range; two
            rows have the same keys.
    """
    missing = [c.name for c in table.columns if c.name not in rows.column_names]
    if missing:
        raise LakeError(f"Rows for {table.name} have no column {', '.join(missing)}.")
    try:
        chosen = rows.select([c.name for c in table.columns])
        _check_texts(table, chosen)
        cast = _without_nan(chosen.cast(table.arrow_schema))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, ValueError) as error:
        raise LakeError(f"Rows do not fit the contract of {table.name}: {error}.") from error
    for column in table.columns:
        values = cast.column(column.name)
        if not column.is_nullable and values.null_count:
            raise LakeError(f"{table.name}.{column.name} is missing in {values.null_count} rows.")
        if column.low is not None or column.high is not None:
            _check_range(table, column.name, values, (column.low, column.high))
    _check_keys(table, cast)
    return cast


def note_of(
    layout: Layout, table: Table, region: str, day: date | None = None
) -> dict[str, Any] | None:
    """The note of a partition (a dict), None when it has not been made."""
    part = layout.part(table.name, region, day)
    if not part.is_file():
        return None
    with _readable(part):
        return _note(pq.ParquetFile(part).schema_arrow)


def read(
    layout: Layout,
    table: Table,
    region: str,
    day: date | None = None,
    *,
    columns: Sequence[str] | None = None,
) -> Partition | None:
    """One partition, None when it has not been made; raises LakeError when it is damaged."""
    part = layout.part(table.name, region, day)
    if not part.is_file():
        return None
    with _readable(part):
        file = pq.ParquetFile(part, page_checksum_verification=True)
        rows = file.read(columns=list(columns) if columns else None)
        return Partition(rows, _note(file.schema_arrow))


def days_made(layout: Layout, table: Table, region: str) -> list[date]:
    """The days of a region whose partition exists, in order."""
    folder = layout.part(table.name, region, None).parent
    days = (part.parent.name for part in folder.glob(f"day=*/{PART}"))
    return sorted(date.fromisoformat(day.removeprefix("day=")) for day in days)


def written_ns(layout: Layout, table: Table, region: str, day: date | None = None) -> int | None:
    """When a partition was put in its place, nanoseconds since 1970; None when it is not made."""
    try:
        return layout.part(table.name, region, day).stat().st_mtime_ns
    except OSError:
        return None


def regions_made(layout: Layout, table: Table) -> list[str]:
    """The regions with a partition of an undated table, in order."""
    parts = layout.table(table.name).glob(f"region=*/{PART}")
    return sorted(part.parent.name.removeprefix("region=") for part in parts)


def regions_stored(layout: Layout, table: Table) -> list[str]:
    """The regions with any partition of a table, in order; an emptied folder is none."""
    parts = f"day=*/{PART}" if table.is_dated else PART
    folders = layout.table(table.name).glob("region=*")
    return sorted(
        folder.name.removeprefix("region=") for folder in folders if any(folder.glob(parts))
    )


@contextmanager
def _readable(part: Path) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError, ValueError) as error:
        raise LakeError(
            f"{part} cannot be read ({error}): remove it and run its step again."
        ) from error


def _note(schema: pa.Schema) -> dict[str, Any]:
    note: dict[str, Any] = json.loads((schema.metadata or {}).get(NOTE, b"{}"))
    return note


def _check_texts(table: Table, rows: pa.Table) -> None:
    """A cast would also read numbers out of texts, and write them as texts."""
    for column, found in zip(table.columns, rows.schema.types, strict=True):
        if not pa.types.is_null(found) and _is_text(column.type) != _is_text(found):
            raise LakeError(f"{table.name}.{column.name} is {found}, not {column.type}.")


def _is_text(found: pa.DataType) -> bool:
    kind = found.value_type if pa.types.is_dictionary(found) else found
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _without_nan(rows: pa.Table) -> pa.Table:
    for number, field in enumerate(rows.schema):
        values = rows.column(number)
        if pa.types.is_floating(field.type) and pc.any(pc.is_nan(values)).as_py():
            rows = rows.set_column(number, field, pc.if_else(pc.is_nan(values), None, values))
    return rows


def _check_keys(table: Table, rows: pa.Table) -> None:
    keys = list(table.keys)
    named = rows.select(keys).drop_null()  # a day without a map has rows that name none
    n_twice = named.num_rows - named.group_by(keys).aggregate([]).num_rows
    if n_twice:
        raise LakeError(
            f"{table.name} would hold {n_twice} rows twice: {', '.join(keys)} tell its rows apart."
        )


def _check_range(
    table: Table, name: str, values: pa.ChunkedArray, bounds: tuple[float | None, float | None]
) -> None:
    found = pc.min_max(values, skip_nulls=True).as_py()
    low, high = bounds
    if found["min"] is None:
        return
    if (low is not None and found["min"] < low - 1e-6) or (
        high is not None and found["max"] > high + 1e-6
    ):
        raise LakeError(
            f"{table.name}.{name} holds {found['min']:g}..{found['max']:g}, outside {low}..{high}."
        )
