"""`sm-platform export`: a stored map as one file."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sm_platform.defs.lake_access import find_region
from sm_platform.defs.local_time import check_has_times, pass_told, zone_of
from sm_platform.defs.map_index import Row, day_row, read_index
from sm_platform.defs.resources import settings
from sm_platform.defs.talk import Say
from sm_platform.errors import ProductError, UsageError
from sm_platform.grid.calendar import parse_day
from sm_platform.grid.local_days import local_day, utc_days_of
from sm_platform.lake.layout import Layout
from sm_platform.maps.export import export_layer
from sm_platform.maps.names import layer_file
from sm_platform.schema.product import LAYERS
from sm_platform.schema.region import Region


@dataclass(frozen=True, slots=True)
class MapChoice:
    """Which map a person asks for."""

    region_id: str
    day: str
    pass_id: str | None = None
    """For example D091; None where the day has one map."""
    is_local: bool = False
    """The day is one of the region's time zone; else a UTC day."""


def export_command(
    what: MapChoice, layer: str, out: Path, options: dict[str, Any], say: Say
) -> None:
    """Write one layer (or all, stacked) of a map."""
    layout = Layout(settings().data_lake)
    region = find_region(layout, what.region_id)
    row = _chosen(_rows(layout, region, what), what, zone_of(region))
    folder = layout.root / row["path"]
    there = {
        one.name: folder / layer_file(row["map_id"], one.name)
        for one in LAYERS
        if (folder / layer_file(row["map_id"], one.name)).is_file()
    }
    if layer not in there:
        raise UsageError(f"{row['map_id']} has no layer '{layer}': it has {', '.join(there)}.")
    paths = list(there.values()) if options["stack"] else [there[layer]]
    window = export_layer(paths, out, **options)
    size = f"{window.shape[0]} x {window.shape[1]} cells, {window.crs}"
    say(f"{out}: {row['map_id']}, {pass_told(row, zone_of(region))}, {size}")


def _rows(layout: Layout, region: Region, what: MapChoice) -> list[Row]:
    """Rows of the day's index; of a local day those of its passes, from the UTC days it touches."""
    day = parse_day(what.day)
    if not what.is_local:
        return read_index(layout, region.region_id, day)
    check_has_times(region)
    zone = zone_of(region)
    touched = utc_days_of(day, day, zone)
    rows = [row for one in touched for row in read_index(layout, region.region_id, one)]
    own = [one for one in rows if (at := one["pass_start_utc"]) and local_day(at, zone) == day]
    return own if own or not rows else [day_row("no_pass", "no Sentinel-1 pass on that day")]


def _chosen(rows: Sequence[Row], what: MapChoice, zone: str) -> Row:
    day = f"the local day {what.day}" if what.is_local else what.day
    if not rows:
        raise ProductError(
            f"{what.region_id} has not been mapped on {day}: `sm-platform run` first."
        )
    maps = {row["map_id"]: row for row in rows if row["is_latest"]}
    if not maps:
        raise ProductError(f"{what.region_id} has no map on {day}: {rows[-1]['status_reason']}.")
    passes = [name.split("_")[4] for name in maps]
    fitting = [row for row, name in zip(maps.values(), passes, strict=True) if name == what.pass_id]
    found = list(maps.values()) if what.pass_id is None else fitting
    if len(found) != 1:
        lines = zip(passes, maps.values(), strict=True)
        listed = "\n".join(
            f"--pass {one}: {row['map_id']}, {pass_told(row, zone)}" for one, row in lines
        )
        raise UsageError(
            f"{len(found)} maps of {what.region_id} on {day} fit, choose one with --pass:\n{listed}"
        )
    return found[0]
