"""PlanetSource: soil water content at 100 m from subscriptions that the account has already."""

import re
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from sm_platform.errors import DeniedError, PassingError, SourceError
from sm_platform.grid.window import GridWindow, lonlat_bounds
from sm_platform.sources.names import check_name, empty_folder
from sm_platform.sources.planet.account import (
    SERVICE,
    SOURCE_TYPE,
    Account,
    Bounds,
    Item,
    Subscription,
)
from sm_platform.sources.protocol import Finding, Granule, Product
from sm_platform.sources.services import bare, lacks_credentials
from sm_platform.sources.terms import PLANET_SWC
from sm_platform.sources.transfer import TIFF, Reach, Wanted, fetch_file

URL = "https://api.planet.com"
FORMAT = "planet_swc"
HOW = (
    "a subscription costs money, so none is made here: order one (source type "
    f"{SOURCE_TYPE}, for example SWC-SMAP-L_V2.0_100, over the region's outline) as "
    "https://docs.planet.com/guides/subscribe-to-planetary-variables tells, then list again"
)
SERIES = re.compile(r"SWC-.+_100")
"""Labels of this product are 100 m wide; the series of 20 m and 1000 m are other quantities."""
DEAD = frozenset({"failed", "invalid"})
"""States in which a subscription never delivered anything."""
LEAST_SHARE = 0.9
"""Of the region: a subscription that covers less is none for it."""
REACH = Reach(hosts=(".planet.com", ".googleapis.com", ".amazonaws.com"))
CELL_DEG, BYTES_A_CELL = 0.001, 6
"""Of the files: two bands of value and one of flags, two bytes each."""
ONE_DAY = timedelta(days=1)


