"""The sensors of new scenes: one for each kind of source, over all regions that take theirs there.

A tick lists what became available since the cursor, registers it and asks for runs. A source that
does not answer costs its own regions this tick and is told; it is no failure.
"""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from time import monotonic

import dagster as dg

from sm_platform.defs.assets.drivers import ndvi, weather
from sm_platform.defs.assets.features import scene_features
from sm_platform.defs.assets.granules import (
    ndvi_granules,
    s1_granules,
    static_granules,
    weather_granules,
)
from sm_platform.defs.assets.late_rain import late_rain, late_rain_granules
from sm_platform.defs.assets.maps import map_figures, sm_maps
from sm_platform.defs.assets.scenes import s1_backscatter, s1_scenes
from sm_platform.defs.assets.static import land_cover_cells, soil_cells, static_drivers
from sm_platform.defs.lake_access import stored_region
from sm_platform.defs.regions import DIMENSION
from sm_platform.defs.resources import LakeResource, secret_values, watch_settings
from sm_platform.defs.watching.cursor import Cursor, RegionCursor, read_cursor
from sm_platform.defs.watching.region_tick import Watch, tick_region
from sm_platform.defs.watching.requests import MAP_JOB, PREPARE_JOB
from sm_platform.errors import SmPlatformError
from sm_platform.lake.layout import Layout
from sm_platform.schema.region import ARCHIVE, LIVE, SEED_LAYOUT, Region
from sm_platform.schema.watch_tables import PASS_CALENDAR
from sm_platform.sources.masking import masked

LONGEST_TICK_S = 300.0
"""Regions that are not reached by then come first in the next tick."""
LATER = "waits for the next tick: the services before it were slow."
TICK_SECONDS = {ARCHIVE: 10, SEED_LAYOUT: 10, LIVE: 900}
"""By kind of source: least time between two ticks; services are not asked all the time."""
MAP_PASSES = dg.define_asset_job(
    MAP_JOB,
    selection=dg.AssetSelection.assets(
        s1_granules,
        s1_scenes,
        s1_backscatter,
        ndvi_granules,
        ndvi,
        weather_granules,
        weather,
        late_rain_granules,
        late_rain,
        scene_features,
        sm_maps,
        map_figures,
    ),
    description="Sentinel-1 passes to maps, with the vegetation and weather that they need.",
)
PREPARE_REGION = dg.define_asset_job(
    PREPARE_JOB,
    selection=dg.AssetSelection.assets(
        static_granules, soil_cells, static_drivers, land_cover_cells
    ),
    description="What a region needs once: soil, terrain, land cover.",
)
FIND_MISSED = dg.define_asset_job(
    "find_passes",
    selection=dg.AssetSelection.assets(PASS_CALENDAR.name),
    description="Which passes came, are due or overdue, and which of them are mapped.",
)
JOBS = [MAP_PASSES, PREPARE_REGION, FIND_MISSED]


def scene_sensor(source: str) -> dg.SensorDefinition:
    """The sensor of the regions of one kind of source."""
    is_on = watch_settings().is_on
    waiting: list[str] = []  # regions that the tick before had no time for
    said: set[str] = set()  # by the tick before: what lasts is told once, and stands in each tick

    @dg.sensor(
        name=f"new_scenes_{source}",
        description=f"Maps new Sentinel-1 passes of regions whose source is `{source}`; brings "
        "their vegetation and weather first, and prepares new regions.",
        jobs=JOBS,
        minimum_interval_seconds=TICK_SECONDS[source],
        default_status=dg.DefaultSensorStatus.RUNNING if is_on else dg.DefaultSensorStatus.STOPPED,
    )
    def new_scenes(context: dg.SensorEvaluationContext, lake: LakeResource) -> dg.SensorResult:
        watch = Watch(context.instance, lake.layout, watch_settings(), datetime.now(UTC))
        regions, lost = regions_of(context.instance, lake.layout)
        own = [one for one in regions if one.source == source]
        before = read_cursor(context.cursor)
        own.sort(key=lambda one: one.region_id not in waiting)
        result, notes = tick(watch, own, before)
        waiting[:] = [one.region_id for one in own if f"{one.region_id} {LATER}" in notes]
        result = with_calendar(result, before)
        for note in (*lost, *notes):
            if note not in said:
                context.log.info(note)
        said.clear()
        said.update(lost, notes)
        return result

    return new_scenes


def tick(
    watch: Watch, regions: Sequence[Region], before: Cursor
) -> tuple[dg.SensorResult, list[str]]:
    """One tick over these regions, with what there is to tell; one that fails keeps its cursor."""
    after: dict[str, RegionCursor] = {}
    requests: list[dg.RunRequest] = []
    notes: list[str] = []
    began = monotonic()
    for region in regions:
        name = region.region_id
        if monotonic() - began > LONGEST_TICK_S:
            after[name] = before.of(name)
            notes.append(f"{name} {LATER}")
            continue
        try:
            found = tick_region(watch, region, before.of(name))
        except Exception as error:  # whatever it is, the other regions go on
            after[name] = before.of(name)
            kind = "" if isinstance(error, SmPlatformError) else f"{type(error).__name__}: "
            told = masked(str(error), secret_values())
            notes.append(f"{name} skipped: {kind}{told}")
            continue
        after[name] = found.cursor
        requests += found.requests
        notes += found.notes
    why = None if requests else dg.SkipReason(" ".join(notes) or "Nothing new.")
    cursor = Cursor(after).as_text()
    return dg.SensorResult(run_requests=requests, cursor=cursor, skip_reason=why), notes


def with_calendar(result: dg.SensorResult, before: Cursor) -> dg.SensorResult:
    """The tick, with a run of the calendar once a region has settled on a new day of its source.

    The schedule runs it by this machine's clock, every three hours.
    """
    after = read_cursor(result.cursor)
    settled = [
        f"{name}@{one.settled}"
        for name, one in sorted(after.regions.items())
        if one.settled is not None and one.settled != before.of(name).settled
    ]
    if not settled:
        return result
    hashed = hashlib.sha256(" ".join(settled).encode()).hexdigest()[:12]
    calendar = dg.RunRequest(run_key=f"calendar/{hashed}", job_name=FIND_MISSED.name)
    requests = [*(result.run_requests or []), calendar]
    return dg.SensorResult(run_requests=requests, cursor=result.cursor)


def regions_of(instance: dg.DagsterInstance, layout: Layout) -> tuple[list[Region], list[str]]:
    """The stored regions that have a partition, in order; and what is to be told of others."""
    found, notes = [], []
    for name in sorted(instance.get_dynamic_partitions(DIMENSION)):
        try:
            stored = stored_region(layout, name)
        except SmPlatformError as error:
            notes.append(f"{name} skipped: {error}")
            continue
        if stored is not None:
            found.append(stored)
    return found, notes


SENSORS = [scene_sensor(source) for source in TICK_SECONDS]
