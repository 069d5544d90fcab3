"""Which partitions a run is about, as its tags tell."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

RANGE_START = "dagster/asset_partition_range_start"
RANGE_END = "dagster/asset_partition_range_end"
ONE = "dagster/partition"


@dataclass(frozen=True, slots=True)
class Scope:
    """Region and days of a run; None: all of them."""

    region: str | None = None
    first: date | None = None
    last: date | None = None

    def holds(self, region: str, day: date) -> bool:
        """Whether a partition is the run's."""
        is_region = self.region in (None, region)
        return is_region and (self.first or day) <= day <= (self.last or day)

    def where(self, *, is_dated: bool) -> tuple[str, list[object]]:
        """A condition of SQL with its values."""
        told: list[tuple[str, object]] = [("region_id = ?", self.region)]
        if is_dated:
            told += [("day >= ?", self.first), ("day <= ?", self.last)]
        kept = [(text, value) for text, value in told if value is not None]
        return " and ".join(["true", *(text for text, _ in kept)]), [value for _, value in kept]


def scope_of(tags: Mapping[str, str]) -> Scope:
    """The scope of a run; everything when it has no partition.

    A range over several regions holds the days from the first key to the last, of all regions.
    """
    start, end = tags.get(RANGE_START, tags.get(ONE)), tags.get(RANGE_END, tags.get(ONE))
    if not start or not end:
        return Scope()
    if "|" not in start:
        return Scope(region=start if start == end else None)
    (first, region), (last, other) = start.split("|"), end.split("|")
    return Scope(
        region if region == other else None, date.fromisoformat(first), date.fromisoformat(last)
    )
