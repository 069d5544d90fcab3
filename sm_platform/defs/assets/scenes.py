"""Sentinel-1 passes and their backscatter, per region and day (step `extract`)."""

from collections.abc import Sequence
from datetime import date

import dagster as dg
import numpy as np
import pyarrow as pa

from sm_platform.defs.assets.granules import s1_granules
from sm_platform.defs.days import DayReport, Worker, each_day
from sm_platform.defs.lake_access import hash_of
from sm_platform.defs.partitions import ONE_MONTH, REGION_DAYS
from sm_platform.defs.radar_quantity import QUANTITY, quantity_of
from sm_platform.defs.readers import read_all
from sm_platform.defs.resources import LakeResource
from sm_platform.defs.scenes import Scene, read_scenes, scene_rows, scenes_of
from sm_platform.defs.schemas import column_schema
from sm_platform.defs.service_choice import PASSED_OVER, choice_note, chosen_service, of_one_service
from sm_platform.errors import DataError, GranuleError
from sm_platform.features.radar import joined_frames, placed_frame
from sm_platform.grid.window import Raster
from sm_platform.lake import store
from sm_platform.lake.granules import LandedGranule, landed, quarantine, refuse_quarantined
from sm_platform.lake.layout import Layout
from sm_platform.lake.rasters import raster_rows, window_note
from sm_platform.schema import driver_tables as tables
from sm_platform.schema.region import Region
from sm_platform.sources.protocol import Product

S1 = Product.S1_GRD.value


def write_scenes(layout: Layout, region: Region, day: date) -> DayReport:
    """Group a day's landed frames into passes and store them; raises DataError naming the frames.

    A day is of one service: of the one that brings the radar now, else of the one that landed a
    frame last. Those of two quantities, sigma0 and gamma0, are not mixed.
    """
    refuse_quarantined(layout, S1, region.region_id, day)
    there = landed(layout, S1, region.region_id, day)
    granules = of_one_service(there, chosen_service(region, Product.S1_GRD))
    inputs = hash_of("s1_scenes", [one.sha256 for one in granules])
    note = store.note_of(layout, tables.S1_SCENES, region.region_id, day)
    if note is not None and note["inputs"] == inputs:
        return DayReport(note["status"], note["rows"])
    quantity_of(granules)
    try:
        scenes = scenes_of(granules)
    except GranuleError as error:
        places = ", ".join(_set_aside(layout, region, day, str(error)))
        raise DataError(f"{error} It lies in {places}.") from error
    status = "made" if scenes else "no_pass"
    store.write(
        layout,
        tables.S1_SCENES,
        scene_rows(scenes),
        region=region.region_id,
        day=day,
        note={"inputs": inputs, "status": status, "rows": len(scenes)},
    )
    told = {"passes": ", ".join(s.scene_id for s in scenes)}
    over = choice_note(there, granules).get(PASSED_OVER)
    return DayReport(status, len(scenes), {**told, **({PASSED_OVER: over} if over else {})})


def _set_aside(layout: Layout, region: Region, day: date, reason: str) -> list[str]:
    return [
        str(quarantine(layout, region.region_id, granule, reason))
        for granule in landed(layout, S1, region.region_id, day)
        if granule.granule_id in reason or any(name in reason for name in granule.files)
    ]


