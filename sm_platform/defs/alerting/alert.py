"""An alert: what is told to a person, for a hydrologist to understand, with the next step."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum

from sm_platform.schema.region import Region

LONGEST_LINE = 300
LONGEST_SUBJECT = 150
LONGEST_TEXT = 1700
"""Characters: the smallest message of a chat service holds 2000."""
CUT = "..."
"""Stands for what was left out."""
MOST_LINES = 10
"""Of one kind in an alert: days, passes, verdicts."""


class AlertKind(StrEnum):
    """What an alert is about; `schema/alert_tables.py` lists the same."""

    RUN_FAILED = "run_failed"
    DAYS_FAILED = "days_failed"
    CHECK_FAILED = "check_failed"
    OVERDUE = "overdue"
    SILENT = "silent"
    STALE = "stale"
    SOURCE_DOWN = "source_down"
    LAKE_DOWN = "lake_down"


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert, not sent yet."""

    kind: AlertKind
    region_id: str | None
    """None: it is about no single region."""
    subject: str
    text: str
    key: str
    """What it is about: the same key is told once a day."""
    day: date
    """UTC day that it is about: by the clock of the region's source where passes are due."""
    is_told_once: bool = False
    """Whether its key is told once and for all; else again each day, as long as it lasts."""


def source_down(region: Region, reason: str, now_utc: datetime) -> Alert:
    """The source of a region does not answer; other regions go on.

    Args:
        region: whose source it is.
        reason: what it says, or what was tried.
        now_utc: of the wall clock.
    """
    name, source = region.region_id, f"{region.source} {region.source_path}"
    return Alert(
        AlertKind.SOURCE_DOWN,
        name,
        f"{name}: its source does not answer",
        f"The source of {name}, {source}, could not be listed on {moment_text(now_utc)}: "
        f"{one_line(reason)}\n"
        "New scenes are mapped as soon as it answers; other sources go on, no map is lost.\n"
        "Next: look whether the provider announces an outage; network and credentials are told by "
        "`sm-platform doctor`.",
        f"source_down/{name}/{region.source_path}",
        now_utc.astimezone(UTC).date(),
    )


def lake_down(reason: str, now_utc: datetime) -> Alert:
    """The lake takes no writing: no scene is noted and no map made until it does.

    Args:
        reason: what the system says.
        now_utc: of the wall clock.
    """
    return Alert(
        AlertKind.LAKE_DOWN,
        None,
        "The data lake cannot be written",
        f"On {moment_text(now_utc)}: {one_line(reason)}\n"
        "Until then no new scene is mapped; what was missed is mapped by itself afterwards, and "
        "nothing that is stored is lost.\n"
        "Next: free space or put the permissions right; see `df -h`, `sm-platform doctor`.",
        "lake_down",
        now_utc.astimezone(UTC).date(),
    )


def one_line(text: str) -> str:
    """The text in one line."""
    return " ".join(text.split())


def cut(text: str, longest: int) -> str:
    """The text, or its beginning where it is longer than anybody reads; of whole words if it can.

    Half a path or half a command leads nowhere; a very long word is cut all the same.
    """
    if len(text) <= longest:
        return text
    head = text[: longest - len(CUT)]
    gap = max(head.rfind(" "), head.rfind("\n"))
    return f"{head[:gap].rstrip()} {CUT}" if gap >= longest // 3 else f"{head}{CUT}"


def shortened(lines: Iterable[str]) -> list[str]:
    """The first lines, and how many more there are."""
    found = list(lines)
    more = len(found) - MOST_LINES
    return found if more <= 0 else [*found[:MOST_LINES], f"... and {more} more"]


def moment_text(moment: datetime) -> str:
    """A time for people, to the minute."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def days_text(first: date, last: date) -> str:
    """One day, or first to last."""
    return f"{first}" if first == last else f"{first} to {last}"
