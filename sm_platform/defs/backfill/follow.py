"""Watching a backfill until it is over: a table in a terminal, lines elsewhere."""

import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table

from sm_platform.defs.backfill.progress import Progress
from sm_platform.defs.talk import Say

LOOK_SECONDS = 5.0
HEADER = ("region", "days", "done", "failed", "left", "maps")


def follow(look: Callable[[], Progress], say: Say) -> Progress:
    """Look until the backfill is over; what it was then."""
    if not sys.stderr.isatty():
        return _follow_in_lines(look, say)
    with Live(console=Console(stderr=True), refresh_per_second=1) as live:
        while True:
            seen = look()
            live.update(Group(summary(seen), table_of(seen)))
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
    """One line on the whole backfill."""
    share = 100 * seen.n_keys_done // max(1, seen.n_keys)
    left = seen.left_s(datetime.now(UTC))
    more = f", about {spoken(left)} left" if left else ""
    return f"Backfill {seen.backfill_id} {seen.state}: {share} % of its partitions{more}"


def spoken(seconds: float) -> str:
    """A duration for people: seconds, minutes or hours."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 100 else f"{minutes / 60:.1f} h"


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
                    f"  {one.region_id}: {one.n_done} of {one.n_days} days done, "
                    f"{one.n_failed} failed, {one.n_maps} maps"
                )
        if seen.is_over:
            return seen
        time.sleep(LOOK_SECONDS)
