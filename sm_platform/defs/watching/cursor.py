"""What the scene sensor remembers between ticks: how far it has listed, and what is still open.

Losing it costs a listing of the watched days and nothing else.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime


@dataclass(frozen=True, slots=True)
class RegionCursor:
    """Memory of one region."""

    since: datetime | None = None
    """Granules that became available before it have been registered; None: nothing has."""
    logged: datetime | None = None
    """Frames logged by then are looked after; None: none is."""
    whole: datetime | None = None
    """When all watched days were last listed and looked at; None: never."""
    open_scenes: frozenset[str] = frozenset()
    """Passes without a settled end, looked at in every tick."""
    settled: date | None = None
    """Newest day of its source at which no pass was open and nothing was left to ask for."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """Memory of a sensor, by region."""

    regions: Mapping[str, RegionCursor] = field(default_factory=dict)

    def of(self, region: str) -> RegionCursor:
        """Memory of a region; that of a new one is empty."""
        return self.regions.get(region, RegionCursor())

    def as_text(self) -> str:
        """The cursor as Dagster keeps it."""
        return json.dumps({name: _told(one) for name, one in sorted(self.regions.items())})


def read_cursor(text: str | None) -> Cursor:
    """The cursor of a text; one that is absent, of another form or damaged remembers nothing."""
    try:
        content = json.loads(text or "{}")
        return Cursor({str(name): _heard(one) for name, one in content.items()})
    except (ValueError, TypeError, KeyError, AttributeError):
        return Cursor()


def _told(one: RegionCursor) -> dict[str, object]:
    return {
        "since": one.since.isoformat() if one.since else None,
        "logged": one.logged.isoformat() if one.logged else None,
        "whole": one.whole.isoformat() if one.whole else None,
        "open": sorted(one.open_scenes),
        "settled": one.settled.isoformat() if one.settled else None,
    }


def _heard(content: Mapping[str, object]) -> RegionCursor:
    opened = content["open"]
    if not isinstance(opened, list):
        raise TypeError("the open passes are no list")
    names = frozenset(str(name) for name in opened)
    since, logged, whole = (_moment(content[name]) for name in ("since", "logged", "whole"))
    settled = content["settled"]
    day = None if settled is None else date.fromisoformat(str(settled))
    return RegionCursor(since, logged, whole, names, day)


def _moment(text: object) -> datetime | None:
    """A UTC moment; raises ValueError for another text, TypeError without a time zone."""
    if text is None:
        return None
    moment = datetime.fromisoformat(str(text))
    if moment.tzinfo is None:
        raise TypeError("a moment without time zone")
    return moment.astimezone(UTC)
