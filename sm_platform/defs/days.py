"""Running an asset over the days of a run: each finished day is reported, failed ones are named.

`MaterializeResult` would mark every day of a range as made. So a day that fails is noted, the
others go on; when all went well one result carries them, else the finished days are reported one
by one and the run fails naming the rest.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import dagster as dg

from sm_platform.defs.lake_access import find_region
from sm_platform.errors import SmPlatformError
from sm_platform.lake.layout import Layout
from sm_platform.schema.region import Region

PROGRESS_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class DayReport:
    """What became of one day: shown in the UI's metadata."""

    status: str
    rows: int
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @property
    def all_metadata(self) -> dict[str, Any]:
        """Status and rows with the rest."""
        return {"status": self.status, "rows": self.rows, **self.metadata}


Worker = Callable[[date], DayReport]
OpenRegion = Callable[[Region, Sequence[date]], Worker]


def each_day(
    context: dg.AssetExecutionContext, layout: Layout, open_region: OpenRegion
) -> dg.MaterializeResult[None]:
    """Run `open_region(region, days)` once per region of the run, then its worker day by day.

    Raises:
        dg.Failure: naming the days that failed, after the others are finished and reported.
    """
    done: dict[str, DayReport] = {}
    failed: dict[str, str] = {}
    for region_id, keys in _by_region(context).items():
        try:
            worker = open_region(find_region(layout, region_id), [day for day, _ in keys])
        except SmPlatformError as error:
            failed.update({key: str(error) for _, key in keys})
            continue
        _work(context, worker, keys, (done, failed))
    return _report(context, done, failed)


def _work(
    context: dg.AssetExecutionContext,
    worker: Worker,
    keys: Sequence[tuple[date, str]],
    outcome: tuple[dict[str, DayReport], dict[str, str]],
) -> None:
    done, failed = outcome
    began = said = time.monotonic()
    for number, (day, key) in enumerate(keys, start=1):
        try:
            done[key] = worker(day)
        except SmPlatformError as error:
            failed[key] = str(error)
            context.log.error(f"{key}: {error}")
        except Exception as error:  # one day's fault must not take the finished days with it
            failed[key] = f"{type(error).__name__}: {error} (a fault of the platform, see the log)"
            context.log.exception(f"{key} failed")
        now = time.monotonic()
        if now - said > PROGRESS_SECONDS:
            said, left = now, (now - began) / number * (len(keys) - number)
            context.log.info(f"{number} of {len(keys)} days done, about {left:.0f} s left")


def _by_region(context: dg.AssetExecutionContext) -> dict[str, list[tuple[date, str]]]:
    regions: dict[str, list[tuple[date, str]]] = defaultdict(list)
    for key in context.partition_keys:
        parts = key.keys_by_dimension
        regions[parts["region"]].append((date.fromisoformat(parts["day"]), key))
    return {region: sorted(keys) for region, keys in regions.items()}


def _report(
    context: dg.AssetExecutionContext, done: Mapping[str, DayReport], failed: Mapping[str, str]
) -> dg.MaterializeResult[None]:
    if not failed:
        for key, report in done.items():
            context.add_asset_metadata(report.all_metadata, partition_key=key)
        return dg.MaterializeResult(metadata={"days_in_run": len(done)})
    for key, report in done.items():
        context.log_event(
            dg.AssetMaterialization(context.asset_key, partition=key, metadata=report.all_metadata)
        )
    lines = [f"{key}: {reason}" for key, reason in failed.items()]
    raise dg.Failure(
        description=f"{len(failed)} of {len(failed) + len(done)} days failed.\n" + "\n".join(lines),
        metadata={"failed_days": dg.MetadataValue.json(dict(failed))},
        allow_retries=False,
    )