def write_backscatter(layout: Layout, region: Region, day: date) -> DayReport:
    """Read the frames of a day's passes and store their pixels on the region's window."""
    scenes = read_scenes(layout, region.region_id, day)
    grid = window_note(region.window)
    inputs = hash_of("s1_backscatter", [s.granule_sha256s for s in scenes], grid)
    note = store.note_of(layout, tables.S1_BACKSCATTER, region.region_id, day)
    if note is not None and note["inputs"] == inputs:
        return DayReport(note["status"], note["rows"])
    granules = _of_their_service(scenes, landed(layout, S1, region.region_id, day))
    quantity = quantity_of(granules)
    frames = _read_frames(layout, region, granules)
    parts = []
    for scene in scenes:
        rasters = [frames[name] for name in scene.granule_ids if name in frames]
        if len(rasters) < len(scene.granule_ids):
            raise DataError(f"Frames of {scene.scene_id} are not landed: run --download again.")
        raster = (
            placed_frame(region.window, rasters[0])
            if scene.is_day_only
            else joined_frames(region.window, rasters)
        )
        parts.append(_measured(scene, raster))
    rows = pa.concat_tables(parts) if parts else tables.S1_BACKSCATTER.arrow_schema.empty_table()
    status = "no_pass" if not scenes else "made" if rows.num_rows else "no_data"
    kept = {"inputs": inputs, "status": status, "rows": rows.num_rows, "grid": grid}
    kept[QUANTITY] = quantity.name
    store.write(layout, tables.S1_BACKSCATTER, rows, region=region.region_id, day=day, note=kept)
    return DayReport(status, rows.num_rows, _means(rows))


def _of_their_service(
    scenes: Sequence[Scene], there: Sequence[LandedGranule]
) -> list[LandedGranule]:
    """The frames of the service that the passes are of; those that others replace among them."""
    names = {name for scene in scenes for name in scene.granule_ids}
    sources = {one.source for one in there if one.granule_id in names}
    return [one for one in there if one.source in sources]


def _read_frames(
    layout: Layout, region: Region, granules: Sequence[LandedGranule]
) -> dict[str, Raster]:
    """Frames by id; raises DataError naming each damaged one."""
    frames, damaged = {}, []
    for one in granules:
        try:
            frames[one.granule_id] = read_all(layout, region.region_id, [one], region.window)
        except DataError as error:
            damaged.append(str(error))
    if damaged:
        raise DataError(" ".join(damaged))
    return frames


def _measured(scene: Scene, raster: Raster) -> pa.Table:
    """Rows of the pixels where anything is measured."""
    keep = np.logical_or.reduce([~np.isnan(values) for values in raster.values.values()])
    rows = raster_rows(raster, keep)
    return rows.add_column(0, "scene_id", pa.array([scene.scene_id] * rows.num_rows, pa.string()))


def _means(rows: pa.Table) -> dict[str, float]:
    if not rows.num_rows:
        return {}
    return {
        f"mean_{name}": float(np.nanmean(rows[name].to_numpy(zero_copy_only=False)))
        for name in ("vv_db", "vh_db")
        if rows[name].null_count < rows.num_rows
    }


@dg.asset(
    partitions_def=REGION_DAYS,
    backfill_policy=ONE_MONTH,
    deps=[s1_granules],
    group_name="drivers",
    kinds={"parquet"},
    owners=["team:sm-platform"],
    tags={"source": "sentinel-1", "step": "extract"},
    metadata=column_schema(tables.S1_SCENES),
)
def s1_scenes(context: dg.AssetExecutionContext, lake: LakeResource) -> dg.MaterializeResult[None]:
    """Sentinel-1 passes: all frames of one datatake that start on the UTC day."""

    def open_region(region: Region, _: Sequence[date]) -> Worker:
        return lambda day: write_scenes(lake.layout, region, day)

    return each_day(context, lake.layout, open_region, needs=["s1_granules"])


@dg.asset(
    partitions_def=REGION_DAYS,
    backfill_policy=ONE_MONTH,
    deps=[s1_scenes],
    group_name="drivers",
    kinds={"parquet"},
    owners=["team:sm-platform"],
    tags={"source": "sentinel-1", "step": "extract"},
    metadata=column_schema(tables.S1_BACKSCATTER),
)
def s1_backscatter(
    context: dg.AssetExecutionContext, lake: LakeResource
) -> dg.MaterializeResult[None]:
    """VV, VH (dB) and incidence angle (deg) of each pass at the region's pixels."""

    def open_region(region: Region, _: Sequence[date]) -> Worker:
        return lambda day: write_backscatter(lake.layout, region, day)

    return each_day(context, lake.layout, open_region, needs=["s1_scenes"])
