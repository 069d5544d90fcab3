"""What Dagster loads: quick, without a warning, every asset described, the graph as designed."""

import ast
import json
import os
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.assets.graph.asset_graph import AssetNode
from dagster._core.definitions.metadata import TableMetadataSet

import sm_platform
from sm_platform.definitions import defs
from sm_platform.defs.partitions import LOOK_AHEAD_DAYS, LOOK_BACK_DAYS
from sm_platform.defs.pass_memory import MEMORY_DAYS
from sm_platform.defs.resources import settings
from sm_platform.defs.serving.pools import wanted_limits
from sm_platform.defs.variables import VARIABLES
from sm_platform.schema.families import ALL_TABLES
from sm_platform.schema.tables import Table

MOST_SECONDS = 6.0
LOAD = """
import json, sys, warnings
told = []
warnings.simplefilter("always")
warnings.showwarning = lambda message, kind, *rest, **more: told.append(kind.__name__)
before = len(warnings.filters)
from sm_platform.definitions import defs
names = [key.to_user_string() for key in defs.resolve_asset_graph().get_all_asset_keys()]
ours = [one[2].__name__ for one in warnings.filters if one[2].__module__.startswith("dagster")]
heavy = sorted({"torch", "matplotlib", "xarray", "rich"} & set(sys.modules))
found = {"assets": sorted(names), "warnings": told, "silenced": sorted(set(ours)), "heavy": heavy}
json.dump(found, sys.stdout)
"""
STATIC = {"soil_cells", "static_drivers", "land_cover_cells"}
DRIVERS = {"ndvi", "weather", "late_rain", "s1_backscatter"} | STATIC
LABELS = {"swc_granules", "nsidc_granules", "smap_l3_granules", "smap_l4_granules"}
PARENTS = {
    "static_granules": set[str](),
    "s1_granules": set[str](),
    "ndvi_granules": set[str](),
    "weather_granules": set[str](),
    "late_rain_granules": set[str](),
    "swc_granules": set[str](),
    "nsidc_granules": set[str](),
    "smap_l3_granules": set[str](),
    "smap_l4_granules": set[str](),
    "station_granules": set[str](),
    "s1_scenes": {"s1_granules"},
    "s1_backscatter": {"s1_scenes"},
    "ndvi": {"ndvi_granules"},
    "weather": {"weather_granules"},
    "late_rain": {"late_rain_granules"},
    "soil_cells": {"static_granules"},
    "static_drivers": {"static_granules"},
    "land_cover_cells": {"static_granules"},
    "scene_features": DRIVERS,
    "station_readings": {"station_granules"},
    "site_catalog": {"land_cover_cells", "soil_cells", "station_readings"},
    "sm_observations": LABELS | {"s1_scenes", "site_catalog", "station_readings"},
    "site_features": DRIVERS | {"site_catalog"},
    "training_samples": {"site_features", "site_catalog", "sm_observations"},
    "sample_splits": {"training_samples"},
    "label_report": {"sm_observations"},
    "checkpoints": {"sample_splits", "training_samples"},
    "pretrained_checkpoints": {"sample_splits", "training_samples"},
    "evaluations": {"checkpoints", "sample_splits"},
    "sm_maps": {"scene_features", "checkpoints", "evaluations"},
    "map_figures": {"sm_maps"},
}
OF_REGION = {
    "static_granules",
    "soil_cells",
    "static_drivers",
    "land_cover_cells",
    "station_granules",
    "station_readings",
    "site_catalog",
    "label_report",
}
WITHOUT_TABLE = {
    "static_granules",
    "s1_granules",
    "ndvi_granules",
    "weather_granules",
    "late_rain_granules",
    "swc_granules",
    "nsidc_granules",
    "smap_l3_granules",
    "smap_l4_granules",
    "station_granules",
    "label_report",
    "pretrained_checkpoints",
    "map_figures",
}
DAY, REGION = date(2025, 6, 30), "somewhere"
GRAPH = defs.resolve_asset_graph()
NAMES = sorted(PARENTS)
TABLE: dict[str, Table] = {table.name: table for table in ALL_TABLES}


def asset(name: str) -> AssetNode:
    return GRAPH.get(dg.AssetKey(name))


def region_days(name: str) -> dg.MultiPartitionsDefinition:
    found = asset(name).partitions_def
    assert isinstance(found, dg.MultiPartitionsDefinition)
    return found


@pytest.fixture(scope="module")
def loaded() -> dict[str, Any]:
    """What a fresh process finds, as a daemon or the UI would, and how long it took."""
    began = os.times()
    command = [sys.executable, "-c", LOAD]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    ended = os.times()  # of the processor: neighbours on the machine are no fault of ours
    seconds = ended.children_user + ended.children_system
    seconds -= began.children_user + began.children_system
    return found | {"seconds": seconds, "err": done.stderr}


def test_definitions_load_quickly(loaded: dict[str, Any]) -> None:
    assert loaded["assets"] == sorted([*NAMES, "pass_calendar"])
    assert loaded["seconds"] < MOST_SECONDS


def test_a_process_that_lists_assets_does_without_the_heavy_libraries(
    loaded: dict[str, Any],
) -> None:
    assert loaded["heavy"] == []


def test_loading_warns_of_nothing_and_silences_two_kinds_only(loaded: dict[str, Any]) -> None:
    assert loaded["warnings"] == []
    assert loaded["err"] == ""
    assert loaded["silenced"] == ["BetaWarning", "PreviewWarning"]


