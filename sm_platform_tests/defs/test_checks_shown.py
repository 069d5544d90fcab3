"""What the UI shows of an asset beside its checks: origins of columns, tags, pools, freshness."""

from datetime import timedelta

import dagster as dg
import pytest
from dagster._core.definitions.assets.graph.asset_graph import AssetNode
from dagster._core.definitions.freshness import TimeWindowFreshnessPolicy
from dagster._core.definitions.metadata import TableMetadataSet

from sm_platform.definitions import defs
from sm_platform.defs.column_lineage import ORIGINS
from sm_platform.defs.freshness import FRESHNESS
from sm_platform.defs.serving.pools import MEMORY
from sm_platform.schema.families import ALL_TABLES

GRAPH = defs.resolve_asset_graph()
COLUMNS = {table.name: {column.name for column in table.columns} for table in ALL_TABLES}
HEAVY = {
    *("scene_features", "site_features", "sm_maps"),
    *("checkpoints", "pretrained_checkpoints", "evaluations"),
}
STEPS = {"download", "extract", "process", "inference", "visualize", "label", "train", "evaluate"}


def asset(name: str) -> AssetNode:
    return GRAPH.get(dg.AssetKey(name))


@pytest.mark.parametrize("name", sorted(ORIGINS))
def test_origins_of_columns_are_columns_of_assets_above(name: str) -> None:
    above = {key.to_user_string() for key in GRAPH.get_ancestor_asset_keys(dg.AssetKey(name))}
    for column, (origin, origin_column) in ORIGINS[name].items():
        assert column in COLUMNS[name]
        assert origin in above
        assert origin_column in COLUMNS[origin]


def test_an_origin_has_the_unit_of_its_column_unless_it_is_scaled() -> None:
    units = {(t.name, c.name): c.unit for t in ALL_TABLES for c in t.columns}
    changed = {
        (name, column)
        for name, origins in ORIGINS.items()
        for column, origin in origins.items()
        if units[name, column] != units[origin]
    }
    assert {name for name, _ in changed} == {"scene_features"}


def test_an_asset_carries_its_origins_and_the_rules_of_its_columns() -> None:
    shown = TableMetadataSet.extract(asset("scene_features").metadata)
    assert shown.column_lineage is not None
    (vv,) = shown.column_lineage.deps_by_column["s1_vv"]
    assert (vv.asset_key, vv.column_name) == (dg.AssetKey("s1_backscatter"), "vv_db")
    assert shown.column_schema is not None
    rules = {one.name: one.constraints.other for one in shown.column_schema.columns}
    assert rules["s1_vv"] == ["at least 0", "at most 1"]
    assert rules["cell_id"] == ["key of a row in its partition"]


def test_steps_are_those_that_are_known() -> None:
    for key in GRAPH.get_all_asset_keys():
        tags = GRAPH.get(key).tags
        assert tags.get("step", "download") in STEPS, key


@pytest.mark.parametrize("name", sorted(HEAVY))
def test_what_holds_much_memory_waits_in_one_pool(name: str) -> None:
    assert asset(name).assets_def.op.pool == MEMORY


def test_checks_wait_for_no_pool() -> None:
    checks = defs.asset_checks or []
    assert all(one.op.pool is None for one in checks if isinstance(one, dg.AssetChecksDefinition))


@pytest.mark.parametrize("name", ["ndvi", "sm_maps", "weather"])
def test_what_must_not_grow_old_has_a_freshness_policy(name: str) -> None:
    policy = asset(name).freshness_policy
    assert policy == FRESHNESS[name]
    assert isinstance(policy, TimeWindowFreshnessPolicy)


def test_the_windows_are_those_of_what_comes() -> None:
    """Days until a warning and until a failure."""
    windows = {
        name: (policy.warn_window.to_timedelta(), policy.fail_window.to_timedelta())
        for name, policy in FRESHNESS.items()
        if isinstance(policy, TimeWindowFreshnessPolicy) and policy.warn_window
    }
    assert windows == {
        "s1_granules": (timedelta(7), timedelta(13)),
        "weather": (timedelta(2), timedelta(6)),
        "ndvi": (timedelta(9), timedelta(17)),
        "sm_maps": (timedelta(8), timedelta(14)),
    }
