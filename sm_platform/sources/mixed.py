"""MixedSource: each product from the source that the configuration names for it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from sm_platform.errors import PassingError, SourceError
from sm_platform.grid.window import GridWindow
from sm_platform.sources.configuration import NEEDED, driver_of
from sm_platform.sources.protocol import Granule, Product, Source, by_day, named


@dataclass(frozen=True, slots=True)
class MixedSource:
    """Sources by product; one without a source has no granules, unless maps need it."""

    by_product: Mapping[Product, Source]

    @property
    def name(self) -> str:
        """Short name; each granule tells its own service."""
        return "live"

    def granules(
        self, product: Product, window: GridWindow, days: Sequence[date] | None
    ) -> list[Granule]:
        """Granules of the product's own source; as `Source.granules`."""
        source = self._source(product)
        return [] if source is None else named(source, source.granules(product, window, days))

    def service_of(self, product: Product) -> str:
        """Name of the product's own source."""
        source = self.by_product.get(product)
        return self.name if source is None else source.name

    def now(self) -> datetime:
        """The moment of the radar's source: an archive among services has a clock of its own."""
        radar = self.by_product.get(Product.S1_GRD)
        return datetime.now(UTC) if radar is None else radar.now()

    def listed_since(
        self,
        products: Collection[Product],
        window: GridWindow,
        since: datetime | None,
        first_day: date,
    ) -> list[Granule]:
        """What the products' sources have listed since; as `Source.listed_since`."""
        found: list[Granule] = []
        for product in products:
            source = self._source(product)
            if source is not None:
                found += named(source, source.listed_since([product], window, since, first_day))
        return by_day(found)

    def in_flight(self, product: Product) -> int:
        """As many as the product's own source allows."""
        source = self.by_product.get(product)
        return 1 if source is None else source.in_flight(product)

    def fetch(self, granule: Granule, window: GridWindow, folder: Path) -> None:
        """Let the product's own source hand the granule over; as `Source.fetch`."""
        source = self.by_product.get(granule.product)
        if source is None:
            raise SourceError(
                f"{granule.granule_id}: nothing brings {granule.product.value} any more: name a "
                "source for it in SM_SOURCES."
            )
        source.fetch(granule, window, folder)

    def _source(self, product: Product) -> Source | None:
        """The product's own source; raises PassingError when one that maps need has none."""
        source, driver = self.by_product.get(product), driver_of(product)
        if source is None and driver in NEEDED:
            raise PassingError(
                f"SM_SOURCES names nothing for {driver}, without which no map can be made: add a "
                f'line {driver} = "service" there.'
            )
        return source
