"""From runs to alerts through the sensors themselves: what is told, what is not, and once."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.freshness import FreshnessState, FreshnessStateChange
from dagster._core.definitions.sensor_definition import SensorExecutionData
from pydantic import Field

from sm_platform.defs import days as each_days
from sm_platform.defs.alerting import delivery
from sm_platform.defs.alerting.alert_log import NotedAlert, all_alerts
from sm_platform.defs.alerting.sensors import ALERT_SENSORS, alert_failed_runs, send_alerts
from sm_platform.defs.days import BACKFILL, DayReport, Worker, each_day
from sm_platform.defs.instance import run_tags
from sm_platform.defs.launch_tags import RANGE_END, RANGE_START
from sm_platform.defs.partitions import ONE_MONTH, REGION_DAYS, REGIONS
from sm_platform.defs.resources import LakeResource
from sm_platform.defs.run_settings import RunSettings
from sm_platform.defs.watching.requests import ATTEMPT_TAG, WAITS
from sm_platform.errors import DataError, LakeError, PassingError
from sm_platform.lake.layout import Layout
from sm_platform.schema.region import Region
from sm_platform_tests.defs.alert_servers import Chat, open_chat
from sm_platform_tests.defs.label_lake import FARM

FIRST, BAD, LAST = date(2025, 1, 10), date(2025, 1, 11), date(2025, 1, 12)
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
REASONS: dict[str, Exception] = {
    "wrong": DataError("MOD13Q1 is torn:\n fetch it again. password=hunter2"),
    "down": PassingError("the provider answered 503"),
}


def _made(context: dg.AssetExecutionContext, layout: Layout, *, is_last: bool) -> None:
    """A day fails as the run's tag says."""

    def open_region(region: Region, days: Sequence[date]) -> Worker:
        def work(day: date) -> DayReport:
            if day == BAD and "fault" in context.run.tags:
                raise REASONS[context.run.tags["fault"]]
            return DayReport("made", 1)

        return work

    each_day(context, layout, open_region, is_last=is_last)


@dg.asset(partitions_def=REGION_DAYS, backfill_policy=ONE_MONTH)
def weather_of_day(context: dg.AssetExecutionContext, lake: LakeResource) -> None:
    """In the middle of a chain: its run goes on."""
    _made(context, lake.layout, is_last=False)


@dg.asset(
    partitions_def=REGION_DAYS,
    backfill_policy=ONE_MONTH,
    deps=[weather_of_day],
    freshness_policy=dg.FreshnessPolicy.time_window(timedelta(days=8)),
)
def map_of_day(context: dg.AssetExecutionContext, lake: LakeResource) -> None:
    """The last of a chain: its run fails."""
    _made(context, lake.layout, is_last=True)


@dg.asset(partitions_def=REGIONS)
def soil_of_region() -> None:
    """Fails as a whole."""
    raise LakeError("Cannot write /lake: No space left on device.")


class SitesOfRegion(RunSettings):
    """How many are drawn."""

    count: int = Field(250, ge=0)
    """Sites."""


@dg.asset(partitions_def=REGIONS)
def sites_of_region(config: SitesOfRegion) -> None:
    """Takes settings."""


@dg.asset_check(asset=weather_of_day, blocking=True, description="At most 330 K.")
def not_too_warm(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        passed="warm" not in context.run.tags, description="340 K\non 2025-01-11."
    )


@dg.asset_check(asset=weather_of_day, description="Rain is rare.")
def not_too_wet() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=False, severity=dg.AssetCheckSeverity.WARN)


@dg.asset_check(asset=weather_of_day, name="no_failed_day", description="No day failed.")
def no_failed_day(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed="fault" not in context.run.tags)


DEFS = dg.Definitions(
    assets=[weather_of_day, map_of_day, soil_of_region, sites_of_region],
    asset_checks=[not_too_warm, not_too_wet, no_failed_day],
    sensors=ALERT_SENSORS,
    executor=dg.in_process_executor,
    resources={"lake": LakeResource(root="replaced")},
)
Tick = Callable[[], list[NotedAlert]]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "WAIT_S", 0.01)
    monkeypatch.setattr(each_days, "FIRST_WAIT_S", 0.0)


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """As in `dagster.yaml`: a dead worker's run is tried again, a failed asset's is not."""
    retries = {"enabled": True, "max_retries": 2, "retry_on_asset_or_op_failure": False}
    with dg.DagsterInstance.ephemeral(settings={"run_retries": retries}) as found:
        found.add_dynamic_partitions("regions", [FARM])
        yield found


