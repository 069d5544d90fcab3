"""DuckDB views over the lake: one per table that has files, on an in-memory connection."""

from collections.abc import Iterable

import duckdb

from sm_platform.lake.layout import Layout
from sm_platform.schema.tables import Table

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
}
"""Named, because guessing them opens every sidecar before the first query."""
SIDECAR_BYTES = 1 << 16


def connect(layout: Layout, tables: Iterable[Table]) -> duckdb.DuckDBPyConnection:
    """A connection with a view per table and `granule_log`; nothing is copied or kept.

    A dated table gains `region_id` and `day` from its path, the others `region_id`.
    """
    connection = duckdb.connect(":memory:")
    connection.execute("set TimeZone = 'UTC'")
    for table in tables:
        if any(layout.table(table.name).glob("region=*")):
            connection.execute(f"create view {table.name} as {_select(layout, table)}")
    if any((layout.root / "granules").glob("*/*/*/*/granule.json")):
        connection.execute(f"create view granule_log as {_granules(layout)}")
    return connection


def _select(layout: Layout, table: Table) -> str:
    levels = "region=*/day=*" if table.is_dated else "region=*"
    files = f"{layout.table(table.name)}/{levels}/part.parquet".replace("'", "''")
    types = "{'region': varchar, 'day': date}" if table.is_dated else "{'region': varchar}"
    own = any(column.name == "region_id" for column in table.columns)
    shown = "* exclude (region)" if own else "region as region_id, * exclude (region)"
    return (
        f"select {shown} from read_parquet('{files}', hive_partitioning = true, "
        f"hive_types = {types})"
    )


def _granules(layout: Layout) -> str:
    files = f"{layout.root}/granules/*/*/*/*/granule.json".replace("'", "''")
    columns = ", ".join(f"{name}: '{kind}'" for name, kind in GRANULE_COLUMNS.items())
    return (
        f"select * from read_json('{files}', columns = {{{columns}}}, format = 'unstructured', "
        f"maximum_object_size = {SIDECAR_BYTES})"
    )
