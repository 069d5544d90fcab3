"""`sm-platform archive`: write the embedded archive, move its clock."""

from pathlib import Path

from sm_platform.defs.resources import settings
from sm_platform.defs.talk import Say
from sm_platform.sources.archive import advance_clock
from sm_platform.sources.simulated.build import write_archive
from sm_platform.sources.simulated.shown import Labels, Truth, shown_by_name

Shows = tuple[str, str]
"""Names of what labels and truth show."""
USUAL: Shows = (Labels.PUBLISHED, Truth.PHYSICAL)


def simulate_command(out: Path | None, seed: int, say: Say, shows: Shows = USUAL) -> None:
    """Write the archive; one that is there with the same parameters is left alone.

    Raises:
        UsageError: labels or truth of an unknown name, or another archive lies in the folder.
    """
    folder = (out or settings().archive).resolve()
    report = write_archive(folder, seed=seed, shown=shown_by_name(*shows), progress=say)
    state = "written" if report.is_new else "there already"
    say(f"Embedded archive {state}: {folder}, {report.n_bytes / 1e6:.0f} MB")


def advance_command(days: int, say: Say) -> None:
    """Move the archive's clock forward."""
    say(f"The archive's day is now {advance_clock(settings().archive, days)}.")
