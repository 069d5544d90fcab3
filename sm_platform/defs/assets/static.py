"""What does not change from day to day: soil, terrain, land cover (step `extract`)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import dagster as dg
import numpy as np

from sm_platform.defs.assets.drivers import need
from sm_platform.defs.assets.granules import static_granules
from sm_platform.defs.data_versions import version_of_table
from sm_platform.defs.lake_access import find_region, hash_of
from sm_platform.defs.partitions import REGIONS
from sm_platform.defs.readers import read_all
from sm_platform.defs.resources import LakeResource
from sm_platform.defs.schemas import column_schema
from sm_platform.defs.service_choice import choice_note, chosen_service, of_one_service
from sm_platform.defs.source_reach import nothing_of
from sm_platform.features.land_cover import land_cover_shares
from sm_platform.features.terrain import pixel_terrain, pixel_terrain_from
from sm_platform.grid.window import Raster
from sm_platform.lake import store
from sm_platform.lake.granules import landed
from sm_platform.lake.layout import Layout
from sm_platform.lake.rasters import raster_rows, window_note
from sm_platform.schema import driver_tables as tables
from sm_platform.schema.region import Region
from sm_platform.schema.tables import Table
from sm_platform.sources.protocol import Product


@dataclass(frozen=True, slots=True)
class _Read:
    """A product as landed by one service."""

    raster: Raster
    inputs: str
    """Hash of the granules that it is read from."""
    note: Mapping[str, object]


def _read(layout: Layout, region: Region, product: Product) -> _Read:
    there = landed(layout, product.value, region.region_id, None)
    need(there, product, region)
    granules = of_one_service(there, chosen_service(region, product))
    raster = read_all(layout, region.region_id, granules, region.window)
    inputs = hash_of([granule.sha256 for granule in granules])
    return _Read(raster, inputs, choice_note(there, granules))


def _write(layout: Layout, region: Region, table: Table, read: _Read) -> dg.MaterializeResult[None]:
    raster = read.raster
    rows = raster_rows(raster)
    note = {
        **read.note,
        "inputs": hash_of(table.name, read.inputs, window_note(region.window)),
        "grid": window_note(raster.window),
        "status": "made",
        "rows": rows.num_rows,
    }
    store.write(layout, table, rows, region=region.region_id, note=note)
    means = {
        f"mean_{name}": float(f"{np.nanmean(values.astype(np.float64)):.4g}")
        for name, values in raster.values.items()
        if np.issubdtype(values.dtype, np.floating)
        and bool(np.any(np.isfinite(values)))
        and "aspect" not in name  # the mean of directions is none
    }
    return dg.MaterializeResult(
        metadata={"rows": rows.num_rows, **means},
        data_version=version_of_table(layout, table, region.region_id),
    )


@dg.asset(
    partitions_def=REGIONS,
    deps=[static_granules],
    metadata=column_schema(tables.SOIL),
    group_name="drivers",
    kinds={"parquet"},
    owners=["team:sm-platform"],
    tags={"source": "soil", "step": "extract"},
)
def soil_cells(context: dg.AssetExecutionContext, lake: LakeResource) -> dg.MaterializeResult[None]:
    """Sand, clay (g/kg) and bulk density (cg/cm3) of 0-5 cm at their native 250 m cells."""
    region = find_region(lake.layout, context.partition_key)
    return _write(lake.layout, region, tables.SOIL, _read(lake.layout, region, Product.SOIL))


@dg.asset(
    partitions_def=REGIONS,
    deps=[static_granules],
    metadata=column_schema(tables.STATIC_DRIVERS),
    group_name="drivers",
    kinds={"parquet"},
    owners=["team:sm-platform"],
    tags={"source": "elevation", "step": "extract"},
)
def static_drivers(
    context: dg.AssetExecutionContext, lake: LakeResource
) -> dg.MaterializeResult[None]:
    """Elevation (m), slope (deg) and aspect of every pixel, from the 30 m cells in it."""
    region = find_region(lake.layout, context.partition_key)
    read = _read(lake.layout, region, Product.ELEVATION)
    has_slope = "slope_deg" in read.raster.values
    pixels = (pixel_terrain_from if has_slope else pixel_terrain)(region.window, read.raster)
    return _write(lake.layout, region, tables.STATIC_DRIVERS, replace(read, raster=pixels))


@dg.asset(
    partitions_def=REGIONS,
    deps=[static_granules],
    metadata=column_schema(tables.LAND_COVER_CELLS),
    group_name="drivers",
    kinds={"parquet"},
    owners=["team:sm-platform"],
    tags={"source": "land-cover", "step": "extract"},
)
def land_cover_cells(
    context: dg.AssetExecutionContext, lake: LakeResource
) -> dg.MaterializeResult[None]:
    """Share of each WorldCover class (0..1) in every pixel; empty when the source has none."""
    region = find_region(lake.layout, context.partition_key)
    if not landed(lake.layout, Product.LAND_COVER.value, region.region_id, None):
        table = tables.LAND_COVER_CELLS
        note: dict[str, object] = {
            "inputs": hash_of(table.name),
            "grid": window_note(region.window),
        }
        empty = table.arrow_schema.empty_table()
        note |= {"status": "none", "rows": 0}
        store.write(lake.layout, table, empty, region=region.region_id, note=note)
        return dg.MaterializeResult(
            metadata={
                "rows": 0,
                "status": "none",
                "lacking": nothing_of(region, [Product.LAND_COVER]),
            },
            data_version=version_of_table(lake.layout, table, region.region_id),
        )
    read = _read(lake.layout, region, Product.LAND_COVER)
    shares = land_cover_shares(region.window, read.raster)
    return _write(lake.layout, region, tables.LAND_COVER_CELLS, replace(read, raster=shares))
