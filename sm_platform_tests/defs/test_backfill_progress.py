"""Days of a backfill that failed, told from those that were interrupted."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

import dagster as dg
import pytest
from dagster._core.definitions.assets.graph.asset_graph_subset import AssetGraphSubset
from dagster._core.execution.backfill import BulkActionStatus

from sm_platform.definitions import defs
from sm_platform.defs.backfill.planning import Place, Plan, RegionPlan
from sm_platform.defs.backfill.progress import (
    INTERRUPTED,
    STATES,
    AssetProgress,
    Look,
    data_of,
    find,
    needed_by,
)
from sm_platform.defs.backfill.queueing import queue
from sm_platform.defs.backfill.resuming import _lost
from sm_platform.defs.commands.backfill import _watch
from sm_platform.defs.map_chain import CHAIN, DRIVERS, FEATURES, FIGURES, MAPS
from sm_platform.defs.partitions import REGION_DAYS
from sm_platform.errors import DataError
from sm_platform.lake.failures import FailedDay, write_failure
from sm_platform.lake.layout import Layout

REGION, FIRST = "paddy", date(2025, 1, 1)
DAYS = [FIRST + timedelta(n) for n in range(4)]
PLAN = Plan([RegionPlan(REGION, DAYS, DAYS, driver_days=DAYS)], ("weather", FEATURES, MAPS))


@pytest.fixture
def place(layout: Layout) -> Iterator[Place]:
    """An empty lake and a home of its own."""
    with dg.DagsterInstance.ephemeral() as instance:
        yield Place(layout, instance)


def part(**days_by_asset: Sequence[date]) -> AssetGraphSubset:
    """A part of what a backfill asks for."""
    subsets = {
        dg.AssetKey(asset): REGION_DAYS.subset_with_partition_keys(
            [f"{day}|{REGION}" for day in days]
        )
        for asset, days in days_by_asset.items()
    }
    return AssetGraphSubset(subsets, set())  # type: ignore[call-arg] # as in queueing.py


def ended(place: Place, status: BulkActionStatus) -> str:
    """A backfill that Dagster has the last three of four days of for failed."""
    backfill_id = queue(place.instance, PLAN, "a few days")
    backfill = find(place.instance, backfill_id)
    data = data_of(backfill)._replace(
        materialized_subset=part(weather=DAYS, scene_features=DAYS[:2], sm_maps=DAYS[:1]),
        failed_and_downstream_subset=part(scene_features=DAYS[2:], sm_maps=DAYS[1:]),
    )
    kept = backfill.with_asset_backfill_data(data, place.instance, defs.resolve_asset_graph())
    place.instance.update_backfill(kept._replace(status=status))
    return backfill_id


def fail(place: Place, asset: str, day: date, request: str, *, is_passing: bool = False) -> None:
    failed = FailedDay(REGION, asset, day, "the file is damaged", is_passing, request)
    write_failure(place.layout, failed)


def counts(place: Place, backfill_id: str) -> tuple[int, ...]:
    """Days done, failed, left and, of those, interrupted."""
    (one,) = Look(place, backfill_id).now().regions
    return one.n_done, one.n_failed, one.n_left, one.n_interrupted


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (BulkActionStatus.COMPLETED_FAILED, INTERRUPTED),
        (BulkActionStatus.CANCELED, STATES["CANCELED"]),
    ],
)
def test_killed_days_are_left_and_not_failed(
    place: Place, status: BulkActionStatus, state: str
) -> None:
    backfill_id = ended(place, status)
    assert counts(place, backfill_id) == (1, 0, 3, 3)
    assert Look(place, backfill_id).now().state == state


def test_a_day_with_a_known_failure_has_failed(place: Place) -> None:
    backfill_id = ended(place, BulkActionStatus.COMPLETED_FAILED)
    fail(place, FEATURES, DAYS[2], backfill_id)
    assert counts(place, backfill_id) == (1, 1, 2, 2)
    assert Look(place, backfill_id).now().state == STATES["COMPLETED_FAILED"]


def test_failures_of_others_and_of_drivers_fail_no_day_of_it(place: Place) -> None:
    backfill_id = ended(place, BulkActionStatus.COMPLETED_FAILED)
    fail(place, "weather", DAYS[1], backfill_id)
    fail(place, FEATURES, DAYS[2], "another one")
    fail(place, FIGURES, DAYS[3], backfill_id)
    assert counts(place, backfill_id) == (1, 0, 3, 3)


def test_an_interrupted_day_without_its_weather_goes_on_by_itself(place: Place) -> None:
    backfill = find(place.instance, ended(place, BulkActionStatus.COMPLETED_FAILED))
    fail(place, "weather", DAYS[1], backfill.backfill_id)
    fail(place, FEATURES, DAYS[2], backfill.backfill_id)
    assert list(_lost(place, backfill)) == [(REGION, [DAYS[1], DAYS[3]])]


def test_what_took_up_its_days_is_named(place: Place) -> None:
    backfill_id = ended(place, BulkActionStatus.COMPLETED_FAILED)
    assert Look(place, backfill_id).now().heir is None
    heir = queue(place.instance, PLAN, "again", parent=backfill_id)
    assert Look(place, backfill_id).now().heir == heir
    assert Look(place, heir).now().heir is None


def test_watching_ends_with_an_error_when_days_are_left(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sm_platform.defs.commands.backfill.follow", lambda look, _: look())
    backfill_id = ended(place, BulkActionStatus.CANCELED)
    with pytest.raises(DataError, match="3 days were not made, as it was cancelled"):
        _watch(place, backfill_id, print)


def test_each_asset_tells_its_partitions_in_order(place: Place) -> None:
    seen = Look(place, ended(place, BulkActionStatus.REQUESTED)).now()
    made = {"weather": 4, FEATURES: 2, MAPS: 1}
    assert seen.assets == tuple(AssetProgress(name, 4, n) for name, n in made.items())


def test_a_day_of_maps_is_done_without_its_drivers() -> None:
    assert not set(needed_by(CHAIN)) & set(DRIVERS)
    assert needed_by(("s1_scenes", "weather")) == ("s1_scenes", "weather")
