"""What lies in an archive folder besides the granules: its index, its clock, its regions.

    <root>/<product>/<region_id>/<granule_id>/<files>
    <root>/index.parquet   one row a granule (INDEX_SCHEMA)
    <root>/clock.json      {"last_day": ..., "today": ...}; what came later is not shown
    <root>/regions.json    region_id -> name, crs, affine (six numbers), shape (rows, cols)

Whatever else lies in the folder is not part of the archive and is never listed.
"""

import json
import os
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from affine import Affine
from pyproj import CRS
from pyproj.exceptions import CRSError

from sm_platform.errors import GridError, SourceError, UsageError
from sm_platform.grid.window import GridWindow
from sm_platform.sources.names import check_name
from sm_platform.sources.protocol import Product

INDEX_NAME = "index.parquet"
CLOCK_NAME = "clock.json"
REGIONS_NAME = "regions.json"
INDEX_SCHEMA = pa.schema(
    [
        pa.field("product", pa.string(), nullable=False),
        pa.field("region_id", pa.string(), nullable=False),
        pa.field("granule_id", pa.string(), nullable=False),
        pa.field("day", pa.date32()),  # missing: static
        pa.field("files", pa.list_(pa.string()), nullable=False),
        pa.field("format", pa.string(), nullable=False),
        pa.field("available_utc", pa.timestamp("us", tz="UTC")),  # missing: always was there
        pa.field("licence", pa.string(), nullable=False),
        pa.field("west", pa.float64(), nullable=False),  # degrees, as the next three
        pa.field("south", pa.float64(), nullable=False),
        pa.field("east", pa.float64(), nullable=False),
        pa.field("north", pa.float64(), nullable=False),
    ]
)


@dataclass(frozen=True, slots=True)
class Clock:
    """The archive's own day: granules that came after its end are not shown yet."""

    today: date
    last_day: date
    """The clock cannot go beyond it: nothing was written for later days."""


def end_of(day: date) -> datetime:
    """The first moment (UTC) after a day."""
    return datetime.combine(day + timedelta(days=1), time(), UTC)


def read_clock(root: Path) -> Clock:
    """The archive's clock.

    Raises:
        SourceError: there is no archive in the folder, or its clock is damaged.
    """
    content = _json(root / CLOCK_NAME)
    try:
        return Clock(*(date.fromisoformat(content[key]) for key in ("today", "last_day")))
    except (KeyError, TypeError, ValueError) as error:
        raise SourceError(
            f"{root / CLOCK_NAME} does not hold the days `today` and `last_day`: restore it."
        ) from error


def advance_clock(root: Path, days: int) -> date:
    """Move the archive's clock forward, at most to its last day; returns the new today.

    Raises:
        UsageError: fewer than one day.
        SourceError: there is no archive in the folder.
    """
    if days < 1:
        raise UsageError(f"The clock moves forward by whole days: {days} is less than 1.")
    clock = read_clock(root)
    moved = Clock(min(clock.today + timedelta(days=days), clock.last_day), clock.last_day)
    write_clock(root, moved)
    return moved.today


def write_clock(root: Path, clock: Clock) -> None:
    """Put the clock into the folder in one step: readers see the old or the new one."""
    aside = root / f".{CLOCK_NAME}.{os.getpid()}"
    content = {"last_day": clock.last_day.isoformat(), "today": clock.today.isoformat()}
    try:
        aside.write_text(json.dumps(content) + "\n")
        aside.replace(root / CLOCK_NAME)
    except OSError as error:
        raise SourceError(f"{root / CLOCK_NAME} cannot be written: {error.strerror}.") from error


def archive_regions(root: Path) -> dict[str, GridWindow]:
    """Region id -> window of every region of an archive.

    Raises:
        SourceError: there is no archive in the folder, or its list of regions is damaged.
    """
    content = _json(root / REGIONS_NAME)
    try:
        return {
            check_name(region_id, "region id"): GridWindow(
                CRS.from_user_input(one["crs"]).srs,
                Affine(*one["affine"]),
                (one["shape"][0], one["shape"][1]),
            )
            for region_id, one in content.items()
        }
    except (KeyError, TypeError, IndexError, CRSError, GridError) as error:
        raise SourceError(
            f"{root / REGIONS_NAME}: crs, affine or shape of a region is missing or wrong "
            f"({error}): restore it."
        ) from error


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text())
    except FileNotFoundError as error:
        raise SourceError(
            f"{path.parent} is no archive, {path.name} is missing: name another folder or write "
            "one with `sm-platform archive simulate`."
        ) from error
    except (OSError, ValueError) as error:
        raise SourceError(f"{path} cannot be read ({error}): restore it.") from error
    if not isinstance(content, dict):
        raise SourceError(f"{path} holds no JSON object: restore it.")
    return content


def index_rows(
    root: Path, product: Product, until: datetime, *, granule_id: str | None = None
) -> list[dict[str, Any]]:
    """Rows of the index of one product (or granule of it) that are available before a moment."""
    try:
        table = pq.read_table(root / INDEX_NAME).cast(INDEX_SCHEMA)
    except (OSError, pa.ArrowException) as error:
        raise SourceError(
            f"{root / INDEX_NAME} cannot be read ({error}): write the archive anew."
        ) from error
    is_there = pc.less_equal(table["available_utc"], pa.scalar(until))
    keep = pc.and_(pc.equal(table["product"], product.value), pc.fill_null(is_there, True))
    if granule_id is not None:
        keep = pc.and_(keep, pc.equal(table["granule_id"], granule_id))
    rows: list[dict[str, Any]] = table.filter(keep).to_pylist()
    return rows
