"""Vegetation and weather at their native cells, per region and day (step `extract`)."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import dagster as dg

from sm_platform.defs.assets.granules import ndvi_granules, weather_granules
from sm_platform.defs.days import DayReport, Worker, each_day
from sm_platform.defs.freshness import FRESHNESS
from sm_platform.defs.lake_access import hash_of
from sm_platform.defs.ndvi_choice import own_sensor, sensor_note, used_of_day
from sm_platform.defs.partitions import ONE_MONTH, REGION_DAYS
from sm_platform.defs.readers import read_all
from sm_platform.defs.resources import LakeResource, ModelsResource
from sm_platform.defs.schemas import column_schema
from sm_platform.defs.service_choice import USED, choice_note, chosen_service
from sm_platform.defs.source_reach import nothing_of
from sm_platform.errors import MissingInputError
from sm_platform.lake import store
from sm_platform.lake.granules import LandedGranule, landed, refuse_quarantined
from sm_platform.lake.layout import Layout
from sm_platform.lake.rasters import raster_rows, window_note
from sm_platform.schema import driver_tables as tables
from sm_platform.schema.recipes import NdviSensor
from sm_platform.schema.region import Region
from sm_platform.schema.tables import Table
from sm_platform.sources.protocol import Product


def extract_day(
    layout: Layout,
    region: Region,
    table: Table,
    landed_granules: Sequence[LandedGranule],
    day: date,
    *,
    own: NdviSensor = NdviSensor.MODIS,
) -> DayReport:
    """Write one day of a native-cell table; a day made from the same granules is left alone.

    A day is of one service: of the one that brings the driver now, else of the one that landed a
    granule last. A day of NDVI is of one sensor first: of `own` where it has granules of that, else
    of the other (see `used_of_day`).
    """
    service = chosen_service(region, Product(table.name))
    granules = used_of_day(landed_granules, own, service)
    inputs = hash_of(table.name, [granule.sha256 for granule in granules])
    note = store.note_of(layout, table, region.region_id, day)
    if note is not None and note["inputs"] == inputs and _is_of(note, granules):
        return DayReport(note["status"], note["rows"])
    if not granules:
        return _write_empty(layout, region, table, day)
    raster = read_all(layout, region.region_id, granules, region.window)
    rows = raster_rows(raster)
    available = [one.available_utc for one in granules if one.available_utc]
    status = {"inputs": inputs, "status": "made", "rows": rows.num_rows}
    known = {"grid": window_note(raster.window), **sensor_note(granules)}
    known |= choice_note(landed_granules, granules)
    latest = {"available_utc": max(available).isoformat() if available else None}
    store.write(
        layout,
        table,
        rows,
        region=region.region_id,
        day=day,
        note={**status, **known, **latest},
    )
    return DayReport("made", rows.num_rows)


def _is_of(note: Mapping[str, Any], granules: Sequence[LandedGranule]) -> bool:
    """Whether a day was made from these; another service may have brought the same content."""
    return note.get(USED) in (None, [one.granule_id for one in granules])


def _write_empty(layout: Layout, region: Region, table: Table, day: date) -> DayReport:
    note = {"inputs": hash_of(table.name, []), "status": "none", "rows": 0}
    empty = table.arrow_schema.empty_table()
    store.write(layout, table, empty, region=region.region_id, day=day, note=note)
    return DayReport("none", 0)


def native_driver(
    table: Table,
    product: Product,
    upstream: dg.AssetsDefinition,
    description: str,
    *,
    source: str,
) -> dg.AssetsDefinition:
    """An asset that writes a product's landed granules as rows of its native cells, day by day."""

    @dg.asset(
        name=table.name,
        description=description,
        partitions_def=REGION_DAYS,
        backfill_policy=ONE_MONTH,
        deps=[upstream],
        group_name="drivers",
        kinds={"parquet"},
        owners=["team:sm-platform"],
        tags={"source": source, "step": "extract"},
        freshness_policy=FRESHNESS.get(table.name),
        metadata=column_schema(table),
    )
    def extracted(
        context: dg.AssetExecutionContext, lake: LakeResource, models: ModelsResource
    ) -> dg.MaterializeResult[None]:
        def open_region(region: Region, days: Sequence[date]) -> Worker:
            own = own_sensor(region, models.store)

            def work(day: date) -> DayReport:
                refuse_quarantined(lake.layout, product.value, region.region_id, day)
                found = landed(lake.layout, product.value, region.region_id, day)
                return extract_day(lake.layout, region, table, found, day, own=own)

            return work

        return each_day(context, lake.layout, open_region, needs=[f"{table.name}_granules"])

    return extracted


ndvi = native_driver(
    tables.NDVI,
    Product.NDVI,
    ndvi_granules,
    "Vegetation index (unitless) with reliability and day of observation, at the sensor's cells "
    "(MODIS 250 m, VIIRS 500 m).",
    source="ndvi",
)
weather = native_driver(
    tables.WEATHER,
    Product.WEATHER,
    weather_granules,
    "Daily mean temperature (K) and total precipitation (m/day), at 0.1 degree cells.",
    source="weather",
)


def need(granules: Sequence[LandedGranule], product: Product, region: Region) -> None:
    """Raises MissingInputError when a static product has not been landed."""
    if not granules:
        raise MissingInputError(
            f"No {product.value} file of {region.region_id} has been landed: run --download (asset "
            f"static_granules). If it was run: {nothing_of(region, [product])}"
        )
