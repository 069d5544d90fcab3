"""EarthEngineSource: radar, vegetation, weather, soil, elevation and land cover of one service.

Pixels are computed on exactly the grid that is asked for (`image:computePixels`); nothing is
exported to Drive. Images are listed by place and time, each with when the service took it in.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from sm_platform.grid.window import GridWindow
from sm_platform.sources.earth_engine.client import (
    HIGH_VOLUME_URL,
    LIMITS,
    URL,
    Access,
    connect,
)
from sm_platform.sources.earth_engine.collections import collections_of
from sm_platform.sources.earth_engine.fetching import fetch_granule
from sm_platform.sources.earth_engine.listing import Place, dated_granules
from sm_platform.sources.earth_engine.pixels import TILE_BYTES, Haste
from sm_platform.sources.earth_engine.probe import findings
from sm_platform.sources.earth_engine.radar_sites import radar_at_sites
from sm_platform.sources.earth_engine.sites import Site
from sm_platform.sources.earth_engine.static import static_granules
from sm_platform.sources.earth_engine.wire import SERVICE
from sm_platform.sources.names import check_name, empty_folder
from sm_platform.sources.pass_days import ONE_DAY, with_neighbours, with_pass_days
from sm_platform.sources.protocol import Finding, Granule, Product, by_day
from sm_platform.sources.transfer import Limits

GRANULES_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class EarthEngineSource:
    """Granules from Google Earth Engine; one project and account a process."""

    project: str | None
    """Cloud project that is registered for Earth Engine."""
    credentials: Any = field(default=None, repr=False)
    """Path of a service account's key file, credentials of google-auth, or None: the stored ones
    of the user."""
    high_volume: bool = True
    """Ask the address made for many automatic requests."""
    url: str | None = None
    """Takes the place of both addresses of the service."""
    tiles_in_flight: int = 8
    """Requests under way at once in this process, all granules together."""
    ndvi_sensor: str = "MODIS"
    """`MODIS` (Terra and Aqua, 250 m) or `VIIRS` (Suomi NPP, 500 m)."""
    profile: bool = False
    """Ask what each granule cost (EECU seconds): one request more a granule."""
    tile_bytes: int = TILE_BYTES
    """Uncompressed size of one request, 48 MiB at most; smaller needs less memory over there."""
    limits: Limits = LIMITS
    """Time-outs of one request."""

    @property
    def name(self) -> str:
        """Short name for lineage."""
        return SERVICE.service_id

    def now(self) -> datetime:
        """This moment (UTC)."""
        return datetime.now(UTC)

    def granules(
        self, product: Product, window: GridWindow, days: Sequence[date] | None
    ) -> list[Granule]:
        """Available granules that touch the window, by day, then id; as `Source.granules`.

        Raises:
            PassingError: the service did not answer as it should.
            SourceError: no access, or the region or days lie outside what the product covers.
        """
        if days is None:
            return static_granules(self._ee(), product, self._place(window))
        wanted = set(days)
        if product is not Product.S1_GRD:
            return by_day(self._dated(product, window, sorted(wanted)))
        around = self._dated(product, window, with_neighbours(wanted))
        return by_day([one for one in with_pass_days(around) if one.day in wanted])

    def listed_since(
        self,
        products: Collection[Product],
        window: GridWindow,
        since: datetime | None,
        first_day: date,
    ) -> list[Granule]:
        """Dated granules that the service took in at or after a moment; as `Source.listed_since`.

        Raises:
            SourceError: as `granules`.
        """
        last = (self.now() + ONE_DAY).date()
        days = [first_day + timedelta(days=n) for n in range(-1, (last - first_day).days + 1)]
        found: list[Granule] = []
        for product in products:
            listed = self._dated(product, window, days)
            passes = with_pass_days(listed) if product is Product.S1_GRD else listed
            found += [one for one in passes if _is_new(one, since, first_day)]
        return by_day(found)

    def in_flight(self, product: Product) -> int:
        """Several: their requests share the limit of the process."""
        return min(GRANULES_AT_ONCE, self.tiles_in_flight)

    def fetch(self, granule: Granule, window: GridWindow, folder: Path) -> None:
        """Compute the granule's images into an existing empty folder.

        Raises:
            UsageError: the folder does not exist or is not empty.
            PassingError: the service did not answer as it should; the same may succeed later.
            SourceError: it refuses, or the granule does not touch the window.
        """
        empty_folder(folder)
        for name in granule.files:
            check_name(name, "file name")
        haste = Haste(self.tiles_in_flight, self.tile_bytes, self.profile)
        fetch_granule(self._ee(), granule, window, folder, haste)

    def probe(self, products: Collection[Product]) -> Iterator[Finding]:
        """Access, registration and each product's collections; as `LiveSource.probe`."""
        return findings(self._access(), products, self.ndvi_sensor)

    def _ee(self) -> Any:  # noqa: ANN401
        return connect(self._access())

    def radar_at(self, sites: Sequence[Site], days: Sequence[date]) -> Iterator[pa.Table]:
        """Radar of the days at sites anywhere, block by block; as `radar_at_sites`."""
        return radar_at_sites(self._access(), self.granules, sites, days)

    def _access(self) -> Access:
        usual = HIGH_VOLUME_URL if self.high_volume else URL
        url = (self.url or usual).rstrip("/")
        return Access(self.project, url, self.credentials, self.tiles_in_flight, self.limits)

    def _place(self, window: GridWindow) -> Place:
        return Place(window, self._access().url, self.tile_bytes, self.now())

    def _dated(self, product: Product, window: GridWindow, days: Sequence[date]) -> list[Granule]:
        collections = collections_of(product, self.ndvi_sensor)
        ee, place = self._ee(), self._place(window)
        return [one for each in collections for one in dated_granules(ee, each, place, days)]


def _is_new(granule: Granule, since: datetime | None, first_day: date) -> bool:
    came, day = granule.available_utc, granule.day
    is_since = since is None or (came is not None and came >= since)
    return is_since and day is not None and day >= first_day
