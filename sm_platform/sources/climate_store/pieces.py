"""What is asked of the Climate Data Store: an area, the days of a month, and when they are out.

A request waits in the store's queue for minutes to hours, whatever its size. So a month is asked
for at once (a piece), and the days are cut out of it. The total of a day's rain stands at 00 UTC of
the next day; for the last day of a piece that one hour is a small piece of its own.
"""

import math
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sm_platform.errors import SourceError
from sm_platform.grid.window import GridWindow, lonlat_bounds

FIRST_DAY = date(1950, 1, 2)
"""The store's first whole day: ERA5-Land begins at 01 UTC of the day before."""
LAG = timedelta(days=6)
"""From the start of a day until it can be had with its last hour, 00 UTC of the next day. The
store's page: daily updates, about 5 days behind real time."""
FINAL_AFTER = timedelta(days=92)
"""From the end of a month until its final values are out (the store's page: 2 to 3 months)."""
MARGIN_CELLS = 2
STEPS_PER_DEG = 10
"""The store's grid: cell centres on whole tenths of a degree."""
PRELIMINARY, FINAL = "preliminary", "final"
VARIABLES = ("2m_temperature", "total_precipitation")
ONE_DAY = timedelta(days=1)
_NAME = re.compile(r"(\d{6})(\d{2})-(\d{2})_h(\d{2})_(final|preliminary)")


@dataclass(frozen=True, slots=True)
class Area:
    """A rectangle of cell centres of the 0.1 degree grid, in tenths of a degree."""

    north: int
    west: int
    south: int
    east: int

    @property
    def corners(self) -> list[float]:
        """North, west, south, east in degrees: the order in which the store wants them."""
        return [one / STEPS_PER_DEG for one in (self.north, self.west, self.south, self.east)]

    @property
    def tag(self) -> str:
        """As part of a name, for example `20.8_106.1_20.1_106.8`."""
        return "_".join(str(one) for one in self.corners)

    @property
    def n_cells(self) -> int:
        """Number of grid points."""
        return (self.north - self.south + 1) * (self.east - self.west + 1)


@dataclass(frozen=True, slots=True)
class Piece:
    """What one request asks for: days of one month, all their hours or 00 UTC alone."""

    area: Area
    first: date
    last: date
    is_midnight: bool
    stamp: str
    """Whether the month was preliminary or final when it was asked for."""

    @property
    def name(self) -> str:
        """Of its files, without suffix."""
        hours = "01" if self.is_midnight else "24"
        return (
            f"{self.area.tag}_{self.first:%Y%m}{self.first:%d}-{self.last:%d}_h{hours}_{self.stamp}"
        )

    @property
    def n_days(self) -> int:
        """From the first to the last."""
        return (self.last - self.first).days + 1

    def inputs(self) -> dict[str, object]:
        """The request, in the words of the store's form of `reanalysis-era5-land`."""
        hours = range(1) if self.is_midnight else range(24)
        return {
            "variable": list(VARIABLES),
            "year": f"{self.first:%Y}",
            "month": f"{self.first:%m}",
            "day": [f"{day:02d}" for day in range(self.first.day, self.last.day + 1)],
            "time": [f"{hour:02d}:00" for hour in hours],
            "area": self.area.corners,
            "data_format": "netcdf",
            "download_format": "unarchived",
        }

    def whole_days(self, times: NDArray[np.int64]) -> "Piece | None":
        """The first run of days that have all their hours; None when there is none.

        Args:
            times: of the file that came, seconds since 1970-01-01.
        """
        there, n_hours = set(times.tolist()), 1 if self.is_midnight else 24
        run: list[date] = []
        for n in range((self.last - self.first).days + 1):
            day = self.first + n * ONE_DAY
            start = int(_midnight(day).timestamp())
            if there.issuperset(start + 3600 * hour for hour in range(n_hours)):
                run.append(day)
            elif run:
                break
        return replace(self, first=run[0], last=run[-1]) if run else None

    def holds(self, day: date, *, only_midnight: bool) -> bool:
        """Whether the day, or 00 UTC of it, is in it."""
        return self.first <= day <= self.last and (only_midnight or not self.is_midnight)


