"""What is new of a region: radar must answer, a driver's service that does not is told."""

from collections.abc import Sequence
from datetime import date, datetime

from sm_platform.errors import SourceError
from sm_platform.schema.region import Region
from sm_platform.sources.configuration import driver_of
from sm_platform.sources.mixed import MixedSource
from sm_platform.sources.protocol import Granule, Product, Source


def listed_products(
    source: Source,
    region: Region,
    products: Sequence[Product],
    *,
    since: datetime | None,
    first_day: date,
) -> tuple[list[Granule], list[str]]:
    """Granules that came since a moment, and a sentence for each driver that cannot be listed.

    With services, maps go on with the vegetation and weather there is when one of them is down.

    Raises:
        SourceError: the radar's source does not answer, or the one source that there is.
    """
    if not isinstance(source, MixedSource):
        return source.listed_since(products, region.window, since, first_day), []
    found, lost = [], []
    for product in products:
        try:
            found += source.listed_since([product], region.window, since, first_day)
        except SourceError as error:
            if product is Product.S1_GRD:
                raise
            lost.append(f"{region.region_id}: no list of {driver_of(product)}: {error}")
    return sorted(found, key=lambda one: (one.day or date.min, one.granule_id)), lost