def evaluate(
    sensor: dg.SensorDefinition, instance: dg.DagsterInstance, layout: Layout, cursor: str | None
) -> SensorExecutionData:
    with dg.build_sensor_context(
        instance=instance,
        cursor=cursor,
        repository_def=DEFS.get_repository_def(),
        resources={"lake": LakeResource(root=str(layout.root))},
    ) as context:
        return sensor.evaluate_tick(context)


@pytest.fixture
def tick(instance: dg.DagsterInstance, layout: Layout, region: Region) -> Tick:
    """One tick of each sensor, which have been running; gives all that is noted."""
    cursors = {
        one.name: evaluate(one, instance, layout, None).cursor
        for one in (alert_failed_runs, send_alerts)
    }

    def once() -> list[NotedAlert]:
        for one in (alert_failed_runs, send_alerts):
            cursors[one.name] = evaluate(one, instance, layout, cursors[one.name]).cursor
        return all_alerts(layout)

    return once


def run(instance: dg.DagsterInstance, layout: Layout, asset: str | None, **tags: str) -> str:
    """Run an asset, or a job of the dated ones, over the three days; its id."""
    range_tags = {RANGE_START: f"{FIRST}|{FARM}", RANGE_END: f"{LAST}|{FARM}"}
    is_of_region = asset == soil_of_region.key.to_user_string()
    dated = dg.AssetSelection.assets(weather_of_day, map_of_day)
    there = dg.Definitions(
        assets=DEFS.assets,
        asset_checks=DEFS.asset_checks,
        jobs=[dg.define_asset_job("dated_job", dated)],
        executor=dg.in_process_executor,
        resources={"lake": LakeResource(root=str(layout.root))},
    )
    whole = there.resolve_implicit_global_asset_job_def()
    result = (whole if asset else there.resolve_job_def("dated_job")).execute_in_process(
        instance=instance,
        asset_selection=[dg.AssetKey(asset)] if asset else None,
        partition_key=FARM if is_of_region else None,
        tags={**({} if is_of_region else range_tags), **tags},
        run_config=QUIET,
        raise_on_error=False,
    )
    return str(result.run_id)


def test_a_failed_run_is_told_with_region_days_reason_and_next_step(
    instance: dg.DagsterInstance, layout: Layout, tick: Tick
) -> None:
    run_id = run(instance, layout, "map_of_day", fault="wrong")
    (alert,) = tick()
    assert (alert.alert_kind, alert.region_id) == ("run_failed", FARM)
    assert alert.subject == "farm, 2025-01-10 to 2025-01-12: a day failed"
    assert alert.alert_text.splitlines() == [
        f"Run {run_id[:8]} (map_of_day) of farm, 2025-01-10 to 2025-01-12:",
        "2025-01-11: MOD13Q1 is torn: fetch it again. password=***",
        f"Next: put right what is named above, then open run {run_id[:8]} in the UI and choose "
        "Re-execute, or `sm-platform run --region farm --start 2025-01-11 --end 2025-01-11`; "
        'all failed days: `sm-platform sql "from failed_days"`.',
    ]
    run(instance, layout, "map_of_day", fault="wrong")
    assert tick() == [alert], "the same days again are not told again that day"


def test_days_that_failed_in_a_run_that_ended_well_are_told(
    instance: dg.DagsterInstance, layout: Layout, tick: Tick
) -> None:
    run(instance, layout, "weather_of_day")
    assert tick() == []
    run(instance, layout, "weather_of_day", fault="wrong")
    (alert,) = tick()
    assert (alert.alert_kind, alert.region_id) == ("days_failed", FARM)
    assert "2025-01-11: MOD13Q1 is torn" in alert.alert_text


def test_a_job_without_a_selection_is_told_too(
    instance: dg.DagsterInstance, layout: Layout, tick: Tick
) -> None:
    run(instance, layout, None, fault="wrong")
    kinds = {one.alert_kind: one.alert_text for one in tick()}
    assert set(kinds) == {"run_failed"}
    assert "(map_of_day, weather_of_day)" in kinds["run_failed"]


