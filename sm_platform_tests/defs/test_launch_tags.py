"""Which partitions a run is about, by hand and as Dagster itself tags its runs."""

from datetime import date

import dagster as dg
import duckdb
import pytest

from sm_platform.defs.launch_tags import ONE, RANGE_END, RANGE_START, Scope, scope_of

FIRST, LAST = date(2025, 3, 1), date(2025, 3, 31)
REGIONS = dg.StaticPartitionsDefinition(["highland", "red-river", "red-river-2"])
DAYS = dg.DailyPartitionsDefinition("2025-01-01", end_date="2025-06-01")
REGION_DAYS = dg.MultiPartitionsDefinition({"day": DAYS, "region": REGIONS})


@pytest.mark.parametrize(
    ("tags", "scope"),
    [
        ({}, Scope()),
        ({"other": "2025-03-01|red-river"}, Scope()),
        ({ONE: ""}, Scope()),
        ({RANGE_START: "2025-03-01|red-river"}, Scope()),
        ({ONE: "red-river"}, Scope("red-river")),
        ({ONE: "2025-03-01|red-river"}, Scope("red-river", FIRST, FIRST)),
        ({RANGE_START: "highland", RANGE_END: "red-river"}, Scope()),
        ({RANGE_START: "red-river", RANGE_END: "red-river"}, Scope("red-river")),
        (
            {RANGE_START: "2025-03-01|red-river", RANGE_END: "2025-03-31|red-river"},
            Scope("red-river", FIRST, LAST),
        ),
        (
            {RANGE_START: "2025-03-01|highland", RANGE_END: "2025-03-31|red-river"},
            Scope(None, FIRST, LAST),
        ),
    ],
)
def test_tags_tell_region_and_days(tags: dict[str, str], scope: Scope) -> None:
    assert scope_of(tags) == scope


@pytest.mark.parametrize(
    ("scope", "region", "day", "is_held"),
    [
        (Scope(), "highland", FIRST, True),
        (Scope("red-river"), "red-river", FIRST, True),
        (Scope("red-river"), "red-river-2", FIRST, False),
        (Scope("red-river", FIRST, LAST), "red-river", FIRST, True),
        (Scope("red-river", FIRST, LAST), "red-river", LAST, True),
        (Scope("red-river", FIRST, LAST), "red-river", date(2025, 2, 28), False),
        (Scope("red-river", FIRST, LAST), "red-river", date(2025, 4, 1), False),
        (Scope("red-river", FIRST, LAST), "highland", FIRST, False),
        (Scope(None, FIRST, LAST), "highland", FIRST, True),
        (Scope(first=FIRST), "highland", date(2025, 4, 1), True),
        (Scope(last=LAST), "highland", date(2025, 4, 1), False),
    ],
)
def test_a_scope_holds_its_first_and_last_day(
    scope: Scope, region: str, day: date, is_held: bool
) -> None:
    assert scope.holds(region, day) == is_held


@pytest.mark.parametrize(
    "scope", [Scope(), Scope("red-river"), Scope("red-river", FIRST, LAST), Scope(None, LAST, LAST)]
)
def test_sql_finds_what_the_scope_holds(scope: Scope) -> None:
    keys = [
        (region, day)
        for region in ("highland", "red-river", "red-river-2")
        for day in (date(2025, 2, 28), FIRST, date(2025, 3, 9), LAST, date(2025, 4, 1))
    ]
    connection = duckdb.connect()
    connection.execute("create table rows (region_id varchar, day date)")
    connection.executemany("insert into rows values (?, ?)", keys)
    where, values = scope.where(is_dated=True)
    found = connection.execute(f"from rows where {where} order by all", values).fetchall()
    assert found == [key for key in keys if scope.holds(*key)]
    where, values = scope.where(is_dated=False)
    found = connection.execute(f"from rows where {where} order by all", values).fetchall()
    assert found == [key for key in keys if scope.region in (None, key[0])]


def test_the_name_of_a_region_is_a_value_not_sql() -> None:
    where, values = Scope("x' or 'a' = 'a").where(is_dated=False)
    assert (where, values) == ("true and region_id = ?", ["x' or 'a' = 'a"])


@dg.asset(partitions_def=REGION_DAYS, backfill_policy=dg.BackfillPolicy.single_run())
def by_day(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
    keys = [key.split("|") for key in context.partition_keys]
    scope = scope_of(context.run.tags)
    held = all(scope.holds(region, date.fromisoformat(day)) for day, region in keys)
    return dg.MaterializeResult(metadata={"scope": repr(scope), "n": len(keys), "held": held})


@dg.asset(partitions_def=REGIONS)
def by_region(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
    return dg.MaterializeResult(metadata={"scope": repr(scope_of(context.run.tags))})


@dg.asset
def alone(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
    return dg.MaterializeResult(metadata={"scope": repr(scope_of(context.run.tags))})


def told(
    asset: dg.AssetsDefinition, key: str | None = None, tags: dict[str, str] | None = None
) -> dict[str, object]:
    with dg.DagsterInstance.ephemeral() as instance:
        done = dg.materialize([asset], instance=instance, partition_key=key, tags=tags)
        event = done.get_asset_materialization_events()[0]
        return {name: entry.value for name, entry in event.materialization.metadata.items()}


def test_runs_of_one_partition_are_tagged_as_expected() -> None:
    assert told(by_day, "2025-03-01|red-river")["scope"] == repr(Scope("red-river", FIRST, FIRST))
    assert told(by_region, "red-river")["scope"] == repr(Scope("red-river"))
    assert told(alone)["scope"] == repr(Scope())


@pytest.mark.parametrize(
    ("start", "end", "n", "region"),
    [("red-river", "red-river", 31, "red-river"), ("highland", "red-river-2", 93, None)],
)
def test_the_scope_of_a_range_holds_every_partition_of_its_run(
    start: str, end: str, n: int, region: str | None
) -> None:
    tags = {RANGE_START: f"2025-03-01|{start}", RANGE_END: f"2025-03-31|{end}"}
    found = told(by_day, tags=tags)
    assert found["scope"] == repr(Scope(region, FIRST, LAST))
    assert (found["n"], found["held"]) == (n, True)
