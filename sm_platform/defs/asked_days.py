"""Whether the days that a person typed can be asked for: the same words for every command."""

from datetime import UTC, date, datetime
from pathlib import Path

from sm_platform.defs.resources import settings
from sm_platform.errors import UsageError
from sm_platform.grid.calendar import days_between
from sm_platform.schema.region import ARCHIVE, Region
from sm_platform.sources.archive import read_clock


def check_days(start: date, end: date, *, is_local: bool = False) -> None:
    """Raise UsageError when they end before they start, before the first day, or in the future."""
    first, today = settings().first_day, datetime.now(UTC).date()
    days_between(start, end)
    if start < first:
        raise UsageError(f"{start} lies before {first}: set SM_FIRST_DAY to map earlier.")
    if end > today and not is_local:  # of local ones `utc_span` knows the clock
        raise UsageError(f"{end} lies in the future: end with {today} or before.")


def check_clock(region: Region, end: date) -> None:
    """Raise UsageError where days after an archive's own would pass for days without a pass."""
    if region.source != ARCHIVE:
        return
    today = read_clock(Path(region.source_path)).today
    if end > today:
        raise UsageError(
            f"The archive's day is {today}, {end} lies after it: end earlier, or move its "
            "clock with `sm-platform archive advance`."
        )
