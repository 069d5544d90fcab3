"""What a source of granules is: list them for a window and days, hand one over."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from sm_platform.grid.window import GridWindow


class Product(StrEnum):
    """What a granule holds; also its folder name in the lake."""

    S1_GRD = "s1_grd"
    NDVI = "ndvi"
    WEATHER = "weather"
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
    size_bytes: int | None = None
    """Of all its files together, as the provider tells it; None when it does not."""
    sha256: str | None = None
    """Of its files' content in order of their names, as the provider tells it; None likewise."""


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

    def fetch(self, granule: Granule, window: GridWindow, folder: Path) -> None:
        """Put exactly `granule.files` into an existing empty folder.

        Raises:
            SourceError: the granule cannot be had; whether to try again is in the message.
        """
        ...
