"""Granules: provider files landed once, unchanged, per region and day (step `download`)."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import dagster as dg

from sm_platform.defs.data_versions import version_of_granules
from sm_platform.defs.days import DayReport, Worker, each_day
from sm_platform.defs.fetching import USUAL, Patience, fetch_whole, patiently, text_in_place
from sm_platform.defs.freshness import FRESHNESS
from sm_platform.defs.lake_access import find_region
from sm_platform.defs.partitions import ONE_MONTH, REGION_DAYS, REGIONS
from sm_platform.defs.region_source import open_source
from sm_platform.defs.resources import LakeResource
from sm_platform.defs.serving import pools
from sm_platform.defs.source_reach import STATIC_PRODUCTS, nothing_of
from sm_platform.errors import DataError, GranuleError, PassingError
from sm_platform.lake.granules import LandedGranule, land, quarantine_fetched
from sm_platform.lake.layout import Layout
from sm_platform.schema.region import Region
from sm_platform.sources.protocol import Granule, Product, Source


@dataclass(frozen=True, slots=True)
class Landing:
    """Lands granules of one region from its source."""

    layout: Layout
    region: Region
    source: Source
    patience: Patience = USUAL

    def listed(self, product: Product, days: Sequence[date] | None) -> list[Granule]:
        """What the source has of a product and days, None: its static granules.

        Raises:
            PassingError: the source did not answer, on the last try either.
        """
        window = self.region.window
        return patiently(self.patience, lambda: self.source.granules(product, window, days))

    def land(self, granules: Sequence[Granule]) -> DayReport:
        """Land these granules; what is there already is left alone.

        Raises:
            PassingError: naming each that could not be had, after the others have been landed;
                all of them may be had later.
            DataError: the same when trying again will not help with one of them.
        """
        landed, failed = [], []
        for one in granules:
            try:
                landed.append(self._land(one))
            except DataError as error:
                failed.append(error)
        if failed:
            is_passing = all(isinstance(error, PassingError) for error in failed)
            kind = PassingError if is_passing else DataError
            raise kind(" ".join(str(error) for error in failed))
        return DayReport(
            status="landed" if landed else "none",
            rows=len(landed),
            metadata={
                "fetched": sum(is_new for _, is_new in landed),
                "megabytes": sum(one.size_bytes for one, _ in landed) / 1e6,
                "granules": ", ".join(one.granule_id for one, _ in landed),
            },
        )

    def _land(self, granule: Granule) -> tuple[LandedGranule, bool]:
        """One granule; text in the place of data lies in quarantine after the last try."""
        name, sidecar = self.region.region_id, self._sidecar(granule)

        def fetch(folder: Path) -> None:
            window = self.region.window
            try:
                fetch_whole(self.source, granule, window, folder, patience=self.patience)
            except PassingError as error:
                strange = text_in_place(granule, folder)
                if strange is None:
                    raise
                place = quarantine_fetched(self.layout, name, sidecar, folder, strange)
                raise GranuleError(f"{strange} It lies in {place}.") from error

        return land(self.layout, name, sidecar, fetch)

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


POOLS = {
    Product.S1_GRD: pools.SENTINEL1,
    Product.NDVI: pools.VEGETATION,
    Product.WEATHER: pools.WEATHER,
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
        def open_region(region: Region, days: Sequence[date]) -> Worker:
            landing = Landing(lake.layout, region, open_source(region))
            by_day: dict[date | None, list[Granule]] = defaultdict(list)
            for granule in landing.listed(product, days):
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
    landing = Landing(lake.layout, region, open_source(region))
    reports = {product: landing.land(landing.listed(product, None)) for product in STATIC_PRODUCTS}
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