def test_days_that_failed_in_another_request_are_not_told_again(
    instance: dg.DagsterInstance, layout: Layout, tick: Tick
) -> None:
    run(instance, layout, "map_of_day", fault="wrong")
    run(instance, layout, None, warm="yes")  # stops before the map, whose failure stands
    assert {one.alert_kind for one in tick()} == {"run_failed", "check_failed"}
    assert len(all_alerts(layout)) == 2


def test_days_that_succeeded_since_are_not_told(
    instance: dg.DagsterInstance, layout: Layout, tick: Tick
) -> None:
    run(instance, layout, "weather_of_day", fault="wrong")
    run(instance, layout, "weather_of_day")
    assert tick() == []


def test_runs_of_one_backfill_are_told_once_a_region(
    instance: dg.DagsterInstance, layout: Layout, tick: Tick
) -> None:
    for asset in ("map_of_day", "weather_of_day", "map_of_day"):
        run(instance, layout, asset, fault="wrong", **{BACKFILL: "fill01"})
    assert {one.alert_key for one in tick()} == {
        "run_failed/farm/fill01",
        "days_failed/farm/fill01",
    }


def test_what_may_pass_is_told_when_the_quick_attempts_are_used_up(
    instance: dg.DagsterInstance, layout: Layout, tick: Tick
) -> None:
    for attempt in range(len(WAITS)):
        run(instance, layout, "map_of_day", fault="down", **{ATTEMPT_TAG: str(attempt)})
        assert tick() == []
    run(instance, layout, "map_of_day", fault="down", **{ATTEMPT_TAG: str(len(WAITS))})
    (alert,) = tick()
    assert "the provider answered 503" in alert.alert_text
    assert "tried again once a day by themselves" in alert.alert_text


def test_wrong_data_are_told_at_the_first_attempt(
    instance: dg.DagsterInstance, layout: Layout, tick: Tick
) -> None:
    run(instance, layout, "map_of_day", fault="wrong", **{ATTEMPT_TAG: "0"})
    assert len(tick()) == 1


def test_a_step_that_fails_as_a_whole_is_told_by_its_reason(
    instance: dg.DagsterInstance, layout: Layout, tick: Tick
) -> None:
    run(instance, layout, "soil_of_region")
    (alert,) = tick()
    assert alert.subject == "farm: a run failed"
    assert alert.alert_text.splitlines()[1] == "Cannot write /lake: No space left on device."


def test_a_setting_out_of_range_is_told_plainly_and_not_to_be_executed_again_as_it_is(
    instance: dg.DagsterInstance, layout: Layout, tick: Tick
) -> None:
    job = DEFS.resolve_implicit_global_asset_job_def()
    result = job.execute_in_process(
        instance=instance,
        asset_selection=[sites_of_region.key],
        partition_key=FARM,
        run_config={**QUIET, "ops": {"sites_of_region": {"config": {"count": -5}}}},
        raise_on_error=False,
    )
    (alert,) = tick()
    assert alert.subject == "farm: a run failed"
    assert alert.alert_text.splitlines() == [
        f"Run {result.run_id[:8]} (sites_of_region) of farm:",
        "Run settings: count is -5, allowed is at least 0. Launch again with another value.",
        "Next: launch it again in the UI with that setting changed (of an asset: Open launchpad, "
        "beside Materialize); Re-execute would take the same settings.",
    ]


def test_a_blocking_check_is_told_as_a_check_and_a_warning_is_not(
    instance: dg.DagsterInstance, layout: Layout, tick: Tick
) -> None:
    run_id = run(instance, layout, "weather_of_day", warm="yes")
    assert instance.get_run_by_id(run_id).status is dg.DagsterRunStatus.FAILURE  # type: ignore[union-attr]
    (alert,) = tick()
    assert (alert.alert_kind, alert.region_id) == ("check_failed", FARM)
    assert alert.subject.endswith("check not_too_warm of weather_of_day failed")
    assert "340 K on 2025-01-11." in alert.alert_text
    run(instance, layout, "weather_of_day", warm="yes")
    assert tick() == [alert]


