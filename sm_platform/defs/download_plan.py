"""What a download would ask for: requests, megabytes and time, before any of it is fetched."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sm_platform.defs.landing import Landing
from sm_platform.defs.late_rain import takes_late_rain
from sm_platform.defs.pass_memory import MEMORY_DAYS
from sm_platform.defs.resources import settings
from sm_platform.defs.source_reach import STATIC_PRODUCTS
from sm_platform.defs.steps import Request
from sm_platform.grid.calendar import days_between
from sm_platform.lake.spending import Sums, spent_in
from sm_platform.sources.protocol import Granule, Product

FEWEST_REQUESTS = 20
"""From so many on the month's own figures tell the pace of a service."""
USUAL_S_PER_REQUEST, USUAL_BYTES_PER_S = 2.0, 4e6
"""A guess for the first time: an answer, and a line of 32 Mbit/s."""


@dataclass(frozen=True, slots=True)
class Shared:
    """Days that lack and come with the same requests, such as those of a month from a store."""

    requests: int
    n_days: int
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Planned:
    """What is lacking of one product."""

    product: Product
    service: str
    n_listed: int
    n_lacking: int
    requests: int
    known_bytes: int
    """Of the granules whose size is known or estimated."""
    n_unknown: int
    """Granules of which it is not."""
    seconds: float
    shared: tuple[Shared, ...] = ()
    """Requests that serve several granules; they are among `requests`."""


def planned(landing: Landing, request: Request) -> Iterator[Planned]:
    """The products of a download in its order, each when its listing has come.

    Raises:
        SourceError: a catalogue does not answer.
    """
    month = spent_in(landing.layout)
    for product, days in asked_of(request):
        listed = landing.listed(product, days)
        if listed:
            yield _planned(landing, product, listed, month)


def asked_of(request: Request) -> list[tuple[Product, Sequence[date] | None]]:
    """Products and days that the step `download` looks at; None: static ones.

    Passes before the first day tell flooded fields.
    """
    is_late = takes_late_rain(request.region, request.recipe_id)
    first = max(request.start - timedelta(MEMORY_DAYS), settings().first_day)
    static: list[tuple[Product, Sequence[date] | None]] = [(one, None) for one in STATIC_PRODUCTS]
    return [
        *static,
        (Product.NDVI, request.driver_days),
        (Product.WEATHER, request.driver_days),
        *([(Product.LATE_RAIN, request.driver_days)] if is_late else []),
        (Product.S1_GRD, days_between(first, request.end)),
    ]


def _planned(
    landing: Landing, product: Product, listed: Sequence[Granule], month: dict[str, Sums]
) -> Planned:
    lacking = [one for one in listed if landing.landed_before(one) is None]
    sizes = [one.size_bytes or one.estimated_bytes for one in lacking]
    names = {one.granule_id for one in lacking}
    asked = [one for one in _asked_together(listed) if any(g.granule_id in names for g in one)]
    requests = sum(_requests(one) for one in asked)
    known = sum(size for size in sizes if size is not None)
    service = listed[0].service or landing.source.name
    at_once = min(landing.source.in_flight(product), len(asked)) or 1
    seconds = _seconds(requests, known, month.get(service, Sums())) / at_once
    return Planned(
        product,
        service,
        len(listed),
        len(lacking),
        requests,
        known,
        sizes.count(None),
        seconds,
        tuple(_shared(one, names) for one in asked if _requests(one) and len(one) > 1),
    )


def _asked_together(listed: Sequence[Granule]) -> list[list[Granule]]:
    """Listed granules by the requests that bring them.

    One that takes none comes with those of the one before, whether that has landed or not.
    """
    found: list[list[Granule]] = []
    for one in listed:
        if one.n_requests or not found:
            found.append([one])
        else:
            found[-1].append(one)
    return found


def _requests(together: Sequence[Granule]) -> int:
    return sum(one.n_requests for one in together)


def _shared(together: Sequence[Granule], lacking: Collection[str]) -> Shared:
    days = [one.day for one in together if one.day is not None and one.granule_id in lacking]
    return Shared(_requests(together), len(days), min(days), max(days))


def _seconds(requests: int, n_bytes: int, pace: Sums) -> float:
    """By the pace of this month, as far as there is one; of one granule after the other."""
    if pace.requests >= FEWEST_REQUESTS:
        return requests * pace.seconds / pace.requests
    return requests * USUAL_S_PER_REQUEST + n_bytes / USUAL_BYTES_PER_S
