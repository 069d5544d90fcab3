"""Table contracts as the UI shows them."""

from typing import Any

import dagster as dg

from sm_platform.defs.column_lineage import column_lineage
from sm_platform.schema.tables import Column, Table


def column_schema(table: Table) -> dict[str, Any]:
    """Definition metadata: the columns of a table with units, meanings and plain origins."""
    columns = [
        dg.TableColumn(
            column.name,
            type=str(column.type),
            description=column.described,
            constraints=dg.TableColumnConstraints(
                nullable=column.is_nullable,
                other=_rules_of(column, is_key=column.name in table.keys),
            ),
        )
        for column in table.columns
    ]
    told = {"dagster/column_schema": dg.TableSchema(columns), "table": table.name}
    lineage = column_lineage(table)
    return told | ({"dagster/column_lineage": lineage} if lineage else {})


def _rules_of(column: Column, *, is_key: bool) -> list[str]:
    """What else is asked of a column, in words."""
    key = ["key of a row in its partition"] if is_key else []
    low = [f"at least {column.low:g}"] if column.low is not None else []
    high = [f"at most {column.high:g}"] if column.high is not None else []
    return [*key, *low, *high]
