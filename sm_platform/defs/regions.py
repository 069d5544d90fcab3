"""Regions of the platform: an area becomes a region, a region is taken away again."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import dagster as dg

from sm_platform.defs.lake_access import find_region, save_region, stored_region
from sm_platform.defs.local_time import found_zone
from sm_platform.defs.region_origin import Origin
from sm_platform.defs.region_source import open_source
from sm_platform.defs.resources import settings
from sm_platform.defs.source_reach import reach_of
from sm_platform.errors import LakeError, UsageError
from sm_platform.grid.local_days import check_time_zone
from sm_platform.grid.window import GridWindow, lonlat_bounds
from sm_platform.lake import removal, store
from sm_platform.lake.layout import Layout
from sm_platform.lake.rasters import window_from
from sm_platform.schema.driver_tables import LAND_COVER_CELLS, STATIC_DRIVERS
from sm_platform.schema.region import Region, check_region_name
from sm_platform.sites.area_checks import AreaReport, check_area
from sm_platform.sites.areas import Area, outline_wkt
from sm_platform.sites.time_zones import FoundZone

DIMENSION = "regions"
"""Name of the dynamic partitions."""
MOST_KEYS = 100_000
"""Day x region keys of an asset from which planning becomes slow."""


@dataclass(frozen=True, slots=True)
class AddedRegion:
    """A new region, and what it means for the platform."""

    region: Region
    report: AreaReport
    keys: int
    """Day x region keys that each dated asset gains: the days until now."""
    all_keys: int
    """Those it has then, of all regions."""
    lacking: str | None
    """A sentence when its source does not hold what every region needs."""
    zone_warning: str | None = None
    """A sentence when its time zone is but a guess."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a person should know, one sentence each."""
        known = (*self.report.warnings, *filter(None, [self.zone_warning]))
        if self.all_keys <= MOST_KEYS:
            return known
        return (
            *known,
            f"Each dated asset has {self.all_keys:,} keys (day x region) now, more than "
            f"{MOST_KEYS:,}: planning becomes slow. Join regions, or set SM_FIRST_DAY later.",
        )

    def told(self) -> dict[str, object]:
        """What a person wants to know of it."""
        rows, cols = self.region.window.shape
        return {
            "region": self.region.region_id,
            "from": self.report.came_from,
            "time_zone": self.region.time_zone,
            "bounds_deg": [round(edge, 6) for edge in lonlat_bounds(self.region.window)],
            "pixels": f"{rows} x {cols}",
            "pixels_inside": self.report.n_cells_inside,
            "area_km2": round(self.report.area_km2, 1),
            "land_share": round(self.report.land_share, 3),
            "map_megabytes": round(self.report.map_bytes / 1e6, 1),
            "keys": self.keys,
            "warnings": list(self.warnings),
            **({"lacking": self.lacking} if self.lacking else {}),
        }


def add_region(
    layout: Layout,
    instance: dg.DagsterInstance,
    region_id: str,
    area: Area,
    origin: Origin,
    *,
    time_zone: str | None = None,
) -> AddedRegion:
    """Check the area, add the region's partition and store the region.

    The row comes last: what a kill leaves is no region yet, and adding it again goes on. Without a
    time zone it gets that of the area.

    Raises:
        UsageError: a name that cannot be or is taken, an area that no maps can be made of, or a
            time zone that is none.
        LakeError: the lake cannot be written.
    """
    check_region_name(region_id)
    said = check_time_zone(time_zone) if time_zone else None
    if stored_region(layout, region_id) is not None:
        raise UsageError(
            f"There is a region '{region_id}' already: choose another name, or take it away "
            f"first with `sm-platform regions remove {region_id}`."
        )
    report = check_area(area)
    keys = report.keys_for((datetime.now(UTC).date() - settings().first_day).days + 1)
    outline = outline_wkt(area)
    bare = Region(region_id, report.window, origin.kind, origin.path, outline_wkt=outline)
    found = FoundZone(said) if said else found_zone(bare)
    region = replace(bare, time_zone=found.name)
    source = open_source(region)
    take_up_kept_data(layout, region_id, report.window)
    instance.add_dynamic_partitions(DIMENSION, [region_id])
    try:
        save_region(layout, region)
    except LakeError:
        instance.delete_dynamic_partition(DIMENSION, region_id)
        raise
    n_regions = len(instance.get_dynamic_partitions(DIMENSION))
    lacking = reach_of(region, source)
    return AddedRegion(region, report, keys, keys * n_regions, lacking, found.warning)


def remove_region(
    layout: Layout, instance: dg.DagsterInstance, region_id: str, *, delete_data: bool
) -> Mapping[str, object]:
    """Take a region away; its data stay unless told otherwise. Tells what was kept or deleted.

    Raises:
        UsageError: there is no such region, nor data of one that was taken away to be deleted.
        LakeError: the lake cannot be written.
    """
    n_files, n_bytes = removable(layout, region_id, delete_data=delete_data)
    instance.delete_dynamic_partition(DIMENSION, region_id)
    removal.forget_region(layout, region_id)
    if delete_data:
        removal.delete_region_data(layout, region_id)
    state = "deleted" if delete_data else "kept"
    return {"files": n_files, "megabytes": round(n_bytes / 1e6, 1), "data": state}


def removable(layout: Layout, region_id: str, *, delete_data: bool) -> tuple[int, int]:
    """Number of files that are stored of a region, and their bytes, once it can be taken away.

    Of a region that was taken away before the kept data can still be deleted.

    Raises:
        UsageError: there is no such region, nor data of it that are to be deleted.
    """
    folders = removal.stored_folders(layout, region_id)
    sizes = removal.size_of(folders)
    if not folders:
        find_region(layout, region_id)
    elif stored_region(layout, region_id) is None and not delete_data:
        raise UsageError(
            f"Region '{region_id}' was taken away before; its {sizes[0]} files are kept: "
            f"`sm-platform regions remove {region_id} --delete-data` deletes them."
        )
    return sizes


def take_up_kept_data(layout: Layout, region_id: str, window: GridWindow) -> None:
    """See that what the lake keeps of that name is of this region.

    Where nothing lies on pixels, what else is kept (failed days, frames listed, alerts) may be of
    any place: it goes.

    Raises:
        UsageError: the lake keeps data of that name that lie on other pixels.
        LakeError: the lake cannot be written.
    """
    n_files, n_bytes = removal.size_of(removal.pixel_folders(layout, region_id))
    if not n_files:
        removal.delete_region_data(layout, region_id)
        return
    notes = (
        store.note_of(layout, table, region_id) for table in (LAND_COVER_CELLS, STATIC_DRIVERS)
    )
    before = next((window_from(note["grid"]) for note in notes if note), None)
    if before != window:
        raise UsageError(
            f"The lake keeps {n_files} files ({n_bytes / 1e6:.1f} MB) of an earlier region "
            f"'{region_id}' with another pixel grid: choose another name, or delete them first "
            f"with `sm-platform regions remove {region_id} --delete-data`."
        )
