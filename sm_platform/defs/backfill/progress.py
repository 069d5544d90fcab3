"""How far a backfill is, by region, and why days failed."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import dagster as dg
from dagster._core.definitions.assets.graph.asset_graph_subset import AssetGraphSubset
from dagster._core.execution.asset_backfill import AssetBackfillData
from dagster._core.execution.backfill import (
    BULK_ACTION_TERMINAL_STATUSES,
    BulkActionsFilter,
    BulkActionStatus,
    PartitionBackfill,
)

from sm_platform.definitions import defs
from sm_platform.defs.backfill.planning import Place
from sm_platform.defs.map_chain import CHAIN
from sm_platform.errors import UsageError
from sm_platform.lake import store
from sm_platform.lake.failures import failed_days
from sm_platform.lake.layout import Layout
from sm_platform.schema.model_tables import SM_MAPS

STATES = {
    "REQUESTED": "going on",
    "COMPLETED": "done",
    "COMPLETED_SUCCESS": "done",
    "COMPLETED_FAILED": "done, some days failed",
    "CANCELING": "being cancelled",
    "CANCELED": "cancelled",
    "FAILING": "being stopped by a fault",
    "FAILED": "stopped by a fault",
}
"""Dagster's states of a backfill in words."""
MOST_LISTED = 5
DaysByRegion = Mapping[str, frozenset[date]]


@dataclass(frozen=True, slots=True)
class RegionProgress:
    """Days of one region that a backfill asks for."""

    region_id: str
    n_days: int
    n_done: int
    n_failed: int
    n_maps: int
    """Passes with a current map, of the days done; 0 where they are not counted."""

    @property
    def n_left(self) -> int:
        """Days neither done nor failed."""
        return self.n_days - self.n_done - self.n_failed


@dataclass(frozen=True, slots=True)
class Progress:
    """A backfill as it stands."""

    backfill_id: str
    title: str
    state: str
    """One of the values of STATES."""
    is_over: bool
    regions: tuple[RegionProgress, ...]
    n_keys: int
    """Partitions of all its assets, and those made or failed."""
    n_keys_done: int
    began_utc: datetime
    ended_utc: datetime | None
    fault: str | None
    """What stopped it, when it was stopped."""

    def left_s(self, now: datetime) -> float | None:
        """Seconds left at the pace so far, None while nothing is done or nothing left."""
        if self.is_over or not self.n_keys_done:
            return None
        passed = (now - self.began_utc).total_seconds()
        return passed / self.n_keys_done * (self.n_keys - self.n_keys_done)


@dataclass(frozen=True, slots=True)
class Look:
    """Looks at a backfill again and again; maps of finished days are counted once."""

    place: Place
    backfill_id: str
    counts_maps: bool = True
    """Counting reads a small file of each day."""
    _maps: dict[tuple[str, date], int] = field(default_factory=dict)

    def now(self) -> Progress:
        """The backfill as it stands; raises UsageError when there is none of that id."""
        backfill = find(self.place.instance, self.backfill_id)
        data = data_of(backfill)
        last = assets_of(data)[-1]
        target, made = days_of(data.target_subset, last), days_of(data.materialized_subset, last)
        failed = days_of(data.failed_and_downstream_subset, last)
        done = data.materialized_subset | data.failed_and_downstream_subset
        end, state = backfill.backfill_end_timestamp, backfill.status
        return Progress(
            backfill_id=backfill.backfill_id,
            title=backfill.title or "",
            state=STATES[state.value],
            is_over=state in BULK_ACTION_TERMINAL_STATUSES,
            regions=tuple(self._region(name, target, made, failed) for name in sorted(target)),
            n_keys=data.target_subset.num_partitions_and_non_partitioned_assets,
            n_keys_done=done.num_partitions_and_non_partitioned_assets,
            began_utc=datetime.fromtimestamp(backfill.backfill_timestamp, UTC),
            ended_utc=datetime.fromtimestamp(end, UTC) if end else None,
            fault=backfill.error.message.strip() if backfill.error else None,
        )

    def _region(
        self, name: str, target: DaysByRegion, made: DaysByRegion, failed: DaysByRegion
    ) -> RegionProgress:
        done = made.get(name, frozenset())
        n_failed = len(failed.get(name, frozenset()) - done)
        n_maps = sum(self._n_maps(name, day) for day in done) if self.counts_maps else 0
        return RegionProgress(
            name, n_days=len(target[name]), n_done=len(done), n_failed=n_failed, n_maps=n_maps
        )

    def _n_maps(self, region: str, day: date) -> int:
        if (region, day) not in self._maps:
            part = store.read(self.place.layout, SM_MAPS, region, day, columns=["is_latest"])
            rows = part.rows["is_latest"].to_pylist() if part else []
            self._maps[region, day] = sum(map(bool, rows))
        return self._maps[region, day]


