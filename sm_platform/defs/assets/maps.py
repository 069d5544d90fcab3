"""Maps of soil moisture (step `inference`) and pictures of them (step `visualize`)."""

from collections.abc import Sequence
from datetime import date
from functools import cache

import dagster as dg

from sm_platform.defs.assets.checkpoints import checkpoints
from sm_platform.defs.assets.evaluations import evaluations
from sm_platform.defs.assets.features import scene_features
from sm_platform.defs.choice import choose_checkpoint
from sm_platform.defs.collection import write_collection
from sm_platform.defs.days import DayReport, Worker, each_day
from sm_platform.defs.estimators import open_estimator, read_card
from sm_platform.defs.freshness import FRESHNESS
from sm_platform.defs.local_time import passes_told, zone_of
from sm_platform.defs.map_index import Row, read_index
from sm_platform.defs.mapping import Mapper
from sm_platform.defs.partitions import ONE_MONTH, REGION_DAYS, TWO_MONTHS, look_back
from sm_platform.defs.pictures import day_overview, thumbnail
from sm_platform.defs.resources import LakeResource, ModelsResource
from sm_platform.defs.run_settings import RunSettings
from sm_platform.defs.schemas import column_schema
from sm_platform.defs.serving.pools import MEMORY
from sm_platform.defs.watching.standing import usual_frames
from sm_platform.errors import MissingInputError
from sm_platform.lake.layout import Layout
from sm_platform.lake.maps import write_figure
from sm_platform.schema.model_tables import SM_MAPS
from sm_platform.schema.region import Region

CUT_OFF_LOOK_BACK = -364


class MapConfig(RunSettings):
    """Which checkpoint makes the maps."""

    checkpoint: str | None = None
    """Name of a checkpoint; nothing takes the region's own or the newest trained before the day."""


@dg.asset(
    partitions_def=REGION_DAYS,
    backfill_policy=ONE_MONTH,
    deps=[
        dg.AssetDep(scene_features),
        dg.AssetDep(checkpoints, partition_mapping=look_back(CUT_OFF_LOOK_BACK)),
        dg.AssetDep(evaluations, partition_mapping=look_back(CUT_OFF_LOOK_BACK)),
    ],
    group_name="maps",
    kinds={"cog"},
    owners=["team:sm-platform"],
    tags={"step": "inference"},
    pool=MEMORY,
    freshness_policy=FRESHNESS["sm_maps"],
    metadata=column_schema(SM_MAPS),
)
def sm_maps(
    context: dg.AssetExecutionContext,
    config: MapConfig,
    lake: LakeResource,
    models: ModelsResource,
) -> dg.MaterializeResult[None]:
    """Soil moisture at 100 m of each pass: mean, sd (m3/m3), NDVI age (d), quality bits."""

    def open_region(region: Region, days: Sequence[date]) -> Worker:
        # once a run, not once a day
        read = cache(lambda name: read_card(models.store.folder(name)))
        open_once = cache(lambda name: open_estimator(models.store.folder(name)))
        mappers: dict[tuple[str, date], Mapper] = {}

        def work(day: date) -> DayReport:
            chosen = choose_checkpoint(lake.layout, read, region, config.checkpoint, day)
            key = chosen.checkpoint.checkpoint_id, chosen.cut_off
            if key not in mappers:
                ready = open_once(chosen.checkpoint.checkpoint_id)
                mappers[key] = Mapper(lake.layout, region, chosen, ready)
            return _told(lake.layout, region, mappers[key].map_day(day))

        return work

    result = each_day(context, lake.layout, open_region, needs=["scene_features"], is_last=True)
    write_collection(lake.layout)
    return result


def _told(layout: Layout, region: Region, rows: Sequence[Row]) -> DayReport:
    maps = [row for row in rows if row["is_latest"]]
    if not maps:
        return DayReport(rows[-1]["status"], 0, {"reason": rows[-1]["status_reason"]})
    cells = sum(row["n_cells"] for row in maps)
    pixels = {row["map_id"]: row["sm_mean_m3m3"] for row in maps}
    return DayReport(
        "mapped",
        len(maps),
        {
            "maps": ", ".join(pixels),
            **passes_told(maps, zone_of(region)),
            **_incomplete(layout, region.region_id, maps),
            "mean_sm_m3m3": float(sum(pixels.values()) / len(pixels)),
            "percent_mapped": 100 * sum(row["n_valid"] for row in maps) / cells,
            "percent_recommended": 100 * sum(row["n_recommended"] for row in maps) / cells,
            "checkpoint": maps[-1]["checkpoint_id"],
            "granules": dg.MetadataValue.json([name for r in maps for name in r["granule_ids"]]),
            "folder": dg.MetadataValue.path(str(layout.root / maps[-1]["path"])),
            "picture": dg.MetadataValue.md(thumbnail(layout, maps[-1])),
        },
    )


def _incomplete(layout: Layout, region: str, maps: Sequence[Row]) -> dict[str, str]:
    """Maps with fewer frames than passes of their track had lately; nothing where all are there."""
    told = []
    for row in maps:
        day, orbit = row["pass_start_utc"].date(), row["relative_orbit"]
        usual, n = usual_frames(layout, region, day, orbit), len(row["granule_ids"])
        if n < usual:
            told.append(f"{row['map_id']}: {n} of {usual} frames")
    return {"incomplete": ", ".join(told)} if told else {}


@dg.asset(
    partitions_def=REGION_DAYS,
    backfill_policy=TWO_MONTHS,
    deps=[sm_maps],
    group_name="maps",
    kinds={"png"},
    owners=["team:sm-platform"],
    tags={"step": "visualize"},
)
def map_figures(
    context: dg.AssetExecutionContext, lake: LakeResource
) -> dg.MaterializeResult[None]:
    """A figure of each current map: mean, spread of the ensemble and quality side by side."""

    def open_region(region: Region, _: Sequence[date]) -> Worker:
        return lambda day: write_figures(lake.layout, region.region_id, day)

    return each_day(context, lake.layout, open_region)


def write_figures(layout: Layout, region: str, day: date) -> DayReport:
    """Draw the day's current maps from their files."""
    rows = read_index(layout, region, day)
    if not rows:
        raise MissingInputError(
            f"{region} has not been mapped on {day}: run --inference for that day first."
        )
    paths = []
    for row in rows:
        if row["is_latest"]:
            path = layout.figure(region, day, f"{row['map_id']}_overview.png")
            write_figure(layout, path, day_overview(layout, row))
            paths.append(str(path))
    told = {"figures": dg.MetadataValue.json(paths)} if paths else {}
    return DayReport("drawn" if paths else rows[-1]["status"], len(paths), told)
