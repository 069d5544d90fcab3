"""`sm-platform regions`: add, list, show and remove."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import typer

from sm_platform.defs.area_choice import AreaChoice
from sm_platform.defs.instance import home_explained, open_instance
from sm_platform.defs.lake_access import find_region
from sm_platform.defs.local_time import pass_told, zone_of
from sm_platform.defs.newest import newest_map, newest_pass
from sm_platform.defs.region_figure import region_figure
from sm_platform.defs.region_origin import Origin
from sm_platform.defs.regions import add_region, removable, remove_region
from sm_platform.defs.resources import settings
from sm_platform.defs.talk import Say
from sm_platform.errors import UsageError
from sm_platform.grid.window import lonlat_bounds
from sm_platform.lake import removal, store
from sm_platform.lake.layout import Layout
from sm_platform.schema.driver_tables import REGIONS
from sm_platform.schema.region import Region, check_region_name


@home_explained()
def add_command(
    name: str, choice: AreaChoice, origin: Origin, time_zone: str | None, *, say: Say
) -> None:
    """Add a region and print what it is."""
    check_region_name(name)
    area = choice.area()
    layout, instance = Layout(settings().data_lake), open_instance()
    added = add_region(layout, instance, name, area, origin, time_zone=time_zone)
    for warning in added.warnings:
        say(f"Note: {warning}")
    print(json.dumps(added.told(), ensure_ascii=False, indent=1))
    next_step = f"Next: `sm-platform run --region {name} --start DAY --end DAY`, or `make up`."
    say(f"Note: {added.lacking}" if added.lacking else next_step)


def list_command() -> None:
    """Print the stored regions."""
    layout = Layout(settings().data_lake)
    for name in store.regions_made(layout, REGIONS):
        region = find_region(layout, name)
        rows, cols = region.window.shape
        grid = f"{rows} x {cols}  {region.window.crs}"
        print(f"{name}  {grid}  {zone_of(region)}  {region.source}  {region.source_path}")


def show_command(name: str, picture: Path | None, say: Say) -> None:
    """Print a region as JSON, and draw it when asked."""
    layout = Layout(settings().data_lake)
    region = find_region(layout, name)
    if picture is not None:
        _write(picture, region_figure(region))
        say(f"Drawn: {picture}")
    n_files, n_bytes = removal.size_of(removal.stored_folders(layout, name))
    rows, cols = region.window.shape
    print(
        json.dumps(
            {
                "region": name,
                "time_zone": zone_of(region),
                "bounds_deg": [round(edge, 6) for edge in lonlat_bounds(region.window)],
                "crs": region.window.crs,
                "pixels": f"{rows} x {cols}",
                "has_outline": region.outline_wkt is not None,
                "source": region.source,
                "source_path": region.source_path,
                "stored_files": n_files,
                "stored_megabytes": round(n_bytes / 1e6, 1),
                **_newest(layout, region),
            },
            indent=1,
        )
    )


def _newest(layout: Layout, region: Region) -> dict[str, str | None]:
    """Newest pass and newest map, with their times in UTC and in the region's own."""
    today, zone = datetime.now(UTC).date(), zone_of(region)
    seen = newest_pass(layout, region.region_id, today)
    row = newest_map(layout, region.region_id, today)
    return {
        "newest_pass": pass_told(seen, zone) if seen else None,
        "newest_map": f"{row['map_id']}, {pass_told(row, zone)}" if row else None,
    }


@home_explained()
def remove_command(name: str, *, delete_data: bool, is_sure: bool, say: Say) -> None:
    """Take a region away; raises UsageError when the person does not confirm."""
    layout = Layout(settings().data_lake)
    n_files, n_bytes = removable(layout, name, delete_data=delete_data)
    fate = "deleted for good" if delete_data else "kept in the lake"
    question = f"Remove region {name}? Its {n_files} files ({n_bytes / 1e6:.0f} MB) are {fate}."
    if not is_sure and not _is_confirmed(question):
        raise UsageError(f"Nothing of {name} was removed: answer y, or say --yes.")
    done = remove_region(layout, open_instance(), name, delete_data=delete_data)
    say(f"{name} is removed; {done['files']} files ({done['megabytes']} MB) {done['data']}.")


def _is_confirmed(question: str) -> bool:
    """The person's answer; without one, as from a script, no."""
    try:
        return typer.confirm(question, err=True)
    except typer.Abort:
        print(file=sys.stderr)
        return False


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.") from error
