"""Running assets from the command line: the same graph and instance as the UI, month by month."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import dagster as dg

from sm_platform.definitions import defs
from sm_platform.defs.days import FAILED
from sm_platform.defs.instance import run_tags
from sm_platform.defs.interrupts import remember_interrupts, stop_if_interrupted
from sm_platform.defs.launch_tags import RANGE_END, RANGE_START
from sm_platform.defs.resources import settings
from sm_platform.defs.step_failures import is_verdict, named_days, raised, why
from sm_platform.defs.talk import LISTENER, Say
from sm_platform.errors import DataError
from sm_platform.lake.failures import failed_days
from sm_platform.lake.layout import Layout

DAYS_PER_RUN = 62
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}

Failures = dict[date, str]


@dataclass(frozen=True, slots=True)
class Launcher:
    """Starts runs of one region and remembers which days failed."""

    instance: dg.DagsterInstance
    region_id: str
    say: Say
    failures: Failures = field(default_factory=dict)
    """Days that cannot be mapped."""
    driver_failures: Failures = field(default_factory=dict)
    """Days without vegetation or weather: maps hold earlier values instead and say so."""
    made: dict[str, set[str]] | None = None
    """Partitions made by asset, filled as they are asked for; None: they are asked for anew."""

    def __post_init__(self) -> None:
        remember_interrupts()

    def once(self, assets: Sequence[str], config: Mapping[str, Any] | None = None) -> None:
        """Materialize assets that are partitioned by region alone; raises DataError."""
        result = self._run(assets, config, {}, self.region_id)
        if not result.success:
            raise DataError(_reason(result))
        self.say(f"{self.region_id}: {', '.join(assets)}")

    def over(
        self,
        assets: Sequence[str],
        days: Sequence[date],
        config: Mapping[str, Any] | None = None,
        *,
        is_driver: bool = False,
    ) -> None:
        """Materialize dated assets over these days, leaving out those that failed before.

        Of drivers none is left out: where one file is damaged, those of the other driver count.
        What a blocking check says is told; its asset was made, so that is no failure.
        """
        failed = self.driver_failures if is_driver else self.failures
        good = [day for day in days if is_driver or day not in failed]
        for stretch in stretches(good, DAYS_PER_RUN):
            first, last = stretch[0], stretch[-1]
            tags = {RANGE_START: self._key(first), RANGE_END: self._key(last)}
            result = self._run(assets, config, tags, None)
            for verdict in _verdicts(result):
                self.say(f"{self.region_id}: {verdict}")
            _add(failed, _failed_days(result, stretch))
            self.say(f"{self.region_id} {first}..{last}: {', '.join(assets)}")

    def pending(self, assets: Sequence[str], days: Sequence[date]) -> list[date]:
        """Those of the days on which one of the assets has never been made, or failed last."""
        made = [self._made(asset) for asset in assets]
        layout = Layout(settings().data_lake)
        failed = {one.day for asset in assets for one in failed_days(layout, self.region_id, asset)}
        return [
            day for day in days if day in failed or any(self._key(day) not in keys for keys in made)
        ]

    def _made(self, asset: str) -> set[str]:
        if self.made is not None and asset in self.made:
            return self.made[asset]
        found = self.instance.get_materialized_partitions(dg.AssetKey(asset))
        if self.made is not None:
            self.made[asset] = found
        return found

    @contextmanager
    def _listening(self) -> Iterator[None]:
        """What assets tell on their way is told to whoever waits for them."""
        token = LISTENER.set(self.say)
        try:
            yield
        finally:
            LISTENER.reset(token)

    def _key(self, day: date) -> str:
        return f"{day.isoformat()}|{self.region_id}"

    def _run(
        self,
        assets: Sequence[str],
        config: Mapping[str, Any] | None,
        tags: Mapping[str, str],
        partition_key: str | None,
    ) -> dg.ExecuteInProcessResult:
        stop_if_interrupted()
        job = defs.resolve_implicit_global_asset_job_def()
        ops = {name: {"config": dict(values)} for name, values in (config or {}).items()}
        with self._listening():
            result = job.execute_in_process(
                instance=self.instance,
                asset_selection=[dg.AssetKey(name) for name in assets],
                partition_key=partition_key,
                run_config={**QUIET, "ops": ops},
                tags={**tags, **run_tags()},
                raise_on_error=False,
            )
        if any(_is_interrupted(failure) for failure in _step_failures(result)):
            self.say("Interrupted: what is finished is kept; the same command goes on from there.")
            raise KeyboardInterrupt
        stop_if_interrupted()
        return result


def stretches(days: Sequence[date], longest: int) -> list[list[date]]:
    """Days cut into runs without a gap, each of at most `longest` days."""
    found: list[list[date]] = []
    for day in sorted(days):
        is_next = found and day - found[-1][-1] == timedelta(days=1)
        if is_next and len(found[-1]) < longest:
            found[-1].append(day)
        else:
            found.append([day])
    return found


def _failed_days(result: dg.ExecuteInProcessResult, days: Sequence[date]) -> Failures:
    """Reasons by day, of all assets; one that broke down as a whole failed on all these days."""
    failed: Failures = {}
    for made in result.all_events:
        if made.is_step_materialization:
            _add(failed, _recorded(made))
    if result.success:
        return failed
    failures = _step_failures(result)
    asset_failures = [failure for failure in failures if not is_verdict(failure)]
    for failure in asset_failures:
        _add(failed, named_days(failure) or dict.fromkeys(days, why(failure)))
    is_judged = bool(failures) and not asset_failures
    return failed if failed or is_judged else dict.fromkeys(days, _reason(result))


def _verdicts(result: dg.ExecuteInProcessResult) -> list[str]:
    """What blocking checks that said no have to say."""
    judged = result.get_asset_check_evaluations()
    return [one.description or one.check_name for one in judged if one.blocking and not one.passed]


def _recorded(made: dg.DagsterEvent) -> Failures:
    """The day of a materialization that tells a failure, with its reason."""
    told = made.materialization.metadata
    if "status" not in told or told["status"].value != FAILED or not made.partition:
        return {}
    return {date.fromisoformat(made.partition.split("|")[0]): str(told["reason"].value)}


def _add(failed: Failures, more: Failures) -> None:
    """Add reasons; one that was told of the day before is not told again."""
    for day, reason in more.items():
        if reason not in failed.get(day, ""):
            failed[day] = f"{failed[day]} {reason}" if day in failed else reason


def _reason(result: dg.ExecuteInProcessResult) -> str:
    """What a failed run says, a line for each asset that failed."""
    nothing = f"run {result.run_id} failed: see it in the UI (process {os.getpid()})"
    return "\n".join(why(failure) for failure in _step_failures(result)) or nothing


def _step_failures(result: dg.ExecuteInProcessResult) -> list[dg.DagsterEvent]:
    return [event for event in result.all_events if event.is_step_failure]


def _is_interrupted(failure: dg.DagsterEvent) -> bool:
    """Dagster takes Ctrl-C in an asset for its failure and would go on with the next one."""
    return raised(failure)[0] == dg.DagsterExecutionInterruptedError.__name__
