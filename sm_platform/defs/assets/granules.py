"""Granules: provider files landed once, unchanged, per region and day (step `download`)."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import dagster as dg

from sm_platform.defs.data_versions import version_of_granules
from sm_platform.defs.days import DayReport, Worker, each_day
from sm_platform.defs.lake_access import find_region
from sm_platform.defs.partitions import ONE_MONTH, REGION_DAYS, REGIONS
from sm_platform.defs.resources import LakeResource
from sm_platform.defs.source_reach import STATIC_PRODUCTS, nothing_of
from sm_platform.errors import DataError, UsageError
from sm_platform.lake.granules import land
from sm_platform.lake.layout import Layout
from sm_platform.schema.region import Region
from sm_platform.sources.archive import ArchiveSource
from sm_platform.sources.protocol import Granule, Product, Source
from sm_platform.sources.seed_layout import SeedLayoutSource


def open_source(region: Region) -> Source:
    """The source of a region's granules."""
    root = Path(region.source_path)
    if region.source == "archive":
        return ArchiveSource(root)
    if region.source == "seed_layout":
        return SeedLayoutSource(root, region.region_id)
    raise UsageError(f"Region {region.region_id} has the unknown source '{region.source}'.")


@dataclass(frozen=True, slots=True)
class Landing:
    """Lands granules of one region from its source."""

    layout: Layout
    region: Region
    source: Source

    def land(self, granules: Sequence[Granule]) -> DayReport:
        """Land these granules; what is there already is left alone.

        Raises:
            DataError: naming each that could not be had, after the others have been landed.
        """
        landed, failed = [], []
        for one in granules:
            sidecar, fetch = self._sidecar(one), self._fetch(one)
            try:
                landed.append(land(self.layout, self.region.region_id, sidecar, fetch))
            except DataError as error:
                failed.append(str(error))
        if failed:
            raise DataError(" ".join(failed))
        return DayReport(
            status="landed" if landed else "none",
            rows=len(landed),
            metadata={
                "fetched": sum(is_new for _, is_new in landed),
                "megabytes": sum(one.size_bytes for one, _ in landed) / 1e6,
                "granules": ", ".join(one.granule_id for one, _ in landed),
            },
        )

    def _fetch(self, granule: Granule) -> Callable[[Path], None]:
        return lambda folder: self.source.fetch(granule, self.region.window, folder)

    def _sidecar(self, granule: Granule) -> dict[str, object]:
        available = granule.available_utc
        return {
            "product": granule.product.value,
            "granule_id": granule.granule_id,
            "day": granule.day.isoformat() if granule.day else None,
            "format": granule.format,
            "files": list(granule.files),
            "available_utc": available.isoformat() if available else None,
            "licence": granule.licence,
            "source": self.source.name,
            "stamp": granule.stamp,
        }


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
    )
    def landed(context: dg.AssetExecutionContext, lake: LakeResource) -> dg.MaterializeResult[None]:
        def open_region(region: Region, days: Sequence[date]) -> Worker:
            landing = Landing(lake.layout, region, open_source(region))
            by_day: dict[date | None, list[Granule]] = defaultdict(list)
            for granule in landing.source.granules(product, region.window, days):
                by_day[granule.day].append(granule)
            return lambda day: landing.land(by_day[day])

        return each_day(context, lake.layout, open_region)

    return landed


s1_granules = dated_granules(
    Product.S1_GRD,
    "s1_granules",
    "Sentinel-1 GRD frames over the region that start on the UTC day: VV, VH (dB) and angle (deg).",
)
ndvi_granules = dated_granules(
    Product.NDVI,
    "ndvi_granules",
    "Vegetation index composites (16 days, MODIS Terra and Aqua) that begin on the UTC day.",
)
weather_granules = dated_granules(
    Product.WEATHER,
    "weather_granules",
    "ERA5-Land 2 m temperature (K) and total precipitation (m) of the UTC day.",
)


@dg.asset(
    partitions_def=REGIONS, group_name="granules", kinds={"file"}, owners=["team:sm-platform"]
)
def static_granules(
    context: dg.AssetExecutionContext, lake: LakeResource
) -> dg.MaterializeResult[None]:
    """Soil, elevation and land cover files that touch the region."""
    region = find_region(lake.layout, context.partition_key)
    landing = Landing(lake.layout, region, open_source(region))
    reports = {
        product: landing.land(landing.source.granules(product, region.window, None))
        for product in STATIC_PRODUCTS
    }
    lacking = [product for product, report in reports.items() if not report.rows]
    if lacking:
        context.log.warning(nothing_of(region, lacking))
    return dg.MaterializeResult(
        metadata={
            **({"lacking": nothing_of(region, lacking)} if lacking else {}),
            **{f"{product.value}_granules": report.rows for product, report in reports.items()},
        },
        data_version=version_of_granules(
            lake.layout, [product.value for product in reports], region.region_id
        ),
    )
