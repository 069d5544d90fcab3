"""One cause is told once: days as ranges, in texts, in a run's log and failure, in `status`."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import product

import dagster as dg
import pytest

from sm_platform.defs import days as each_days
from sm_platform.defs.days import FAILED_DAYS, DayReport, Worker, each_day
from sm_platform.defs.days_that_failed import common_problems, problems_of
from sm_platform.defs.launch_tags import RANGE_END, RANGE_START
from sm_platform.defs.partitions import ONE_MONTH, REGION_DAYS
from sm_platform.defs.reasons_told import causes_of, failed_told, ranges_told
from sm_platform.defs.resources import LakeResource
from sm_platform.errors import DeniedError, PassingError
from sm_platform.grid.calendar import days_between
from sm_platform.lake.failures import FailedDay, write_failure
from sm_platform.lake.layout import Layout
from sm_platform.schema.region import Region

FIRST, LAST = date(2025, 1, 10), date(2025, 2, 8)
DAYS = days_between(FIRST, LAST)
GOOD = date(2025, 1, 20)
NO_KEY = "ERA5-Land: CDSAPI_KEY is not set: make a key."
CLOSED = "Climate store: request 3c6e1a7{:x}-58ab-4a0f-9f2c-1c7d54a1b0e9 still waits after {} s."
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def told(reasons: list[tuple[date, str]]) -> list[str]:
    return [one.told for one in causes_of(reasons)]


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (DAYS[:1], "2025-01-10"),
        (DAYS[:2], "2025-01-10 to 2025-01-11"),
        ([*DAYS[2:0:-1], DAYS[2], DAYS[9]], "2025-01-11 to 2025-01-12, 2025-01-19"),
        (
            DAYS[::3],
            "2025-01-10, 2025-01-13, 2025-01-16, 2025-01-19, 2025-01-22 and 5 more to 2025-02-06",
        ),
    ],
)
def test_days_are_told_as_ranges(days: list[date], expected: str) -> None:
    assert ranges_told(days) == expected


def test_a_sentence_is_told_once_and_another_beside_it() -> None:
    year = days_between(date(2025, 11, 19), date(2026, 11, 24))
    found = told([*((day, NO_KEY) for day in reversed(year)), (year[3], "VV is damaged")])
    assert found == [
        f"371 days (2025-11-19 to 2026-11-24): {NO_KEY}",
        "2025-11-22: VV is damaged",
    ]


def test_ids_moments_and_seconds_do_not_part_a_cause() -> None:
    (found,) = told([(day, CLOSED.format(n, 60 + n)) for n, day in enumerate(DAYS[:3])])
    assert found == (
        f"3 days (2025-01-10 to 2025-01-12): {CLOSED.format(0, 60)} "
        "(of 2025-01-10; others differ in names or numbers only)"
    )


def test_codes_of_answers_and_names_of_products_do_part_causes() -> None:
    reasons = [f"{name} answered {code}" for name, code in product(("NDVI", "VV"), (403, 503))]
    assert len(told(list(zip(DAYS, reasons, strict=False)))) == 4


def test_a_few_damaged_files_are_each_named_and_many_are_one_cause() -> None:
    reasons = [(day, f"/lake/S1_{day}.tif: it is torn") for day in DAYS]
    assert told(reasons[:5]) == [f"{day}: {reason}" for day, reason in reasons[:5]]
    (found,) = told(reasons)
    assert found.startswith(f"30 days (2025-01-10 to 2025-02-08): {reasons[0][1]} (of 2025-01-10;")


def test_what_is_taken_along_on_a_single_day_is_not_hidden() -> None:
    (found,) = told([(FIRST, f"S1_2025011{n} is torn") for n in range(6)])
    assert found.startswith(f"{FIRST}: S1_20250110 is torn (of {FIRST}; others differ")


def test_a_cause_is_told_of_each_region() -> None:
    failed = [
        FailedDay(region, "weather", day, NO_KEY, is_passing=False)
        for region, day in product(("farm", "delta"), DAYS)
    ]
    days = "30 days (2025-01-10 to 2025-02-08)"
    assert failed_told(failed) == [f"farm, {days}: {NO_KEY}", f"delta, {days}: {NO_KEY}"]


def test_problems_of_a_region_come_together_with_one_next_step(layout: Layout) -> None:
    for asset, day in product(("weather", "weather_granules"), DAYS):
        write_failure(layout, FailedDay("farm", asset, day, NO_KEY, is_passing=False))
    newest = LAST + timedelta(1)
    write_failure(layout, FailedDay("farm", "weather", newest, NO_KEY, is_passing=True))
    problems = problems_of(layout, "farm", FIRST)
    assert len(problems) == 31
    passing, wrong = common_problems(problems)
    assert passing.cause.days == (newest,)
    assert (wrong.assets, wrong.cause.days) == (("weather", "weather_granules"), tuple(DAYS))
    assert wrong.next_step == (
        "put right what the reason names, then "
        "`sm-platform run --region farm --start 2025-01-10 --end 2025-02-08`"
    )


def _worker(fault: str) -> Worker:
    def work(day: date) -> DayReport:
        if day == GOOD:
            return DayReport("made", 1)
        if fault == "closed":
            raise PassingError(CLOSED.format(day.day % 16, day.day))
        if fault == "ours":
            raise ValueError(f"no axis in weather of {day}")
        raise DeniedError(NO_KEY)

    return work


def _made(context: dg.AssetExecutionContext, layout: Layout, *, is_last: bool) -> None:
    def open_region(region: Region, days: Sequence[date]) -> Worker:
        return _worker(context.run.tags["fault"])

    each_day(context, layout, open_region, is_last=is_last)


@dg.asset(partitions_def=REGION_DAYS, backfill_policy=ONE_MONTH)
def rain_of_day(context: dg.AssetExecutionContext, lake: LakeResource) -> None:
    """In the middle of a chain: its run goes on."""
    _made(context, lake.layout, is_last=False)


@dg.asset(partitions_def=REGION_DAYS, backfill_policy=ONE_MONTH)
def map_of_day(context: dg.AssetExecutionContext, lake: LakeResource) -> None:
    """The last of a chain: its run fails."""
    _made(context, lake.layout, is_last=True)


@pytest.fixture
def instance(monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    monkeypatch.setattr(each_days, "FIRST_WAIT_S", 0.0)
    with dg.DagsterInstance.ephemeral() as found:
        found.add_dynamic_partitions("regions", ["farm"])
        yield found


def run(
    instance: dg.DagsterInstance, layout: Layout, asset: dg.AssetsDefinition, fault: str
) -> dg.ExecuteInProcessResult:
    """An asset over the days of the region of `conftest.py`."""
    job = dg.Definitions(
        assets=[asset], resources={"lake": LakeResource(root=str(layout.root))}
    ).resolve_implicit_global_asset_job_def()
    return job.execute_in_process(
        instance=instance,
        tags={RANGE_START: f"{FIRST}|farm", RANGE_END: f"{LAST}|farm", "fault": fault},
        run_config=QUIET,
        raise_on_error=False,
    )


def said(instance: dg.DagsterInstance, result: dg.ExecuteInProcessResult, level: int) -> list[str]:
    """What the asset itself said at a level of Python's `logging`."""
    logs = instance.all_logs(result.run_id)
    return [one.user_message for one in logs if one.level == level and not one.is_dagster_event]