def find(instance: dg.DagsterInstance, backfill_id: str) -> PartitionBackfill:
    """The backfill of that id; raises UsageError naming the newest ones."""
    found = instance.get_backfill(backfill_id)
    if found is not None and _is_of_days(found):
        return found
    newest = [one.backfill_id for one in newest_backfills(instance)[:MOST_LISTED]]
    raise UsageError(
        f"There is no backfill '{backfill_id}' (newest: {', '.join(newest) or 'none yet'}): see "
        "`sm-platform backfill list`."
    )


def newest_backfills(instance: dg.DagsterInstance) -> list[PartitionBackfill]:
    """The backfills of days, the newest first, also those asked for in the UI."""
    known = [one for one in instance.get_backfills() if _is_of_days(one)]
    return sorted(known, key=lambda one: -one.backfill_timestamp)


def under_way(instance: dg.DagsterInstance) -> dict[tuple[str, date], str]:
    """Regions and days that a backfill which is not over asks for, with its id."""
    found: dict[tuple[str, date], str] = {}
    still = [one for one in BulkActionStatus if one not in BULK_ACTION_TERMINAL_STATUSES]
    for one in filter(_is_of_days, instance.get_backfills(BulkActionsFilter(statuses=still))):
        data = data_of(one)
        target = days_of(data.target_subset, assets_of(data)[-1])
        found |= {(name, day): one.backfill_id for name in target for day in target[name]}
    return found


def _is_of_days(backfill: PartitionBackfill) -> bool:
    return backfill.is_asset_backfill and bool(assets_of(data_of(backfill)))


def data_of(backfill: PartitionBackfill) -> AssetBackfillData:
    """What Dagster keeps of a backfill of assets."""
    return backfill.get_asset_backfill_data(defs.resolve_asset_graph())


def assets_of(data: AssetBackfillData) -> tuple[str, ...]:
    """The dated assets it asks for, of those from granules to figures, the last one last."""
    named = {key.to_user_string() for key in data.target_subset.asset_keys}
    return tuple(asset for asset in CHAIN if asset in named)


def days_of(subset: AssetGraphSubset, asset: str) -> DaysByRegion:
    """Days by region of a dated asset in a part of what a backfill asks for."""
    found: dict[str, set[date]] = defaultdict(set)
    key = dg.AssetKey(asset)
    if key in subset.asset_keys:
        for partition in subset.get_partitions_subset(key).get_partition_keys():
            day, region = partition.split("|")
            found[region].add(date.fromisoformat(day))
    return {region: frozenset(days) for region, days in found.items()}


def reasons(layout: Layout, progress: Progress) -> Iterator[str]:
    """A line for each asset and day that failed of this backfill, by region and day."""
    for one in progress.regions:
        told: dict[date, list[str]] = defaultdict(list)
        for asset in CHAIN:
            for failed in failed_days(layout, one.region_id, asset):
                if failed.request == progress.backfill_id and failed.reason not in told[failed.day]:
                    told[failed.day].append(failed.reason)
        for day in sorted(told):
            yield f"{one.region_id} {day}: {' '.join(told[day])}"
