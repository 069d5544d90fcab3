"""PlanetaryComputerSource: MODIS vegetation indices and Sentinel-1 RTC as excerpts of COGs.

https://planetarycomputer.microsoft.com/dataset/modis-13Q1-061 and .../sentinel-1-rtc: a STAC
catalogue, open; files in Azure, opened by a short-lived signature (`sas_token`). Of each item the
cells around the region are landed, on the item's own grid.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from sm_platform.errors import DeniedError, PassingError, SmPlatformError, SourceError
from sm_platform.grid.window import GridWindow, lonlat_bounds
from sm_platform.sources.names import check_name, empty_folder
from sm_platform.sources.ndvi_sensors import FOLLOWS
from sm_platform.sources.open_data.cog_window import WINDOW, Remote, region_bounds, write_window
from sm_platform.sources.planetary_computer import modis, radar
from sm_platform.sources.planetary_computer.sas_token import SasTokens
from sm_platform.sources.planetary_computer.stac_scenes import refuse_radar_geometry
from sm_platform.sources.planetary_computer.stac_search import Catalogue, Item, Query, search
from sm_platform.sources.protocol import Finding, Granule, Product, by_day
from sm_platform.sources.services import Service
from sm_platform.sources.terms import OPEN_NASA, SENTINEL_1_RTC
from sm_platform.sources.transfer import Limits

STAC_URL = "https://planetarycomputer.microsoft.com/api/stac/v1"
TOKEN_URL = "https://planetarycomputer.microsoft.com/api/sas/v1/token"  # noqa: S105 - an address
SERVICE = Service(
    "planetary_computer",
    "Planetary Computer",
    ("PC_SDK_SUBSCRIPTION_KEY",),
    "https://planetarycomputer.microsoft.com",
)
STORAGE = ".blob.core.windows.net"
IN_FLIGHT = 4
LATE = timedelta(days=14)
"""Items appear in the catalogue days after the moment they give as made."""
SUCCESSORS = {
    Product.NDVI: f"take NDVI of VIIRS from {FOLLOWS}",
    Product.S1_GRD: "take radar from earthdata:OPERA_RTC",
}
LICENCES = {
    Product.NDVI: f"{OPEN_NASA} (MODIS)",
    Product.S1_GRD: f"{SENTINEL_1_RTC.licence} (Sentinel-1 RTC)",
}
PROBED = timedelta(days=120)
HANOI = (105.8, 21.0, 105.9, 21.1)


@dataclass(frozen=True, slots=True)
class PlanetaryComputerSource:
    """NDVI (`mod13q1`) and radar (`rtc_planetary_computer`) of the Planetary Computer."""

    stac_url: str = STAC_URL
    token_url: str = TOKEN_URL
    """Of the signatures, without the collection."""
    subscription_key: str | None = field(default=None, repr=False)
    """Sent where one is set; access is open without, and new keys are not given out."""
    most_in_flight: int = IN_FLIGHT
    radar_collection: str = radar.COLLECTION
    limits: Limits = WINDOW
    _tokens: SasTokens = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        refuse_radar_geometry(self.radar_collection)
        tokens = SasTokens(SERVICE, self.token_url.rstrip("/"), self.subscription_key)
        object.__setattr__(self, "_tokens", tokens)

    @property
    def name(self) -> str:
        """Id of the service."""
        return SERVICE.service_id

    def now(self) -> datetime:
        """This moment."""
        return datetime.now(UTC)

    def granules(
        self, product: Product, window: GridWindow, days: Sequence[date] | None
    ) -> list[Granule]:
        """Granules that touch the window, by day, then id; none for other products.

        Raises:
            PassingError: the catalogue does not answer.
            SourceError: it refuses.
        """
        if product not in (Product.NDVI, Product.S1_GRD) or not days:
            return []
        found = self._found(product, window, (min(days), max(days)))
        wanted = set(days)
        return [one for one in found if one.day in wanted]

    def listed_since(
        self,
        products: Collection[Product],
        window: GridWindow,
        since: datetime | None,
        first_day: date,
    ) -> list[Granule]:
        """Granules of `first_day` or later that became available at or after a moment.

        What was made up to 14 days before it is listed again: the catalogue does not tell when an
        item appeared in it.
        """
        found = []
        for product in (Product.NDVI, Product.S1_GRD):
            if product in products:
                found += self._found(product, window, (first_day, self.now().date()))
        return by_day(
            one for one in found if one.day and one.day >= first_day and _is_new(one, since)
        )

    def in_flight(self, product: Product) -> int:
        """Granules at once."""
        return self.most_in_flight

    def fetch(self, granule: Granule, window: GridWindow, folder: Path) -> None:
        """Put the excerpts around the window into an existing empty folder.

        Raises:
            PassingError: no answer, too many requests, or cut; denied: a signature was not given or
                not taken, the next try asks for another.
            SourceError: gone, or the item does not reach the window.
        """
        empty_folder(folder)
        images = [name for name in granule.files if name.endswith(".tif")]
        collection = self._collection(granule.product)
        for name, href in zip(images, granule.hrefs, strict=False):
            self._fetch_image(collection, href, window, folder / check_name(name, "file name"))
        for name in granule.files:
            if name.endswith(".json"):
                text = self._catalogue().request(granule.hrefs[-1])
                (folder / check_name(name, "file name")).write_text(text, encoding="utf-8")

    def probe(self, products: Collection[Product]) -> Iterator[Finding]:
        """Key, catalogue, a signature, and how new the newest items are."""
        own = " (PC_SDK_SUBSCRIPTION_KEY is set and sent)" if self.subscription_key else ""
        licences = ", ".join(LICENCES[one] for one in products if one in LICENCES)
        yield Finding(True, f"{SERVICE.title}: no key needed{own}; licence {licences}.")
        for product in products:
            is_good, text = self._look(product)
            yield Finding(is_good, text, (product,))

    def _look(self, product: Product) -> tuple[bool, str]:
        now = self.now()
        try:
            collection = self._collection(product)
            query = Query(collection, HANOI, now - PROBED, now)
            found = search(self._catalogue(), query, most=1)
            with _signing(collection):
                self._tokens.token(collection)
        except SmPlatformError as error:
            return False, str(error)
        if found:
            return True, f"{SERVICE.title}: {collection} can be listed and opened."
        return False, (
            f"{SERVICE.title}: {collection} has nothing of the last {PROBED.days} days: it is "
            f"no longer brought up to date; {SUCCESSORS[product]}."
        )

    def _found(
        self, product: Product, window: GridWindow, span: tuple[date, date]
    ) -> list[Granule]:
        """All granules of the days from the first to the last, by day, then id."""
        around = radar.NEIGHBOUR if product is Product.S1_GRD else timedelta(0)
        items = self._items(product, window, (span[0] - around, span[1] + around))
        made = radar.granules if product is Product.S1_GRD else modis.granules
        found = [one for one in made(items, window) if one.day and span[0] <= one.day <= span[1]]
        return by_day(found)

    def _items(self, product: Product, window: GridWindow, span: tuple[date, date]) -> list[Item]:
        first, last = (datetime(day.year, day.month, day.day, tzinfo=UTC) for day in span)
        end = last + timedelta(days=1) - timedelta(seconds=1)
        query = Query(self._collection(product), lonlat_bounds(window), first, end)
        items = search(self._catalogue(), query)
        if not items and product is Product.NDVI:  # a composite spans every day there was MODIS
            self._check_there(query.collection)
        return items

    def _check_there(self, collection: str) -> None:
        """Raise SourceError when the catalogue no longer has the collection."""
        try:
            self._catalogue().request(f"{self.stac_url}/collections/{collection}")
        except PassingError:
            raise
        except SourceError as error:
            raise SourceError(
                f"{SERVICE.title} no longer has {collection}: {SUCCESSORS[Product.NDVI]}. ({error})"
            ) from error

    def _fetch_image(self, collection: str, href: str, window: GridWindow, target: Path) -> None:
        self._check_host(href)
        with _signing(target.name):
            signature = self._tokens.token(collection)
            remote = Remote(SERVICE, href, signature)
            try:
                write_window(remote, region_bounds(window), target, limits=self.limits)
            except DeniedError:
                self._tokens.forget(signature)  # the next try asks for another
                raise

    def _check_host(self, href: str) -> None:
        """Signatures are sent to their makers' storage only, whatever the catalogue names."""
        host = urlsplit(href).hostname or ""
        if not host.endswith(STORAGE) and host != urlsplit(self.token_url).hostname:
            raise SourceError(
                f"{SERVICE.title}: its catalogue names a file at {host}, a host that is not "
                "known: refused."
            )

    def _collection(self, product: Product) -> str:
        if product is Product.S1_GRD:
            return self.radar_collection
        if product is Product.NDVI:
            return modis.COLLECTION
        raise SourceError(f"{SERVICE.title} brings no {product}: choose another source for it.")

    def _catalogue(self) -> Catalogue:
        return Catalogue(SERVICE, self.stac_url)


@contextmanager
def _signing(asked: str) -> Iterator[None]:
    """A denial inside, in words: there is no account that a person could mend."""
    try:
        yield
    except DeniedError as error:
        raise DeniedError(
            f"{SERVICE.title}: the signature for {asked} was not given or not taken: try again. No "
            "key is needed; where one is set (PC_SDK_SUBSCRIPTION_KEY), try without it.",
            error.retry_after_s,
        ) from error


def _is_new(granule: Granule, since: datetime | None) -> bool:
    came = granule.available_utc
    return since is None or came is None or came + LATE >= since