def area_around(window: GridWindow) -> Area:
    """The cells that cover a window, and two more on each side.

    Raises:
        SourceError: the window lies across the 180th meridian.
    """
    west, south, east, north = lonlat_bounds(window)
    if west > east:
        raise SourceError(
            "The region lies across the 180th meridian, which the Climate Data Store's area cannot "
            "say: split the region there."
        )
    pole = 90 * STEPS_PER_DEG
    return Area(
        north=min(math.ceil(north * STEPS_PER_DEG) + MARGIN_CELLS, pole),
        west=math.floor(west * STEPS_PER_DEG) - MARGIN_CELLS,
        south=max(math.floor(south * STEPS_PER_DEG) - MARGIN_CELLS, -pole),
        east=math.ceil(east * STEPS_PER_DEG) + MARGIN_CELLS,
    )


def month_around(area: Area, day: date, now: datetime, held: Collection[Piece]) -> Piece:
    """The piece to ask for when a day is lacking: its month, without what is held around it."""

    def is_lacking(one: date) -> bool:
        return not any(piece.holds(one, only_midnight=False) for piece in held)

    first, last = day, day
    newest = min(last_of_month(day), newest_day(now))
    while first.day > 1 and is_lacking(first - ONE_DAY):
        first -= ONE_DAY
    while last < newest and is_lacking(last + ONE_DAY):
        last += ONE_DAY
    return Piece(area, first, last, is_midnight=False, stamp=stamp_of_month(day, now))


def half_of(piece: Piece, day: date) -> Piece:
    """The half of a piece of several days in which a day lies."""
    middle = piece.first + (piece.last - piece.first) // 2
    if day <= middle:
        return replace(piece, last=middle)
    return replace(piece, first=middle + ONE_DAY)


def midnight_of(area: Area, day: date, now: datetime) -> Piece:
    """00 UTC of a day alone."""
    return Piece(area, day, day, is_midnight=True, stamp=stamp_of_month(day, now))


def piece_of_name(area: Area, name: str) -> Piece | None:
    """The piece of a file in the work folder; None when it is none of this area."""
    found = _NAME.fullmatch(name.removeprefix(f"{area.tag}_"))
    if found is None:
        return None
    month, first, last, hours, stamp = found.groups()
    try:
        days = [datetime.strptime(f"{month}{one}+0000", "%Y%m%d%z").date() for one in (first, last)]
    except ValueError:
        return None
    return Piece(area, days[0], days[1], is_midnight=hours == "01", stamp=stamp)


def pieces_in(folder: Path, area: Area, suffix: str) -> list[Piece]:
    """The pieces of which a folder has a file with this suffix, in order of their names."""
    names = sorted(path.stem for path in folder.glob(f"{area.tag}_*{suffix}"))
    found = [piece_of_name(area, name) for name in names]
    return [piece for piece in found if piece is not None]


def out_utc(day: date) -> datetime:
    """When a day with its total can be had."""
    return _midnight(day) + LAG


def final_utc(day: date) -> datetime:
    """When a day is final: its total is an hour of the next day, which may be of the next month."""
    return _month_final_utc(day + ONE_DAY)


def stamp_of_day(day: date, now: datetime) -> str:
    """Which version of a day can be had."""
    return FINAL if now >= final_utc(day) else PRELIMINARY


def stamp_of_month(day: date, now: datetime) -> str:
    """Which version of the month of a day can be had: a month becomes final at once."""
    return FINAL if now >= _month_final_utc(day) else PRELIMINARY


def newest_day(now: datetime) -> date:
    """The newest day that can be had."""
    return (now - LAG).date()


def last_of_month(day: date) -> date:
    """Last day of the month of a day."""
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1) - ONE_DAY


def available(days: Sequence[date], now: datetime) -> list[date]:
    """Those of the days that can be had, in order, each once.

    Raises:
        SourceError: there are days, and all of them lie before the store's first.
    """
    if days and max(days) < FIRST_DAY:
        raise SourceError(
            f"ERA5-Land begins on {FIRST_DAY}; {max(days)} lies before: ask for a later day."
        )
    return sorted(day for day in set(days) if day >= FIRST_DAY and out_utc(day) <= now)


def _month_final_utc(day: date) -> datetime:
    return _midnight(last_of_month(day) + ONE_DAY) + FINAL_AFTER


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
