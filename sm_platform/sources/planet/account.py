"""An account of Planet: its subscriptions to soil water content and what they have delivered.

Subscriptions API, https://docs.planet.com/develop/apis/subscriptions: a subscription has a source
(`soil_water_content`, an id such as SWC-SMAP-L_V2.0_100, a geometry) and results, one an item, with
links to its files that expire. Making a subscription costs money: nothing here does it.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, cast
from urllib.parse import unquote, urlsplit

from shapely.geometry import box, shape
from shapely.geometry.base import BaseGeometry

from sm_platform.errors import PassingError, SourceError
from sm_platform.sources.metering import spend
from sm_platform.sources.services import (
    Service,
    blotted,
    lacks_credentials,
    refusal,
    retry_after_s,
    unanswered,
)

SERVICE = Service(
    service_id="planet",
    title="Planet",
    variables=("PL_API_KEY",),
    account="https://www.planet.com/account/#/user-settings",
)
SOURCE_TYPE = "soil_water_content"
READ_S, DEADLINE_S = 60.0, 300.0
"""Longest wait for the next bytes of a page; for a whole listing."""
STATUSES = {
    "BadQuery": 400,
    "InvalidAPIKey": 401,
    "NoPermission": 403,
    "MissingResource": 404,
    "TooManyRequests": 429,
    "OverQuota": 429,
    "ServerError": 500,
    "BadGateway": 502,
}
"""HTTP status of the client's errors, for those that do not carry the answer."""
ENDS = ("_swc.tiff", "_swc-qf.tiff")
"""Of the names of an item's two files, value and quality flags."""
_LOCAL = re.compile(r"(\d{8})T(\d{4})(?!\d)")

Bounds = tuple[float, float, float, float]
"""West, south, east, north in degrees."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscription to soil water content."""

    subscription_id: str
    name: str
    status: str
    series: str
    """The product, for example `SWC-SMAP-L_V2.0_100`."""
    outline: BaseGeometry | None
    """In degrees; None when it is kept elsewhere at Planet, as a reference."""

    def share(self, bounds: Bounds) -> float:
        """How much of a rectangle it covers, 0..1; 0 when its outline is not known."""
        if self.outline is None:
            return 0.0
        asked = box(*bounds)
        return float(self.outline.intersection(asked).area / asked.area)


@dataclass(frozen=True, slots=True)
class Item:
    """An overpass that was delivered."""

    item_id: str
    sensed_utc: datetime
    completed_utc: datetime | None
    links: Mapping[str, str]
    """Address of each of its two files by name; they expire."""


@dataclass(frozen=True, slots=True)
class Account:
    """What a key opens."""

    url: str
    key: str | None = field(repr=False)

    def subscriptions(self) -> list[Subscription]:
        """All subscriptions to soil water content, whatever their state."""
        told = self._ask(
            "the list of subscriptions",
            lambda client: client.list_subscriptions(source_type=SOURCE_TYPE, limit=0),
        )
        return [_subscription(one) for one in told if _is_swc(one)]

    def items(
        self,
        subscription: Subscription,
        days: tuple[date, date] | None,
        since: datetime | None,
        lon: float,
    ) -> tuple[list[Item], int]:
        """What a subscription delivered for UTC days, and how many results had no such files.

        Args:
            subscription: of the account.
            days: first and last; None: whatever the day.
            since: only what was completed at this moment or later; None: all.
            lon: of the place, for items that tell their local time only.
        """
        filters: dict[str, str] = {}
        if days is not None:
            around = days[0] - timedelta(days=1), days[1] + timedelta(days=2)
            filters["item_datetime"] = "/".join(f"{day}T00:00:00Z" for day in around)
        if since is not None:
            filters["completed"] = f"{since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}/.."
        told = self._ask(
            f"the results of subscription {subscription.name}",
            lambda client: client.get_results(
                subscription.subscription_id, status=["success"], limit=0, **filters
            ),
        )
        return _items(told, lon)

    def _ask(
        self, asked: str, listing: Callable[[Any], AsyncIterator[dict[str, Any]]]
    ) -> list[dict[str, Any]]:
        """All entries of a listing; an error of the client becomes one of ours here."""
        if not self.key:
            raise lacks_credentials(SERVICE)
        import httpx
        from planet.exceptions import PlanetError

        outcomes: list[int] = []
        try:
            # A loop of its own in a thread of its own: the caller may have one already.
            with ThreadPoolExecutor(1) as pool:
                work = _listed(self.url, self.key, listing, outcomes)
                return pool.submit(asyncio.run, asyncio.wait_for(work, DEADLINE_S)).result()
        except PlanetError as error:
            raise _refused(error, asked, self.key) from None
        except (
            httpx.HTTPError,
            httpx.InvalidURL,
            OSError,
            LookupError,
            TypeError,
            ValueError,
            AttributeError,
        ) as error:
            # Among them time-outs, cut answers, and web pages in the place of JSON.
            raise _unanswered(error, asked, self.url) from None  # its text may tell the key
        finally:
            spend(requests=sum(outcomes) or 1)


