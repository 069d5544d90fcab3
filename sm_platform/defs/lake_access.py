"""Between lake and rooms: regions, dated rasters and scenes as the values that rooms take."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import pyarrow as pa

from sm_platform.errors import MissingInputError, UsageError
from sm_platform.grid.window import DatedRaster, Raster
from sm_platform.lake import rasters, store
from sm_platform.lake.layout import Layout
from sm_platform.schema import driver_tables as tables
from sm_platform.schema.recipes import NdviSensor
from sm_platform.schema.region import Region
from sm_platform.schema.tables import Table

SENSOR = "sensor"
"""Name in the note of a day of NDVI: who measured it; days of older lakes are of MODIS."""


def find_region(layout: Layout, region_id: str) -> Region:
    """The stored region; raises UsageError listing those there are."""
    found = stored_region(layout, region_id)
    if found is None:
        known = ", ".join(store.regions_made(layout, tables.REGIONS)) or "none yet"
        raise UsageError(
            f"There is no region '{region_id}' (there: {known}): `sm-platform regions add` makes "
            "one from an area, `sm-platform run --archive` from a folder."
        )
    return found


def stored_region(layout: Layout, region_id: str) -> Region | None:
    """The stored region, None when there is none of that name."""
    made = store.read(layout, tables.REGIONS, region_id)
    if made is None:
        return None
    row = made.rows.to_pylist()[0]
    note = {"crs": row["crs"], "affine": row["affine"], "shape": (row["rows"], row["cols"])}
    names = ("source", "source_path", "recipe_id", "checkpoint_id", "outline_wkt", "time_zone")
    return Region(region_id, rasters.window_from(note), **{name: row.get(name) for name in names})


def save_region(layout: Layout, region: Region) -> None:
    """Store a region, replacing its row."""
    grid = rasters.window_note(region.window)
    row = {
        "region_id": region.region_id,
        "crs": grid["crs"],
        "affine": grid["affine"],
        "rows": region.window.shape[0],
        "cols": region.window.shape[1],
        "source": region.source,
        "source_path": region.source_path,
        "recipe_id": region.recipe_id,
        "checkpoint_id": region.checkpoint_id,
        "outline_wkt": region.outline_wkt,
        "time_zone": region.time_zone,
    }
    rows = pa.Table.from_pylist([row], schema=tables.REGIONS.arrow_schema)
    store.write(layout, tables.REGIONS, rows, region=region.region_id)


def dated_rasters(
    layout: Layout, table: Table, region: str, days: Iterable[date]
) -> tuple[list[DatedRaster], dict[date, str]]:
    """The stored rasters of these days (those with rows), and the input hash of each stored day."""
    found, hashes = [], {}
    for day in days:
        made = store.read(layout, table, region, day)
        if made is None:
            continue
        hashes[day] = made.note["inputs"]
        if made.rows.num_rows:
            raster, sensor = rasters.raster_from(made), _sensor(table, made.note)
            found.append(DatedRaster(day, moment(made.note), raster, sensor))
    return found, hashes


def _sensor(table: Table, note: Mapping[str, Any]) -> str | None:
    return note.get(SENSOR, NdviSensor.MODIS.value) if table.name == tables.NDVI.name else None


def static_raster(layout: Layout, table: Table, region: str, step: str) -> tuple[Raster, str]:
    """A static table as a raster with its input hash; raises MissingInputError naming the step."""
    made = store.read(layout, table, region)
    if made is None:
        raise MissingInputError(f"{table.name} of {region} has not been made: run {step} first.")
    return rasters.raster_from(made), made.note["inputs"]


def moment(note: Mapping[str, Any]) -> datetime | None:
    """`available_utc` of a partition's note."""
    text = note.get("available_utc")
    return datetime.fromisoformat(text) if text else None


def hash_of(*parts: object) -> str:
    """One hash over named inputs: what a partition was made from."""
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def parts_of_days(
    layout: Layout, table: Table, region: str, days: Sequence[date]
) -> list[tuple[date, store.Partition]]:
    """Stored partitions of those days that have rows."""
    parts = [(day, store.read(layout, table, region, day)) for day in days]
    return [(day, part) for day, part in parts if part is not None and part.rows.num_rows]
