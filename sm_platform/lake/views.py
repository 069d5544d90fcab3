"""DuckDB views over the lake: one per table that has files, on an in-memory connection.

DuckDB is imported when it is first used: held by a module that lives to the end of the process, it
complains there of leaks.
"""

from __future__ import annotations

import glob
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from sm_platform.lake.day_status import COLUMN_MEANINGS, DAY_STATUS, MEANING, day_status_sql
from sm_platform.lake.layout import PART, SIDECAR, Layout
from sm_platform.schema.model_tables import SM_MAPS
from sm_platform.schema.tables import Table

if TYPE_CHECKING:
    import duckdb

GRANULE_COLUMNS = {
    "region": "varchar",
    "product": "varchar",
    "granule_id": "varchar",
    "day": "date",
    "source": "varchar",
    "format": "varchar",
    "files": "varchar[]",
    "size_bytes": "bigint",
    "sha256": "varchar",
    "available_utc": "timestamptz",
    "retrieved_utc": "timestamptz",
    "licence": "varchar",
    "citation": "varchar",
    "hrefs": "varchar[]",
    "requests": "bigint",
    "received_bytes": "bigint",
    "eecu_s": "double",
}
"""Named, because guessing them opens every sidecar before the first query."""
FAILURE_COLUMNS = {
    "region": "varchar",
    "asset": "varchar",
    "day": "date",
    "reason": "varchar",
    "is_passing": "boolean",
}
SPENDING_COLUMNS = {
    "region": "varchar",
    "service": "varchar",
    "product": "varchar",
    "granule_id": "varchar",
    "spent_utc": "timestamptz",
    "requests": "bigint",
    "received_bytes": "bigint",
    "eecu_s": "double",
    "seconds": "double",
    "is_whole": "boolean",
}
SPENDING = "*/*.jsonl"
FAILURES = "*/*/*.json"
SIDECAR_BYTES = 1 << 16
SIDECARS = f"*/*/*/*/{SIDECAR}"


def connect(layout: Layout, tables: Iterable[Table]) -> duckdb.DuckDBPyConnection:
    """A connection with a view per table, `granule_log`, `spending`, `failed_days`, `day_status`.

    Nothing is copied.

    A dated table gains `region_id` and `day` from its path, the others `region_id`. What a table
    and its columns mean, with units, stands in `duckdb_views()` and `duckdb_columns()` (comment).
    """
    import duckdb

    connection = duckdb.connect(":memory:")
    connection.execute("set TimeZone = 'UTC'")
    connection.execute("set python_enable_replacements = false")
    for table in tables:
        if any(layout.table(table.name).glob(_parts(table))):
            connection.execute(f"create view {table.name} as {_select(layout, table)}")
            _comment(connection, table)
    if any((layout.root / "granules").glob(SIDECARS)):
        connection.execute(f"create view granule_log as {_granules(layout)}")
    if any((layout.root / "spending").glob(SPENDING)):
        books = _quoted(layout.root / "spending", SPENDING)
        rows = _json_files(books, SPENDING_COLUMNS, kind="newline_delimited")
        connection.execute(f"create view spending as {rows}")
    connection.execute(f"create view failed_days as {_failures(layout)}")
    _tell_days(connection)
    return connection


def _tell_days(connection: duckdb.DuckDBPyConnection) -> None:
    """A view of what became of each day; without a day where nothing was looked at yet."""
    there = {row[0] for row in connection.execute("show tables").fetchall()}
    query = day_status_sql(has_maps=SM_MAPS.name in there)
    connection.execute(f"create view {DAY_STATUS} as {query}")
    connection.execute(f"comment on view {DAY_STATUS} is {_text(MEANING)}")
    for name, meaning in COLUMN_MEANINGS.items():
        connection.execute(f"comment on column {DAY_STATUS}.{name} is {_text(meaning)}")


def _comment(connection: duckdb.DuckDBPyConnection, table: Table) -> None:
    """Meaning and unit of the columns that the files have."""
    connection.execute(f"comment on view {table.name} is {_text(table.meaning)}")
    there = {row[0] for row in connection.execute(f"describe {table.name}").fetchall()}
    for column in table.columns:
        if column.name in there:
            told = _text(column.described)
            connection.execute(f"comment on column {table.name}.{column.name} is {told}")


def _text(words: str) -> str:
    return "'" + words.replace("'", "''") + "'"


def _parts(table: Table) -> str:
    return f"region=*/day=*/{PART}" if table.is_dated else f"region=*/{PART}"


def _quoted(folder: Path, pattern: str) -> str:
    """Files below a folder as an SQL text; only the pattern's stars are stars."""
    return _text(f"{glob.escape(str(folder))}/{pattern}")


def _select(layout: Layout, table: Table) -> str:
    files = _quoted(layout.table(table.name), _parts(table))
    types = "{'region': varchar, 'day': date}" if table.is_dated else "{'region': varchar}"
    own = any(column.name == "region_id" for column in table.columns)
    shown = "* exclude (region)" if own else "region as region_id, * exclude (region)"
    # A column that a table gained is absent from files written before. The few files of an undated
    # one may all be opened to see; of a dated one there are thousands, and they are made again.
    by_name = "" if table.is_dated else ", union_by_name = true"
    return (
        f"select {shown} from read_parquet({files}, hive_partitioning = true, "
        f"hive_types = {types}{by_name})"
    )


def _granules(layout: Layout) -> str:
    return _json_files(_quoted(layout.root / "granules", SIDECARS), GRANULE_COLUMNS)


def _failures(layout: Layout) -> str:
    """There where nothing has failed as well: whoever asks then learns it."""
    if not any((layout.root / "failures").glob(FAILURES)):
        columns = {
            "region_id" if name == "region" else name: kind
            for name, kind in FAILURE_COLUMNS.items()
        }
        nulls = ", ".join(f"null::{kind} as {name}" for name, kind in columns.items())
        return f"select {nulls} where false"
    return _json_files(_quoted(layout.root / "failures", FAILURES), FAILURE_COLUMNS)


def _json_files(files: str, types: Mapping[str, str], *, kind: str = "unstructured") -> str:
    columns = ", ".join(f"{name}: '{kind}'" for name, kind in types.items())
    return (
        f"select region as region_id, * exclude (region) from read_json({files}, "
        f"columns = {{{columns}}}, format = '{kind}', maximum_object_size = {SIDECAR_BYTES})"
    )
