"""`sm-platform sql`: queries over the lake."""

import duckdb

from sm_platform.defs.resources import settings
from sm_platform.errors import UsageError
from sm_platform.lake.layout import Layout
from sm_platform.lake.views import connect
from sm_platform.schema import driver_tables, model_tables
from sm_platform.schema.tables import Table

TABLES = [
    value
    for module in (driver_tables, model_tables)
    for value in vars(module).values()
    if isinstance(value, Table)
]


def sql_command(query: str, *, as_csv: bool) -> None:
    """Print the result; raises UsageError with what DuckDB says."""
    connection = connect(Layout(settings().data_lake), TABLES)
    try:
        result = connection.sql(query)
        if result is None:
            return
        frame = result.df()
    except duckdb.Error as error:
        names = [row[0] for row in connection.execute("show tables").fetchall()]
        raise UsageError(f"{error}\nTables: {', '.join(names) or 'none yet'}.") from error
    print(frame.to_csv(index=False) if as_csv else frame.to_string(index=False))
