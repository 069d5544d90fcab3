"""Partitions: regions are dynamic, days are UTC days up to today, dated assets are day x region."""

from datetime import UTC, date, datetime

import dagster as dg

from sm_platform.defs.resources import settings
from sm_platform.errors import UsageError
from sm_platform.grid.calendar import parse_day

REGIONS = dg.DynamicPartitionsDefinition(name="regions")
DAYS = dg.DailyPartitionsDefinition(start_date=settings().first_day.isoformat(), end_offset=1)
REGION_DAYS = dg.MultiPartitionsDefinition({"day": DAYS, "region": REGIONS})

ONE_MONTH = dg.BackfillPolicy.multi_run(max_partitions_per_run=31)
"""A month of a region per run: progress shows, a failure is small, drivers are opened once."""

TWO_MONTHS = dg.BackfillPolicy.multi_run(max_partitions_per_run=62)
"""Of what is made from the last asset of a chain: another policy gives it runs of its own, which
ask only for the days that were made, where it would be skipped for all days behind a failed one."""

_SAME_REGION = dg.DimensionPartitionMapping("region", dg.IdentityPartitionMapping())


def parse_cut_off(text: str) -> date:
    """A day that checkpoints can be of; raises UsageError when it is none of the partitions."""
    day, first, today = parse_day(text), settings().first_day, datetime.now(UTC).date()
    if day < first:
        raise UsageError(f"{day} lies before {first}: set SM_FIRST_DAY to begin earlier.")
    if day > today:
        raise UsageError(f"{day} lies in the future: say {today} or before.")
    return day


def look_back(first: int, last: int = 0) -> dg.MultiPartitionMapping:
    """Depends on the days `first`..`last` from the own one (negative: before), same region."""
    days = dg.TimeWindowPartitionMapping(
        start_offset=first, end_offset=last, allow_nonexistent_upstream_partitions=True
    )
    return dg.MultiPartitionMapping(
        {"day": dg.DimensionPartitionMapping("day", days), "region": _SAME_REGION}
    )


LOOK_BACK_DAYS = 376
"""46 steps of 8 days, and one more step for the composite that began before them."""
LOOK_AHEAD_DAYS = 8
"""densesm-2024 averages the 8 days from each composite's date, the last of which pass the day."""
OF_REGION = dg.MultiToSingleDimensionPartitionMapping(partition_dimension_name="region")
