"""Granules of one collection of NASA Earthdata for a place and days."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sm_platform.sources.day_spans import spans
from sm_platform.sources.earthdata.answering import answering
from sm_platform.sources.earthdata.bursts import days_of_passes
from sm_platform.sources.earthdata.catalogue import Bounds, Catalogue
from sm_platform.sources.earthdata.checks import check_place, gone
from sm_platform.sources.earthdata.collections import SERVICE, SPL4SMGP, Collection
from sm_platform.sources.earthdata.items import (
    granule_of,
    nearest_morning,
    newest,
)
from sm_platform.sources.protocol import Granule, Product, by_day

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Listing:
    """Where to search, for which place."""

    catalogue: Catalogue
    bounds: Bounds
    """West, south, east, north in degrees."""
    seen: set[str]
    """Collections of which the catalogue has shown a granule; grows."""

    def granules(
        self, one: Collection, days: set[date], *, since: datetime | None, all_hours: bool
    ) -> list[Granule]:
        """The last processing of each granule of these UTC days, by day, then id.

        Args:
            one: the collection.
            days: UTC days.
            since: what came earlier may be left out.
            all_hours: all eight SPL4SMGP granules of a day, not only that of the morning pass.

        Raises:
            SourceError: the place lies beyond the collection, or the catalogue has nothing of it.
            PassingError: the catalogue did not answer, or not with everything.
        """
        check_place(one, self.bounds)
        is_radar = one.product is Product.S1_GRD
        is_hourly = one.short_name == SPL4SMGP.short_name
        if is_radar or is_hourly:
            since = None  # which day or hour a granule stands for follows from the others
        asked = {day + n * ONE_DAY for day in days for n in (-1, 0, 1)} if is_radar else days
        found = newest(self._searched(one, sorted(asked), since), one)
        found = by_day(days_of_passes(found, one)) if is_radar else found
        found = [granule for granule in found if granule.day in days]
        if is_hourly and not all_hours:
            west, _, east, _ = self.bounds
            return nearest_morning(found, one, west + (east - west) % 360 / 2)
        return found

    def _searched(
        self, one: Collection, days: Sequence[date], since: datetime | None
    ) -> list[Granule]:
        """Every complete granule that the catalogue names."""
        items = [
            item
            for span in spans(days)
            for item in self.catalogue.items(one, self.bounds, span, since=since)
        ]
        if not items and one.name not in self.seen and self.catalogue.one_item(one) is None:
            raise gone(one)
        self.seen.add(one.name)
        with answering(SERVICE, f"the list of {one.name}"):
            held = [granule_of(item, one) for item in items]
        return [granule for granule in held if granule]
