"""Labels: sites, soil moisture read at them, and samples that pair both with features."""

from collections.abc import Sequence
from datetime import date, timedelta

import dagster as dg
import numpy as np
import pyarrow as pa

from sm_platform.defs.assets.features import UPSTREAM, FeatureConfig
from sm_platform.defs.assets.granules import swc_granules
from sm_platform.defs.assets.static import land_cover_cells
from sm_platform.defs.choice import choose_recipe
from sm_platform.defs.days import DayReport, Worker, each_day
from sm_platform.defs.feature_inputs import open_inputs
from sm_platform.defs.lake_access import find_region, hash_of, static_raster
from sm_platform.defs.partitions import OF_REGION, ONE_MONTH, REGION_DAYS, REGIONS, look_back
from sm_platform.defs.readers import read_all
from sm_platform.defs.resources import FeatureSettings, LakeResource, ModelsResource
from sm_platform.defs.sampling import SampleMaker, read_sites
from sm_platform.defs.schemas import column_schema
from sm_platform.formats.planet_swc import sensing_time
from sm_platform.grid.window import lonlat_bounds
from sm_platform.lake import store
from sm_platform.lake.granules import LandedGranule, landed, refuse_quarantined
from sm_platform.lake.layout import Layout
from sm_platform.observations.labels import count_reasons, observe
from sm_platform.schema import driver_tables, model_tables
from sm_platform.schema.region import Region
from sm_platform.sites.selection import select_sites
from sm_platform.sources.protocol import Product

SWC_SUPPORT_M = 100.0
SWC_DEPTH_M = 0.05


class SiteConfig(dg.Config):
    """How sites are drawn."""

    count: int = 250
    """Sites wanted in the region."""
    seed: int = 1
    """The same seed draws the same sites."""
    min_purity: float = 0.6
    """Least share of the largest land cover class in a site's pixel."""


@dg.asset(
    partitions_def=REGIONS,
    deps=[land_cover_cells],
    group_name="labels",
    kinds={"parquet"},
    owners=["team:sm-platform"],
    metadata=column_schema(model_tables.SITE_CATALOG),
)
def site_catalog(
    context: dg.AssetExecutionContext, config: SiteConfig, lake: LakeResource
) -> dg.MaterializeResult[None]:
    """Pixels of pure land cover where labels are read, spread over classes and 3 km blocks."""
    region = find_region(lake.layout, context.partition_key)
    cover, inputs = static_raster(
        lake.layout, driver_tables.LAND_COVER_CELLS, region.region_id, "--extract"
    )
    found = select_sites(
        region.window,
        cover,
        count=config.count,
        seed=config.seed,
        min_purity=config.min_purity,
    )
    rows = pa.table(
        {
            "site_id": found.site_id,
            "cell_id": found.site_id,
            "lon_deg": found.lon,
            "lat_deg": found.lat,
            "land_cover_code": found.land_cover_code,
            "block_id": found.block_id,
        }
    )
    hashed = hash_of(inputs, config.count, config.seed, config.min_purity)
    note = {"inputs": hashed, "status": "made", "rows": len(found)}
    store.write(lake.layout, model_tables.SITE_CATALOG, rows, region=region.region_id, note=note)
    rejected = dg.MetadataValue.json({k: int(v) for k, v in found.rejected.items()})
    return dg.MaterializeResult(metadata={"rows": len(found), "rejected_cells": rejected})


@dg.asset(
    partitions_def=REGION_DAYS,
    backfill_policy=ONE_MONTH,
    deps=[dg.AssetDep(swc_granules), dg.AssetDep(site_catalog, partition_mapping=OF_REGION)],
    group_name="labels",
    kinds={"parquet"},
    owners=["team:sm-platform"],
    metadata=column_schema(model_tables.SM_OBSERVATIONS),
)
def sm_observations(
    context: dg.AssetExecutionContext, lake: LakeResource
) -> dg.MaterializeResult[None]:
    """Soil moisture labels (m3/m3) at the sites; a rejected one is kept with its reason."""

    def open_region(region: Region, _: Sequence[date]) -> Worker:
        sites = read_sites(lake.layout, region.region_id)
        return lambda day: write_observations(lake.layout, region, sites, day)

    return each_day(context, lake.layout, open_region)


def write_observations(layout: Layout, region: Region, sites: pa.Table, day: date) -> DayReport:
    """Read a day's label granules at the sites and store what they say."""
    name, table = region.region_id, model_tables.SM_OBSERVATIONS
    refuse_quarantined(layout, Product.SWC.value, name, day)
    granules = landed(layout, Product.SWC.value, name, day)
    site_note = store.note_of(layout, model_tables.SITE_CATALOG, name) or {}
    inputs = hash_of([g.sha256 for g in granules], site_note.get("inputs"))
    note = store.note_of(layout, table, name, day)
    if note is not None and note["inputs"] == inputs:
        return DayReport(note["status"], note["rows"])
    parts = [_observed(layout, region, sites, granule) for granule in granules]
    rows = pa.concat_tables(parts) if parts else table.arrow_schema.empty_table()
    status = "made" if parts else "none"
    kept = {"inputs": inputs, "status": status, "rows": rows.num_rows}
    store.write(layout, table, rows, region=name, day=day, note=kept)
    return DayReport(status, rows.num_rows, count_reasons(rows) if parts else {})


def _observed(layout: Layout, region: Region, sites: pa.Table, granule: LandedGranule) -> pa.Table:
    raster = read_all(layout, region.region_id, [granule], region.window)
    west, _, east, _ = lonlat_bounds(region.window)
    label = observe(
        sites["lon_deg"].to_numpy(),
        sites["lat_deg"].to_numpy(),
        raster,
        sensed_utc=sensing_time(granule.granule_id, (west + east) / 2),
    )
    n = sites.num_rows
    constant = {
        "granule_id": granule.granule_id,
        "source": Product.SWC.value,
        "label_type": "product",
    }
    columns = {name: label[name] for name in ("sensed_utc", "sm_m3m3", "reason")}
    texts = {name: pa.array([value] * n, pa.string()) for name, value in constant.items()}
    numbers = {
        "support_m": np.full(n, SWC_SUPPORT_M, np.float32),
        "depth_m": np.full(n, SWC_DEPTH_M, np.float32),
    }
    return pa.table({"site_id": sites["site_id"], **columns, **texts, **numbers})


@dg.asset(
    partitions_def=REGION_DAYS,
    backfill_policy=ONE_MONTH,
    deps=[
        *UPSTREAM,
        dg.AssetDep(sm_observations, partition_mapping=look_back(-1, 1)),
        dg.AssetDep(site_catalog, partition_mapping=OF_REGION),
    ],
    group_name="labels",
    kinds={"parquet"},
    owners=["team:sm-platform"],
    metadata=column_schema(model_tables.TRAINING_SAMPLES),
)
def training_samples(
    context: dg.AssetExecutionContext,
    config: FeatureConfig,
    lake: LakeResource,
    models: ModelsResource,
    feature_settings: FeatureSettings,
) -> dg.MaterializeResult[None]:
    """Labels within 12 h of a pass with the inputs of their pixel, built as for the maps."""

    def open_region(region: Region, days: Sequence[date]) -> Worker:
        recipe = choose_recipe(region, config.recipe, models.store)
        inputs = open_inputs(lake.layout, region, days, recipe)
        sites = read_sites(lake.layout, region.region_id)
        share = feature_settings.min_lookback_share
        return SampleMaker(inputs, sites, share, timedelta(days=1)).write_day

    return each_day(context, lake.layout, open_region)
