"""The rule that what is stored fits its table's contract: the file whole, types, ranges, keys.

A write enforces the same. This is the proof on the stored files: a disk, another program or an
older version may have left something else.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from sm_platform.defs.checking.rules import ERROR, WARN, Matter, Rule, Verdict
from sm_platform.defs.checking.stored import MOST_PARTS, Part, parts_of, spread
from sm_platform.errors import LakeError
from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.schema import driver_tables as drivers
from sm_platform.schema.model_tables import SCENE_FEATURES, SM_MAPS
from sm_platform.schema.tables import Table

MOST_ROWS = 2_000_000
"""Rows that one check opens, of the last partitions: about 1 s; 12 passes of 400 x 400 pixels."""
GAPS = 0.3
"""Of a driver: above a coast or a lake provider cells are missing, over a third of a region is
another fault."""
MOST_MISSING = {
    drivers.S1_BACKSCATTER.name: dict.fromkeys(("vv_db", "vh_db", "angle_deg"), 0.05),
    drivers.NDVI.name: {"ndvi": 0.5},
    drivers.WEATHER.name: dict.fromkeys(("temperature_k", "precipitation_m"), GAPS),
    drivers.SOIL.name: dict.fromkeys(("sand_g_kg", "clay_g_kg", "bulk_density_cg_cm3"), GAPS),
    drivers.STATIC_DRIVERS.name: dict.fromkeys(("elevation_m", "slope_deg"), GAPS),
    SCENE_FEATURES.name: dict.fromkeys(("sand", "clay", "bulk_density", "elevation"), GAPS),
}
"""Largest share missing by table and column, where more is a fault: rows of `s1_backscatter` are
written only where something is measured, NDVI has clouds. Elsewhere missing has its own meaning."""

WHOLE_BY = {SM_MAPS.name: "map_id"}
"""By table the column that a whole row has. Rows without it stand for something that there is not,
such as a day without a map, and miss the rest rightly: no share is counted over them."""
OPTIONAL = {SM_MAPS.name: ("interval_level", "interval_width_mean_m3m3")}
"""Columns by table that are null by design, here without a calibration: none of them is missing."""


@dataclass(slots=True)
class _Seen:
    """What was found in the opened partitions."""

    n_parts: int = 0
    n_rows: int = 0
    n_whole: int = 0
    """Rows that shares are counted over."""
    missing: dict[str, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)


def fits_contract(table: Table, name: str = "fits_contract") -> Rule:
    """The rule of one table."""
    return Rule(
        name,
        f"Stored partitions of {table.name} open whole and keep its types, ranges and keys; few "
        f"values are missing. At most {MOST_PARTS} partitions are opened, evenly spread.",
        partial(_judge, table),
    )


def _judge(table: Table, matter: Matter) -> Verdict:
    parts = parts_of(matter.layout, table, matter.scope)
    seen = _opened(matter.layout, table, spread(parts))
    scarce = _scarce(table, seen)
    n_whole = {f"rows_with_{WHOLE_BY[table.name]}": seen.n_whole} if table.name in WHOLE_BY else {}
    counted: dict[str, Any] = {
        "partitions": len(parts),
        "partitions_opened": seen.n_parts,
        "rows": seen.n_rows,
        **n_whole,
        **{f"missing_{name}": n / seen.n_whole for name, n in seen.missing.items() if seen.n_whole},
    }
    told = "\n".join([*seen.faults, *scarce])
    return Verdict(not told, told, counted, ERROR if seen.faults else WARN)


def _opened(layout: Layout, table: Table, parts: Sequence[Part]) -> _Seen:
    """The newest partitions first, until `MOST_ROWS` have been read."""
    seen = _Seen(missing=dict.fromkeys(_may_be_missing(table), 0))
    for part in reversed(parts):
        if seen.n_rows >= MOST_ROWS:
            break
        seen.n_parts += 1
        try:
            rows = _whole_rows(layout, table, part)
        except LakeError as error:
            seen.faults.append(f"{part}: {error}")
            continue
        seen.n_rows += rows.num_rows
        whole = _of_something(table, rows)
        seen.n_whole += whole.num_rows
        for name in seen.missing:
            seen.missing[name] += whole.column(name).null_count
    return seen


def _may_be_missing(table: Table) -> list[str]:
    """Columns whose missing values are counted."""
    floats = [c.name for c in table.columns if c.is_nullable and pa.types.is_floating(c.type)]
    return [name for name in floats if name not in OPTIONAL.get(table.name, ())]


def _of_something(table: Table, rows: pa.Table) -> pa.Table:
    """The rows that stand for something that there is."""
    by = WHOLE_BY.get(table.name)
    return rows if by is None else rows.filter(pc.is_valid(rows[by]))


def _whole_rows(layout: Layout, table: Table, part: Part) -> pa.Table:
    """Rows of a partition, checked; a column that came later and may be missing, is missing."""
    made = store.read(layout, table, part.region_id, part.day)
    rows = table.arrow_schema.empty_table() if made is None else made.rows
    for column in table.columns:
        if column.is_nullable and column.name not in rows.column_names:
            rows = rows.append_column(column.name, pa.nulls(rows.num_rows, column.type))
    _check_types(table, rows)
    return store.check(table, rows)


def _check_types(table: Table, rows: pa.Table) -> None:
    """The store casts what it is given to write; what it has written must need no cast."""
    for column in table.columns:
        if column.name in rows.column_names:
            found = rows.schema.field(column.name).type
            if found != column.type:
                raise LakeError(
                    f"{table.name}.{column.name} is stored as {found}, not {column.type}: run its "
                    "step again."
                )


def _scarce(table: Table, seen: _Seen) -> list[str]:
    """Columns of which more is missing than is stated, each told."""
    most = MOST_MISSING.get(table.name, {})
    shares = {name: seen.missing[name] / max(seen.n_whole, 1) for name in most}
    return [
        f"{name} is missing in {100 * share:.0f} % of {seen.n_whole} rows, at most "
        f"{100 * most[name]:.0f} % were expected."
        for name, share in shares.items()
        if share > most[name]
    ]