async def _listed(
    url: str,
    key: str,
    listing: Callable[[Any], AsyncIterator[dict[str, Any]]],
    outcomes: list[int],
) -> list[dict[str, Any]]:
    from planet import Auth, Session
    from planet.clients import SubscriptionsClient

    async with Session(auth=Auth.from_key(key), read_timeout_secs=READ_S) as session:
        session.max_retries = 0
        client = SubscriptionsClient(session, base_url=f"{url.rstrip('/')}/subscriptions/v1")
        try:
            return [one async for one in listing(client)]
        finally:
            outcomes.append(sum(session.outcomes.values()))


def _unanswered(error: Exception, asked: str, url: str) -> PassingError:
    """What to say when no answer came, or one that is none."""
    import httpx

    if isinstance(error, httpx.TimeoutException | TimeoutError):
        what = "did not answer in time"
    elif isinstance(error, httpx.HTTPError | OSError):
        what = "broke off"
    else:
        what = "sent no answer that can be read"
    return unanswered(SERVICE, what, asked, at=url, status="https://status.planet.com")


def _refused(error: Exception, asked: str, key: str) -> SourceError:
    """The client's errors tell no status; the answer behind them does."""
    answer = getattr(error.__context__, "response", None)
    status = getattr(answer, "status_code", None) or STATUSES.get(type(error).__name__)
    if status is None:
        text = blotted(str(error), [key])[:160]
        return PassingError(f"{SERVICE.title} did not answer as it should at {asked} ({text}).")
    wait_s = retry_after_s(answer.headers.get("Retry-After")) if answer is not None else None
    return refusal(
        SERVICE, int(status), asked, detail=str(error), retry_after_s=wait_s, secrets=[key]
    )


def _is_swc(told: Mapping[str, Any]) -> bool:
    source = told.get("source") or {}
    return source.get("type") == SOURCE_TYPE or _series(source).startswith("SWC-")


def _series(source: Mapping[str, Any]) -> str:
    return str((source.get("parameters") or {}).get("id", ""))


def _subscription(told: Mapping[str, Any]) -> Subscription:
    source = told["source"]
    parameters = source.get("parameters") or {}
    return Subscription(
        subscription_id=str(told["id"]),
        name=str(told.get("name") or told["id"]),
        status=str(told.get("status", "unknown")),
        series=_series(source),
        outline=_outline(parameters.get("geometry") or source.get("geometry")),
    )


def _outline(geometry: object) -> BaseGeometry | None:
    """A GeoJSON geometry; a reference (`pl:features/...`) tells nothing here."""
    if not isinstance(geometry, Mapping):
        return None
    if geometry.get("type") == "Feature":
        geometry = cast("Mapping[str, Any]", geometry["geometry"])
    if "coordinates" not in geometry:
        return None
    return cast("BaseGeometry", shape(geometry)).buffer(0)


def _items(told: Sequence[Mapping[str, Any]], lon: float) -> tuple[list[Item], int]:
    """Items with both of their files, the newest delivery of each; and the number of others."""
    found: dict[str, Item] = {}
    n_without = 0
    for one in sorted(told, key=lambda one: str(one.get("completed") or one.get("updated") or "")):
        links = _links(one)
        names = {name.removesuffix(ENDS[0]).removesuffix(ENDS[1]) for name in links}
        if len(links) != len(ENDS) or len(names) != 1:
            n_without += 1
            continue
        item_id = names.pop()
        moment = _told_time(one, "item_datetime") or _local_time(item_id, lon)
        if moment is None:
            n_without += 1
            continue
        found[item_id] = Item(item_id, moment, _told_time(one, "completed"), links)
    return sorted(found.values(), key=lambda item: item.item_id), n_without


def _links(told: Mapping[str, Any]) -> dict[str, str]:
    named = dict(map(_link, (told.get("_links") or {}).get("results") or []))
    return {name: href for name, href in sorted(named.items()) if name.endswith(ENDS)}


def _link(entry: object) -> tuple[str, str]:
    """Name and address of a file: an address, or a `name` (a path) and `location` (Orders API)."""
    told = entry if isinstance(entry, Mapping) else {"location": entry}
    href = str(told.get("location", ""))
    path = str(told.get("name") or unquote(urlsplit(href).path))
    return path.rsplit("/", 1)[-1], href


def _told_time(told: Mapping[str, Any], name: str) -> datetime | None:
    """A time of a result, which stands beside its properties or among them."""
    text = (told.get("properties") or {}).get(name) or told.get(name)
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _local_time(item_id: str, lon: float) -> datetime | None:
    """UTC of `...-20250110T0130`, which is local solar time: less lon / 15 hours."""
    found = _LOCAL.search(item_id)
    if found is None:
        return None
    try:
        local = datetime.strptime(f"{found[1]}{found[2]}+0000", "%Y%m%d%H%M%z")
    except ValueError:
        return None
    return local - timedelta(seconds=round(lon / 15 * 3600))
