"""NASA Earthdata as a source: SMAP soil moisture, vegetation indices, late rain, OPERA radar.

The catalogue is searched through the client earthaccess; files are downloaded by `transfer`. The
token goes to NASA's data hosts only, never to the signed addresses that they lead to.
"""

from collections.abc import Collection as Several
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from sm_platform.errors import DeniedError, SourceError
from sm_platform.grid.window import GridWindow, lonlat_bounds
from sm_platform.sources.earthdata_bounded import answering
from sm_platform.sources.earthdata_catalogue import CMR_URL, Bounds, Catalogue, spans
from sm_platform.sources.earthdata_collections import (
    COLLECTIONS,
    SERVICE,
    SPL4SMGP,
    Collection,
    check_version,
    collections_of,
)
from sm_platform.sources.earthdata_items import (
    days_of_passes,
    granule_of,
    in_order,
    nearest_morning,
    newest,
)
from sm_platform.sources.earthdata_login import LOGIN_HOST, Credentials, Login
from sm_platform.sources.earthdata_probe import look
from sm_platform.sources.names import check_name, empty_folder
from sm_platform.sources.protocol import Finding, Granule, Product
from sm_platform.sources.transfer import Limits, Reach, Wanted, fetch_file

DATA_HOSTS = (
    ".earthdatacloud.nasa.gov",
    ".gesdisc.earthdata.nasa.gov",
    ".gesdisc.eosdis.nasa.gov",
    ".asf.alaska.edu",
)
"""Hosts of the archives (NSIDC, LP DAAC, GES DISC, ASF): they get the token."""
DOWNLOAD_HOSTS = (".cloudfront.net", ".s3.us-west-2.amazonaws.com")
"""Hosts of the signed addresses that the archives lead to: they must not get it."""
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class EarthdataSource:
    """Granules of NASA's archives over the network."""

    token: str | None = field(default=None, repr=False)
    """From the profile page; lasts 60 days. Else user and password, or a netrc file."""
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    netrc: Path | None = None
    ndvi: str = "MODIS"
    """Whose vegetation index: MODIS, VNP13A1, VJ113A1 or VJ213A1."""
    all_l4_hours: bool = False
    """All eight SPL4SMGP granules of a day (1.2 GB) instead of the one of SMAP's morning pass."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """Short name -> another version than that of `COLLECTIONS`."""
    cmr_url: str = CMR_URL
    login_host: str = LOGIN_HOST
    trusted_hosts: tuple[str, ...] = DATA_HOSTS
    download_hosts: tuple[str, ...] = DOWNLOAD_HOSTS
    n_in_flight: int = 4
    patience_s: float = 60.0
    """Longest time for one answer of the catalogue or the login."""
    limits: Limits = Limits()  # noqa: RUF009 - a frozen value
    login: Login = field(default_factory=Login, init=False, repr=False, compare=False)

    @property
    def name(self) -> str:
        """Short name for lineage."""
        return SERVICE.service_id

    def now(self) -> datetime:
        """This machine's moment (UTC)."""
        return datetime.now(UTC)

    def in_flight(self, product: Product) -> int:
        """How many granules are fetched at once."""
        return self.n_in_flight

    def granules(
        self, product: Product, window: GridWindow, days: Sequence[date] | None
    ) -> list[Granule]:
        """Granules that touch the window, for these UTC days; the last processing of each.

        Raises:
            SourceError: another product, no credentials, a withdrawn version, the window outside
                the collection, all days before its first.
            PassingError: the catalogue did not answer, or not with everything.
        """
        collections = self.collections(product)
        if days is None or not days:
            return []
        _check_days(collections, days)
        bounds = lonlat_bounds(window)
        return in_order(
            granule for one in collections for granule in self._of_days(one, bounds, set(days))
        )

    def listed_since(
        self,
        products: Several[Product],
        window: GridWindow,
        since: datetime | None,
        first_day: date,
    ) -> list[Granule]:
        """Granules of `first_day` or later that came at or after a moment; raises as `granules`."""
        today = self.now().date()
        days = [first_day + n * ONE_DAY for n in range((today - first_day).days + 1)]
        found = [one for product in products for one in self.granules(product, window, days)]
        if since is not None:
            found = [one for one in found if one.available_utc and one.available_utc >= since]
        return in_order(found)

    def fetch(self, granule: Granule, window: GridWindow, folder: Path) -> None:
        """Download exactly `granule.files` into an existing empty folder. One try.

        Raises:
            UsageError: the folder does not exist or is not empty.
            PassingError: see `transfer.fetch_file`.
            SourceError: no credentials, an unknown host, or the file is gone.
        """
        empty_folder(folder)
        magic = next(one.magic for one in COLLECTIONS.values() if one.format == granule.format)
        size = granule.size_bytes if len(granule.files) == 1 else None
        headers = {"Authorization": f"Bearer {self._bearer()}"}
        reach = Reach(self.download_hosts, self.trusted_hosts)
        for name, href in zip(granule.files, granule.hrefs, strict=True):
            check_name(name, "file name")
            self._check_host(href, reach)
            wanted = Wanted(href, magic=magic, size_bytes=size, headers=headers)
            try:
                fetch_file(SERVICE, wanted, folder / name, reach=reach, limits=self.limits)
            except DeniedError:
                self.login.forget()
                raise

    def probe(self) -> Iterator[Finding]:
        """Credentials, the token's end, and one granule of each collection; never raises."""
        yield from look(self._catalogue, self._in_use(), self._bearer)

    def collections(self, product: Product) -> tuple[Collection, ...]:
        """The collections that hold a product, in the configured version.

        Raises:
            SourceError: there is none, or its version was withdrawn.
        """
        found = tuple(self._versioned(one) for one in collections_of(product, self.ndvi))
        for one in found:
            check_version(one)
        return found

    def _versioned(self, one: Collection) -> Collection:
        return replace(one, version=self.versions.get(one.short_name, one.version))

    def _in_use(self) -> list[Collection]:
        used = [one for one in COLLECTIONS.values() if one.product is not Product.NDVI]
        return [self._versioned(one) for one in (*collections_of(Product.NDVI, self.ndvi), *used)]

    def _of_days(self, one: Collection, bounds: Bounds, days: set[date]) -> list[Granule]:
        """Granules of one collection on these days."""
        _check_place(one, bounds)
        is_radar = one.product is Product.S1_GRD
        asked = {day + n * ONE_DAY for day in days for n in (-1, 0, 1)} if is_radar else days
        catalogue = self._catalogue()
        listed: dict[str, Granule] = {}
        for span in spans(list(asked)):
            items = catalogue.items(one, bounds, span)
            with answering(SERVICE, f"the list of {one.name}"):
                held = [granule_of(item, one) for item in items]
            listed |= {granule.granule_id: granule for granule in held if granule}
        found = newest(listed.values(), one)
        found = days_of_passes(found, one) if is_radar else found
        found = [granule for granule in found if granule.day in days]
        if one.short_name == SPL4SMGP.short_name and not self.all_l4_hours:
            west, _, east, _ = bounds
            return nearest_morning(found, one, west + (east - west) % 360 / 2)
        return found

    def _catalogue(self) -> Catalogue:
        return Catalogue(self.cmr_url, self.login_host, self._bearer(), self.patience_s)

    def _bearer(self) -> str:
        credentials = Credentials(self.token, self.user, self.password, self.netrc)
        return self.login.bearer(credentials, self.login_host, self.patience_s)

    def _check_host(self, href: str, reach: Reach) -> None:
        parts = urlsplit(href)
        if parts.scheme != "https" or not reach.trusts(parts.hostname or ""):
            raise SourceError(
                f"{SERVICE.title}: the catalogue names {parts.scheme}://{parts.hostname}, no host "
                "of its archives: the token is not sent there. Name the host in the configuration "
                "(trusted_hosts) when it is right."
            )


def _check_days(collections: Sequence[Collection], days: Sequence[date]) -> None:
    first = min(one.first_day for one in collections)
    if max(days) < first:
        names = " and ".join(one.name for one in collections)
        raise SourceError(
            f"{SERVICE.title}: {names} begins on {first}, asked is {max(days)} and before: choose "
            "later days."
        )


def _check_place(one: Collection, bounds: Bounds) -> None:
    _, south, _, north = bounds
    if south > one.highest_lat or north < -one.highest_lat:
        raise SourceError(
            f"{SERVICE.title}: {one.name} ends at {one.highest_lat} degrees north and south: the "
            "region lies beyond."
        )
