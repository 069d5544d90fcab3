"""Whose products went into a map, under which licence, and how each is to be cited."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from sm_platform.defs.partitions import LOOK_BACK_DAYS
from sm_platform.defs.scenes import Scene
from sm_platform.defs.service_choice import MADE_OF, USED
from sm_platform.defs.source_reach import STATIC_PRODUCTS
from sm_platform.lake import store
from sm_platform.lake.granules import LandedGranule, landed
from sm_platform.lake.layout import Layout
from sm_platform.maps.product import InputTerms
from sm_platform.sources.protocol import Product

DATED = (Product.NDVI, Product.WEATHER, Product.LATE_RAIN)
"""Looked back to from the day of a map."""


def input_terms(
    layout: Layout, region: str, scene: Scene, day: date, *, with_late_rain: bool
) -> tuple[InputTerms, ...]:
    """The products behind a map of a pass, each once: the radar's first, then by product.

    Granules that were passed over, of another sensor or service, are not behind it.

    Raises:
        LakeError: a sidecar cannot be read.
    """
    own = set(scene.granule_ids)
    radar = [one for one in landed(layout, "s1_grd", region, day) if one.granule_id in own]
    dated = [one for one in DATED if with_late_rain or one is not Product.LATE_RAIN]
    others = [
        *_of_days(layout, region, dated, day),
        *(g for one in STATIC_PRODUCTS for g in _used(layout, region, one, None)),
    ]
    return _distinct([*radar, *others])


def _of_days(
    layout: Layout, region: str, products: Sequence[Product], day: date
) -> Iterator[LandedGranule]:
    days = [day - timedelta(n) for n in range(LOOK_BACK_DAYS, -1, -1)]
    for product in products:
        for one in days:
            yield from _used(layout, region, product, one)


def _used(layout: Layout, region: str, product: Product, day: date | None) -> list[LandedGranule]:
    """The landed granules that the driver is made from; all where its note does not tell."""
    found = landed(layout, product.value, region, day)
    if len(found) < 2:
        return found
    names = (store.note_of(layout, MADE_OF[product], region, day) or {}).get(USED)
    return [one for one in found if names is None or one.granule_id in names]


def _distinct(granules: Sequence[LandedGranule]) -> tuple[InputTerms, ...]:
    found = {
        InputTerms(one.product, one.source, one.licence or "not known", one.citation)
        for one in granules
    }
    order = {product: n for n, product in enumerate(dict.fromkeys(g.product for g in granules))}

    def place(one: InputTerms) -> tuple[int, str, str, str]:
        return order[one.product], one.source, one.licence, one.citation or ""

    return tuple(sorted(found, key=place))
