"""Rows of the site catalog."""

from collections.abc import Mapping

import pyarrow as pa

from sm_platform.schema.label_tables import SITE_CATALOG


def catalog_rows(columns: Mapping[str, object]) -> pa.Table:
    """Columns of the site catalog as a table; NaN is null."""
    fields = SITE_CATALOG.arrow_schema
    arrays = [pa.array(columns[f.name], f.type, from_pandas=True) for f in fields]
    return pa.Table.from_arrays(arrays, schema=fields)