@pytest.mark.parametrize("name", NAMES)
def test_asset_is_described(name: str) -> None:
    found = asset(name)
    assert found.description is not None
    assert len(found.description) > 30
    assert found.description.endswith(".")
    assert found.group_name in {"granules", "drivers", "features", "labels", "checkpoint", "maps"}
    assert found.owners == ["team:sm-platform"]
    assert len(found.kinds) == 1


def test_graph_is_as_designed() -> None:
    found = {name: {key.to_user_string() for key in asset(name).parent_keys} for name in NAMES}
    assert found == PARENTS


def test_a_map_leads_back_to_its_granules() -> None:
    above = {key.to_user_string() for key in GRAPH.get_ancestor_asset_keys(dg.AssetKey("sm_maps"))}
    assert {"s1_granules", "ndvi_granules", "weather_granules", "static_granules"} <= above
    assert "map_figures" not in above


@pytest.mark.parametrize("name", NAMES)
def test_asset_is_partitioned_as_designed(name: str) -> None:
    regions = dg.DynamicPartitionsDefinition(name="regions")
    if name in OF_REGION:
        assert asset(name).partitions_def == regions
        return
    days = region_days(name).get_partitions_def_for_dimension("day")
    assert region_days(name).get_partitions_def_for_dimension("region") == regions
    assert isinstance(days, dg.DailyPartitionsDefinition)
    assert days.end_offset == 1, "today's pass is mapped today"
    days_in_run = 62 if name == "map_figures" else 31
    assert asset(name).backfill_policy == dg.BackfillPolicy.multi_run(days_in_run)


def upstream_days(name: str, parent: str) -> list[int]:
    """Days, from the own one, that an asset's day looks at in one of its parents."""
    child, above = region_days(name), region_days(parent)
    key = dg.MultiPartitionKey({"day": DAY.isoformat(), "region": REGION})
    known = asset(name).partition_mappings
    mapping = known.get(dg.AssetKey(parent)) or dg.IdentityPartitionMapping()
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions("regions", [REGION, "elsewhere"])
        with dg.partition_loading_context(dynamic_partitions_store=instance):
            subset = child.subset_with_partition_keys([key])
            found = mapping.get_upstream_mapped_partitions_result_for_partitions(
                subset, child, above
            )
            keys = [one.split("|") for one in found.partitions_subset.get_partition_keys()]
    assert {region for _, region in keys} == {REGION}
    days = [date.fromisoformat(day) for day, _ in keys]
    return sorted((day - DAY).days for day in days)


@pytest.mark.parametrize(
    ("name", "parent", "first", "last"),
    [
        ("scene_features", "ndvi", -LOOK_BACK_DAYS, LOOK_AHEAD_DAYS),
        ("scene_features", "weather", -LOOK_BACK_DAYS, LOOK_AHEAD_DAYS),
        ("scene_features", "late_rain", -LOOK_BACK_DAYS, LOOK_AHEAD_DAYS),
        ("scene_features", "s1_backscatter", -MEMORY_DAYS, 0),
        ("site_features", "weather", -LOOK_BACK_DAYS, LOOK_AHEAD_DAYS),
        ("sm_observations", "s1_scenes", -1, 1),
        ("sample_splits", "training_samples", -364, -1),
        ("training_samples", "sm_observations", -1, 1),
        ("checkpoints", "training_samples", -364, -1),
        ("sm_maps", "checkpoints", -364, 0),
        ("sm_maps", "evaluations", -364, 0),
        ("sm_maps", "scene_features", 0, 0),
    ],
)
def test_a_day_looks_at_these_days_of_its_own_region(
    name: str, parent: str, first: int, last: int
) -> None:
    assert upstream_days(name, parent) == list(range(first, last + 1))


def test_every_day_from_the_first_to_today_has_a_partition() -> None:
    days = region_days("sm_maps").get_partitions_def_for_dimension("day")
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    keys = days.get_partition_keys()
    assert keys[0] == settings().first_day.isoformat()
    assert date.fromisoformat(keys[-1]) > yesterday, "the test may run over midnight"


@pytest.mark.parametrize("name", sorted(set(NAMES) - WITHOUT_TABLE))
def test_asset_shows_the_contract_of_its_table(name: str) -> None:
    table, schema = TABLE[name], TableMetadataSet.extract(asset(name).metadata).column_schema
    assert schema is not None
    columns = {one.name: one for one in schema.columns}
    assert list(columns) == [column.name for column in table.columns]
    for column in table.columns:
        shown = columns[column.name]
        assert shown.type == str(column.type)
        assert shown.constraints.nullable == column.is_nullable
        assert shown.description is not None
        assert shown.description.startswith(column.meaning)
        assert (f"[{column.unit}]" in shown.description) == (column.unit not in ("", "1"))


def test_every_pool_of_the_graph_has_a_limit() -> None:
    used = {pool for name in NAMES for pool in asset(name).pools or ()}
    assert "memory" in used
    assert used <= set(wanted_limits())


def test_variables_are_named_in_one_place_only() -> None:
    package = Path(sm_platform.__file__).parent
    naming = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and node.value in VARIABLES
    }
    told = {"defs/commands/doctor.py", "defs/alerting/addresses.py", "sources/configuration.py"}
    assert naming == {"defs/resources.py", "defs/variables.py", *told}
