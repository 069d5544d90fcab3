"""`sm-platform archive`: write the embedded archive, move its clock, let it fail."""

import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from sm_platform.defs.resources import settings
from sm_platform.defs.talk import Say
from sm_platform.errors import UsageError
from sm_platform.grid.calendar import parse_day
from sm_platform.sources.archive import advance_clock, read_clock
from sm_platform.sources.archive_faults import FaultKind, Faults, write_faults
from sm_platform.sources.archive_listing import count_between, next_available
from sm_platform.sources.protocol import Product
from sm_platform.sources.simulated.build import write_archive
from sm_platform.sources.simulated.fleet import USUAL_FLEET, Fleet
from sm_platform.sources.simulated.period import WHOLE
from sm_platform.sources.simulated.shown import Labels, Truth, shown_by_name

Kind = TypeVar("Kind", Product, FaultKind)
Shows = tuple[str, str]
"""Names of what labels and truth show."""
USUAL: Shows = (Labels.PUBLISHED, Truth.PHYSICAL)
RESERVE_DAYS = 21
"""Days that are written but lie after the clock at first: the future to advance into."""


def named_fleet(days: Mapping[str, str | None], s1d_bias_db: float) -> Fleet:
    """The satellites whose days were said; raises UsageError naming a day that is none."""
    said = {name: parse_day(day) for name, day in days.items() if day}
    return Fleet(**said, s1d_bias_db=s1d_bias_db)


def simulate_command(
    out: Path | None,
    seed: int,
    say: Say,
    shows: Shows = USUAL,
    *,
    fleet: Fleet = USUAL_FLEET,
) -> None:
    """Write the archive; one that is there with the same parameters is left alone.

    Raises:
        UsageError: labels or truth of an unknown name, or another archive lies in the folder.
    """
    folder = (out or settings().archive).resolve()
    today = WHOLE.last - timedelta(days=RESERVE_DAYS)
    shown = shown_by_name(*shows)
    report = write_archive(folder, seed=seed, shown=shown, fleet=fleet, today=today, progress=say)
    state = "written" if report.is_new else "there already"
    clock = read_clock(folder)
    say(
        f"Embedded archive {state}: {folder}, {report.n_bytes / 1e6:.0f} MB; its day is "
        f"{clock.today}, it ends with {clock.last_day}."
    )


def advance_command(days: int | None, hours: int | None, say: Say) -> None:
    """Move the archive's clock forward, a day when nothing is said; tells what has come.

    Raises:
        SourceError: there is no archive in the folder.
    """
    root = settings().archive
    before = read_clock(root)
    step = timedelta(days=days or 0, hours=hours or 0) or timedelta(days=1)
    clock = advance_clock(root, step)
    say(f"The archive's day is now {clock.today}, its moment {clock.now_utc:%Y-%m-%d %H:%M} UTC.")
    came = count_between(root, before.now_utc, clock.now_utc)
    names = ", ".join(f"{n} {name}" for name, n in came.items())
    say(f"Granules that became available: {names or 'none'}.")
    if clock.is_at_end:
        say("The archive ends there: nothing was written for later days.")
    elif Product.S1_GRD.value not in came:
        _tell_next_frame(root, clock.now_utc, say)


def _tell_next_frame(root: Path, now_utc: datetime, say: Say) -> None:
    """Why no map comes of it, and when one will."""
    comes = next_available(root, Product.S1_GRD, now_utc)
    if comes is None:
        return
    days = math.ceil((comes - now_utc) / timedelta(days=1))
    say(
        f"No Sentinel-1 frame is among them, so there is nothing to map; the next one comes on "
        f"{comes:%Y-%m-%d %H:%M} UTC: `sm-platform archive advance --days {days}`."
    )


def faults_command(kind: str | None, asked: Mapping[str, Any], *, off: bool, say: Say) -> None:
    """Plant faults in the embedded archive, or take them away.

    Raises:
        UsageError: neither or both are asked for, or a kind or product that does not exist.
    """
    root = settings().archive
    clock = read_clock(root)
    if off == (kind is not None):
        raise UsageError("Name either --kind or --off: see `sm-platform archive faults --help`.")
    if kind is None:
        write_faults(root, None)
        say(f"The archive {root} answers as it should again.")
        return
    product = asked["product"] and _named(Product, asked["product"])
    planted = Faults(_named(FaultKind, kind), clock.now_utc, **{**asked, "product": product})
    write_faults(root, planted)
    struck = product.value if product else "all products"
    say(
        f"The archive {root} now fails: {planted.kind}, {planted.share:.0%} of {struck}; "
        "end it with `sm-platform archive faults --off`."
    )


def _named(kinds: type[Kind], name: str) -> Kind:
    """The kind of that name; raises UsageError naming all when there is none."""
    try:
        return kinds(name)
    except ValueError as error:
        known = ", ".join(kinds)
        raise UsageError(f"'{name}' is none of {known}: name one of these.") from error
