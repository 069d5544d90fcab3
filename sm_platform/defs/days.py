"""Running an asset over the days of a run: finished days are kept, failed ones are told by name.

`MaterializeResult` would mark every day of a range as made, and a step that fails stops all that is
below it in the run, for all days. So a day that fails is noted in the lake and shown with
`status=failed`; the others go on, here and below, and what needs the failed day fails on that day
alone. The last asset of a chain (`is_last`) reports its finished days one by one and fails its step
naming the rest: those keys are then failed in the UI, whatever they failed of.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import partial
from traceback import format_exc
from typing import Any

import dagster as dg

from sm_platform.defs.checking.failed import tell_failed_days
from sm_platform.defs.lake_access import find_region
from sm_platform.defs.reasons_told import failed_told, sentence_of
from sm_platform.defs.resources import secret_values
from sm_platform.defs.talk import counted, legible
from sm_platform.errors import (
    BudgetError,
    DataError,
    DeniedError,
    LakeError,
    MissingInputError,
    PassingError,
    SmPlatformError,
    UsageError,
)
from sm_platform.lake.failures import FailedDay, clear_failure, failure_of, write_failure
from sm_platform.lake.layout import Layout
from sm_platform.schema.region import Region
from sm_platform.sources.masking import masked

PROGRESS_SECONDS = 10.0
FAILED = "failed"
FAILED_DAYS = "failed_days"
"""Name of the metadata that tells failed keys with their reasons."""
BACKFILL = "dagster/backfill"
"""Tag of the runs of one backfill."""
MOST_RETRIES = 2
FIRST_WAIT_S = 20.0
"""Before a step is tried again whose days failed of what may pass; doubled each time."""


@dataclass(frozen=True, slots=True)
class DayReport:
    """What became of one day: shown in the UI's metadata."""

    status: str
    rows: int
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @property
    def all_metadata(self) -> dict[str, Any]:
        """Status and rows with the rest."""
        return {"status": self.status, "rows": self.rows, **legible(self.metadata)}


Worker = Callable[[date], DayReport]
OpenRegion = Callable[[Region, Sequence[date]], Worker]


@dataclass(slots=True)
class _Days:
    """One asset at work on the days of a run; keys are partition keys."""

    context: dg.AssetExecutionContext
    layout: Layout
    needs: Sequence[str]
    done: dict[str, DayReport] = field(default_factory=dict)
    failed: dict[str, FailedDay] = field(default_factory=dict)
    again: list[str] = field(default_factory=list)
    """Keys that failed of a source that may answer in a moment."""
    traced: set[str] = field(default_factory=set)
    """Faults of the platform whose stack was told: another day's would be the same."""

    @property
    def asset(self) -> str:
        """Name of the asset."""
        return str(self.context.asset_key.to_user_string())

    @property
    def request(self) -> str:
        """What the run is part of."""
        return request_of(self.context.run)

    def fail(self, region_id: str, day: date, key: str, error: Exception) -> None:
        """Note a failed day, here and in the lake."""
        reason, is_passing = str(error), may_pass(error)
        if not isinstance(error, SmPlatformError):
            reason = self._trace(key, error)
        now = datetime.now(UTC)
        failed = FailedDay(region_id, self.asset, day, reason, is_passing, self.request, now)
        self.failed[key] = failed
        if isinstance(error, PassingError) and not isinstance(error, DeniedError | BudgetError):
            self.again.append(key)
        self.context.log.debug(f"{key}: {reason}")  # causes are told together, once
        write_failure(self.layout, failed)

    def _trace(self, key: str, error: Exception) -> str:
        """The reason of a fault of the platform; its stack goes to the log, each fault's once."""
        secrets = secret_values()  # a client's own error may tell a signed address
        told = masked(str(error), secrets)
        reason = f"{type(error).__name__}: {told} (a fault of the platform, see the log)"
        if sentence_of(reason) not in self.traced:
            self.traced.add(sentence_of(reason))
            self.context.log.error(masked(f"{key} failed\n{format_exc()}", secrets))
        return reason

    def finish(self, region_id: str, day: date, key: str, work: Callable[[], DayReport]) -> None:
        """Make a day and note it, with the seconds that it took."""
        began = time.perf_counter()
        report = work()
        told = {**report.metadata, "seconds": round(time.perf_counter() - began, 3)}
        self.done[key] = replace(report, metadata=told)
        clear_failure(self.layout, region_id, self.asset, day)


def request_of(run: dg.DagsterRun) -> str:
    """The backfill of a run, or the run, or the one that it is another try of."""
    return str(run.tags.get(BACKFILL) or run.root_run_id or run.run_id)


