"""How a region stands: its clock, newest pass and map, its last days, passes due, what failed."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar

from sm_platform.defs.days_that_failed import Problem, problems_of
from sm_platform.defs.local_time import JUST_BEFORE, zone_of
from sm_platform.defs.map_index import Row
from sm_platform.defs.newest import newest_map, newest_pass
from sm_platform.defs.region_source import open_source
from sm_platform.defs.registry import accepted
from sm_platform.defs.watching.calendar import LATE, SAME
from sm_platform.defs.watching.scene_log import read_log
from sm_platform.errors import SmPlatformError
from sm_platform.grid.calendar import days_between
from sm_platform.lake import store
from sm_platform.lake.day_status import day_status
from sm_platform.lake.layout import Layout
from sm_platform.schema.region import Region
from sm_platform.schema.watch_tables import PASS_CALENDAR

NOT_LOOKED_AT = "not_looked_at"
STATUSES = ("mapped", "no_pass", "no_data", "failed", NOT_LOOKED_AT)
STATUS, UNSEEN = "pass_status", ("overdue", "expected")  # noqa: S105 - a radar pass
"""Of passes that `pass_calendar` holds and that have not been seen."""
Due = tuple[list[Row], list[Row]]
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class RegionStatus:
    """How one region stands at the clock of its source."""

    region_id: str
    time_zone: str
    clock_utc: datetime
    """Moment of its source; of this machine where the source cannot tell."""
    newest_pass: Row | None
    newest_map: Row | None
    days: Mapping[str, int]
    """Number of the last days by what became of them, of each of STATUSES."""
    overdue: Sequence[Row]
    """Passes of `pass_calendar` that have not come."""
    next_pass: Row | None
    """The one that is expected next; None where no calendar tells."""
    problems: Sequence[Problem]
    checkpoint: str | None
    """What maps of today use; None when nothing is accepted."""
    notes: Sequence[str]
    """What could not be read, and why."""

    @property
    def map_age(self) -> timedelta | None:
        """From the pass of the newest map to the clock."""
        return self.clock_utc - self.newest_map["pass_start_utc"] if self.newest_map else None


@dataclass(frozen=True, slots=True)
class _Reading:
    """Reads of one region; one that fails leaves the others."""

    layout: Layout
    region: Region
    notes: list[str] = field(default_factory=list)

    def of(self, read: Callable[[], Found], otherwise: Found) -> Found:
        """What is read, or the other value with a note why."""
        try:
            return read()
        except SmPlatformError as error:
            self.notes.append(str(error))
            return otherwise

    def days(self, days: Sequence[date]) -> dict[str, int]:
        """How many of the days became what."""
        told = (day_status(self.layout, self.region.region_id, day) for day in days)
        counted = Counter(one.status if one else NOT_LOOKED_AT for one in told)
        return {status: counted[status] for status in STATUSES}

    def passes_due(self, clock: datetime) -> Due:
        """Overdue and expected passes of the calendar, in order of time.

        It is as old as its last run: what was listed since is left out, what is late by now is
        overdue.
        """
        name = self.region.region_id
        made = store.read(self.layout, PASS_CALENDAR, name)
        rows = [row for row in (made.rows.to_pylist() if made else []) if row[STATUS] in UNSEEN]
        listed = [one.frame_start_utc for one in read_log(self.layout, name)]
        due = [row for row in rows if not _is_listed(row, [one for one in listed if one])]
        due.sort(key=lambda row: row["pass_start_utc"])
        is_late = [clock - row["pass_start_utc"] > LATE for row in due]
        overdue = [row for row, late in zip(due, is_late, strict=True) if late]
        return overdue, [row for row, late in zip(due, is_late, strict=True) if not late]

    def checkpoint(self, day: date) -> str | None:
        """The region's chosen checkpoint, else the newest accepted one."""
        if self.region.checkpoint_id:
            return self.region.checkpoint_id
        found = accepted(self.layout, self.region.region_id, day)
        return found.checkpoint_id if found else None


def _is_listed(row: Row, starts: Sequence[datetime]) -> bool:
    """Whether frames were listed that began when the pass was due; they follow each other."""
    return any(abs(start - row["pass_start_utc"]) <= SAME for start in starts)


def region_status(layout: Layout, region: Region, n_days: int) -> RegionStatus:
    """The status of a region over its last days; what cannot be read is noted, not raised."""
    reading, name = _Reading(layout, region), region.region_id
    clock = reading.of(lambda: open_source(region).now(), datetime.now(UTC))
    today = (clock - JUST_BEFORE).date()
    days = days_between(today - timedelta(n_days - 1), today)
    nothing_due: Due = [], []
    overdue, due = reading.of(lambda: reading.passes_due(clock), nothing_due)
    return RegionStatus(
        region_id=name,
        time_zone=zone_of(region),
        clock_utc=clock,
        newest_pass=reading.of(lambda: newest_pass(layout, name, today), None),
        newest_map=reading.of(lambda: newest_map(layout, name, today), None),
        days=reading.days(days),
        overdue=overdue,
        next_pass=next((row for row in due if row["pass_start_utc"] > clock), None),
        problems=problems_of(layout, name, days[0]),
        checkpoint=reading.of(lambda: reading.checkpoint(today), None),
        notes=reading.notes,
    )
