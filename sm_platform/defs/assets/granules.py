"""Granules: provider files landed once, unchanged, per region and day (step `download`)."""

from collections import defaultdict
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import date

import dagster as dg

from sm_platform.defs.data_versions import version_of_granules
from sm_platform.defs.days import Worker, each_day
from sm_platform.defs.freshness import FRESHNESS
from sm_platform.defs.lake_access import find_region
from sm_platform.defs.landing import joined
from sm_platform.defs.landing_progress import together
from sm_platform.defs.partitions import ONE_MONTH, REGION_DAYS, REGIONS
from sm_platform.defs.region_source import open_landing
from sm_platform.defs.resources import LakeResource
from sm_platform.defs.serving import pools
from sm_platform.defs.source_reach import STATIC_PRODUCTS, nothing_of
from sm_platform.defs.talk import legible, to_listener
from sm_platform.errors import DataError
from sm_platform.schema.region import Region
from sm_platform.sources.protocol import Granule, Product

POOLS = {
    Product.S1_GRD: pools.SENTINEL1,
    Product.NDVI: pools.VEGETATION,
    Product.WEATHER: pools.WEATHER,
    Product.LATE_RAIN: pools.LATE_RAIN,
}
"""Pool of each provider whose files maps need; all others share that of the labels."""


def dated_granules(product: Product, name: str, description: str) -> dg.AssetsDefinition:
    """An asset that lands a product's granules of each UTC day and region."""

    @dg.asset(
        name=name,
        description=description,
        partitions_def=REGION_DAYS,
        backfill_policy=ONE_MONTH,
        group_name="granules",
        kinds={"file"},
        owners=["team:sm-platform"],
        pool=POOLS.get(product, pools.LABELS),
        freshness_policy=FRESHNESS.get(name),
    )
    def landed(context: dg.AssetExecutionContext, lake: LakeResource) -> dg.MaterializeResult[None]:
        with ExitStack() as on_their_way:

            def open_region(region: Region, days: Sequence[date]) -> Worker:
                landing = open_landing(lake.layout, region, context.log.info)
                by_day: dict[date | None, list[Granule]] = defaultdict(list)
                listed = landing.listed(product, days)
                for granule in listed:
                    by_day[granule.day].append(granule)
                ahead = on_their_way.enter_context(landing.ahead(listed))
                return lambda day: ahead.report(by_day[day])

            return each_day(context, lake.layout, open_region)

    return landed


s1_granules = dated_granules(
    Product.S1_GRD,
    "s1_granules",
    "Sentinel-1 frames or bursts over the region whose pass starts on the UTC day: VV and VH, as "
    "sigma0 of GRD or gamma0 corrected for the terrain, whichever the source has.",
)
ndvi_granules = dated_granules(
    Product.NDVI,
    "ndvi_granules",
    "Vegetation index composites of 16 days (MODIS or VIIRS) that begin on the UTC day.",
)
weather_granules = dated_granules(
    Product.WEATHER,
    "weather_granules",
    "Reanalysed 2 m temperature (K) and total precipitation (m) of the UTC day (ERA5-Land).",
)


@dg.asset(
    partitions_def=REGIONS,
    group_name="granules",
    kinds={"file"},
    owners=["team:sm-platform"],
    pool=pools.STATIC,
)
def static_granules(
    context: dg.AssetExecutionContext, lake: LakeResource
) -> dg.MaterializeResult[None]:
    """Soil, elevation and land cover files that touch the region."""
    region = find_region(lake.layout, context.partition_key)
    landing = open_landing(lake.layout, region, context.log.info)
    reports, failed = {}, []
    for product in STATIC_PRODUCTS:
        try:
            reports[product] = landing.land(landing.listed(product, None))
        except DataError as error:  # the others are landed first
            failed.append(error)
    lacking = [product for product, report in reports.items() if not report.rows]
    told = {"lacking": nothing_of(region, lacking)} if lacking else {}
    for sentence in told.values():
        to_listener(context.log.warning)(sentence)
    if failed:
        raise joined(failed)
    return dg.MaterializeResult(
        metadata={
            **told,
            **{f"{product.value}_granules": report.rows for product, report in reports.items()},
            **legible(together([one.metadata for one in reports.values()])),
        },
        data_version=version_of_granules(
            lake.layout, [product.value for product in reports], region.region_id
        ),
    )
