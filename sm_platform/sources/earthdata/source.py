"""NASA Earthdata as a source: SMAP soil moisture, vegetation indices, late rain, OPERA radar.

The catalogue is searched through the client earthaccess; files are downloaded by `transfer`. The
token goes to NASA's data hosts only, never to the signed addresses that they lead to.
"""

from collections.abc import Collection as Several
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from sm_platform.errors import DeniedError, SourceError
from sm_platform.grid.window import GridWindow, lonlat_bounds
from sm_platform.sources.earthdata.catalogue import CMR_URL, Catalogue
from sm_platform.sources.earthdata.checks import check_days, check_ended, check_version
from sm_platform.sources.earthdata.collections import (
    MAGIC,
    SERVICE,
    Collection,
    collections_of,
)
from sm_platform.sources.earthdata.listing import Listing
from sm_platform.sources.earthdata.login import LOGIN_HOST, Credentials, Login
from sm_platform.sources.earthdata.probe import look
from sm_platform.sources.names import check_name, empty_folder
from sm_platform.sources.protocol import Finding, Granule, Product, by_day
from sm_platform.sources.transfer import Limits, Reach, Wanted, fetch_file

DATA_HOSTS = (
    ".earthdatacloud.nasa.gov",
    ".gesdisc.earthdata.nasa.gov",
    ".gesdisc.eosdis.nasa.gov",
    ".asf.alaska.edu",
    ".apps.nsidc.org",
)
"""Hosts of the archives (NSIDC, LP DAAC, GES DISC, ASF): they get the token. Whether that of
NSIDC's own disks (the last) takes it is not known: a refusal tells how to go on."""
DOWNLOAD_HOSTS = (
    ".cloudfront.net",
    ".s3.us-west-2.amazonaws.com",
    "s3.us-west-2.amazonaws.com",  # the bucket in the path
)
"""Hosts of the signed addresses that the archives lead to: they must not get it."""
ONE_DAY = timedelta(days=1)
COMPOSITE = timedelta(days=16)
"""What a composite takes until it can be listed, at least."""


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
    seen: set[str] = field(default_factory=set, init=False, repr=False, compare=False)
    """Collections of which the catalogue has shown a granule."""
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
        check_days(collections, days)
        return self._listed(collections, window, set(days), None)

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
        found: list[Granule] = []
        for product in products if days else ():
            collections = self.collections(product)
            check_days(collections, days)
            listed = self._listed(collections, window, set(days), since)
            if since is not None and not listed:
                check_ended(collections, today - COMPOSITE)
            found += listed
        if since is not None:
            found = [one for one in found if one.available_utc and one.available_utc >= since]
        return by_day(found)

    def fetch(self, granule: Granule, window: GridWindow, folder: Path) -> None:
        """Download exactly `granule.files` into an existing empty folder. One try.

        Raises:
            UsageError: the folder does not exist or is not empty.
            PassingError: see `transfer.fetch_file`.
            SourceError: no credentials, an unknown host, or the file is gone.
        """
        empty_folder(folder)
        magic = MAGIC.get(granule.format)
        if magic is None:
            raise SourceError(f"{granule.granule_id} is not of {SERVICE.title}: list it again.")
        size = granule.size_bytes if len(granule.files) == 1 else None
        headers = {"Authorization": f"Bearer {self._bearer()}"}
        reach = Reach(self.download_hosts, self.trusted_hosts)
        for name, href in zip(granule.files, granule.hrefs, strict=True):
            check_name(name, "file name")
            self._check_host(href, reach)
            wanted = Wanted(href, magic=magic, size_bytes=size, headers=headers)
            with self._renewing(name):
                fetch_file(SERVICE, wanted, folder / name, reach=reach, limits=self.limits)

    def probe(self, products: Several[Product]) -> Iterator[Finding]:
        """Log-in and one granule of each product's collections; as `LiveSource.probe`."""
        yield from look(self._catalogue, lambda: self._versions(products), self._bearer)

    def collections(self, product: Product) -> tuple[Collection, ...]:
        """The collections that hold a product, in the configured version.

        Raises:
            SourceError: there is none, or its version was withdrawn.
        """
        found = tuple(self._versions([product]))
        for one in found:
            check_version(one)
        return found

    def _versions(self, products: Several[Product]) -> list[Collection]:
        """The collections that hold products, in the configured versions, withdrawn or not."""
        found = [one for product in products for one in collections_of(product, self.ndvi)]
        return [
            replace(one, version=self.versions.get(one.short_name, one.version)) for one in found
        ]

    def _listed(
        self,
        collections: Sequence[Collection],
        window: GridWindow,
        days: set[date],
        since: datetime | None,
    ) -> list[Granule]:
        with self._renewing("the listing"):
            listing = Listing(self._catalogue(), lonlat_bounds(window), self.seen)
            return by_day(
                granule
                for one in collections
                for granule in listing.granules(one, days, since=since, all_hours=self.all_l4_hours)
            )

    def _catalogue(self) -> Catalogue:
        return Catalogue(self.cmr_url, self.login_host, self._bearer(), self.patience_s)

    def _bearer(self) -> str:
        credentials = Credentials(self.token, self.user, self.password, self.netrc)
        return self.login.bearer(credentials, self.login_host, self.patience_s)

    @contextmanager
    def _renewing(self, asked: str) -> Iterator[None]:
        """After a refusal the token is asked for anew; a way to the login page is a refusal."""
        try:
            yield
        except DeniedError:
            self.login.forget()
            raise
        except SourceError as error:
            if f"//{self.login_host.split(':')[0]}, a host" not in str(error):
                raise
            self.login.forget()
            raise DeniedError(
                f"{SERVICE.title} wants a login for {asked}: see that the token is right, and that "
                "the application of the archive and its terms (EULA) are accepted in the profile "
                f"at https://{self.login_host}, then try again."
            ) from error

    def _check_host(self, href: str, reach: Reach) -> None:
        parts = urlsplit(href)
        if parts.scheme != "https" or not reach.trusts(parts.hostname or ""):
            raise SourceError(
                f"{SERVICE.title}: the catalogue names {parts.scheme}://{parts.hostname}, no host "
                "of its archives: the token is not sent there. Name the host in the configuration "
                "(trusted_hosts) when it is right."
            )
