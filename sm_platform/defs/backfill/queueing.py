"""Handing a plan to Dagster: a backfill that its daemon carries out, as the UI would ask for it."""

from collections.abc import Mapping
from datetime import UTC, datetime

import dagster as dg
from dagster._core.definitions.assets.graph.asset_graph_subset import AssetGraphSubset
from dagster._core.definitions.utils import is_valid_title_and_reason
from dagster._core.execution.backfill import (
    BULK_ACTION_TERMINAL_STATUSES,
    BulkActionStatus,
    PartitionBackfill,
)
from dagster._core.utils import make_new_backfill_id

from sm_platform.defs.backfill.planning import Plan
from sm_platform.defs.map_chain import STATIC
from sm_platform.defs.partitions import REGION_DAYS, REGIONS
from sm_platform.errors import UsageError

WHY = "sm_platform/why"
PARENT = "dagster/parent_backfill_id"
"""Tag of a backfill that goes on where another one ended; the UI shows both together."""
DAEMON = "BACKFILL"
ALIVE_S = 120.0
"""A daemon tells every 30 s that it lives; a long look at a large backfill delays it."""


def check_title(title: str) -> str:
    """The title itself; raises UsageError when Dagster would refuse it."""
    is_valid, reason = is_valid_title_and_reason(title)
    if not is_valid:
        raise UsageError(f"The backfill cannot be called '{title}': {reason}")
    return title


def queue(instance: dg.DagsterInstance, plan: Plan, title: str, parent: str | None = None) -> str:
    """Add a backfill of what is planned; returns its id.

    Args:
        instance: of Dagster.
        plan: with at least one partition.
        title: shown in the UI.
        parent: id of the backfill that it goes on from.
    """
    keys = plan.keys()
    instance.add_dynamic_partitions(
        str(REGIONS.name), [one.region_id for one in plan.regions if one.days]
    )
    backfill = PartitionBackfill.from_asset_graph_subset(
        backfill_id=make_new_backfill_id(),
        backfill_timestamp=datetime.now(UTC).timestamp(),
        tags={WHY: "backfill", **({PARENT: parent} if parent else {})},
        dynamic_partitions_store=instance,
        asset_graph_subset=_subset(keys),
        title=title,
        description=None,
        run_config=None,
    )
    instance.add_backfill(backfill)
    return str(backfill.backfill_id)


def cancel(instance: dg.DagsterInstance, backfill: PartitionBackfill) -> None:
    """Ask the daemon to end a backfill and its runs.

    Raises:
        UsageError: it is over already.
    """
    if backfill.status in BULK_ACTION_TERMINAL_STATUSES:
        raise UsageError(f"Backfill {backfill.backfill_id} is over already: nothing to cancel.")
    instance.update_backfill(backfill._replace(status=BulkActionStatus.CANCELING))


def has_daemon(instance: dg.DagsterInstance) -> bool:
    """Whether a daemon has carried out backfills within the last minutes."""
    seen = instance.get_daemon_heartbeats().get(DAEMON)
    return seen is not None and datetime.now(UTC).timestamp() - seen.timestamp < ALIVE_S


def _subset(keys: Mapping[str, frozenset[str]]) -> AssetGraphSubset:
    return AssetGraphSubset(  # type: ignore[call-arg] # its decorator hides the fields from mypy
        partitions_subsets_by_asset_key={
            dg.AssetKey(asset): (
                REGIONS if asset in STATIC else REGION_DAYS
            ).subset_with_partition_keys(sorted(wanted))
            for asset, wanted in keys.items()
        },
        non_partitioned_asset_keys=set(),
    )
