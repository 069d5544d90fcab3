"""What a region needs before its first pass can be mapped: statics, a year of drivers, memory."""

import hashlib
from collections.abc import Sequence
from datetime import date, timedelta

from sm_platform.defs.late_rain import takes_late_rain
from sm_platform.defs.map_chain import DRIVERS, LATE_RAIN, PASSES, STATIC, STATIC_TABLES
from sm_platform.defs.partitions import LOOK_BACK_DAYS
from sm_platform.defs.pass_memory import MEMORY_DAYS
from sm_platform.defs.resources import settings
from sm_platform.defs.watching.requests import Ask, Why
from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.schema import driver_tables as tables
from sm_platform.schema.region import Region

MOST_DAYS = 190
"""Of one run of drivers: two for a year, side by side."""
SLACK_DAYS = 30
"""A region that was prepared a while ago has its year when all but the first month is there."""


def preparation(layout: Layout, region: Region, today: date) -> list[Ask]:
    """What has never been made of a region; nothing for one that is ready to be mapped."""
    name = region.region_id
    asks = []
    if any(store.note_of(layout, one, name) is None for one in STATIC_TABLES):
        asks.append(_ask(name, "static", STATIC, None))
    first = max(today - timedelta(LOOK_BACK_DAYS), settings().first_day)
    if not _reaches(layout, name, first, today):
        drivers = (*DRIVERS, *LATE_RAIN) if takes_late_rain(region) else DRIVERS
        asks += [
            _ask(name, f"drivers {one[0]}..{one[1]}", drivers, one) for one in _parts(first, today)
        ]
        remembered = max(today - timedelta(MEMORY_DAYS), settings().first_day), today
        if region.source != "seed_layout":
            asks.append(_ask(name, f"passes {remembered[0]}..", PASSES, remembered))
    return asks


def _reaches(layout: Layout, region: str, first: date, today: date) -> bool:
    """Whether vegetation and weather were made for (about) the whole look-back."""
    limit = min(first + timedelta(SLACK_DAYS), today)
    return all(
        any(first - timedelta(LOOK_BACK_DAYS) <= day <= limit for day in made)
        for made in (store.days_made(layout, one, region) for one in (tables.NDVI, tables.WEATHER))
    )


def _parts(first: date, last: date) -> Sequence[tuple[date, date]]:
    n_days = (last - first).days + 1
    starts = [first + timedelta(n) for n in range(0, n_days, MOST_DAYS)]
    return [(one, min(one + timedelta(MOST_DAYS - 1), last)) for one in starts]


def _ask(region: str, what: str, assets: tuple[str, ...], days: tuple[date, date] | None) -> Ask:
    """Preparing is the same request however often it is asked; its attempts are spaced."""
    hashed = hashlib.sha256(f"{region}/{what}".encode()).hexdigest()[:12]
    return Ask(region, Why.PREPARE, what.replace(" ", "_"), hashed, assets, days)
