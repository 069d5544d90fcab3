"""Table contracts as the UI shows them."""

from typing import Any

import dagster as dg

from sm_platform.schema.tables import Table


def column_schema(table: Table) -> dict[str, Any]:
    """Definition metadata with the table's columns, units and meanings."""
    columns = [
        dg.TableColumn(
            column.name,
            type=str(column.type),
            description=column.described,
            constraints=dg.TableColumnConstraints(nullable=column.is_nullable),
        )
        for column in table.columns
    ]
    return {"dagster/column_schema": dg.TableSchema(columns), "table": table.name}
