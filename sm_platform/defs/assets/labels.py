"""Labels: soil moisture read at sites, samples that pair it with features, roles of samples."""

from collections.abc import Sequence
from datetime import date

import dagster as dg
from pydantic import Field

from sm_platform.defs.assets.features import UPSTREAM, FeatureConfig
from sm_platform.defs.assets.label_granules import (
    nsidc_granules,
    smap_l3_granules,
    smap_l4_granules,
    swc_granules,
)
from sm_platform.defs.assets.scenes import s1_scenes
from sm_platform.defs.assets.sites import site_catalog, station_readings
from sm_platform.defs.choice import choose_recipe
from sm_platform.defs.days import DayReport, Worker, each_day
from sm_platform.defs.feature_inputs import open_inputs
from sm_platform.defs.observing import open_observer
from sm_platform.defs.partitions import OF_REGION, ONE_MONTH, REGION_DAYS, look_back
from sm_platform.defs.resources import FeatureSettings, LakeResource, ModelsResource
from sm_platform.defs.run_settings import RunSettings
from sm_platform.defs.sampling import SampleMaker, SampleRules, read_sites
from sm_platform.defs.schemas import column_schema
from sm_platform.defs.serving.pools import MEMORY
from sm_platform.defs.site_features import open_sites
from sm_platform.defs.splitting import SplitRules, write_splits
from sm_platform.observations.collocation import MAX_HOURS
from sm_platform.samples.fusion import MOST_INUNDATED
from sm_platform.schema import label_tables
from sm_platform.schema.region import Region

GROUP = "labels"
OWNERS = ["team:sm-platform"]
LABELS = {"step": "label"}


class ObservationConfig(RunSettings):
    """Which labels are read."""

    sources: list[str] = []
    """Label sources to read, for example ["planet_swc", "ismn"]; none named: all that are there."""
    max_hours: float = Field(MAX_HOURS, ge=0, le=48)
    """Readings farther than this from every radar pass are left out and counted."""


@dg.asset(
    partitions_def=REGION_DAYS,
    backfill_policy=ONE_MONTH,
    deps=[
        *(
            dg.AssetDep(granules)
            for granules in (swc_granules, nsidc_granules, smap_l3_granules, smap_l4_granules)
        ),
        dg.AssetDep(s1_scenes, partition_mapping=look_back(-1, 1)),
        dg.AssetDep(site_catalog, partition_mapping=OF_REGION),
        dg.AssetDep(station_readings, partition_mapping=OF_REGION),
    ],
    group_name=GROUP,
    kinds={"parquet"},
    owners=OWNERS,
    tags=LABELS,
    metadata=column_schema(label_tables.SM_OBSERVATIONS),
)
def sm_observations(
    context: dg.AssetExecutionContext, config: ObservationConfig, lake: LakeResource
) -> dg.MaterializeResult[None]:
    """Soil moisture (m3/m3) at the sites near a radar pass; a rejected one keeps its reason."""

    def open_region(region: Region, _: Sequence[date]) -> Worker:
        sites = read_sites(lake.layout, region.region_id)
        observer = open_observer(lake.layout, region, sites, config.sources, config.max_hours)
        return observer.write_day

    return each_day(context, lake.layout, open_region)


@dg.asset(
    partitions_def=REGION_DAYS,
    backfill_policy=ONE_MONTH,
    deps=[*UPSTREAM, dg.AssetDep(site_catalog, partition_mapping=OF_REGION)],
    group_name=GROUP,
    kinds={"parquet"},
    owners=OWNERS,
    tags=LABELS,
    pool=MEMORY,
    metadata=column_schema(label_tables.SITE_FEATURES),
)
def site_features(
    context: dg.AssetExecutionContext,
    config: FeatureConfig,
    lake: LakeResource,
    models: ModelsResource,
    feature_settings: FeatureSettings,
) -> dg.MaterializeResult[None]:
    """The 153 inputs (0..1) at each site for each pass, at its support, built as for the maps."""

    def open_region(region: Region, days: Sequence[date]) -> Worker:
        recipe = choose_recipe(region, config.recipe, models.store)
        inputs = open_inputs(lake.layout, region, days, recipe)
        sites = read_sites(lake.layout, region.region_id)
        return open_sites(inputs, sites, feature_settings.min_lookback_share).write_day

    return each_day(context, lake.layout, open_region, needs=["s1_backscatter"])


class SampleConfig(RunSettings):
    """Which labels become samples."""

    max_hours: float = Field(MAX_HOURS, ge=0, le=48)
    """Labels farther than this from the pass are left out."""
    max_depth_m: float = Field(0.1, gt=0)
    """Labels of layers that reach deeper are left out: radar sees the top."""
    min_footprint_share: float = Field(0.5, ge=0, le=1)
    """Least share of a site's footprint that the radar saw."""


@dg.asset(
    partitions_def=REGION_DAYS,
    backfill_policy=ONE_MONTH,
    deps=[
        dg.AssetDep(site_features),
        dg.AssetDep(sm_observations, partition_mapping=look_back(-1, 1)),
        dg.AssetDep(site_catalog, partition_mapping=OF_REGION),
    ],
    group_name=GROUP,
    kinds={"parquet"},
    owners=OWNERS,
    tags=LABELS,
    metadata=column_schema(label_tables.TRAINING_SAMPLES),
)
def training_samples(
    context: dg.AssetExecutionContext,
    config: SampleConfig,
    lake: LakeResource,
) -> dg.MaterializeResult[None]:
    """Labels near a pass with the inputs of their site: what networks learn from."""

    def open_region(region: Region, _: Sequence[date]) -> Worker:
        sites = read_sites(lake.layout, region.region_id)
        rules = SampleRules(config.max_hours, config.max_depth_m, config.min_footprint_share)
        return SampleMaker(lake.layout, region.region_id, sites, rules).write_day

    return each_day(context, lake.layout, open_region, needs=["sm_observations", "site_features"])


class SplitConfig(RunSettings):
    """How samples get their roles."""

    seed: int = Field(1, ge=0)
    """The same seed gives the same roles."""
    days: int = Field(365, ge=1)
    """Days before the cut-off that samples are taken from."""
    source_weights: dict[str, float] = {}
    """Factor on the training rows of a label source, for example {"ismn": 3}; 1 when not named."""
    is_balanced: bool = False
    """Thin training labels outside 0.3..0.4 m3/m3 as the seed system does; never other roles."""
    most_inundated: float = Field(MOST_INUNDATED, ge=0, le=1)
    """Labels of products with a larger share of flooded land around teach nothing."""


@dg.asset(
    partitions_def=REGION_DAYS,
    backfill_policy=ONE_MONTH,
    deps=[dg.AssetDep(training_samples, partition_mapping=look_back(-364, -1))],
    group_name=GROUP,
    kinds={"parquet"},
    owners=OWNERS,
    tags=LABELS,
    metadata=column_schema(label_tables.SAMPLE_SPLITS),
)
def sample_splits(
    context: dg.AssetExecutionContext, config: SplitConfig, lake: LakeResource
) -> dg.MaterializeResult[None]:
    """Roles of the samples before the cut-off day: train, validation, calibration, test."""

    def open_region(region: Region, _: Sequence[date]) -> Worker:
        rules = SplitRules(
            config.seed,
            config.days,
            config.source_weights,
            config.is_balanced,
            config.most_inundated,
        )

        def work(day: date) -> DayReport:
            return write_splits(lake.layout, region.region_id, day, rules)

        return work

    return each_day(context, lake.layout, open_region)
