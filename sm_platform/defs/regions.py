"""Regions of the platform: an area becomes a region, a region is taken away again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import dagster as dg

from sm_platform.defs.lake_access import find_region, save_region, stored_region
from sm_platform.errors import UsageError
from sm_platform.lake import removal
from sm_platform.lake.layout import Layout
from sm_platform.schema.region import Region, check_region_name
from sm_platform.sites.area_checks import AreaReport, check_area
from sm_platform.sites.area_files import area_from_file
from sm_platform.sites.areas import Area, area_from_bbox, outline_wkt
from sm_platform.sites.boundaries import area_from_country
from sm_platform.sites.map_sheets import area_from_sheet

DIMENSION = "regions"
"""Name of the dynamic partitions."""


@dataclass(frozen=True, slots=True)
class AreaChoice:
    """Where an area comes from: exactly one of file, bbox, sheet, country."""

    file: Path | None = None
    layer: str | None = None
    bbox: Sequence[float] | None = None
    """West, south, east, north in degrees."""
    sheet: str | None = None
    sheets: Path | None = None
    country: str | None = None

    def area(self) -> Area:
        """The area; raises UsageError when none or several are named."""
        named = {
            "--file": self.file,
            "--bbox": self.bbox,
            "--sheet": self.sheet,
            "--country": self.country,
        }
        given = [name for name, value in named.items() if value]
        if len(given) != 1:
            said = " and ".join(given) or "none"
            raise UsageError(f"An area is one of {', '.join(named)}: {said} was given.")
        if self.file:
            return area_from_file(self.file, layer=self.layer)
        if self.sheet:
            return area_from_sheet(self.sheet, self.sheets)
        if self.country:
            return area_from_country(self.country)
        west, south, east, north = _four(self.bbox or ())
        return area_from_bbox(west, south, east, north)


def _four(numbers: Sequence[float]) -> Sequence[float]:
    if len(numbers) != 4:
        raise UsageError("A bbox is four numbers: west south east north, in degrees.")
    return numbers


def add_region(
    layout: Layout, instance: dg.DagsterInstance, region_id: str, area: Area, archive: Path
) -> tuple[Region, AreaReport]:
    """Check the area, store the region and add its partition.

    Raises:
        UsageError: a name that cannot be or is taken, or an area that no maps can be made of.
    """
    check_region_name(region_id)
    if stored_region(layout, region_id) is not None:
        raise UsageError(
            f"There is a region '{region_id}' already: choose another name, or take it away "
            f"first with `sm-platform regions remove {region_id}`."
        )
    report = check_area(area)
    region = Region(
        region_id, report.window, "archive", str(archive), outline_wkt=outline_wkt(area)
    )
    save_region(layout, region)
    instance.add_dynamic_partitions(DIMENSION, [region_id])
    return region, report


def remove_region(
    layout: Layout, instance: dg.DagsterInstance, region_id: str, *, delete_data: bool
) -> Mapping[str, object]:
    """Take a region away; its data stay unless told otherwise. Tells what was kept or deleted."""
    find_region(layout, region_id)
    folders = removal.stored_folders(layout, region_id)
    n_files, n_bytes = removal.size_of(folders)
    instance.delete_dynamic_partition(DIMENSION, region_id)
    removal.forget_region(layout, region_id)
    if delete_data:
        removal.delete_region_data(layout, region_id)
    state = "deleted" if delete_data else "kept"
    return {"files": n_files, "megabytes": round(n_bytes / 1e6, 1), "data": state}


def told(region: Region, report: AreaReport) -> dict[str, object]:
    """What a person wants to know of a new region."""
    rows, cols = region.window.shape
    return {
        "region": region.region_id,
        "pixels": f"{rows} x {cols}",
        "area_km2": round(report.area_km2, 1),
        "keys_per_year": report.keys_for(365),
        "warnings": list(report.warnings),
    }
