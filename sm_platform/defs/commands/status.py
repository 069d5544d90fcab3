"""`sm-platform status`: how regions stand, as tables to a person or as JSON to a program."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table

from sm_platform.defs.budget import used_up_in
from sm_platform.defs.commands.status_json import as_dict
from sm_platform.defs.days_that_failed import common_problems
from sm_platform.defs.engine_status import EngineStatus, engine_status
from sm_platform.defs.lake_access import find_region
from sm_platform.defs.live_sources import live_budget
from sm_platform.defs.local_time import pass_told
from sm_platform.defs.map_index import Row
from sm_platform.defs.reasons_told import ranges_told
from sm_platform.defs.region_status import NOT_LOOKED_AT, RegionStatus, region_status
from sm_platform.defs.resources import settings, watch_settings
from sm_platform.errors import SmPlatformError
from sm_platform.grid.local_days import both_times
from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.schema.driver_tables import REGIONS

WIDTH = 160
"""Columns of a table where the terminal does not tell its own."""
MOST_SHOWN = 20
"""Causes of failed days and runs that the tables list; JSON lists all days."""
NO_REGION = "No region yet: `sm-platform demo` maps two, `sm-platform regions add` adds one."


def status_command(name: str | None, n_days: int, *, as_json: bool) -> None:
    """Print the status of all regions, or of one; raises UsageError when there is none of it."""
    layout = Layout(settings().data_lake)
    names = [name] if name else store.regions_made(layout, REGIONS)
    found = [region_status(layout, find_region(layout, one), n_days) for one in names]
    engine, now, budget = engine_status(), datetime.now(UTC), _budget(layout)
    if as_json:
        told = as_dict(found, engine, now, n_days) | {"budget_used_up": budget}
        print(json.dumps(told, ensure_ascii=False, indent=1))
        return
    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console = Console(highlight=False, markup=False, width=WIDTH)
    if found:
        console.print(_regions(found, n_days))
    else:
        console.print(NO_REGION)
    for one in found:
        for note in one.notes:
            console.print(f"{one.region_id}: {note}")
    if any(one.problems for one in found):
        _print_problems(console, found)
    for line in (*_engine_lines(engine, now), *([budget] if budget else [])):
        console.print(line)


def _budget(layout: Layout) -> str | None:
    """A sentence when the month's budget is used up, or nobody can tell; else None."""
    try:
        return used_up_in(layout, live_budget())
    except SmPlatformError as error:
        return f"Whether the month's budget is used up is not known: {error}"


def _regions(found: Sequence[RegionStatus], n_days: int) -> Table:
    titles = ("region", "clock of its source", "newest pass", "newest map")
    table = Table(show_lines=True)
    for title in (*titles, f"last {n_days} days", "passes due", "checkpoint"):
        table.add_column(title, overflow="fold")
    for one in found:
        table.add_row(
            f"{one.region_id}\n{one.time_zone}",
            _in_lines(both_times(one.clock_utc, one.time_zone)),
            _pass(one.newest_pass, one.time_zone),
            _map(one),
            _days(one),
            _due(one),
            one.checkpoint or "none accepted",
        )
    return table


def _in_lines(moment: str) -> str:
    """UTC above, local time below."""
    return moment.replace(" (", "\n(")


def _pass(row: Row | None, time_zone: str) -> str:
    return _in_lines(pass_told(row, time_zone)) if row else "none"


def _map(one: RegionStatus) -> str:
    age = one.map_age
    if age is None:
        return "none"
    days = age.total_seconds() / 86400
    late = ", no newer one" if days > watch_settings().silent_days else ""
    return f"{_pass(one.newest_map, one.time_zone)}\n{days:.1f} days old{late}"


def _days(one: RegionStatus) -> str:
    told = {name.replace("_", " "): n for name, n in one.days.items() if n or name == "failed"}
    unseen = NOT_LOOKED_AT.replace("_", " ")
    first = ", ".join(f"{n} {name}" for name, n in told.items() if name != unseen)
    return f"{first}\n{told[unseen]} {unseen}" if unseen in told else first


def _due(one: RegionStatus) -> str:
    lines = [f"overdue: {pass_told(row, one.time_zone)}" for row in one.overdue]
    if one.next_pass:
        lines.append(f"next: {pass_told(one.next_pass, one.time_zone)}")
    return "\n".join(lines) or "not known"


def _print_problems(console: Console, found: Sequence[RegionStatus]) -> None:
    table = Table(title="Failed days (UTC)", title_justify="left", show_lines=True)
    for title in ("region", "days", "assets", "reason", "next step"):
        table.add_column(title, overflow="fold")
    told = [common for one in found for common in common_problems(one.problems)]
    for common in told[:MOST_SHOWN]:
        cause, assets = common.cause, "\n".join(common.assets)
        days = ranges_told(cause.days).replace(", ", "\n")
        table.add_row(common.region_id, days, assets, cause.told_reason, common.next_step)
    console.print(table)
    if len(told) > MOST_SHOWN:
        console.print(f"and {len(told) - MOST_SHOWN} more: --json lists all, day by day.")


def _engine_lines(engine: EngineStatus, now: datetime) -> list[str]:
    if engine.problem:
        return [f"Runs and daemon are not known: {engine.problem}"]
    heard = (
        f"last heard {engine.heard_utc:%Y-%m-%d %H:%M:%S} UTC"
        if engine.heard_utc
        else "never heard"
    )
    is_alive = engine.is_alive(now)
    daemon = f"running, {heard}" if is_alive else f"not running, {heard}: `sm-platform up`"
    working = [one for one in engine.runs if one.is_working]
    lines = [
        f"Daemon: {daemon}",
        f"Runs: {len(working)} in progress, {len(engine.runs) - len(working)} queued",
    ]
    for one in engine.runs[:MOST_SHOWN]:
        state = "in progress" if one.is_working else "queued"
        lines.append(f"  {one.run_id[:8]} {state}: {one.what or 'no partition'}")
    return lines
