"""What a source of granules is: list them for a window and days, hand one over."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Protocol, runtime_checkable

from sm_platform.grid.window import GridWindow
from sm_platform.sources.sentinel1_names import FrameName


class Product(StrEnum):
    """What a granule holds; also its folder name in the lake."""

    S1_GRD = "s1_grd"
    NDVI = "ndvi"
    WEATHER = "weather"
    LATE_RAIN = "late_rain"
    SOIL = "soil"
    ELEVATION = "elevation"
    LAND_COVER = "land_cover"
    SWC = "planet_swc"
    NSIDC_0779 = "nsidc_0779"
    SPL3SMP_E = "spl3smp_e"
    SPL4SMGP = "spl4smgp"
    SPL4SMAU = "spl4smau"
    ISMN = "ismn"
    USER_CSV = "user_csv"
    PLANET_SERIES = "planet_series"


@dataclass(frozen=True, slots=True)
class Granule:
    """One provider's file (or the few files that belong together), not yet fetched."""

    product: Product
    granule_id: str
    """The provider's own id: unique within its product, safe as a folder name."""
    day: date | None
    """UTC day of acquisition, first day of a composite, the day of weather; None when static."""
    files: tuple[str, ...]
    """Names of its files, without folder."""
    format: str
    """Name of the module in `formats` that reads it, for example `mod13q1`."""
    available_utc: datetime | None
    """When the provider made it available; None when not known."""
    licence: str
    """Licence or terms, as an SPDX id or a short name."""
    stamp: str | None = None
    """Tells one version of its files from the next; None when a granule never changes."""
    version_of: str | None = None
    """The same for all processings of one granule, where their ids differ: the one that is landed
    takes the place of those that were landed before it."""
    processing: str | None = None
    """Which of those processings it is: the text of the later one sorts last."""
    size_bytes: int | None = None
    """Of all its files together, as the provider tells it; None when it does not."""
    sha256: str | None = None
    """Of its files' content in order of their names, as the provider tells it; None likewise."""
    hrefs: tuple[str, ...] = ()
    """Addresses of its files at the provider, without query or secret; none for folders."""
    service: str | None = None
    """Who hands it over, for example `earthdata`; None: the source itself, see `named`."""
    citation: str | None = None
    """How its maker wants to be cited, with the DOI where there is one."""
    n_requests: int = 1
    """Requests that fetching it takes, for the plan shown before."""
    estimated_bytes: int | None = None
    """What fetching it moves, where `size_bytes` is not known; None: not known either."""
    frame: FrameName | None = None
    """Of a radar frame whose id does not say it; see `pass_days.frame_of`."""


def by_day(granules: Iterable[Granule]) -> list[Granule]:
    """By day, then id: the order in which sources list."""
    return sorted(granules, key=lambda one: (one.day or date.min, one.granule_id))


class Source(Protocol):
    """Lists and hands over granules; whatever it does fail with is a SourceError.

    A PassingError among them: asked again, it may answer. All frames of one radar pass have the day
    of the first of them, though midnight (UTC) may lie between.
    """

    @property
    def name(self) -> str:
        """Short name for lineage, for example `archive`."""
        ...

    def granules(
        self, product: Product, window: GridWindow, days: Sequence[date] | None
    ) -> list[Granule]:
        """Available granules that touch the window, for these days (None: static ones).

        Ordered by day, then id. A day without a granule is simply absent.
        """
        ...

    def now(self) -> datetime:
        """The source's own moment (UTC): nothing that comes later is listed."""
        ...

    def listed_since(
        self,
        products: Collection[Product],
        window: GridWindow,
        since: datetime | None,
        first_day: date,
    ) -> list[Granule]:
        """Granules that touch the window and became available at or after a moment.

        Only dated ones, of `first_day` or later, ordered by day, then id. `since` None: however
        long they have been there.
        """
        ...

    def in_flight(self, product: Product) -> int:
        """How many granules of a product may be fetched at once; 1: one after the other."""
        ...

    def fetch(self, granule: Granule, window: GridWindow, folder: Path) -> None:
        """Put exactly `granule.files` into an existing empty folder; called from several threads.

        Raises:
            SourceError: the granule cannot be had; whether to try again is in the message.
        """
        ...


def named(source: Source, granules: Iterable[Granule]) -> list[Granule]:
    """The granules, each with its service: what no service is named for is the source's own."""
    return [one if one.service else replace(one, service=source.name) for one in granules]


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of what `doctor --live` found of a service."""

    is_good: bool
    text: str
    """Service, what it was asked, what was found, and the next step where that is not good."""
    products: tuple[Product, ...] = ()
    """What it is about; none: all that the source was asked about."""


@runtime_checkable
class LiveSource(Source, Protocol):
    """A source over the network."""

    def probe(self, products: Collection[Product]) -> Iterator[Finding]:
        """Look at credentials (never told), reach, quota and the smallest request; never raises.

        Only the collections of these products are asked for: those that come from here.
        """
        ...
