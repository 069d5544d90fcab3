"""The sweep: what sensors missed is found by the lake and the source together, and told.

The asset `pass_calendar` lists the watched days once more, by their day and not by what is new
since a cursor, logs what the sensor missed (which then asks for it), and writes for each region
which passes came, are due, are mapped. The schedules run it, and make again maps whose inputs or
checkpoint have changed.
"""

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import dagster as dg

from sm_platform.defs.alerting.alert import source_down
from sm_platform.defs.alerting.alert_log import raise_alerts
from sm_platform.defs.alerting.silence import alert_silence
from sm_platform.defs.local_time import day_of
from sm_platform.defs.region_source import open_source
from sm_platform.defs.resources import (
    LakeResource,
    WatchSettings,
    secret_values,
    settings,
    watch_settings,
)
from sm_platform.defs.schemas import column_schema
from sm_platform.defs.service_choice import chosen_service
from sm_platform.defs.watching.calendar import PassRow, passes_of, write_calendar
from sm_platform.defs.watching.refreshing import refreshes
from sm_platform.defs.watching.requests import attempts, run_request
from sm_platform.defs.watching.scene_log import register
from sm_platform.defs.watching.sensor import FIND_MISSED, MAP_PASSES, regions_of
from sm_platform.errors import LakeError, SmPlatformError
from sm_platform.grid.calendar import days_between
from sm_platform.lake.layout import Layout
from sm_platform.schema.region import Region
from sm_platform.schema.watch_tables import PASS_CALENDAR
from sm_platform.sources.protocol import Product

EVERY_THREE_HOURS = "20 */3 * * *"


@dataclass(slots=True)
class Swept:
    """What the sweep found in one region."""

    region_id: str
    now: datetime
    rows: list[PassRow] = field(default_factory=list)
    n_missed: int = 0
    """Frames that the sensor had not logged."""
    problem: str | None = None
    """Why the region could not be swept."""

    def told(self) -> str:
        """A line of a table."""
        counts = Counter(row.pass_status for row in self.rows)
        parts = [f"{n} {status}" for status, n in sorted(counts.items())]
        found = f"{self.n_missed} frames found that the sensor had missed" if self.n_missed else ""
        said = ", ".join(part for part in (*parts, found, self.problem) if part)
        return f"| {self.region_id} | {self.now:%Y-%m-%d %H:%M} | {said or 'no pass known yet'} |"


def sweep_region(layout: Layout, region: Region, how: WatchSettings) -> Swept:
    """Log what the sensor missed and write the region's calendar; a problem is told, not raised."""
    swept = Swept(region.region_id, datetime.now(UTC))
    try:
        source = open_source(region)
        swept.now = source.now()
    except SmPlatformError as error:  # without its clock nothing is known to be late
        swept.problem = str(error)
        _tell_source(layout, region, str(error))
        return swept
    try:
        first = max(day_of(swept.now) - timedelta(how.days), settings().first_day)
        days = days_between(min(first, day_of(swept.now)), day_of(swept.now))
        listed = source.granules(Product.S1_GRD, region.window, days)
        own, now = chosen_service(region, Product.S1_GRD), datetime.now(UTC)
        swept.n_missed = len(register(layout, region.region_id, listed, now, service=own))
    except SmPlatformError as error:
        swept.problem = str(error)
        _tell_source(layout, region, str(error))
    try:  # what is due is known without a listing
        swept.rows = passes_of(layout, region, swept.now, how.days)
        write_calendar(layout, region.region_id, swept.rows)
        late = how.silent_days
        alert_silence(layout, region.region_id, swept.rows, swept.now, silent_days=late)
    except SmPlatformError as error:
        swept.problem = " ".join(filter(None, [swept.problem, str(error)]))
    return swept


def _tell_source(layout: Layout, region: Region, reason: str) -> None:
    """Raise an alert about the source, as far as the lake takes it."""
    now = datetime.now(UTC)
    with suppress(LakeError):
        raise_alerts(layout, [source_down(region, reason, now)], secret_values(), now)


@dg.asset(
    group_name="maps",
    kinds={"parquet"},
    owners=["team:sm-platform"],
    metadata=column_schema(PASS_CALENDAR),
)
def pass_calendar(
    context: dg.AssetExecutionContext, lake: LakeResource
) -> dg.MaterializeResult[None]:
    """Passes of the last weeks and the next twelve days by region: mapped, due, overdue."""
    how = watch_settings()
    regions, notes = regions_of(context.instance, lake.layout)
    for note in notes:
        context.log.warning(note)
    swept = [sweep_region(lake.layout, one, how) for one in regions]
    counts = Counter(row.pass_status for one in swept for row in one.rows)
    lines = ["| region | its clock (UTC) | passes |", "|---|---|---|", *(s.told() for s in swept)]
    return dg.MaterializeResult(
        metadata={
            "regions": len(swept),
            "frames_missed_by_the_sensor": sum(one.n_missed for one in swept),
            "passes_overdue": counts["overdue"],
            "passes_failed": counts["failed"],
            "passes": dg.MetadataValue.md("\n".join(lines)),
        }
    )


def refresh_requests(
    instance: dg.DagsterInstance, layout: Layout, regions: Sequence[Region], how: WatchSettings
) -> list[dg.RunRequest]:
    """A run for each stretch of days whose maps are older than what they are made of."""
    found, now = [], datetime.now(UTC)
    for region in regions:
        try:
            asks = refreshes(layout, region, day_of(open_source(region).now()), how.days)
        except SmPlatformError:  # told by the calendar; the other regions go on
            continue
        for one in asks:
            earlier = attempts(instance, one)
            if earlier.may_try(now):
                found.append(run_request(one, earlier.n_over))
    return found


def _schedules() -> list[dg.ScheduleDefinition]:
    how = watch_settings()
    status = dg.DefaultScheduleStatus.RUNNING if how.is_on else dg.DefaultScheduleStatus.STOPPED
    hour, minute = how.daily_at.split(":")

    @dg.schedule(
        name="daily_refresh",
        description="Makes again the maps of the last days whose inputs or accepted checkpoint "
        "are newer than they are: late vegetation and weather, a promoted checkpoint.",
        job=MAP_PASSES,
        cron_schedule=f"{int(minute)} {int(hour)} * * *",
        execution_timezone=how.time_zone,
        default_status=status,
    )
    def daily_refresh(
        context: dg.ScheduleEvaluationContext, lake: LakeResource
    ) -> list[dg.RunRequest] | dg.SkipReason:
        regions, _ = regions_of(context.instance, lake.layout)
        asked = refresh_requests(context.instance, lake.layout, regions, watch_settings())
        return asked or dg.SkipReason("Every map is as new as what it was made of.")

    sweep = dg.ScheduleDefinition(
        name="find_missed_passes",
        description="Looks for passes that the sensor missed and for passes that are overdue.",
        job=FIND_MISSED,
        cron_schedule=EVERY_THREE_HOURS,
        execution_timezone="UTC",
        default_status=status,
    )
    return [sweep, daily_refresh]


SCHEDULES = _schedules()
