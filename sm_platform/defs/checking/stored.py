"""What of a run's partitions lies in the lake: parts of tables, and current maps."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from sm_platform.defs.launch_tags import Scope
from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.schema.driver_tables import REGIONS
from sm_platform.schema.model_tables import SM_MAPS
from sm_platform.schema.product import QA_CRITICAL_MASK
from sm_platform.schema.recipes import find_recipe
from sm_platform.schema.tables import Table

Row = dict[str, Any]
MOST_PARTS = 31
"""Partitions that one check opens: a month of a region, what one run makes at most."""


@dataclass(frozen=True, slots=True)
class Part:
    """One partition of a table."""

    region_id: str
    day: date | None

    def __str__(self) -> str:
        return self.region_id if self.day is None else f"{self.day}|{self.region_id}"


def regions_of(layout: Layout, scope: Scope) -> list[str]:
    """The regions that a run is about."""
    return [scope.region] if scope.region else store.regions_made(layout, REGIONS)


def parts_of(layout: Layout, table: Table, scope: Scope) -> list[Part]:
    """The stored partitions of a table that a run is about, in order of region and day."""
    regions = [scope.region] if scope.region else store.regions_stored(layout, table)
    if not table.is_dated:
        return [Part(one, None) for one in regions if _is_there(layout, table, one, None)]
    return [Part(one, day) for one in regions for day in _days(layout, table, one, scope)]


def spread(parts: Sequence[Part], most: int = MOST_PARTS) -> list[Part]:
    """At most so many of the partitions, evenly spread, the last one among them."""
    n = len(parts)
    if n <= most:
        return list(parts)
    return [parts[(k + 1) * n // most - 1] for k in range(most)]


@dataclass(frozen=True, slots=True)
class MapIndex:
    """Reads the index of maps, each day once."""

    layout: Layout
    days: dict[Part, list[Row]] = field(default_factory=dict)

    def current(self, scope: Scope) -> list[tuple[Part, Row]]:
        """Current maps of a run's days, oldest first; of the last `MOST_PARTS` days at most."""
        parts = sorted(parts_of(self.layout, SM_MAPS, scope), key=lambda one: str(one.day))
        return [(part, row) for part in parts[-MOST_PARTS:] for row in self.of_day(part)]

    def of_day(self, part: Part) -> list[Row]:
        """Current maps of a day, in order of their passes."""
        if part not in self.days:
            made = store.read(self.layout, SM_MAPS, part.region_id, part.day)
            rows = made.rows.to_pylist() if made else []
            self.days[part] = [row for row in rows if row["map_id"] and row["is_latest"]]
        return self.days[part]

    def before(self, part: Part, n_days: int) -> Iterator[tuple[Part, Row]]:
        """Current maps of the `n_days` before a day, the last one first."""
        for earlier in days_before(part, n_days):
            for row in reversed(self.of_day(earlier)):
                yield earlier, row


def critical_mask(row: Row) -> int:
    """Quality bits under which no pixel of a map has a value."""
    return 0 if find_recipe(row["recipe_id"]).only_missing_masks else QA_CRITICAL_MASK


def days_before(part: Part, n: int) -> Iterator[Part]:
    """The `n` days before a partition's, the last one first."""
    if part.day is not None:
        for back in range(1, n + 1):
            yield Part(part.region_id, part.day - timedelta(back))


def _days(layout: Layout, table: Table, region: str, scope: Scope) -> list[date]:
    """A run's own days are looked up one by one: a table may have thousands of others."""
    if scope.first is None or scope.last is None:
        return store.days_made(layout, table, region)
    n = (scope.last - scope.first).days + 1
    days = (scope.first + timedelta(k) for k in range(n))
    return [day for day in days if _is_there(layout, table, region, day)]


def _is_there(layout: Layout, table: Table, region: str, day: date | None) -> bool:
    return layout.part(table.name, region, day).is_file()
