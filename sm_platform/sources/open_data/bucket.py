"""What the open archives of static drivers share: no account, nothing dated, excerpts of tiles."""

import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import ClassVar

from sm_platform.errors import SmPlatformError
from sm_platform.grid.window import GridWindow
from sm_platform.sources.protocol import Finding, Granule, Product
from sm_platform.sources.services import Service
from sm_platform.sources.terms import Terms
from sm_platform.sources.transfer import Limits, Wanted, fetch_file

IN_FLIGHT = 2
SMALL = Limits(connect_s=15.0, read_s=30.0, deadline_s=120.0, largest_bytes=64 << 20)
"""For lists and other small texts."""


class OpenArchive(ABC):
    """What of a `LiveSource` is the same for each archive of static drivers."""

    __slots__ = ()
    service: ClassVar[Service]
    terms: ClassVar[Terms]

    @property
    def name(self) -> str:
        """Id of the service."""
        return self.service.service_id

    def now(self) -> datetime:
        """This moment."""
        return datetime.now(UTC)

    def listed_since(
        self,
        products: Collection[Product],
        window: GridWindow,
        since: datetime | None,
        first_day: date,
    ) -> list[Granule]:
        """None: nothing here is dated."""
        return []

    def in_flight(self, product: Product) -> int:
        """Few: an open server, and a region has one tile or two."""
        return IN_FLIGHT

    def probe(self, products: Collection[Product]) -> Iterator[Finding]:
        """Licence, then reach by one small request; as `LiveSource.probe`."""
        title = self.service.title
        yield Finding(True, f"{title}: needs no account; licence {self.terms.licence}.")
        began = time.monotonic()
        try:
            told = self.looked_at()
        except SmPlatformError as error:
            yield Finding(False, str(error))
        else:
            yield Finding(True, f"{title}: answers ({told}, {time.monotonic() - began:.1f} s).")

    @abstractmethod
    def looked_at(self) -> str:
        """What one small request shows; raises SourceError."""


def fetch_text(service: Service, href: str, name: str, magic: tuple[bytes, ...] = ()) -> str:
    """A small text behind a URL; `name` is what messages call it.

    Raises:
        PassingError, SourceError: as `transfer.fetch_file`.
    """
    with tempfile.TemporaryDirectory() as aside:
        path = Path(aside) / name
        fetch_file(service, Wanted(href, magic), path, limits=SMALL)
        return path.read_text(encoding="utf-8", errors="replace")
