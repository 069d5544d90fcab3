"""The status of regions and runs as plain values, for programs."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sm_platform.defs.engine_status import EngineStatus
from sm_platform.defs.local_time import has_time
from sm_platform.defs.map_index import Row
from sm_platform.defs.region_status import RegionStatus
from sm_platform.grid.calendar import utc
from sm_platform.grid.local_days import local_time


def as_dict(
    found: Sequence[RegionStatus], engine: EngineStatus, now_utc: datetime, n_days: int
) -> dict[str, Any]:
    """Everything that `status` knows; moments in UTC and, of regions, in local time."""
    n_working = sum(one.is_working for one in engine.runs)
    return {
        "told_utc": now_utc.isoformat(timespec="seconds"),
        "last_days": n_days,
        "daemon": {
            "is_running": engine.is_alive(now_utc),
            "heard_utc": engine.heard_utc and engine.heard_utc.isoformat(timespec="seconds"),
            "problem": engine.problem,
        },
        "runs": {
            "in_progress": n_working,
            "queued": len(engine.runs) - n_working,
            "open": [
                {"run_id": one.run_id, "is_working": one.is_working, "what": one.what}
                for one in engine.runs
            ],
        },
        "regions": [_region(one) for one in found],
    }


def _region(one: RegionStatus) -> dict[str, Any]:
    seen, made, age = one.newest_pass, one.newest_map, one.map_age
    zone = one.time_zone
    return {
        "region": one.region_id,
        "time_zone": zone,
        "clock": _moment(one.clock_utc, zone),
        "newest_pass": seen and {"scene_id": seen["scene_id"], **_start(seen, zone)},
        "newest_map": made and {"map_id": made["map_id"], **_start(made, zone)},
        "map_age_days": round(age.total_seconds() / 86400, 2) if age else None,
        "days": dict(one.days),
        "overdue_passes": [_due(row, zone) for row in one.overdue],
        "next_pass": one.next_pass and _due(one.next_pass, zone),
        "failed_days": [
            {
                "day": problem.day.isoformat(),
                "assets": list(problem.assets),
                "reason": problem.reason,
                "next_step": problem.next_step,
            }
            for problem in one.problems
        ],
        "checkpoint": one.checkpoint,
        "notes": list(one.notes),
    }


def _due(row: Row, zone: str) -> dict[str, Any]:
    track = {name: row[name] for name in ("platform", "orbit_state", "relative_orbit")}
    return track | _start(row, zone)


def _start(row: Row, zone: str) -> dict[str, str | None]:
    told: dict[str, str | None] = dict(_moment(row["pass_start_utc"], zone))
    return told if has_time(row) else told | {"local": None}


def _moment(moment: datetime, zone: str) -> dict[str, str]:
    return {
        "utc": utc(moment).isoformat(timespec="seconds"),
        "local": local_time(moment, zone).isoformat(timespec="seconds"),
    }
