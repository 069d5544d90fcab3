"""The clock of an archive: what came later is not shown, as if it had not happened yet."""

import json
import os
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from sm_platform.errors import SourceError, UsageError
from sm_platform.sources.archive_folder import CLOCK_NAME, read_json


@dataclass(frozen=True, slots=True)
class Clock:
    """The archive's own moment; granules that came after it are not shown yet."""

    now_utc: datetime
    last_day: date
    """The clock cannot go beyond its end: nothing was written for later days."""

    @property
    def today(self) -> date:
        """UTC day of the moment just before: a clock at midnight stands at the end of its day."""
        return (self.now_utc - timedelta(microseconds=1)).date()

    @property
    def is_at_end(self) -> bool:
        """Whether all that was written is shown."""
        return self.now_utc >= end_of(self.last_day)


def end_of(day: date) -> datetime:
    """The first moment (UTC) after a day."""
    return datetime.combine(day + timedelta(days=1), time(), UTC)


def read_clock(root: Path) -> Clock:
    """The archive's clock; one that holds but a day `today` stands at the end of that day.

    Raises:
        SourceError: there is no archive in the folder, or its clock is damaged.
    """
    content = read_json(root / CLOCK_NAME)
    try:
        last_day = date.fromisoformat(content["last_day"])
        if "now_utc" not in content:
            return Clock(end_of(date.fromisoformat(content["today"])), last_day)
        return Clock(datetime.fromisoformat(content["now_utc"]).astimezone(UTC), last_day)
    except (KeyError, TypeError, ValueError) as error:
        raise SourceError(
            f"{root / CLOCK_NAME} does not hold the moment `now_utc` and the day `last_day`: "
            "restore it."
        ) from error


def advance_clock(root: Path, step: timedelta) -> Clock:
    """Move the archive's clock forward, at most to the end of its last day.

    Raises:
        UsageError: the step is none, or leads back.
        SourceError: there is no archive in the folder.
    """
    if step <= timedelta(0):
        raise UsageError(f"The clock moves forward only: {step} is no step, name days or hours.")
    before = read_clock(root)
    left = end_of(before.last_day) - before.now_utc
    clock = Clock(before.now_utc + min(step, left), before.last_day)
    write_clock(root, clock)
    return clock


def write_clock(root: Path, clock: Clock) -> None:
    """Put the clock into the folder in one step: readers see the old or the new one."""
    aside = root / f".{CLOCK_NAME}.{os.getpid()}"
    content = {"last_day": clock.last_day.isoformat(), "now_utc": clock.now_utc.isoformat()}
    try:
        aside.write_text(json.dumps(content) + "\n")
        aside.replace(root / CLOCK_NAME)
    except OSError as error:
        raise SourceError(f"{root / CLOCK_NAME} cannot be written: {error.strerror}.") from error