def each_day(
    context: dg.AssetExecutionContext,
    layout: Layout,
    open_region: OpenRegion,
    *,
    needs: Sequence[str] = (),
    is_last: bool = False,
) -> dg.MaterializeResult[None]:
    """Run `open_region(region, days)` once per region of the run, then its worker day by day.

    Args:
        context: of the asset.
        layout: the lake.
        open_region: gives the worker of a region.
        needs: assets without which the same day cannot be made.
        is_last: whether nothing that must go on lies below: failed days then fail the step.

    Raises:
        dg.RetryRequested: days failed of what may pass; the finished ones will be found done.
        dg.Failure: naming the days that failed, after the others are finished and reported; also
            where not one day could be made.
    """
    days = _Days(context, layout, needs)
    for region_id, keys in _by_region(context).items():
        try:
            worker = open_region(find_region(layout, region_id), [day for day, _ in keys])
        except SmPlatformError as error:
            if isinstance(error, UsageError):  # a setting: no day is wrong for good by it
                error = MissingInputError(str(error))  # noqa: PLW2901
            for day, key in keys:
                days.fail(region_id, day, key, error)
            continue
        _work(days, region_id, worker, keys)
    _ask_again(context, days)
    return _report(context, days, is_last=is_last)


def _work(days: _Days, region_id: str, worker: Worker, keys: Sequence[tuple[date, str]]) -> None:
    began = said = time.monotonic()
    for number, (day, key) in enumerate(keys, start=1):
        try:
            _check_needs(days, region_id, day)
            days.finish(region_id, day, key, partial(worker, day))
        except Exception as error:  # one day's fault must not take the finished days with it
            days.fail(region_id, day, key, error)
        now = time.monotonic()
        if now - said > PROGRESS_SECONDS:
            said, left = now, (now - began) / number * (len(keys) - number)
            n_failed = f", {len(days.failed)} failed" if days.failed else ""
            days.context.log.info(
                f"{number} of {len(keys)} days of {region_id} done{n_failed}, "
                f"about {left:.0f} s left"
            )


def _check_needs(days: _Days, region_id: str, day: date) -> None:
    """Raises an error with the reason when a needed asset failed on the day in this request.

    What failed in an earlier one counts no more: then what the lake holds is good to go on with.
    """
    missing = failure_of(days.layout, region_id, days.needs, day)
    if missing is not None and missing.request == days.request:
        raise (MissingInputError if missing.is_passing else DataError)(missing.reason)


def _by_region(context: dg.AssetExecutionContext) -> dict[str, list[tuple[date, str]]]:
    regions: dict[str, list[tuple[date, str]]] = defaultdict(list)
    for key in context.partition_keys:
        parts = key.keys_by_dimension
        regions[parts["region"]].append((date.fromisoformat(parts["day"]), key))
    return {region: sorted(keys) for region, keys in regions.items()}


def may_pass(error: Exception) -> bool:
    """Whether the same may succeed at another time: a source, an input, the disk, a fault of ours.

    What does not: a granule that is wrong, a recipe that does not fit.
    """
    passing = PassingError | MissingInputError | LakeError
    return isinstance(error, passing) or not isinstance(error, SmPlatformError)


def _ask_again(context: dg.AssetExecutionContext, days: _Days) -> None:
    """Ask for another try while it may help at once."""
    if days.again and context.retry_number < MOST_RETRIES:
        wait = FIRST_WAIT_S * 2**context.retry_number
        head = f"{counted(len(days.again), 'failed day')} to be tried again in {wait:.0f} s."
        context.log.warning("\n".join([head, *failed_told(days.failed.values())]))
        raise dg.RetryRequested(max_retries=MOST_RETRIES, seconds_to_wait=wait)


def _report(
    context: dg.AssetExecutionContext, days: _Days, *, is_last: bool
) -> dg.MaterializeResult[None]:
    told = {key: one.reason for key, one in days.failed.items()}
    if told and (is_last or _is_worthless(context, days)):
        for key, report in days.done.items():
            context.log_event(
                dg.AssetMaterialization(
                    context.asset_key, partition=key, metadata=report.all_metadata
                )
            )
        tell_failed_days(context, days.layout)
        raise _failure(days, told)
    for key, report in days.done.items():
        context.add_asset_metadata(report.all_metadata, partition_key=key)
    for key, reason in told.items():
        metadata = DayReport(FAILED, 0, {"reason": reason}).all_metadata
        context.add_asset_metadata(metadata, partition_key=key)
    if told:
        context.log.error(_told(days))
    return dg.MaterializeResult()


def _is_worthless(context: dg.AssetExecutionContext, days: _Days) -> bool:
    """Whether the step is better failed: nothing was made, and trying again may make it.

    In a backfill a failed key stops every day whose look-back touches it: so a day of wrong data
    that has a run of its own there is told like one among others.
    """
    is_hopeless = not any(one.is_passing for one in days.failed.values())
    return not days.done and not (is_hopeless and BACKFILL in context.run.tags)


def _failure(days: _Days, told: Mapping[str, str]) -> dg.Failure:
    return dg.Failure(
        description=_told(days),
        metadata={FAILED_DAYS: dg.MetadataValue.json(dict(told))},
        allow_retries=False,
    )


def _told(days: _Days) -> str:
    """How many days failed, and each cause once with its days."""
    n_days = len(days.failed) + len(days.done)
    head = f"{len(days.failed)} of {counted(n_days, 'day')} failed."
    return "\n".join([head, *failed_told(days.failed.values())])
