"""Watching a backfill until it is over: a table in a terminal, lines elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table

from sm_platform.defs.backfill.progress import STATES, Progress
from sm_platform.defs.talk import Say, counted, spoken

LOOK_SECONDS = 5.0
HEADER = ("region", "days", "done", "failed", "left", "maps")


def follow(look: Callable[[], Progress], say: Say) -> Progress:
    """Look until the backfill is over; what it was then."""
    if not sys.stderr.isatty():
        return _follow_in_lines(look, say)
    with Live(console=Console(stderr=True), refresh_per_second=1) as live:
        while True:
            seen = look()
            live.update(Group(summary(seen), table_of(seen), *remarks(seen)))
            if seen.is_over:
                return seen
            time.sleep(LOOK_SECONDS)


def table_of(seen: Progress) -> Table:
    """The regions as a table."""
    table = Table(*HEADER, box=None, pad_edge=False)
    for one in seen.regions:
        numbers = (one.n_days, one.n_done, one.n_failed, one.n_left, one.n_maps)
        table.add_row(one.region_id, *(str(number) for number in numbers))
    return table


def summary(seen: Progress) -> str:
    """One line on the whole backfill: days that are done, and how far the work on all is."""
    share = 100 * sum(one.n_made for one in seen.assets) // max(1, seen.n_keys)
    left = seen.left_s(datetime.now(UTC))
    more = f", about {spoken(left)} left" if left else ""
    n_done = sum(one.n_done for one in seen.regions)
    done = f"{n_done} of {counted(sum(one.n_days for one in seen.regions), 'day')} done"
    said = f"Backfill {seen.backfill_id} {seen.state}"
    return f"{said}: {done}, {share} % of the work on all assets{more}"


def remarks(seen: Progress) -> Iterator[str]:
    """Lines on what is left: how far each asset is, and what becomes of interrupted days."""
    if not seen.n_left:
        return
    if len(seen.assets) > 1:
        yield from _by_asset(seen)
    yield from unfinished(seen)


def unfinished(seen: Progress) -> Iterator[str]:
    """What becomes of days that were interrupted or not made; no line where there is none."""
    n_lost = seen.n_left if seen.is_over else sum(one.n_interrupted for one in seen.regions)
    if not n_lost or seen.state == STATES["CANCELING"]:
        return
    was, them = ("was", "it") if n_lost == 1 else ("were", "them")
    days = counted(n_lost, "day")
    again = f"`sm-platform backfill retry {seen.backfill_id}` asks for {them} again"
    if not seen.is_over:
        later = f"once this backfill is over the daemon asks for {them} again"
        yield f"{days} {was} interrupted: {later}."
    elif seen.heir:
        yield f"{days} not made here {was} taken up by backfill {seen.heir}."
    elif seen.state == STATES["CANCELED"]:
        yield f"{days} {was} not made, as it was cancelled: {again}."
    else:
        yield (
            f"{days} {was} interrupted (its runs in the UI tell by what): {again}; the daemon does "
            "so by itself within 2 days of its start."
        )


def _by_asset(seen: Progress) -> Iterator[str]:
    """How far each asset is, and why hardly a day may be done while most of the work is."""
    yield (
        f"A day is done when its last asset is, {seen.assets[-1].asset}. Each asset is made for "
        "all days of a run, up to a month of a region, before the next:"
    )
    whole = [one.asset for one in seen.assets if one.n_made == one.n_asked]
    part = [
        f"{one.asset} {one.n_made} of {one.n_asked}"
        for one in seen.assets
        if 0 < one.n_made < one.n_asked
    ]
    none = [one.asset for one in seen.assets if not one.n_made]
    for word, names in (("whole", whole), ("in part", part), ("not made", none)):
        if names:
            yield f"  {word}: {', '.join(names)}"


def _follow_in_lines(look: Callable[[], Progress], say: Say) -> Progress:
    said = ""
    while True:
        seen = look()
        done = f"{seen.state}: {seen.n_keys_done} of {seen.n_keys}"
        if done != said:
            said = done
            say(summary(seen))
            for one in seen.regions:
                say(
                    f"  {one.region_id}: {one.n_done} of {counted(one.n_days, 'day')} done, "
                    f"{one.n_failed} failed, {counted(one.n_maps, 'map')}"
                )
        if seen.is_over:
            return seen
        time.sleep(LOOK_SECONDS)
