"""How far a backfill is, by region, and why days failed."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
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
from sm_platform.defs.backfill.queueing import PARENT
from sm_platform.defs.map_chain import CHAIN, DRIVERS, LATE_RAIN, STATIC
from sm_platform.defs.reasons_told import causes_of
from sm_platform.errors import UsageError
from sm_platform.lake import store
from sm_platform.lake.failures import failed_days, failure_of
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
INTERRUPTED = "ended, some days not made"
"""What Dagster takes for failed where no day is known to have failed."""
MOST_LISTED = 5
DaysByRegion = Mapping[str, frozenset[date]]


@dataclass(frozen=True, slots=True)
class RegionProgress:
    """Days of one region that a backfill asks for."""

    region_id: str
    n_days: int
    n_done: int
    n_failed: int
    """Days whose failure the lake knows, with its reason."""
    n_maps: int
    """Passes with a current map, of the days done; 0 where they are not counted."""
    n_interrupted: int = 0
    """Days left whose runs ended without a failure that is known: a process was killed."""

    @property
    def n_left(self) -> int:
        """Days neither done nor failed."""
        return self.n_days - self.n_done - self.n_failed


@dataclass(frozen=True, slots=True)
class AssetProgress:
    """Partitions of one asset that a backfill asks for, and those made."""

    asset: str
    n_asked: int
    n_made: int


@dataclass(frozen=True, slots=True)
class Progress:
    """A backfill as it stands."""

    backfill_id: str
    title: str
    state: str
    """One of the values of STATES, or INTERRUPTED."""
    is_over: bool
    regions: tuple[RegionProgress, ...]
    assets: tuple[AssetProgress, ...]
    """In the order of their making: days are done when the last one is."""
    n_keys: int
    """Partitions of all its assets, and those that nothing more comes of: made, failed, lost."""
    n_keys_done: int
    began_utc: datetime
    ended_utc: datetime | None
    fault: str | None
    """What stopped it, when it was stopped."""
    heir: str | None = None
    """Id of the backfill that took up what this one left, if there is one."""

    @property
    def n_left(self) -> int:
        """Days of all regions that are neither done nor failed."""
        return sum(one.n_left for one in self.regions)

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
        regions = self._regions(data)
        n_left = sum(one.n_left for one in regions)
        over = data.materialized_subset | data.failed_and_downstream_subset
        end, is_over = backfill.backfill_end_timestamp, _is_over(backfill)
        return Progress(
            backfill_id=backfill.backfill_id,
            title=backfill.title or "",
            state=_state(backfill, regions),
            is_over=is_over,
            regions=regions,
            assets=_by_asset(data),
            n_keys=data.target_subset.num_partitions_and_non_partitioned_assets,
            n_keys_done=over.num_partitions_and_non_partitioned_assets,
            began_utc=datetime.fromtimestamp(backfill.backfill_timestamp, UTC),
            ended_utc=datetime.fromtimestamp(end, UTC) if end else None,
            fault=backfill.error.message.strip() if backfill.error else None,
            heir=_heir(self.place.instance, backfill) if is_over and n_left else None,
        )

    def _regions(self, data: AssetBackfillData) -> tuple[RegionProgress, ...]:
        assets = assets_of(data)
        target, made, ended = (
            days_of(subset, assets[-1])
            for subset in (
                data.target_subset,
                data.materialized_subset,
                data.failed_and_downstream_subset,
            )
        )
        found, none = [], frozenset[date]()
        for name in sorted(target):
            done = made.get(name, none)
            lost = ended.get(name, none) - done
            n_failed = sum(self._has_failed(name, day, needed_by(assets)) for day in lost)
            n_maps = sum(self._n_maps(name, day) for day in done) if self.counts_maps else 0
            counts = len(target[name]), len(done), n_failed, n_maps, len(lost) - n_failed
            found.append(RegionProgress(name, *counts))
        return tuple(found)

    def _has_failed(self, region: str, day: date, assets: Sequence[str]) -> bool:
        """Whether the lake knows a failure of this backfill: Dagster counts killed runs as well."""
        known = (failure_of(self.place.layout, region, [one], day) for one in assets)
        return any(one is not None and one.request == self.backfill_id for one in known)

    def _n_maps(self, region: str, day: date) -> int:
        if (region, day) not in self._maps:
            part = store.read(self.place.layout, SM_MAPS, region, day, columns=["is_latest"])
            rows = part.rows["is_latest"].to_pylist() if part else []
            self._maps[region, day] = sum(map(bool, rows))
        return self._maps[region, day]


def _state(backfill: PartitionBackfill, regions: Sequence[RegionProgress]) -> str:
    """Its state in words; days that were only interrupted are not said to have failed."""
    n_left, n_failed = sum(r.n_left for r in regions), sum(r.n_failed for r in regions)
    if backfill.status is BulkActionStatus.COMPLETED_FAILED and n_left and not n_failed:
        return INTERRUPTED
    return STATES[backfill.status.value]


def _is_over(backfill: PartitionBackfill) -> bool:
    return backfill.status in BULK_ACTION_TERMINAL_STATUSES


def _by_asset(data: AssetBackfillData) -> tuple[AssetProgress, ...]:
    asked, made = _sizes(data.target_subset), _sizes(data.materialized_subset)
    return tuple(
        AssetProgress(asset, asked[asset], made.get(asset, 0))
        for asset in (*STATIC, *CHAIN)
        if asset in asked
    )


def _sizes(subset: AssetGraphSubset) -> dict[str, int]:
    keys = subset.asset_keys
    return {key.to_user_string(): len(subset.get_partitions_subset(key)) for key in keys}


def _heir(instance: dg.DagsterInstance, backfill: PartitionBackfill) -> str | None:
    """The newest backfill that goes on from one, None when none does."""
    began = datetime.fromtimestamp(backfill.backfill_timestamp, UTC)
    later = instance.get_backfills(BulkActionsFilter(created_after=began))
    heirs = [one for one in later if one.tags.get(PARENT) == backfill.backfill_id]
    newest = max(heirs, key=lambda one: one.backfill_timestamp, default=None)
    return newest.backfill_id if newest else None


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


def needed_by(assets: Sequence[str]) -> tuple[str, ...]:
    """Those of the assets of a backfill without which a day is not done.

    Maps are made without the vegetation and weather of a day: older ones are used.
    """
    drivers = (*DRIVERS, *LATE_RAIN)
    if assets[-1] in drivers:
        return tuple(assets)
    return tuple(one for one in assets if one not in drivers)


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
    """A line for each cause of which days failed of this backfill, by region and first day."""
    for one in progress.regions:
        told: dict[date, list[str]] = defaultdict(list)
        for asset in CHAIN:
            for failed in failed_days(layout, one.region_id, asset):
                if failed.request == progress.backfill_id and failed.reason not in told[failed.day]:
                    told[failed.day].append(failed.reason)
        for cause in causes_of((day, " ".join(whys)) for day, whys in told.items()):
            yield f"{one.region_id}, {cause.told}"
