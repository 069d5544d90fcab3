"""Where labels are read: series at stations as brought, and the catalog of sites."""

from typing import Literal

import dagster as dg
from pydantic import Field

from sm_platform.defs.assets.label_granules import station_granules
from sm_platform.defs.assets.static import land_cover_cells, soil_cells
from sm_platform.defs.data_versions import version_of_table
from sm_platform.defs.lake_access import find_region
from sm_platform.defs.partitions import REGIONS
from sm_platform.defs.pictures import as_markdown
from sm_platform.defs.resources import LakeResource
from sm_platform.defs.run_settings import RunSettings
from sm_platform.defs.schemas import column_schema
from sm_platform.defs.site_choice import SiteChoice, choose_sites
from sm_platform.defs.site_figure import site_figure
from sm_platform.defs.stations import gather_readings
from sm_platform.schema import label_tables

GROUP = "labels"
OWNERS = ["team:sm-platform"]


class SiteConfig(RunSettings):
    """How sites are drawn."""

    count: int = Field(250, ge=0)
    """Sites wanted in the region, beside its stations; 0: none of this level."""
    seed: int = 1
    """The same seed draws the same sites."""
    level: Literal["100m", "1km", "3km", "9km"] = "100m"
    """Cells of EASE-Grid 2.0 that sites are: 100m, 1km, 3km or 9km."""
    more_levels: dict[str, int] = {}
    """Sites wanted at other levels as well, for example {"1km": 40, "9km": 1}."""
    spacing_km: float | None = Field(None, gt=0)
    """At most one site in each square of so many km; nothing: no such rule."""
    min_purity: float = Field(0.6, ge=0, le=1)
    """Least share of the largest land cover class in a site's cell."""
    min_valid_share: float = Field(0.9, ge=0, le=1)
    """Least share of a cell's pixels that lie in the region and have land cover."""
    min_purity_9km: float = Field(0.3, ge=0, le=1)
    """The same for sites of 9 km, of which hardly one has a single cover."""
    min_valid_share_9km: float = Field(0.5, ge=0, le=1)
    """The same for sites of 9 km."""
    classes: list[int] = []
    """WorldCover codes, as [40] for crop; none: where radar sees soil, flooded rice among them."""
    moisture_granules: int = Field(24, ge=0)
    """Landed label granules whose mean moisture spreads the sites; 0 leaves that out."""


@dg.asset(
    partitions_def=REGIONS,
    deps=[station_granules],
    group_name=GROUP,
    kinds={"parquet"},
    owners=OWNERS,
    tags={"step": "label"},
    metadata=column_schema(label_tables.STATION_READINGS),
)
def station_readings(
    context: dg.AssetExecutionContext, lake: LakeResource
) -> dg.MaterializeResult[None]:
    """Every reading of the stations and series brought for the region, with what is against it."""
    region = find_region(lake.layout, context.partition_key)
    report = gather_readings(lake.layout, region)
    return dg.MaterializeResult(
        metadata=report.all_metadata,
        data_version=version_of_table(lake.layout, label_tables.STATION_READINGS, region.region_id),
    )


@dg.asset(
    partitions_def=REGIONS,
    deps=[land_cover_cells, soil_cells, station_readings],
    group_name=GROUP,
    kinds={"parquet"},
    owners=OWNERS,
    tags={"step": "label"},
    metadata=column_schema(label_tables.SITE_CATALOG),
)
def site_catalog(
    context: dg.AssetExecutionContext, config: SiteConfig, lake: LakeResource
) -> dg.MaterializeResult[None]:
    """Cells of pure land cover and stations where labels are read, spread over space and strata."""
    region = find_region(lake.layout, context.partition_key)
    levels = {config.level: config.count, **config.more_levels}
    choice = SiteChoice(
        levels=levels,
        seed=config.seed,
        spacing_km=config.spacing_km,
        min_purity=config.min_purity,
        min_valid_share=config.min_valid_share,
        min_purity_9km=config.min_purity_9km,
        min_valid_share_9km=config.min_valid_share_9km,
        classes=tuple(config.classes) or None,
        moisture_granules=config.moisture_granules,
    )
    chosen = choose_sites(lake.layout, region, choice)
    picture = as_markdown(site_figure(region, chosen), "map of the sites")
    return dg.MaterializeResult(
        data_version=version_of_table(lake.layout, label_tables.SITE_CATALOG, region.region_id),
        metadata={
            "map": dg.MetadataValue.md(picture),
            "rows": chosen.rows.num_rows,
            "stations": chosen.stations,
            "sites_per_class": dg.MetadataValue.json(chosen.per_class),
            "rejected_cells": dg.MetadataValue.json(chosen.rejected),
            "stations_left_out": dg.MetadataValue.json(chosen.stations_left_out),
            "set_aside": dg.MetadataValue.json(list(chosen.damaged)),
        },
    )
