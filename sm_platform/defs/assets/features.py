"""Network inputs of every pixel of a pass (step `process`)."""

from collections.abc import Sequence
from datetime import date

import dagster as dg
import numpy as np
import pyarrow as pa

from sm_platform.defs.assets.drivers import ndvi, weather
from sm_platform.defs.assets.late_rain import late_rain
from sm_platform.defs.assets.scenes import s1_backscatter
from sm_platform.defs.assets.static import land_cover_cells, soil_cells, static_drivers
from sm_platform.defs.choice import choose_recipe
from sm_platform.defs.days import DayReport, Worker, each_day
from sm_platform.defs.feature_inputs import FeatureInputs, open_inputs
from sm_platform.defs.lake_access import hash_of
from sm_platform.defs.partitions import (
    LOOK_AHEAD_DAYS,
    LOOK_BACK_DAYS,
    OF_REGION,
    ONE_MONTH,
    REGION_DAYS,
    look_back,
)
from sm_platform.defs.pass_memory import MEMORY_DAYS
from sm_platform.defs.resources import FeatureSettings, LakeResource, ModelsResource
from sm_platform.defs.run_settings import RunSettings
from sm_platform.defs.schemas import column_schema
from sm_platform.defs.serving.pools import MEMORY
from sm_platform.defs.stored_features import FRAMES, NDVI_SENSORS
from sm_platform.features.build import Features, build
from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.lake.rasters import column, window_note
from sm_platform.schema.model_tables import SCENE_FEATURES, SCENE_SERIES
from sm_platform.schema.recipes import SCALARS
from sm_platform.schema.region import Region

_YEAR = look_back(-LOOK_BACK_DAYS, LOOK_AHEAD_DAYS)
UPSTREAM = [
    dg.AssetDep(s1_backscatter, partition_mapping=look_back(-MEMORY_DAYS)),
    dg.AssetDep(ndvi, partition_mapping=_YEAR),
    dg.AssetDep(weather, partition_mapping=_YEAR),
    dg.AssetDep(late_rain, partition_mapping=_YEAR),
    *(
        dg.AssetDep(static, partition_mapping=OF_REGION)
        for static in (soil_cells, static_drivers, land_cover_cells)
    ),
]


class FeatureConfig(RunSettings):
    """How features are built."""

    recipe: str | None = None
    """densesm-2024, eov-2025 or sm-100m-v1; nothing takes the region's or its checkpoint's."""


@dg.asset(
    partitions_def=REGION_DAYS,
    backfill_policy=ONE_MONTH,
    deps=UPSTREAM,
    group_name="features",
    kinds={"parquet"},
    owners=["team:sm-platform"],
    tags={"step": "process"},
    pool=MEMORY,
    metadata=column_schema(SCENE_FEATURES),
)
def scene_features(
    context: dg.AssetExecutionContext,
    config: FeatureConfig,
    lake: LakeResource,
    models: ModelsResource,
    feature_settings: FeatureSettings,
) -> dg.MaterializeResult[None]:
    """The 153 inputs (0..1) of every pixel of a pass, series kept once (table scene_series)."""

    def open_region(region: Region, days: Sequence[date]) -> Worker:
        recipe = choose_recipe(region, config.recipe, models.store)
        inputs = open_inputs(lake.layout, region, days, recipe)
        share = feature_settings.min_lookback_share
        return lambda day: write_features(lake.layout, inputs, day, share)

    return each_day(context, lake.layout, open_region, needs=["s1_backscatter"])


def write_features(
    layout: Layout, inputs: FeatureInputs, day: date, min_lookback_share: float
) -> DayReport:
    """Build and store the features of a day's passes; unchanged inputs are left alone."""
    region = inputs.region.region_id
    passes = inputs.passes(day)
    hashed = hash_of(inputs.hash_for(day, [scene for scene, _ in passes]), min_lookback_share)
    note = store.note_of(layout, SCENE_FEATURES, region, day)
    if note is not None and note["inputs"] == hashed:
        return DayReport(note["status"], note["rows"], {"recipe": note["recipe_id"]})
    built = [
        (
            scene.scene_id,
            build(inputs.recipe, inputs.prepared, seen, min_lookback_share=min_lookback_share),
        )
        for scene, seen in passes
    ]
    rows = [_rows(scene_id, features) for scene_id, features in built]
    series = [_series(scene_id, features) for scene_id, features in built]
    shares = {
        "mean_ndvi_share": float(np.mean([f.ndvi_share for _, f in built])) if built else None,
        "mean_weather_share": float(np.mean([f.weather_share for _, f in built]))
        if built
        else None,
    }
    kept = {
        "inputs": hashed,
        "recipe_id": inputs.recipe.recipe_id,
        "recipe_fingerprint": inputs.recipe.fingerprint,
        "grid": window_note(inputs.region.window),
        "status": "made" if built else "no_pass",
        "rows": sum(part.num_rows for part in rows),
        FRAMES: {scene.scene_id: scene.granule_sha256s for scene, _ in passes},
        NDVI_SENSORS: {scene_id: list(features.ndvi_sensors) for scene_id, features in built},
    } | shares
    for table, parts in ((SCENE_SERIES, series), (SCENE_FEATURES, rows)):
        data = pa.concat_tables(parts) if parts else table.arrow_schema.empty_table()
        store.write(layout, table, data, region=region, day=day, note=kept)
    told = {name: value for name, value in shares.items() if value is not None}
    return DayReport(kept["status"], kept["rows"], {"recipe": inputs.recipe.recipe_id, **told})


def _rows(scene_id: str, features: Features) -> pa.Table:
    rows = features.rows
    columns = {
        "scene_id": pa.array([scene_id] * len(rows), pa.string()),
        "cell_id": pa.array(features.cell_id),
        "series_id": pa.array(rows.series_index),
        "qa": pa.array(features.qa),
        "ndvi_age_d": pa.array(features.ndvi_age_d),
    }
    scaled = {entry.name: column(rows.scalars[:, n]) for n, entry in enumerate(SCALARS)}
    return pa.table(columns | scaled)


def _series(scene_id: str, features: Features) -> pa.Table:
    series = features.rows.series
    named = {
        name: pa.FixedSizeListArray.from_arrays(column(series[:, n].ravel()), series.shape[2])
        for n, name in enumerate(("ndvi", "temperature_2m", "precipitation"))
    }
    ids = {
        "scene_id": pa.array([scene_id] * len(series), pa.string()),
        "series_id": pa.array(np.arange(len(series), dtype=np.int32)),
    }
    return pa.table(ids | named)
