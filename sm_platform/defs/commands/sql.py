"""`sm-platform sql`: queries over the lake."""

import duckdb

from sm_platform.defs.resources import settings
from sm_platform.errors import LakeError, UsageError
from sm_platform.lake.layout import Layout
from sm_platform.lake.views import connect
from sm_platform.schema.families import ALL_TABLES


def sql_command(query: str, *, as_csv: bool) -> None:
    """Print the result.

    Raises:
        UsageError: with what DuckDB says of the query.
        LakeError: a file of the lake is damaged.
    """
    if not query.strip():
        raise UsageError("The query is empty: `show tables` lists what can be asked.")
    layout = Layout(settings().data_lake)
    connection = _connect(layout)
    try:
        result = connection.sql(query)
        if result is None:
            return
        frame = result.df()
    except duckdb.Error as error:
        if str(layout.root) in str(error):
            raise _damaged(error) from error
        names = [row[0] for row in connection.execute("show tables").fetchall()]
        raise UsageError(f"{error}\nTables: {', '.join(names)}.") from error
    if as_csv:
        print(frame.to_csv(index=False))
    else:
        print(
            "  ".join(frame.columns) if frame.empty else frame.to_string(index=False, na_rep="null")
        )


def _connect(layout: Layout) -> duckdb.DuckDBPyConnection:
    try:
        return connect(layout, ALL_TABLES)
    except duckdb.Error as error:
        raise _damaged(error) from error


def _damaged(error: duckdb.Error) -> LakeError:
    told = str(error).splitlines()[0]
    return LakeError(f"The lake has a damaged file ({told}): remove it and run its step again.")
