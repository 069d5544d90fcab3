"""DuckDB views over the lake: one per table that has files, on an in-memory connection."""

from collections.abc import Iterable

import duckdb

from sm_platform.lake.layout import Layout
from sm_platform.schema.tables import Table


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
    return f"select * from read_json('{files}', union_by_name = true)"
