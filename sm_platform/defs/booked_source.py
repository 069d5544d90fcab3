"""A source whose requests are booked and limited: listings as well as granules, every try."""

import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from sm_platform.defs.budget import Purse, Spending
from sm_platform.errors import SourceError
from sm_platform.grid.window import GridWindow
from sm_platform.sources.configuration import driver_of
from sm_platform.sources.metering import metered
from sm_platform.sources.mixed import MixedSource
from sm_platform.sources.protocol import Granule, Product, by_day


@dataclass(frozen=True, slots=True)
class BookedSource:
    """The services of a region; nothing is asked once the month's budget is used up."""

    services: MixedSource
    purse: Purse
    region_id: str

    @property
    def name(self) -> str:
        """Short name; each granule tells its own service."""
        return self.services.name

    def granules(
        self, product: Product, window: GridWindow, days: Sequence[date] | None
    ) -> list[Granule]:
        """As `Source.granules`; raises BudgetError when the month's budget is used up."""
        with self._booked(product):
            return self.services.granules(product, window, days)

    def now(self) -> datetime:
        """As `Source.now`."""
        return self.services.now()

    def listed_since(
        self,
        products: Collection[Product],
        window: GridWindow,
        since: datetime | None,
        first_day: date,
    ) -> list[Granule]:
        """As `Source.listed_since`; raises BudgetError when the month's budget is used up."""
        found: list[Granule] = []
        for product in products:
            with self._booked(product):
                found += self.services.listed_since([product], window, since, first_day)
        return by_day(found)

    def listed_apart(
        self, products: Sequence[Product], window: GridWindow, since: datetime | None, day: date
    ) -> tuple[list[Granule], list[str]]:
        """`listed_since` of each product, and a sentence for each driver that cannot be listed.

        Maps go on with the vegetation and weather there is when one of the services is down.

        Raises:
            SourceError: the radar's service does not answer.
        """
        found, lost = [], []
        for product in products:
            try:
                found += self.listed_since([product], window, since, day)
            except SourceError as error:
                if product is Product.S1_GRD:
                    raise
                lost.append(f"{self.region_id}: no list of {driver_of(product)}: {error}")
        return found, lost

    def in_flight(self, product: Product) -> int:
        """As `Source.in_flight`."""
        return self.services.in_flight(product)

    def fetch(self, granule: Granule, window: GridWindow, folder: Path) -> None:
        """As `Source.fetch`; raises BudgetError when the month's budget is used up."""
        with self._booked(granule.product, granule.granule_id):
            self.services.fetch(granule, window, folder)

    @contextmanager
    def _booked(self, product: Product, granule_id: str = "") -> Iterator[None]:
        """Check the budget, then book what is spent inside, whatever comes of it."""
        self.purse.check()
        began, is_whole = time.monotonic(), False
        with metered() as meter:
            try:
                yield
                is_whole = True
            finally:
                service = self.services.service_of(product)
                what = Spending(service, product.value, self.region_id, granule_id)
                self.purse.note(what, meter, time.monotonic() - began, is_whole=is_whole)
