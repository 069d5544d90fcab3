"""What the labels of a region look like: pictures and counts for a person."""

import dagster as dg

from sm_platform.defs.assets.labels import sm_observations
from sm_platform.defs.label_report import label_report_of
from sm_platform.defs.lake_access import find_region
from sm_platform.defs.partitions import REGIONS
from sm_platform.defs.pictures import as_markdown
from sm_platform.defs.resources import LakeResource
from sm_platform.lake.maps import write_figure


@dg.asset(
    partitions_def=REGIONS,
    deps=[sm_observations],
    group_name="labels",
    kinds={"png"},
    owners=["team:sm-platform"],
    tags={"step": "visualize"},
)
def label_report(
    context: dg.AssetExecutionContext, lake: LakeResource
) -> dg.MaterializeResult[None]:
    """Labels of a region so far: histograms, rejections by reason, agreement where sources meet."""
    region = find_region(lake.layout, context.partition_key)
    report = label_report_of(lake.layout, region)
    for name, picture in report.pictures.items():
        write_figure(lake.layout, lake.layout.report(region.region_id, f"{name}.png"), picture)
    shown = {
        name: dg.MetadataValue.md(as_markdown(picture, name))
        for name, picture in report.pictures.items()
    }
    return dg.MaterializeResult(
        metadata={
            **shown,
            "readings": report.n_readings,
            "counts": dg.MetadataValue.json(report.counts),
            "counts_per_pass": dg.MetadataValue.json(report.per_pass),
            "agreement_table": dg.MetadataValue.json(report.agreement),
        }
    )
