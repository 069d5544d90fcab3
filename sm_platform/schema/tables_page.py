"""The page about the lake's tables, written from their contracts.

`python -m sm_platform.schema.tables_page > docs/tables.md` brings the page up to date.
"""

import sys
from collections.abc import Iterator

import pyarrow as pa

from sm_platform.schema.families import FAMILIES
from sm_platform.schema.tables import Column, Table

COMMAND = "python -m sm_platform.schema.tables_page > docs/tables.md"
TYPES = {
    pa.string(): "text",
    pa.bool_(): "true or false",
    pa.date32(): "date",
    pa.float32(): "float32",
    pa.float64(): "float64",
    pa.timestamp("us", tz="UTC"): "time",
}
"""Names where Arrow's own says little."""
HEAD = ("Column", "Type", "Unit", "Range", "Null", "Meaning")
INTRO = f"""# Tables of the lake

Written from the contracts in `sm_platform/schema/`, which also check every row that is stored,
by `{COMMAND}`.

Each partition is one Parquet file, replaced whole. In SQL (`sm-platform sql "from s1_scenes"`)
a table has one view with the columns below and, from the path of the file, `region_id` and in
dated tables `day` (UTC). The key names one row of a partition. A unit of 1 is a number without
unit; times are UTC; ends of a range are included; null says whether a value may be missing, and
NaN is stored as null. The view `granule_log` lists the landed granules with what each cost,
`spending` every request of the services by month, `failed_days` what failed on which day and why,
and `day_status` tells of each day of a region that was looked at whether it is mapped, no_pass,
no_data or failed, with the reason.
"""


def tables_page() -> str:
    """The whole page as Markdown."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield INTRO
    for family, tables in FAMILIES.items():
        yield f"- {family}: {', '.join(f'[{one.name}](#{one.name})' for one in tables)}"
    for family, tables in FAMILIES.items():
        yield f"\n## {family}"
        for table in tables:
            yield from _section(table)


def _section(table: Table) -> Iterator[str]:
    """A table: what it holds, how it is cut, its columns."""
    yield f"\n### {table.name}\n\n{table.meaning}.\n"
    yield f"- Partitions: {'region and day' if table.is_dated else 'region'}"
    yield f"- Key: {', '.join(f'`{key}`' for key in table.keys)}\n"
    yield _row(*HEAD)
    yield _row(*("---" for _ in HEAD))
    for column in table.columns:
        null = "yes" if column.is_nullable else "no"
        named = f"`{column.name}`", type_name(column.type), column.unit, _range(column), null
        yield _row(*named, column.meaning)


def type_name(data_type: pa.DataType) -> str:
    """The name of a type for people: `list of text`, `46 float32`."""
    if pa.types.is_fixed_size_list(data_type):
        return f"{data_type.list_size} {type_name(data_type.value_type)}"
    if pa.types.is_list(data_type):
        return f"list of {type_name(data_type.value_type)}"
    if pa.types.is_map(data_type):
        return f"{type_name(data_type.item_type)} by {type_name(data_type.key_type)}"
    return TYPES.get(data_type, str(data_type))


def _range(column: Column) -> str:
    """`0..1`, `0..` without an upper end, nothing without both."""
    if column.low is None and column.high is None:
        return ""
    low, high = ("" if end is None else f"{end:g}" for end in (column.low, column.high))
    return f"{low}..{high}"


def _row(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"


if __name__ == "__main__":
    sys.stdout.write(tables_page())
