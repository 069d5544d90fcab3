"""`sm-platform backfill`: ask for days of several regions, watch, list, cancel and retry."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from rich.console import Console
from rich.table import Table

from sm_platform.defs.backfill.asked import Period, check_checkpoint, named_regions
from sm_platform.defs.backfill.follow import (
    follow,
    remarks,
    summary,
    table_of,
    unfinished,
)
from sm_platform.defs.backfill.pace import estimate_s
from sm_platform.defs.backfill.planning import Place, Plan, RegionPlan, Wanted, plan_region
from sm_platform.defs.backfill.progress import (
    Look,
    assets_of,
    data_of,
    days_of,
    find,
    newest_backfills,
    reasons,
    under_way,
)
from sm_platform.defs.backfill.queueing import cancel, check_title, has_daemon, queue
from sm_platform.defs.instance import home_explained, open_instance
from sm_platform.defs.map_chain import MAPS
from sm_platform.defs.region_source import open_source
from sm_platform.defs.resources import settings
from sm_platform.defs.talk import Say, counted, spoken
from sm_platform.errors import DataError, UsageError
from sm_platform.lake.layout import Layout
from sm_platform.schema.region import Region
from sm_platform.sources.protocol import Product

COLUMNS = ("id", "title", "state", "days", "done", "failed", "begun")
WIDTH = 400
"""Characters of a line: tables are not cut, whatever the terminal; pipes get whole lines."""
NO_DAEMON = (
    "No daemon runs on this home, so nothing begins yet: it starts with `sm-platform up` and takes "
    "up what is queued."
)


@dataclass(frozen=True, slots=True)
class Manner:
    """How a backfill is asked for."""

    wanted: Wanted
    title: str | None
    is_watched: bool
    parent: str | None = None
    """Id of the backfill that it goes on from."""


Asked = tuple[Region, Sequence[date]]
"""A region with the days meant."""


@home_explained()
def backfill_command(names: Sequence[str], period: Period, manner: Manner, say: Say) -> None:
    """Ask for the days of these regions and, if wanted, watch until they are done.

    Raises:
        UsageError: an unknown region, days that cannot be.
        CheckpointError, MissingInputError, RecipeError: a region could not be mapped.
        DataError: days failed, after all others were finished.
    """
    regions = named_regions(Layout(settings().data_lake), names)
    asked = [(region, period.days_of(region)) for region in regions]
    title = check_title(manner.title or f"{period.first} to {period.last}")
    _ask(asked, replace(manner, title=title), say)


def list_command(say: Say) -> None:
    """Print the backfills of this home, the newest first."""
    place, shown = _open(), Table(*COLUMNS, box=None, pad_edge=False)
    for one in newest_backfills(place.instance):
        seen = Look(place, one.backfill_id, counts_maps=False).now()
        counts = [(region.n_days, region.n_done, region.n_failed) for region in seen.regions]
        totals = [str(sum(column)) for column in zip(*counts, strict=True)]
        begun = f"{seen.began_utc:%Y-%m-%d %H:%M} UTC"
        shown.add_row(seen.backfill_id, seen.title, seen.state, *totals, begun)
    if not shown.row_count:
        say("No backfill yet.")
        return
    _print(shown)


def show_command(backfill_id: str) -> None:
    """Print how far a backfill is, and why days failed."""
    place = _open()
    seen = Look(place, backfill_id).now()
    print(summary(seen))
    _print(table_of(seen))
    for line in remarks(seen):
        print(line)
    if seen.fault:
        print(f"Stopped by: {seen.fault}")
    for line in reasons(place.layout, seen):
        print(line)


def cancel_command(backfill_id: str, say: Say) -> None:
    """Ask for the end of a backfill; days that are finished stay.

    Raises:
        UsageError: there is none of that id, or it is over.
    """
    place = _open()
    cancel(place.instance, find(place.instance, backfill_id))
    say(f"Backfill {backfill_id} is being cancelled; finished days are kept.")
    if not has_daemon(place.instance):
        say("No daemon runs on this home: `sm-platform up` carries the end out as well.")


@home_explained()
def retry_command(backfill_id: str, *, is_watched: bool, say: Say) -> None:
    """Ask again for what failed or is missing of a backfill.

    Raises:
        UsageError: there is none of that id, or it still goes on.
        DataError: days failed again.
    """
    place = _open()
    data = data_of(find(place.instance, backfill_id))
    seen = Look(place, backfill_id).now()
    if not seen.is_over:
        raise UsageError(
            f"Backfill {backfill_id} is {seen.state}: wait, or end it first with "
            f"`sm-platform backfill cancel {backfill_id}`."
        )
    assets = assets_of(data)
    target = days_of(data.target_subset, assets[-1])
    days = {name: sorted(target[name]) for name in sorted(target)}
    asked = [(region, days[region.region_id]) for region in named_regions(place.layout, [*days])]
    title = seen.title or f"Again {backfill_id}"
    _ask(asked, Manner(Wanted(assets), title, is_watched, parent=backfill_id), say)


def _ask(asked: Sequence[Asked], manner: Manner, say: Say) -> None:
    """Say what is to be done, queue it, watch it if wanted."""
    place = _open()
    if MAPS in manner.wanted.assets:
        for region, days in asked:
            check_checkpoint(place.layout, region, days)
    plans = []
    for region, days in _without_those_under_way(place, asked, say):
        plans.append(plan_region(place, region, days, manner.wanted))
        say(_told(region, plans[-1]))
    plan = Plan(plans, manner.wanted.assets)
    if not plan.n_keys:
        say("Nothing to do. To look at finished days once more, add --again.")
        return
    estimate = estimate_s(place.instance, plan)
    more = f", about {spoken(estimate)}" if estimate else "; time left is told once some are done"
    work = counted(plan.n_keys, "partition")
    say(f"Together {work} of assets in {counted(plan.n_runs, 'run')} or more{more}.")
    backfill_id = queue(place.instance, plan, str(manner.title), manner.parent)
    print(backfill_id, flush=True)
    say(f"Queued as backfill {backfill_id}: `sm-platform backfill show {backfill_id}`.")
    if not has_daemon(place.instance):
        say(NO_DAEMON)
    if manner.is_watched:
        _watch(place, backfill_id, say)


def _without_those_under_way(place: Place, asked: Sequence[Asked], say: Say) -> list[Asked]:
    """Leave out days that another backfill is at: two at the same day gain nothing."""
    known = under_way(place.instance)
    left: list[Asked] = []
    for region, days in asked:
        name = region.region_id
        busy = [day for day in days if (name, day) in known]
        if busy:
            ids = ", ".join(sorted({known[name, day] for day in busy}))
            are, them = ("is", "it") if len(busy) == 1 else ("are", "them")
            out = f"{counted(len(busy), 'day')} {are} left out"
            say(f"{name}: {out}, backfill {ids} is at {them}")
        if len(busy) < len(days):
            left.append((region, [day for day in days if day not in busy]))
    return left


def _told(region: Region, plan: RegionPlan) -> str:
    """One line on what is done in a region."""
    whole = f"{region.region_id} {plan.asked[0]}..{plan.asked[-1]}"
    if not plan.days:
        n_days = len(plan.asked)
        said = "the day is" if n_days == 1 else f"all {n_days} days are"
        return f"{whole}: {said} finished"
    listed = open_source(region).granules(Product.S1_GRD, region.window, plan.days)
    n_with_pass = len({granule.day for granule in listed})
    more = [f"{n_with_pass} with a pass"]
    n_before = sum(day < plan.days[0] for day in plan.pass_days)
    more += [f"{counted(n_before, 'earlier day')} of passes"]
    more += [f"{counted(len(plan.driver_days), 'day')} of vegetation and weather"]
    more += ["soil, terrain and land cover"] if plan.lacks_static else []
    return (
        f"{whole}: {len(plan.days)} of {counted(len(plan.asked), 'day')} to do ({', '.join(more)})"
    )


def _watch(place: Place, backfill_id: str, say: Say) -> None:
    """Watch to the end; Ctrl-C ends the watching alone.

    Raises:
        DataError: days failed, or the backfill did not come to its end.
    """
    try:
        seen = follow(Look(place, backfill_id).now, say)
    except KeyboardInterrupt:
        say(
            f"The backfill goes on. To end it: `sm-platform backfill cancel {backfill_id}`; to see "
            f"it: `sm-platform backfill show {backfill_id}`."
        )
        return
    lines = list(reasons(place.layout, seen))
    if lines or seen.fault or seen.n_left or any(one.n_failed for one in seen.regions):
        lines = [*filter(None, [seen.fault]), *lines, *unfinished(seen)]
        told = "\n".join(lines) or "See its runs in the UI."
        raise DataError(
            f"Not all was done:\n{told}\nAgain: `sm-platform backfill retry {backfill_id}`."
        )


def _open() -> Place:
    return Place(Layout(settings().data_lake), open_instance())


def _print(table: Table) -> None:
    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console = Console(highlight=False, markup=False, width=WIDTH)
    console.print(table)
