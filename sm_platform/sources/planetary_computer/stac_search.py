"""Items of a STAC catalogue, all pages of them, by pystac-client under a deadline of ours.

The client follows links and pages; every request is made here: it knows no deadline, drops
`Retry-After`, and stops without a word at an empty page that names a next one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sm_platform.errors import PassingError
from sm_platform.sources.answers import SMALL, Ask, one_answer
from sm_platform.sources.open_data.raster_excerpt import Bounds
from sm_platform.sources.services import Service, bare
from sm_platform.sources.transfer import Limits

PAGE_ITEMS = 100
MOST_ITEMS = 20_000
"""More than decades of passes over a region: a catalogue that has more goes in circles."""

Item = dict[str, Any]
"""A STAC item as its catalogue writes it."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """A STAC API and how long its answers may take."""

    service: Service
    url: str
    """Of its landing page."""
    limits: Limits = SMALL

    def request(self, href: str, method: str = "GET", body: object = None) -> str:
        """The text of one answer.

        Raises:
            PassingError: no answer, too slow, or an error that may pass.
            SourceError: refused.
        """
        address = bare(href).rstrip("/")
        is_landing = address == bare(self.url).rstrip("/")
        asked = "the catalogue" if is_landing else f"the catalogue's {address.rsplit('/', 1)[-1]}"
        ask = Ask(self.service, asked, href, method=method, body=body, follows=True)
        return one_answer(ask, self.limits).text


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked for."""

    collection: str
    bounds_lonlat: Bounds
    first_utc: datetime
    last_utc: datetime
    """Items whose time touches the span, ends included."""


def search(catalogue: Catalogue, query: Query, *, most: int = MOST_ITEMS) -> list[Item]:
    """The items of all pages, each id once, in the catalogue's order.

    Raises:
        PassingError: no answer, a page that is none, or fewer items than the catalogue counts.
        SourceError: refused, or without end.
    """
    from pystac.errors import STACError
    from pystac_client.exceptions import APIError

    try:
        items, matched = _pages(catalogue, query, most)
    except (ValueError, KeyError, TypeError, AttributeError, STACError, APIError) as error:
        raise PassingError(
            f"{catalogue.service.title} sent something else than items from its catalogue "
            f"({type(error).__name__}): try again later; when that stays so, see whether "
            f"{bare(catalogue.url)} is still its address."
        ) from None
    if most == MOST_ITEMS and (
        len(items) >= most or (matched is not None and len(items) < matched)
    ):
        raise PassingError(
            f"{catalogue.service.title} listed {len(items)} of {matched} items of "
            f"{query.collection}: try again, or with fewer days."
        )
    return list({item["id"]: item for item in items}.values())


def _pages(
    catalogue: Catalogue, query: Query, most: int
) -> tuple[list[dict[str, Any]], int | None]:
    """Items as they come, with repetitions, and how many the catalogue counts."""
    from pystac_client import Client
    from pystac_client.stac_api_io import StacApiIO

    class Requests(StacApiIO):
        """The client's requests, made by the catalogue's own method."""

        last: Mapping[str, Any] | None = None

        def request(
            self,
            href: str,
            method: str | None = None,
            headers: dict[str, str] | None = None,
            parameters: dict[str, Any] | None = None,
        ) -> str:
            return catalogue.request(href, (method or "GET").upper(), parameters or None)

        def read_json(self, source: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:  # noqa: ANN401
            page: dict[str, Any] = super().read_json(source, *args, **kwargs)
            self.last = page
            return page

    io = Requests(max_retries=None)
    client = Client.open(catalogue.url, stac_io=io)
    found = client.search(
        collections=[query.collection],
        bbox=query.bounds_lonlat,
        datetime=[query.first_utc, query.last_utc],
        limit=min(PAGE_ITEMS, most),
        max_items=most,
    )
    items = list(found.items_as_dicts())
    last = io.last or {}
    if not last.get("features") and any(one.get("rel") == "next" for one in last.get("links", [])):
        raise ValueError("an empty page in the middle")
    matched = last.get("numberMatched", last.get("context", {}).get("matched"))
    return items, matched if isinstance(matched, int) else None
