"""Granules of soil-moisture labels, landed as their providers made them; never inputs of a map."""

import dagster as dg

from sm_platform.defs.assets.granules import dated_granules
from sm_platform.defs.data_versions import version_of_granules
from sm_platform.defs.label_readers import SERIES
from sm_platform.defs.lake_access import find_region
from sm_platform.defs.partitions import REGIONS
from sm_platform.defs.region_source import open_landing
from sm_platform.defs.resources import LakeResource
from sm_platform.sources.protocol import Product

swc_granules = dated_granules(
    Product.SWC,
    "swc_granules",
    "Planet Soil Water Content (m3/m3, 100 m) sensed on the UTC day: labels, not inputs.",
)
nsidc_granules = dated_granules(
    Product.NSIDC_0779,
    "nsidc_granules",
    "NSIDC-0779: SMAP soil moisture sharpened to 1 km (m3/m3), morning and evening of the day.",
)
smap_l3_granules = dated_granules(
    Product.SPL3SMP_E,
    "smap_l3_granules",
    "SPL3SMP_E: SMAP radiometer soil moisture (m3/m3, 9 km grid), morning and evening of the day.",
)
smap_l4_granules = dated_granules(
    Product.SPL4SMGP,
    "smap_l4_granules",
    "SPL4SMGP: soil moisture of a land model that assimilates SMAP (m3/m3, 9 km, 3-hour means).",
)


@dg.asset(
    partitions_def=REGIONS, group_name="granules", kinds={"file"}, owners=["team:sm-platform"]
)
def station_granules(
    context: dg.AssetExecutionContext, lake: LakeResource
) -> dg.MaterializeResult[None]:
    """ISMN series of the stations in the region, in the layout of the network's download."""
    region = find_region(lake.layout, context.partition_key)
    landing = open_landing(lake.layout, region, context.log.info)
    report = landing.land(landing.listed(Product.ISMN, None))
    return dg.MaterializeResult(
        metadata=report.all_metadata,
        data_version=version_of_granules(lake.layout, SERIES, region.region_id),
    )