def test_a_run_of_a_command_is_told_by_the_command(
    instance: dg.DagsterInstance, layout: Layout, tick: Tick
) -> None:
    run(instance, layout, "map_of_day", fault="wrong", **run_tags())
    assert tick() == []


@pytest.mark.parametrize(("most", "n_alerts"), [("2", 0), ("0", 1)])
def test_a_dead_worker_is_told_when_its_run_is_not_tried_again(
    most: str, n_alerts: int, instance: dg.DagsterInstance, tick: Tick
) -> None:
    tags = {"dagster/max_retries": most, "dagster/partition": f"{BAD}|{FARM}"}
    job = DEFS.resolve_implicit_global_asset_job_def()
    dead = instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED, tags=tags)
    instance.report_run_failed(dead, "Run worker unexpectedly died.")
    found = tick()
    assert len(found) == n_alerts
    assert all("Run worker unexpectedly died" in one.alert_text for one in found)
    assert all(one.subject == "farm, 2025-01-11: a run failed" for one in found)
    assert all("most often for want of memory" in one.alert_text for one in found)


def test_a_stale_asset_is_told_once_a_day(instance: dg.DagsterInstance, tick: Tick) -> None:
    def judged(state: FreshnessState) -> None:
        instance._report_runless_asset_event(
            FreshnessStateChange(
                key=map_of_day.key,
                new_state=state,
                previous_state=FreshnessState.UNKNOWN,
                state_change_timestamp=0.0,
            )
        )

    for state in (FreshnessState.PASS, FreshnessState.WARN):
        judged(state)
        assert tick() == []
    judged(FreshnessState.FAIL)
    assert len(tick()) == 1
    (alert,) = tick()
    assert (alert.alert_kind, alert.region_id) == ("stale", None)
    assert "map_of_day was never made" in alert.alert_text
    assert "at least every 8 days" in alert.alert_text


def test_what_is_raised_is_sent_in_the_same_tick(
    instance: dg.DagsterInstance, layout: Layout, tick: Tick, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_chat(Chat()) as chat:
        monkeypatch.setenv("SM_ALERT_WEBHOOK", chat.address)
        run(instance, layout, "map_of_day", fault="wrong")
        chat.answers = [503] * delivery.TRIES
        assert [one.posted_utc for one in tick()] == [None], "a channel that is down fails no tick"
        assert [one.posted_utc is not None for one in tick()] == [True]
        tick()
        assert len(chat.texts) == 1
        assert "hunter2" not in chat.texts[0]


def test_a_lake_that_cannot_be_written_is_told_once_without_it(
    instance: dg.DagsterInstance, layout: Layout, tick: Tick, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_ids = [run(instance, layout, "soil_of_region") for _ in range(2)]
    shutil.rmtree(layout.aside, ignore_errors=True)
    layout.aside.write_text("a file where writes begin: nothing can be written")
    with open_chat(Chat()) as chat:
        monkeypatch.setenv("SM_ALERT_WEBHOOK", chat.address)
        assert tick() == []
        text, lake_text = chat.texts
    assert "The data lake cannot be written" in lake_text
    assert run_ids[0][:8] in text
    assert "No space left on device" in text
    assert f"Alerts cannot be kept: Cannot write {layout.aside}" in text


def test_a_lake_that_takes_no_writing_is_told_although_no_run_has_failed(
    layout: Layout, tick: Tick, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_chat(Chat()) as chat:
        monkeypatch.setenv("SM_ALERT_WEBHOOK", chat.address)
        tick()
        assert chat.texts == []
        shutil.rmtree(layout.aside, ignore_errors=True)
        layout.aside.write_text("a file where writes begin: nothing can be written")
        tick()
        tick()
        (text,) = chat.texts
    assert f"Cannot write {layout.aside}" in text
    assert "Next: free space" in text


def test_old_runs_are_not_told_when_the_platform_starts(
    instance: dg.DagsterInstance, layout: Layout, region: Region
) -> None:
    run(instance, layout, "map_of_day", fault="wrong")
    run(instance, layout, "weather_of_day", fault="wrong")
    cursors: dict[str, Any] = {}
    for _ in range(2):
        for one in (alert_failed_runs, send_alerts):
            found = evaluate(one, instance, layout, cursors.get(one.name))
            cursors[one.name] = found.cursor
    assert all_alerts(layout) == []
