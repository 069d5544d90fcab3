"""Drivers that a source lists and the lake has not, and the runs that bring them."""

import hashlib
from collections.abc import Collection, Iterator, Sequence
from datetime import date, datetime

from sm_platform.defs import map_chain
from sm_platform.defs.landing import is_there
from sm_platform.defs.resources import settings
from sm_platform.defs.service_choice import MADE_OF
from sm_platform.defs.watching.preparing import MOST_DAYS
from sm_platform.defs.watching.requests import DAILY, Ask, Why, spans
from sm_platform.lake import store
from sm_platform.lake.failures import failure_of
from sm_platform.lake.layout import Layout
from sm_platform.sources.protocol import Granule, Product


def lacking_drivers(
    layout: Layout, region: str, listed: Sequence[Granule], now: datetime
) -> list[Granule]:
    """Those that are not in the lake in the listed version, landed and extracted.

    One whose day failed of wrong data is fetched again once a day: it may have been corrected.
    """
    first, last = settings().first_day, now.date()
    return [
        one
        for one in listed
        if one.day is not None
        and first <= one.day <= last
        and not _is_there(layout, region, one, one.day)
        and not _is_hopeless(layout, region, one, (one.day, now))
    ]


def _is_there(layout: Layout, region: str, granule: Granule, day: date) -> bool:
    """Whether it has landed in the listed version and its day was extracted without failing."""
    if not is_there(layout, region, granule):
        return False
    table = MADE_OF[granule.product]
    failed = failure_of(layout, region, [table.name], day)
    is_open = failed is not None and failed.is_passing
    return store.written_ns(layout, table, region, day) is not None and not is_open


def _is_hopeless(
    layout: Layout, region: str, granule: Granule, when: tuple[date, datetime]
) -> bool:
    """Whether its day failed of wrong data within the last day."""
    day, now = when
    name = granule.product.value
    failed = failure_of(layout, region, [f"{name}_granules", name], day)
    if failed is None or failed.is_passing:
        return False
    return failed.failed_utc is not None and now - failed.failed_utc < DAILY


def driver_asks(region: str, lacking: Sequence[Granule]) -> Iterator[Ask]:
    """Runs over the days of drivers that are not in the lake."""
    for first, last in spans([one.day for one in lacking if one.day], MOST_DAYS):
        own = [one for one in lacking if one.day and first <= one.day <= last]
        names = sorted(f"{one.granule_id}@{one.stamp}" for one in own)
        hashed = hashlib.sha256("\n".join(names).encode()).hexdigest()[:12]
        assets = _assets({one.product for one in own})
        yield Ask(region, Why.DRIVERS, f"{first}..{last}", hashed, assets, (first, last))


def _assets(products: Collection[Product]) -> tuple[str, ...]:
    """Vegetation and weather together; late rain, which few regions take, where it is lacking."""
    late_rain = map_chain.LATE_RAIN if Product.LATE_RAIN in products else ()
    others = map_chain.DRIVERS if any(one is not Product.LATE_RAIN for one in products) else ()
    return (*others, *late_rain)
