"""Checks that every table and every dated asset has: what is stored fits, and no day failed."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sm_platform.definitions import defs
from sm_platform.defs.checking.contract import OPTIONAL, WHOLE_BY
from sm_platform.defs.checking.rules import ERROR, WARN, Matter, Rule, Verdict, checks_of
from sm_platform.defs.checking.stored import MOST_PARTS, Part, spread
from sm_platform.defs.checks import CHECKS, DATED, ELSEWHERE, WRITTEN_BY
from sm_platform.defs.launch_tags import ONE, Scope
from sm_platform.defs.map_index import day_row, write_index
from sm_platform.defs.resources import LakeResource, ModelsResource
from sm_platform.errors import LakeError
from sm_platform.lake import store
from sm_platform.lake.failures import FailedDay, clear_failure, write_failure
from sm_platform.lake.layout import Layout
from sm_platform.schema.driver_tables import S1_BACKSCATTER, S1_SCENES, SOIL
from sm_platform.schema.families import ALL_TABLES
from sm_platform_tests.defs.checked import (
    QUIET,
    assets_of,
    failed,
    judged,
    of_days,
    run_checks,
    value,
)
from sm_platform_tests.defs.label_lake import DAY, FARM, farm
from sm_platform_tests.defs.map_lake import REGION, made_map

GRAPH = defs.resolve_asset_graph()
BLOCKING = {"gate", "inside_training", "fits_product"}


def test_every_table_is_checked_with_an_asset_that_there_is() -> None:
    there = {key.to_user_string() for key in GRAPH.get_all_asset_keys()}
    for table in ALL_TABLES:
        if table.name not in ELSEWHERE:
            asset = WRITTEN_BY.get(table.name, table.name)
            name = "fits_contract" if asset == table.name else f"{table.name}_fit_contract"
            assert asset in there
            assert dg.AssetCheckKey(dg.AssetKey(asset), name) in GRAPH.asset_check_keys


def test_every_dated_asset_tells_its_failed_days() -> None:
    dated = {
        key.to_user_string()
        for key in GRAPH.get_all_asset_keys()
        if isinstance(GRAPH.get(key).partitions_def, dg.MultiPartitionsDefinition)
    }
    assert set(DATED) == dated


def test_one_step_an_asset_and_few_checks_that_block() -> None:
    assert all(len(assets_of(one)) == 1 for one in CHECKS)
    nodes = [GRAPH.get(key) for key in GRAPH.asset_check_keys]
    assert {node.key.name for node in nodes if node.blocking} == BLOCKING


def test_nothing_is_wrong_with_nothing(layout: Layout) -> None:
    for check in CHECKS:
        (asset,) = assets_of(check)
        assert failed(judged(layout, asset)) == set(), asset


def fail(layout: Layout, back: int = 0, *, reason: str = "the file is damaged") -> None:
    day = DAY - timedelta(back)
    write_failure(layout, FailedDay(FARM, "ndvi", day, reason, is_passing=False))


def test_a_failed_day_is_named_with_its_reason_until_it_succeeds(layout: Layout) -> None:
    farm(layout)
    fail(layout, 1)
    fail(layout, 9, reason="too long ago")
    run = of_days(FARM, DAY - timedelta(3), DAY)
    found = judged(layout, "ndvi", run)
    assert failed(found) == {"no_failed_day"}
    verdict = found["no_failed_day"]
    assert verdict.severity is ERROR
    assert verdict.told == f"{FARM}, {DAY - timedelta(1)}: the file is damaged"
    assert verdict.counted["failed_days"] == 1
    assert value(judged(layout, "ndvi"), "no_failed_day", "failed_days") == 2
    assert failed(judged(layout, "weather", run)) == set()
    clear_failure(layout, FARM, "ndvi", DAY - timedelta(1))
    assert failed(judged(layout, "ndvi", run)) == set()


def measured(n: int, missing: int = 0) -> pa.Table:
    """Pixels of a pass, the first ones without VV."""
    values = {name: [1.0] * n for name in ("vh_db", "angle_deg")}
    vv = [None] * missing + [-10.0] * (n - missing)
    columns = {"scene_id": ["a"] * n, "cell_id": list(range(n)), "vv_db": vv, **values}
    return pa.table(columns).cast(S1_BACKSCATTER.arrow_schema)


def backscatter(layout: Layout, rows: pa.Table, back: int = 0) -> Path:
    day = DAY - timedelta(back)
    return store.write(layout, S1_BACKSCATTER, rows, region=FARM, day=day, note={})


def contract(layout: Layout, scope: Scope | None = None) -> Verdict:
    return judged(layout, "s1_backscatter", scope)["fits_contract"]


def test_a_whole_table_tells_its_rows_and_what_is_missing(layout: Layout) -> None:
    backscatter(layout, measured(40, missing=1))
    backscatter(layout, measured(60), back=1)
    found = contract(layout)
    assert found.passed
    assert found.counted["rows"] == 100
    assert found.counted["partitions"] == found.counted["partitions_opened"] == 2
    assert found.counted["missing_vv_db"] == pytest.approx(0.01)
    assert found.counted["missing_angle_deg"] == 0


def test_more_missing_than_stated_is_a_warning_with_the_column_named(layout: Layout) -> None:
    backscatter(layout, measured(100, missing=6))
    found = contract(layout)
    assert not found.passed
    assert found.severity is WARN
    assert "vv_db is missing in 6 % of 100 rows, at most 5 %" in found.told


def test_a_damaged_file_is_named_with_its_partition(layout: Layout) -> None:
    path = backscatter(layout, measured(50))
    backscatter(layout, measured(50), back=1)
    path.write_bytes(path.read_bytes()[:-20])
    found = contract(layout)
    assert not found.passed
    assert found.severity is ERROR
    assert f"{DAY}|{FARM}: {path} cannot be read" in found.told
    assert found.counted["rows"] == 50
    assert contract(layout, of_days(FARM, DAY - timedelta(1))).passed


def spoilt(kind: str) -> pa.Table:
    """Rows that no write of ours lets through."""
    good = measured(4)
    if kind == "range":
        return good.set_column(2, "vv_db", pa.array([99.0] * 4, pa.float32()))
    if kind == "keys":
        return pa.concat_tables([good, good.slice(0, 1)])
    if kind == "type":
        return good.set_column(2, "vv_db", good["vv_db"].cast(pa.float64()))
    return good.drop_columns(["cell_id"])


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("range", "vv_db holds 99..99"),
        ("keys", "1 rows twice"),
        ("type", "vv_db is stored as double, not float"),
        ("column", "no column cell_id"),
    ],
)
def test_rows_of_another_hand_are_refused(layout: Layout, kind: str, why: str) -> None:
    path = backscatter(layout, measured(4))
    pq.write_table(spoilt(kind), path)
    found = contract(layout)
    assert found.severity is ERROR
    assert why in found.told


def test_a_column_that_came_later_is_missing_and_no_fault(layout: Layout) -> None:
    path = farm_scenes(layout)
    pq.write_table(pq.read_table(path, partitioning=None).drop_columns(["available_utc"]), path)
    assert judged(layout, "s1_scenes")["fits_contract"].passed


def farm_scenes(layout: Layout) -> Path:
    empty = S1_SCENES.arrow_schema.empty_table()
    return store.write(layout, S1_SCENES, empty, region=FARM, day=DAY, note={})


def test_a_table_of_regions_is_checked_for_the_region_of_the_run(layout: Layout) -> None:
    rows = pa.table({c.name: [1.0] for c in SOIL.columns}).cast(SOIL.arrow_schema)
    for region in (FARM, "hills"):
        path = store.write(layout, SOIL, rows, region=region, note={})
    path.write_bytes(b"torn")
    assert not judged(layout, "soil_cells")["fits_contract"].passed
    assert judged(layout, "soil_cells", Scope(FARM))["fits_contract"].passed


def test_a_day_without_a_map_misses_none_of_its_columns(layout: Layout) -> None:
    made_map(layout)
    made_map(layout, DAY, sm_mean_m3m3=None)
    for back, status in ((1, "no_pass"), (2, "no_data")):
        rows = [day_row(status, "none that day")]
        write_index(layout, REGION, DAY - timedelta(back), rows, {"status": status, "rows": 1})
    found = judged(layout, "sm_maps")["fits_contract"]
    assert found.passed
    assert (found.counted["rows"], found.counted["rows_with_map_id"]) == (4, 2)
    assert found.counted["missing_sm_mean_m3m3"] == 0.5
    assert found.counted["missing_lon_min"] == 0
    assert "missing_interval_level" not in found.counted
    assert "missing_interval_width_mean_m3m3" not in found.counted


def test_columns_that_a_rule_names_are_there() -> None:
    tables = {table.name: {c.name: c for c in table.columns} for table in ALL_TABLES}
    for name, column in WHOLE_BY.items():
        assert tables[name][column].is_nullable
    for name, columns in OPTIONAL.items():
        assert all(tables[name][column].is_nullable for column in columns)


def test_a_long_range_is_sampled_evenly_and_says_so(layout: Layout) -> None:
    parts = [Part(FARM, DAY + timedelta(n)) for n in range(400)]
    chosen = spread(parts)
    assert len(chosen) == MOST_PARTS
    assert chosen[-1] == parts[-1]
    numbers = [parts.index(one) for one in chosen]
    steps = {after - before for before, after in pairwise(numbers)}
    assert steps <= {12, 13}
    assert spread(parts[:5]) == parts[:5]


def test_a_run_shows_verdict_counts_and_severity(layout: Layout) -> None:
    """Through Dagster, with the partition of the run as its tag."""
    farm(layout)
    backscatter(layout, measured(10, missing=5))
    found = run_checks(layout, "s1_backscatter", {ONE: f"{DAY}|{FARM}"})
    assert found["no_failed_day"].passed
    one = found["fits_contract"]
    assert not one.passed
    assert one.severity == dg.AssetCheckSeverity.WARN
    assert one.metadata["rows"].value == 10
    assert one.description is not None
    assert one.description.startswith("vv_db is missing in 50 %")


def _refuse(_: Matter) -> Verdict:
    raise LakeError("the lake says no.")


def _break(_: Matter) -> Verdict:
    raise ZeroDivisionError("division by zero")


def run_of_plain(layout: Layout, rules: Sequence[Rule]) -> dg.ExecuteInProcessResult:
    """A run of an asset with these rules and of the one below it."""
    with dg.DagsterInstance.ephemeral() as instance:
        return dg.materialize(
            [plain, below, checks_of("plain", rules)],
            instance=instance,
            resources={
                "lake": LakeResource(root=str(layout.root)),
                "models": ModelsResource(root=str(layout.root)),
            },
            run_config=QUIET,
            raise_on_error=False,
        )


def test_a_fault_of_a_rule_is_a_failed_check_and_stops_nothing(layout: Layout) -> None:
    refuses = Rule("refuses", "It cannot.", _refuse, is_blocking=True)
    breaks = Rule("breaks", "It must not.", _break, is_blocking=True)
    fine = Rule("fine", "It can.", lambda _: Verdict(True))
    result = run_of_plain(layout, [refuses, breaks, fine])
    told = {one.check_name: one for one in result.get_asset_check_evaluations()}
    assert result.success
    assert told["refuses"].description == "the lake says no."
    assert "ZeroDivisionError" in str(told["breaks"].description)
    assert told["fine"].passed


def test_a_blocking_error_keeps_what_is_below_from_being_made(layout: Layout) -> None:
    rule = Rule("no", "No.", lambda _: Verdict(False, "no", severity=ERROR), is_blocking=True)
    result = run_of_plain(layout, [rule])
    made = {event.asset_key for event in result.get_asset_materialization_events()}
    assert made == {dg.AssetKey("plain")}


@dg.asset
def plain() -> None:
    """Something that is judged."""


@dg.asset(deps=[plain])
def below() -> None:
    """What a blocking check holds back."""
