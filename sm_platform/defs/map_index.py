"""The index of maps: one row a map, or one row for a day without one."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import pyarrow as pa

from sm_platform.defs.scenes import Scene
from sm_platform.grid.ease2 import LEVEL_100M, corner_cell
from sm_platform.grid.window import lonlat_bounds
from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.maps.names import map_id
from sm_platform.maps.product import MapProduct
from sm_platform.maps.summary import MapSummary
from sm_platform.schema.model_tables import SM_MAPS
from sm_platform.schema.product import COLLECTION, VERSION

Row = dict[str, Any]
Look = dict[str, Any]
"""What a pass was last looked at with: `input_hash`, and `granules` (id -> sha256)."""
LOOKED_AT = "looked_at"
"""Name in the note of a day's rows: its looks by scene id, also where the map stayed as it was."""
NO_MAP: Row = {column.name: None for column in SM_MAPS.columns} | {
    "is_latest": False,
    "is_pruned": False,
}


@dataclass(frozen=True, slots=True)
class StoredMap:
    """What became of a map's files."""

    path: str
    bytes_total: int


def read_index(layout: Layout, region: str, day: date) -> list[Row]:
    """The day's rows, [] when it has not been mapped."""
    made = store.read(layout, SM_MAPS, region, day)
    return [] if made is None else made.rows.to_pylist()


def looked_at(layout: Layout, region: str, day: date) -> Mapping[str, Look]:
    """What the day's passes were last mapped from, by scene id."""
    note = store.note_of(layout, SM_MAPS, region, day) or {}
    looks: Mapping[str, Look] = note.get(LOOKED_AT, {})
    return looks


def write_index(
    layout: Layout, region: str, day: date, rows: Sequence[Row], note: Mapping[str, Any]
) -> None:
    """Replace the day's rows."""
    table = pa.Table.from_pylist(list(rows), schema=SM_MAPS.arrow_schema)
    store.write(layout, SM_MAPS, table, region=region, day=day, note=note)


def day_row(status: str, reason: str | None) -> Row:
    """The row of a day without a map."""
    return NO_MAP | {"status": status, "status_reason": reason}


def map_row(product: MapProduct, figures: MapSummary, scene: Scene, stored: StoredMap) -> Row:
    """The row of a map that has just been made."""
    return (
        NO_MAP
        | {"status": "mapped", "is_latest": True, "collection": COLLECTION}
        | {"map_id": map_id(product.seen, product.revision), "revision": product.revision}
        | {"product_version": VERSION}
        | pass_columns(scene)
        | _lineage(product)
        | _grid(product)
        | _figures(figures)
        | asdict(stored)
    )


def pass_columns(scene: Scene) -> Row:
    """What a row says of its pass."""
    names = ("platform", "orbit_state", "relative_orbit", "absolute_orbit", "granule_ids")
    told: Row = {name: getattr(scene, name) for name in names}
    times = {"pass_start_utc": scene.start_utc, "pass_end_utc": scene.end_utc}
    return told | times | {"scene_id": scene.scene_id, "granule_sha256s": scene.granule_sha256s}


def _lineage(product: MapProduct) -> Row:
    names = ("recipe_id", "recipe_fingerprint", "checkpoint_id", "checkpoint_fingerprint")
    more = ("code_version", "inputs_status", "input_hash", "is_in_sample", "interval_level")
    return {name: getattr(product.lineage, name) for name in names + more}


def _grid(product: MapProduct) -> Row:
    window = product.window
    corner = corner_cell(LEVEL_100M, window)
    west, south, east, north = lonlat_bounds(window)
    return {
        "epsg": window.epsg,
        "affine": list(window.affine)[:6],
        "grid_row": corner[0] if corner else None,
        "grid_col": corner[1] if corner else None,
        "height": window.shape[0],
        "width": window.shape[1],
        "lon_min": west,
        "lat_min": south,
        "lon_max": east,
        "lat_max": north,
    }


def _figures(figures: MapSummary) -> Row:
    told = asdict(figures)
    return told | {"layer_sha256": sorted(figures.layer_sha256.items())}
