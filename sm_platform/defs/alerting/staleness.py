"""Staleness: assets that were not made for longer than their freshness policy allows.

Dagster's daemon judges each asset as a whole, by its newest materialization of any region; what a
single region lacks is told by `silence`.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

import dagster as dg
from dagster._core.definitions.assets.graph.base_asset_graph import BaseAssetGraph
from dagster._core.definitions.freshness import FreshnessState, TimeWindowFreshnessPolicy

from sm_platform.defs.alerting.alert import Alert, AlertKind, moment_text
from sm_platform.defs.talk import counted

Policies = Mapping[dg.AssetKey, dg.FreshnessPolicy]


def policies_of(graph: BaseAssetGraph) -> Policies:  # type: ignore[type-arg]
    """The assets that have a freshness policy."""
    found = {key: graph.get(key).freshness_policy for key in graph.materializable_asset_keys}
    return {key: policy for key, policy in found.items() if policy is not None}


def stale_assets(
    instance: dg.DagsterInstance, policies: Policies, now_utc: datetime
) -> list[Alert]:
    """An alert for each asset that the daemon judged to be too old."""
    return list(_stale(instance, policies, now_utc))


def _stale(instance: dg.DagsterInstance, policies: Policies, now_utc: datetime) -> Iterator[Alert]:
    states = instance.get_freshness_state_records(list(policies))
    stale = [key for key, one in states.items() if one.freshness_state is FreshnessState.FAIL]
    made = instance.get_latest_materialization_events(stale) if stale else {}
    for key in sorted(stale, key=lambda one: one.to_user_string()):
        event = made.get(key)
        name = key.to_user_string()
        last = datetime.fromtimestamp(event.timestamp, UTC) if event else None
        when = f"was last made on {moment_text(last)}" if last else "was never made"
        yield Alert(
            AlertKind.STALE,
            None,
            f"{name} is stale: nothing new for {_span(now_utc - last) if last else 'ever'}",
            f"{name} {when}, of any region{_allowed(policies[key])}.\n"
            "Next: look in the UI whether its runs fail or wait, whether the sensors are on "
            "(Automation), and whether its provider has anything new.",
            f"stale/{name}",
            now_utc.astimezone(UTC).date(),
        )


def _allowed(policy: dg.FreshnessPolicy) -> str:
    if not isinstance(policy, TimeWindowFreshnessPolicy):
        return ""
    return f"; it is to be made at least every {_span(policy.fail_window.to_timedelta())}"


def _span(time: timedelta) -> str:
    """Days, or hours where it is less than two."""
    hours = time.total_seconds() / 3600
    return counted(round(hours / 24), "day") if hours >= 48 else counted(round(hours), "hour")
