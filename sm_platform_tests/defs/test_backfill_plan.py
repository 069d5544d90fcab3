"""What a backfill asks for, how it is counted, and what is told while it goes on."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import dagster as dg
import pytest

from sm_platform.defs.backfill.asked import parse_assets, parse_period
from sm_platform.defs.backfill.follow import follow, remarks, summary
from sm_platform.defs.backfill.planning import Plan, RegionPlan
from sm_platform.defs.backfill.progress import (
    INTERRUPTED,
    STATES,
    AssetProgress,
    Progress,
    RegionProgress,
)
from sm_platform.defs.backfill.queueing import DAEMON, has_daemon, queue
from sm_platform.defs.map_chain import CHAIN, FIGURES, MAPS
from sm_platform.defs.talk import spoken
from sm_platform.errors import UsageError
from sm_platform.grid.calendar import days_between

FIRST = date(2025, 1, 1)
BEGAN = datetime(2025, 6, 1, tzinfo=UTC)


def days(n: int, first: date = FIRST) -> list[date]:
    return days_between(first, first + timedelta(n - 1))


def region(name: str = "paddy", n: int = 62) -> RegionPlan:
    """Passes are remembered for a month, drivers for 120 days."""
    before = timedelta(31), timedelta(120)
    return RegionPlan(
        name,
        asked=days(n),
        days=days(n),
        pass_days=days(n + 31, FIRST - before[0]),
        driver_days=days(n + 120, FIRST - before[1]),
        lacks_static=True,
    )


def progress(done: int, *, is_over: bool = False) -> Progress:
    one = RegionProgress("paddy", n_days=10, n_done=done, n_failed=1, n_maps=done)
    return Progress(
        backfill_id="abc",
        title="a year",
        state="done" if is_over else "going on",
        is_over=is_over,
        regions=(one,),
        assets=(AssetProgress("s1_scenes", 50, 5 * done), AssetProgress(MAPS, 50, 5 * done)),
        n_keys=100,
        n_keys_done=10 * done,
        began_utc=BEGAN,
        ended_utc=None,
        fault=None,
    )


@pytest.mark.parametrize(
    ("assets", "runs"),
    [
        (CHAIN, 3 + 6 + 2 + 1 + 1),  # passes, drivers, maps, figures, what does not change
        ((MAPS,), 2 + 1),
        ((FIGURES,), 1 + 1),
    ],
)
def test_a_month_of_a_region_is_one_run(assets: tuple[str, ...], runs: int) -> None:
    assert region().n_runs(assets) == runs
    assert Plan([region(), region("terrace")], assets).n_runs == 2 * runs


def test_days_with_a_gap_are_runs_of_their_own() -> None:
    split = replace(region(), days=[FIRST, FIRST + timedelta(2)], lacks_static=False)
    assert split.n_runs((MAPS,)) == 2


def test_each_asset_gets_the_days_it_needs() -> None:
    keys = Plan([region(n=2), region("terrace", n=1)], CHAIN).keys()
    assert keys[MAPS] == {"2025-01-01|paddy", "2025-01-02|paddy", "2025-01-01|terrace"}
    assert len(keys["s1_granules"]) == 33 + 32
    assert len(keys["weather"]) == 122 + 121
    assert keys["soil_cells"] == {"paddy", "terrace"}


def test_a_finished_region_asks_for_nothing() -> None:
    plan = Plan([RegionPlan("paddy", asked=days(5))], CHAIN)
    assert plan.keys() == {}
    assert (plan.n_keys, plan.n_runs, plan.n_days) == (0, 0, 0)


def test_assets_come_in_the_order_of_their_making() -> None:
    assert parse_assets(["sm_maps,s1_scenes", "ndvi"]) == ("s1_scenes", "ndvi", "sm_maps")
    assert parse_assets([]) == CHAIN
    with pytest.raises(UsageError, match="'maps' is no asset"):
        parse_assets(["maps"])


def test_a_period_ends_on_or_after_its_first_day() -> None:
    period = parse_period("2025-01-03", "2025-01-03", is_local=True)
    assert (period.first, period.last, period.is_local) == (
        date(2025, 1, 3),
        date(2025, 1, 3),
        True,
    )
    with pytest.raises(UsageError, match="swap them"):
        parse_period("2025-01-04", "2025-01-03", is_local=False)


def test_the_time_left_is_that_of_the_pace_so_far() -> None:
    now = BEGAN + timedelta(seconds=60)
    assert progress(2).left_s(now) == pytest.approx(240)
    assert progress(0).left_s(now) is None
    assert progress(2, is_over=True).left_s(now) is None


@pytest.mark.parametrize(
    ("seconds", "said"), [(42.4, "42 s"), (99.0, "99 s"), (600.0, "10 min"), (9000.0, "2.5 h")]
)
def test_durations_are_spoken(seconds: float, said: str) -> None:
    assert spoken(seconds) == said


def test_a_line_tells_state_and_share() -> None:
    said = "Backfill abc done: 10 of 10 days done, 100 % of the work on all assets"
    assert summary(progress(10, is_over=True)) == said


def in_month() -> Progress:
    """A backfill whose last asset is still to come for all days but one, which failed."""
    assets = (
        *(AssetProgress(name, 1, 1) for name in ("soil_cells", "s1_scenes")),
        AssetProgress("scene_features", 10, 4),
        AssetProgress(FIGURES, 10, 0),
    )
    return replace(progress(0), assets=assets, n_keys=22, n_keys_done=6)


def test_no_day_done_while_most_work_is_is_told_in_words() -> None:
    seen = in_month()
    assert summary(seen).startswith("Backfill abc going on: 0 of 10 days done, 27 % of the work")
    why, *assets = remarks(seen)
    assert why.startswith("A day is done when its last asset is, map_figures.")
    assert assets == [
        "  whole: soil_cells, s1_scenes",
        "  in part: scene_features 4 of 10",
        "  not made: map_figures",
    ]


def test_nothing_left_needs_no_words() -> None:
    assert list(remarks(replace(in_month(), regions=()))) == []


LOST = RegionProgress("paddy", n_days=2, n_done=0, n_failed=0, n_maps=0, n_interrupted=1)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, "1 day was interrupted: once this backfill is over the daemon asks for it again."),
        (
            {"is_over": True, "state": STATES["CANCELED"]},
            "2 days were not made, as it was cancelled: `sm-platform backfill retry abc`",
        ),
        (
            {"is_over": True, "state": INTERRUPTED, "heir": "def"},
            "2 days not made here were taken up by backfill def.",
        ),
        (
            {"is_over": True, "state": INTERRUPTED},
            "2 days were interrupted (its runs in the UI tell by what): `sm-platform backfill",
        ),
    ],
)
def test_what_becomes_of_interrupted_days_is_said(changed: dict[str, Any], said: str) -> None:
    assert [*remarks(replace(in_month(), regions=(LOST,), **changed))][-1].startswith(said)


def test_one_day_is_told_as_one() -> None:
    one = RegionProgress("paddy", n_days=1, n_done=1, n_failed=0, n_maps=1)
    assert ": 1 of 1 day done," in summary(replace(progress(1), regions=(one,)))


def test_watching_tells_changes_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sm_platform.defs.backfill.follow.LOOK_SECONDS", 0.0)
    seen = iter([progress(1), progress(1), progress(5), progress(10, is_over=True)])
    said: list[str] = []
    assert follow(lambda: next(seen), said.append).is_over
    assert [line for line in said if line.startswith("  ")] == [
        f"  paddy: {done} of 10 days done, 1 failed, {maps}"
        for done, maps in ((1, "1 map"), (5, "5 maps"), (10, "10 maps"))
    ]


def test_a_plan_becomes_a_backfill_of_its_very_partitions() -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        plan = Plan([region(n=2)], (MAPS,))
        backfill = instance.get_backfill(queue(instance, plan, "two days", parent="before"))
        assert backfill is not None
        assert backfill.asset_backfill_data is not None
        target = backfill.asset_backfill_data.target_subset
        assert set(target.get_partitions_subset(dg.AssetKey(MAPS)).get_partition_keys()) == {
            "2025-01-01|paddy",
            "2025-01-02|paddy",
        }
        assert backfill.title == "two days"
        assert backfill.tags["dagster/parent_backfill_id"] == "before"
        assert instance.get_dynamic_partitions("regions") == ["paddy"]


def test_a_daemon_that_fell_silent_is_none() -> None:
    from dagster._daemon.types import DaemonHeartbeat

    with dg.DagsterInstance.ephemeral() as instance:
        assert not has_daemon(instance)
        now = datetime.now(UTC).timestamp()
        for age, is_there in ((600.0, False), (20.0, True)):
            instance.add_daemon_heartbeat(DaemonHeartbeat(now - age, DAEMON, "one", []))
            assert has_daemon(instance) is is_there
