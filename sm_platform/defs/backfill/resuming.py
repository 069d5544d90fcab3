"""Backfills that lost runs go on by themselves: what was killed is asked for again.

Dagster retries a run whose worker died, but gives it up where its code server is away in that very
moment, and then all days that look back to the run's. What failed of wrong data stays failed.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta

from dagster._core.execution.backfill import BulkActionsFilter, BulkActionStatus, PartitionBackfill

from sm_platform.defs.backfill.asked import named_regions
from sm_platform.defs.backfill.planning import Place, Plan, Wanted, plan_region
from sm_platform.defs.backfill.progress import (
    assets_of,
    data_of,
    days_of,
    needed_by,
    under_way,
)
from sm_platform.defs.backfill.queueing import PARENT, queue
from sm_platform.lake.failures import failure_of

ENDED_BADLY = [BulkActionStatus.COMPLETED_FAILED, BulkActionStatus.FAILED]
WITHIN = timedelta(days=2)
MOST_TIMES = 5
"""One after the other: more, and a person should look."""


def resume_backfills(place: Place, now: datetime) -> list[str]:
    """Queue what backfills of the last days lost; a sentence for each.

    Raises:
        SourceError: a region's source cannot list what there is.
    """
    known = place.instance.get_backfills(BulkActionsFilter(created_after=now - WITHIN))
    parents = {one.tags.get(PARENT): one for one in known}
    ended = [one for one in known if one.status in ENDED_BADLY and one.is_asset_backfill]
    told = []
    for one in ended:
        if one.backfill_id in parents or _n_before(one, known) >= MOST_TIMES:
            continue
        lost = dict(_lost(place, one))
        if lost:
            told.append(_again(place, one, lost))
    return told


def _n_before(backfill: PartitionBackfill, known: Sequence[PartitionBackfill]) -> int:
    """How many backfills this one goes on from."""
    by_id = {one.backfill_id: one for one in known}
    number, parent = 0, backfill.tags.get(PARENT)
    while parent in by_id and number < MOST_TIMES:
        number, parent = number + 1, by_id[parent].tags.get(PARENT)
    return number


def _lost(place: Place, backfill: PartitionBackfill) -> Iterator[tuple[str, list[date]]]:
    """By region the days that were not made, but for those known to have failed of wrong data."""
    data = data_of(backfill)
    assets = assets_of(data)
    if not assets:
        return
    target, made = (
        days_of(subset, assets[-1]) for subset in (data.target_subset, data.materialized_subset)
    )
    busy, needed = under_way(place.instance), needed_by(assets)
    for region, days in sorted(target.items()):
        left = sorted(days - made.get(region, frozenset()))
        lost = [
            day
            for day in left
            if (region, day) not in busy and not _is_hopeless(place, region, needed, day)
        ]
        if lost:
            yield region, lost


def _is_hopeless(place: Place, region: str, needed: Sequence[str], day: date) -> bool:
    failed = failure_of(place.layout, region, needed, day)
    return failed is not None and not failed.is_passing


def _again(place: Place, backfill: PartitionBackfill, lost: dict[str, list[date]]) -> str:
    wanted = Wanted(assets_of(data_of(backfill)))
    regions = named_regions(place.layout, list(lost))
    plans = [plan_region(place, one, lost[one.region_id], wanted) for one in regions]
    plan = Plan(plans, wanted.assets)
    if not plan.n_keys:
        return f"Backfill {backfill.backfill_id} lost nothing that is still lacking."
    title = backfill.title or f"Again {backfill.backfill_id}"
    queued = queue(place.instance, plan, title, backfill.backfill_id)
    n_days = sum(len(days) for days in lost.values())
    said = "1 day: it goes" if n_days == 1 else f"{n_days} days: they go"
    return f"Backfill {backfill.backfill_id} lost {said} on as {queued}."
