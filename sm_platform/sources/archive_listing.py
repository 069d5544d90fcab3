"""Rows of an archive's index: read once, filtered while they are columns."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from sm_platform.errors import SourceError
from sm_platform.sources.archive_folder import INDEX_NAME, INDEX_SCHEMA
from sm_platform.sources.protocol import Product

Row = dict[str, Any]
Bounds = tuple[float, float, float, float]
"""West, south, east, north in degrees."""
INDEX_UTC = INDEX_SCHEMA.field("available_utc").type
KEPT_INDEXES = 4
"""Archives whose index stays in memory, some 40 MB for 150,000 granules."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where and until when: rows that touch the bounds and came up to a moment."""

    bounds: Bounds
    until_utc: datetime


def rows_of_days(
    root: Path, product: Product, place: Place, days: Collection[date] | None
) -> list[Row]:
    """Rows of a product and days; static ones when `days` is None."""
    index = _index(root)
    if days is None:
        is_asked = pc.is_null(index["day"])
    else:
        is_asked = pc.is_in(index["day"], value_set=pa.array(sorted(days), pa.date32()))
    return _rows(index, _all(_is_one_of(index, [product]), is_asked, *_is_at(index, place)))


def rows_since(
    root: Path, products: Collection[Product], place: Place, since: datetime | None, first_day: date
) -> list[Row]:
    """Dated rows of the products from a day on that came at or after a moment."""
    index = _index(root)
    is_late = pc.greater_equal(index["day"], pa.scalar(first_day, pa.date32()))
    came = []
    if since is not None:
        later = pc.greater_equal(index["available_utc"], pa.scalar(since, INDEX_UTC))
        came = [pc.fill_null(later, False)]
    keep = _all(_is_one_of(index, products), is_late, *came, *_is_at(index, place))
    return _rows(index, keep)


def rows_named(root: Path, product: Product, granule_id: str, place: Place) -> list[Row]:
    """Rows of one granule; several where regions have copies of it."""
    index = _index(root)
    is_it = pc.equal(index["granule_id"], granule_id)
    return _rows(index, _all(_is_one_of(index, [product]), is_it, *_is_at(index, place)))


def count_between(root: Path, after: datetime, until: datetime) -> dict[str, int]:
    """How many granules came after one moment and up to another, by product."""
    index = _index(root)
    came = index["available_utc"]
    is_new = _all(
        pc.greater(came, pa.scalar(after, INDEX_UTC)),
        pc.less_equal(came, pa.scalar(until, INDEX_UTC)),
    )
    counts = index.filter(is_new).group_by("product").aggregate([([], "count_all")])
    return {row["product"]: row["count_all"] for row in counts.sort_by("product").to_pylist()}


def next_available(root: Path, product: Product, after: datetime) -> datetime | None:
    """When the first granule of a product after a moment becomes available; None: none does."""
    index = _index(root)
    is_later = pc.greater(index["available_utc"], pa.scalar(after, INDEX_UTC))
    later = index.filter(_all(_is_one_of(index, [product]), is_later))["available_utc"]
    first: datetime | None = pc.min(later).as_py()
    return first


def _is_one_of(index: pa.Table, products: Collection[Product]) -> pa.ChunkedArray:
    names = pa.array([one.value for one in products], pa.string())
    return pc.is_in(index["product"], value_set=names)


def _is_at(index: pa.Table, place: Place) -> list[pa.ChunkedArray]:
    west, south, east, north = place.bounds
    has_come = pc.less_equal(index["available_utc"], pa.scalar(place.until_utc, INDEX_UTC))
    return [
        pc.fill_null(has_come, True),
        pc.less(index["west"], east),
        pc.greater(index["east"], west),
        pc.less(index["south"], north),
        pc.greater(index["north"], south),
    ]


def _all(first: pa.ChunkedArray, *others: pa.ChunkedArray) -> pa.ChunkedArray:
    for one in others:
        first = pc.and_(first, one)
    return first


def _rows(index: pa.Table, keep: pa.ChunkedArray) -> list[Row]:
    rows: list[Row] = index.filter(keep).to_pylist()
    return rows


def _index(root: Path) -> pa.Table:
    path = root / INDEX_NAME
    try:
        told = path.stat()
        return _read(path, (told.st_ino, told.st_size, told.st_mtime_ns))
    except (OSError, pa.ArrowException) as error:
        raise SourceError(f"{path} cannot be read ({error}): write the archive anew.") from error


@lru_cache(KEPT_INDEXES)
def _read(path: Path, _: Sequence[int]) -> pa.Table:
    """The index of a file that has not changed since; older ones lack the last columns."""
    table = pq.read_table(path)
    for field in INDEX_SCHEMA:
        if field.nullable and field.name not in table.column_names:
            table = table.append_column(field, pa.nulls(table.num_rows, field.type))
    return table.select(INDEX_SCHEMA.names).cast(INDEX_SCHEMA)
