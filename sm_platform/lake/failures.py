"""Days that failed: which asset, on which day of a region, and why; gone once the day succeeds.

What is below reads it, so that a day without its input is not taken for a day without a pass.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from sm_platform.lake.atomic import explained, replacing_file
from sm_platform.lake.layout import Layout

SUFFIX = ".json"


@dataclass(frozen=True, slots=True)
class FailedDay:
    """One day of a region on which an asset failed."""

    region_id: str
    asset: str
    day: date
    reason: str
    is_passing: bool
    """Whether trying again later may help (network, quota, disk), as opposed to wrong data."""
    request: str = ""
    """What the attempt was part of: whatever else was asked for with it goes without the day."""
    failed_utc: datetime | None = None
    """When it failed; None when that is not known."""


def write_failure(layout: Layout, failed: FailedDay) -> None:
    """Keep a failed day; raises LakeError when the lake cannot be written."""
    told = {
        "region": failed.region_id,
        "asset": failed.asset,
        "day": failed.day.isoformat(),
        "reason": failed.reason,
        "is_passing": failed.is_passing,
        "request": failed.request,
        "failed_utc": failed.failed_utc.isoformat() if failed.failed_utc else None,
    }
    with replacing_file(
        _file(layout, failed.region_id, failed.asset, failed.day), layout.aside
    ) as new:
        new.write_text(json.dumps(told, indent=1))


def clear_failure(layout: Layout, region: str, asset: str, day: date) -> None:
    """Forget a failed day: it has succeeded."""
    path = _file(layout, region, asset, day)
    with explained(path):
        path.unlink(missing_ok=True)


def failure_of(layout: Layout, region: str, assets: Iterable[str], day: date) -> FailedDay | None:
    """The first of the assets that failed on the day, None when none did."""
    for asset in assets:
        path = _file(layout, region, asset, day)
        if path.is_file():
            return _read(path)
    return None


def failed_days(layout: Layout, region: str, asset: str) -> list[FailedDay]:
    """All failed days of an asset in a region, in order."""
    files = layout.failures(region, asset).glob(f"????-??-??{SUFFIX}")
    return [_read(path) for path in sorted(files)]


def failures_of(layout: Layout, region: str) -> list[FailedDay]:
    """All failed days of all assets of a region, by day, then asset."""
    folder = layout.failures(region, "any").parent
    found = (_read(path) for path in folder.glob(f"*/????-??-??{SUFFIX}"))
    return sorted(found, key=lambda one: (one.day, one.asset))


def _file(layout: Layout, region: str, asset: str, day: date) -> Path:
    return layout.failures(region, asset) / f"{day.isoformat()}{SUFFIX}"


def _read(path: Path) -> FailedDay:
    """A file that was damaged by hand still tells asset, region and day by its place."""
    try:
        told = json.loads(path.read_text())
    except (OSError, ValueError):
        told = {}
    region, asset = path.parent.parent.name, path.parent.name
    day = date.fromisoformat(path.name.removesuffix(SUFFIX))
    reason = str(told.get("reason", "not known: its record cannot be read"))
    request, when = str(told.get("request", "")), told.get("failed_utc")
    failed_utc = datetime.fromisoformat(when) if when else None
    is_passing = bool(told.get("is_passing"))
    return FailedDay(region, asset, day, reason, is_passing, request, failed_utc)