@dataclass(slots=True)
class _Links:
    """Addresses of files by item and place, as last listed; they expire.

    Items of two subscriptions may have the same id, and each its own files.
    """

    known: dict[tuple[str, Bounds], Mapping[str, str]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def keep(self, items: Sequence[Item], bounds: Bounds) -> None:
        with self.lock:
            self.known |= {(one.item_id, bounds): one.links for one in items}

    def of(self, item_id: str, bounds: Bounds) -> Mapping[str, str] | None:
        with self.lock:
            return self.known.get((item_id, bounds))


@dataclass(frozen=True, slots=True)
class PlanetSource:
    """Overpasses that the account's subscriptions have delivered over a window."""

    key: str | None = field(default=None, repr=False)
    url: str = URL
    subscriptions: tuple[str, ...] = ()
    """Ids or names; none: every one of 100 m that covers the window."""
    at_once: int = 4
    _links: _Links = field(default_factory=_Links, init=False, repr=False, compare=False)

    @property
    def name(self) -> str:
        """Short name for lineage."""
        return SERVICE.service_id

    def now(self) -> datetime:
        """The present."""
        return datetime.now(UTC)

    def granules(
        self, product: Product, window: GridWindow, days: Sequence[date] | None
    ) -> list[Granule]:
        """Overpasses of these UTC days; as `Source.granules`.

        Raises:
            PassingError: Planet did not answer.
            SourceError: no subscription covers the window.
        """
        if product is not Product.SWC or not days:
            return []
        wanted = set(days)
        found = self._items(window, (min(wanted), max(wanted)), None)
        return [_granule(one, window) for one in found if one.sensed_utc.date() in wanted]

    def listed_since(
        self,
        products: Collection[Product],
        window: GridWindow,
        since: datetime | None,
        first_day: date,
    ) -> list[Granule]:
        """Overpasses that were delivered at or after a moment; as `Source.listed_since`."""
        if Product.SWC not in products:
            return []
        found = self._items(window, (first_day, self.now().date()), since)
        return [
            _granule(one, window)
            for one in found
            if one.sensed_utc.date() >= first_day
            and (since is None or one.completed_utc is None or one.completed_utc >= since)
        ]

    def in_flight(self, product: Product) -> int:
        """As many as the configuration says."""
        return self.at_once

    def fetch(self, granule: Granule, window: GridWindow, folder: Path) -> None:
        """Download value and flags; a link that has expired is asked for anew, once.

        Raises:
            PassingError: Planet did not answer, or denies the file with a new link too.
            SourceError: the overpass is not among the results any more.
        """
        empty_folder(folder)
        links = self._links.of(granule.granule_id, lonlat_bounds(window))
        is_new = links is None
        if links is None:
            links = self._listed_links(granule, window)
        try:
            self._download(granule, links, folder)
        except SourceError as error:
            if is_new or (isinstance(error, PassingError) and not isinstance(error, DeniedError)):
                raise
            self._download(granule, self._listed_links(granule, window), folder)

    def probe(self, products: Collection[Product]) -> Iterator[Finding]:
        """Key, subscriptions and terms; as `LiveSource.probe`."""
        if not self.key:
            yield Finding(False, str(lacks_credentials(SERVICE)))
            return
        yield Finding(True, f"{SERVICE.title}: the key is set (PL_API_KEY).")
        try:
            found = Account(self.url, self.key).subscriptions()
        except SourceError as error:
            yield Finding(False, str(error))
            return
        usable = [one for one in found if _is_usable(one)]
        told = "; ".join(_told(one) for one in found) or "none"
        text = f"{SERVICE.title}: subscriptions to soil water content: {told}"
        yield Finding(bool(usable), text + ("." if usable else f"; {HOW}."))
        yield Finding(
            True,
            f"{SERVICE.title}: use is as the subscription's terms allow. Planet sells the 20 m and "
            "100 m series no more and ends them in April 2028 (its product page).",
        )

    def _items(
        self, window: GridWindow, days: tuple[date, date], since: datetime | None
    ) -> list[Item]:
        """Of all fitting subscriptions, each overpass once, ordered by day, then id."""
        account, bounds = Account(self.url, self.key), lonlat_bounds(window)
        fitting = self._fitting(account.subscriptions(), bounds)
        found: dict[str, Item] = {}
        n_without = 0
        for one in reversed(fitting):  # the one that covers most comes last and stays
            items, n_others = account.items(one, days, since, (bounds[0] + bounds[2]) / 2)
            found |= {item.item_id: item for item in items}
            n_without += n_others
        if n_without and not found:
            raise SourceError(
                f"{SERVICE.title}: the results of {fitting[0].name} have no files to download here "
                f"({n_without} were looked at): when the subscription delivers to storage of your "
                "own, copy them from there and let planet_swc come from a folder."
            )
        self._links.keep(list(found.values()), bounds)
        return sorted(found.values(), key=lambda item: (item.sensed_utc.date(), item.item_id))

    def _fitting(self, found: Sequence[Subscription], bounds: Bounds) -> list[Subscription]:
        """Those to read, the one that covers most first."""
        named = set(self.subscriptions)
        lacking = named - {one.subscription_id for one in found} - {one.name for one in found}
        if lacking:
            raise SourceError(
                f"{SERVICE.title}: the account has no subscription {', '.join(sorted(lacking))} to "
                f"soil water content; it has {'; '.join(map(_told, found)) or 'none'}."
            )
        fitting = [one for one in found if self._fits(one, bounds)]
        if not fitting:
            told = "; ".join(f"{_told(one)}, covers {one.share(bounds):.0%}" for one in found)
            raise SourceError(
                f"{SERVICE.title}: no subscription to soil water content of 100 m covers the region"
                f" (the account has: {told or 'none'}): {HOW}."
            )
        return sorted(fitting, key=lambda one: (-one.share(bounds), one.subscription_id))

    def _fits(self, one: Subscription, bounds: Bounds) -> bool:
        """Whether it is to be read; named, one whose outline is kept elsewhere is believed."""
        covers = one.share(bounds) >= LEAST_SHARE
        if self.subscriptions:
            is_named = not {one.subscription_id, one.name}.isdisjoint(self.subscriptions)
            covers = is_named and (covers or one.outline is None)
        return covers and _is_usable(one)

    def _listed_links(self, granule: Granule, window: GridWindow) -> Mapping[str, str]:
        """New links of a granule."""
        day = granule.day
        if day is not None:
            for one in self._items(window, (day, day), None):
                if one.item_id == granule.granule_id:
                    return one.links
        raise SourceError(
            f"{SERVICE.title} has no {granule.granule_id} among its results (any more): list the "
            "granules again."
        )

    def _download(self, granule: Granule, links: Mapping[str, str], folder: Path) -> None:
        own = urlsplit(self.url).netloc
        for name in granule.files:
            href = links[check_name(name, "file name")]
            # Links lie at the storage of the files, which takes no key of ours.
            is_own = urlsplit(href).netloc == own
            headers = {"Authorization": f"api-key {self.key}"} if is_own else {}
            fetch_file(SERVICE, Wanted(href, TIFF, headers=headers), folder / name, reach=REACH)


def _is_usable(one: Subscription) -> bool:
    return one.status not in DEAD and SERIES.fullmatch(one.series) is not None


def _told(one: Subscription) -> str:
    return f"{one.name} ({one.series or 'no series'}, {one.status})"


def _granule(item: Item, window: GridWindow) -> Granule:
    west, south, east, north = lonlat_bounds(window)
    n_cells = int((east - west) / CELL_DEG + 1) * int((north - south) / CELL_DEG + 1)
    names = sorted(item.links, key=lambda name: name.endswith("_swc-qf.tiff"))
    completed = item.completed_utc
    return Granule(
        product=Product.SWC,
        granule_id=check_name(item.item_id, "item id"),
        day=item.sensed_utc.date(),
        files=tuple(check_name(name, "file name") for name in names),
        format=FORMAT,
        available_utc=completed,
        licence=PLANET_SWC.licence,
        stamp=completed.isoformat() if completed else None,
        hrefs=tuple(bare(item.links[name]) for name in names),
        service=SERVICE.service_id,
        citation=PLANET_SWC.citation,
        n_requests=len(names),
        estimated_bytes=BYTES_A_CELL * n_cells,
    )