CAUSE = "farm, 29 days (2025-01-10 to 2025-01-19, 2025-01-21 to 2025-02-08)"


@pytest.mark.usefixtures("region")
def test_a_failed_run_tells_a_cause_once_and_keeps_each_day(
    instance: dg.DagsterInstance, layout: Layout
) -> None:
    result = run(instance, layout, map_of_day, "key")
    (failure,) = [one for one in result.all_events if one.is_step_failure]
    data = failure.step_failure_data.user_failure_data
    assert data is not None
    assert data.description == f"29 of 30 days failed.\n{CAUSE}: {NO_KEY}"
    kept = data.metadata[FAILED_DAYS].value
    assert kept == {f"{day}|farm": NO_KEY for day in DAYS if day != GOOD}
    assert said(instance, result, 40) == [], "Dagster itself tells the failure"
    assert len(said(instance, result, 10)) == 29


@pytest.mark.usefixtures("region")
def test_a_run_that_goes_on_tells_it_once_as_an_error(
    instance: dg.DagsterInstance, layout: Layout
) -> None:
    result = run(instance, layout, rain_of_day, "key")
    assert result.success
    assert said(instance, result, 40) == [f"29 of 30 days failed.\n{CAUSE}: {NO_KEY}"]


@pytest.mark.usefixtures("region")
def test_each_try_tells_why_there_is_another(instance: dg.DagsterInstance, layout: Layout) -> None:
    result = run(instance, layout, rain_of_day, "closed")
    tries = said(instance, result, 30)
    assert len(tries) == 2
    for text in tries:
        head, cause = text.splitlines()
        assert head == "29 failed days to be tried again in 0 s."
        assert cause.startswith(f"{CAUSE}: Climate store: request 3c6e1a7a-58ab")
    assert len(said(instance, result, 40)) == 1


@pytest.mark.usefixtures("region")
def test_the_stack_of_a_fault_of_the_platform_is_told_once(
    instance: dg.DagsterInstance, layout: Layout
) -> None:
    result = run(instance, layout, rain_of_day, "ours")
    stack, cause = said(instance, result, 40)
    assert stack.startswith("2025-01-10|farm failed\nTraceback")
    assert cause.count("a fault of the platform") == 1
