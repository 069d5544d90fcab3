"""A service of made files: the whole way of a live source, with content that can be told."""

import hashlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from sm_platform.grid.window import GridWindow
from sm_platform.sources.protocol import Finding, Granule, Product
from sm_platform.sources.services import Service
from sm_platform.sources.transfer import HDF5, Limits, Reach, Wanted, fetch_file
from sm_platform_tests.servers.files import made_bytes

DAY = date(2025, 3, 1)
SECRET = "Zq3vTOKEN9x7Kd2secretvalue"  # noqa: S105 - of nothing
SERVICE = Service("made", "The made service", ("MADE_TOKEN",), "https://made.example/token")
QUICK = Limits(connect_s=2, read_s=1, deadline_s=1.2, resumptions=1)


@dataclass(frozen=True, slots=True)
class MadeSource:
    """`n` granules of `size` bytes, led to another host on the way."""

    url: str
    n: int
    size: int = 4000
    at_once: int = 8
    token: str = SECRET
    is_told: bool = True
    """Whether the listing tells the sizes."""
    limits: Limits = QUICK

    @property
    def name(self) -> str:
        return "made"

    def granules(
        self, product: Product, window: GridWindow, days: Sequence[date] | None
    ) -> list[Granule]:
        return [self.granule(k) for k in range(self.n)]

    def granule(self, k: int) -> Granule:
        name = f"g{k:03d}"
        return Granule(
            Product.SPL4SMGP,
            name,
            DAY,
            (f"{name}.h5",),
            "spl4smgp",
            None,
            "made",
            size_bytes=self.size if self.is_told else None,
            hrefs=(f"{self.url}/led/made/{self.size}/{name}.h5",),
            service="made",
            citation="Made, M. (2025): made data. doi:10.0000/made",
        )

    def now(self) -> datetime:
        return datetime(2025, 4, 1, tzinfo=UTC)

    def listed_since(
        self,
        products: Collection[Product],
        window: GridWindow,
        since: datetime | None,
        first_day: date,
    ) -> list[Granule]:
        return self.granules(Product.SPL4SMGP, window, None)

    def in_flight(self, product: Product) -> int:
        return self.at_once

    def fetch(self, granule: Granule, window: GridWindow, folder: Path) -> None:
        name, href = granule.files[0], granule.hrefs[0]
        headers = {"Authorization": f"Bearer {self.token}"}
        wanted = Wanted(f"{href}?sig={self.token}", HDF5, granule.size_bytes, headers)
        reach = Reach(hosts=("127.0.0.1",))
        fetch_file(SERVICE, wanted, folder / name, reach=reach, limits=self.limits)

    def probe(self, products: Collection[Product]) -> Iterator[Finding]:
        yield Finding(True, "The made service: nothing is asked for")

    def sha256(self, k: int) -> str:
        """Hash of a granule's content as it should be."""
        return hashlib.sha256(b"".join(made_bytes(f"g{k:03d}.h5", 0, self.size))).hexdigest()
