"""What became of a region's days: mapped, no pass, no data, or failed, and why.

A day is told by its maps' index (`sm_maps`) unless the mapping failed the last time it was tried.
One without a map is told by the failure of what the mapping needs of the day, if there is one: it
may have been looked at before its pass came, and what came then may be damaged.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from sm_platform.errors import LakeError
from sm_platform.lake import store
from sm_platform.lake.failures import failure_of
from sm_platform.lake.layout import Layout
from sm_platform.schema.model_tables import SM_MAPS

DAY_STATUS = "day_status"
MEANING = (
    "What became of each day of a region that was looked at: mapped, no_pass, no_data or failed"
)
COLUMN_MEANINGS: Mapping[str, str] = {
    "region_id": "name of the region",
    "day": "UTC day",
    "status": "mapped, no_pass, no_data or failed",
    "reason": "why there is no map; null when mapped",
}
NEEDED = ("s1_granules", "s1_scenes", "s1_backscatter", "scene_features")
"""Assets without which a day is not mapped, in order."""
FAILED = "failed"
MAPPED = "mapped"


@dataclass(frozen=True, slots=True)
class DayStatus:
    """One day that was looked at."""

    day: date
    status: str
    reason: str | None = None


def day_status(layout: Layout, region: str, day: date) -> DayStatus | None:
    """The same as the view tells of one day, read quickly; None when it was never looked at.

    Of days without a map the reason stands in the rows, which are not read here.
    """
    failed = failure_of(layout, region, [SM_MAPS.name], day)
    if failed is not None:
        return DayStatus(day, FAILED, failed.reason)
    try:
        note = store.note_of(layout, SM_MAPS, region, day)
    except LakeError as error:
        return DayStatus(day, FAILED, str(error))
    earlier = failure_of(layout, region, NEEDED, day)
    if note is not None and (note["status"] == MAPPED or earlier is None):
        return DayStatus(day, str(note["status"]))
    return DayStatus(day, FAILED, f"{earlier.asset}: {earlier.reason}") if earlier else None


def day_status_sql(*, has_maps: bool) -> str:
    """The view's query, over `failed_days`, and over `sm_maps` where there is such a view.

    Of several passes without a map the last one's reason is told, as the asset tells it.
    """
    nothing = "select null::varchar as region_id, null::date as day, null::varchar as status, "
    nothing += "null::varchar as reason where false"
    maps = f"""
        select region_id, day,
            case when bool_or(is_latest) then '{MAPPED}' else {_last("status")} end as status,
            case when bool_or(is_latest) then null else {_last("status_reason")} end as reason
        from {SM_MAPS.name} group by region_id, day
    """
    needed = ", ".join(f"'{name}'" for name in NEEDED)
    failures = f"""
        select region_id, day, '{FAILED}' as status,
            coalesce(
                max(reason) filter (asset = '{SM_MAPS.name}'),
                arg_min(asset || ': ' || reason, list_position([{needed}], asset))
            ) as reason,
            bool_or(asset = '{SM_MAPS.name}') as is_of_maps
        from failed_days where asset in ('{SM_MAPS.name}', {needed}) group by region_id, day
    """
    unmapped = f"failed.day is not null and made.status is distinct from '{MAPPED}'"
    is_failed = f"(failed.is_of_maps or ({unmapped}))"
    return f"""
        with made as ({maps if has_maps else nothing}),
        failed as ({failures})
        select coalesce(failed.region_id, made.region_id) as region_id,
            coalesce(failed.day, made.day) as day,
            case when {is_failed} then '{FAILED}' else made.status end as status,
            case when {is_failed} then failed.reason else made.reason end as reason
        from made full outer join failed
            on made.region_id = failed.region_id and made.day = failed.day
    """


def _last(column: str) -> str:
    """Of the rows without a map the one of the latest pass."""
    return f"last({column} order by pass_start_utc, scene_id) filter (map_id is null)"
