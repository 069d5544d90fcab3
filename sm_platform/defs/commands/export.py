"""`sm-platform export`: a stored map as one file."""

from pathlib import Path
from typing import Any

from sm_platform.defs.lake_access import find_region
from sm_platform.defs.map_index import Row, read_index
from sm_platform.defs.resources import settings
from sm_platform.defs.talk import Say
from sm_platform.errors import ProductError, UsageError
from sm_platform.grid.calendar import parse_day
from sm_platform.lake.layout import Layout
from sm_platform.maps.export import export_layer
from sm_platform.maps.names import layer_file
from sm_platform.schema.product import LAYERS


def export_command(
    what: tuple[str, str, str | None], layer: str, out: Path, options: dict[str, Any], say: Say
) -> None:
    """Write one layer (or all, stacked) of the map of (region, day, pass)."""
    layout = Layout(settings().data_lake)
    name, day = find_region(layout, what[0]).region_id, parse_day(what[1])
    row = _chosen(read_index(layout, name, day), what)
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
    say(f"{out}: {row['map_id']}, {window.shape[0]} x {window.shape[1]} cells, {window.crs}")


def _chosen(rows: list[Row], what: tuple[str, str, str | None]) -> Row:
    region, day, pass_id = what
    if not rows:
        raise ProductError(f"{region} has not been mapped on {day}: `sm-platform run` first.")
    maps = {row["map_id"]: row for row in rows if row["is_latest"]}
    if not maps:
        raise ProductError(f"{region} has no map on {day}: {rows[-1]['status_reason']}.")
    passes = [name.split("_")[4] for name in maps]
    fitting = [row for row, name in zip(maps.values(), passes, strict=True) if name == pass_id]
    found = list(maps.values()) if pass_id is None else fitting
    if len(found) != 1:
        listed = "\n".join(f"--pass {one}: {name}" for one, name in zip(passes, maps, strict=True))
        raise UsageError(
            f"{len(found)} maps of {region} on {day} fit, choose one with --pass:\n{listed}"
        )
    return found[0]
