"""SentinelHubSource: Sentinel-1 by the process API of the Copernicus Data Space Ecosystem.

Frames are listed in its catalogue (collection sentinel-1-grd: IW, VV and VH, high resolution) and
asked for one by one as sigma0 on the ellipsoid, orthorectified with the Copernicus DEM: what Earth
Engine calls COPERNICUS/S1_GRD. They are landed in its form, format `s1_earth_engine`, in dB at
20 m; the angle, which the service has only towards the slope, comes from the orbit
(`grid.ellipsoid_angle`).
"""

import threading
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, cast

from sm_platform.errors import SmPlatformError, SourceError
from sm_platform.grid.window import GridWindow, lonlat_bounds
from sm_platform.sources.day_spans import spans
from sm_platform.sources.metering import spend
from sm_platform.sources.names import empty_folder
from sm_platform.sources.pass_days import ONE_DAY
from sm_platform.sources.protocol import Finding, Granule, Product, by_day
from sm_platform.sources.sentinel_hub.frames import (
    EVALSCRIPT,
    Frame,
    Power,
    frame_window,
    input_data,
    joined,
    power_of,
    tiles,
    write_frame,
)
from sm_platform.sources.sentinel_hub.listing import (
    COLLECTION,
    TERMS,
    frame_of,
    granule_of,
    item_href,
    of_passes,
)
from sm_platform.sources.sentinel_hub.web import SERVICE, USAGE_PAGE, SentinelHubWeb
from sm_platform.sources.services import lacks_credentials
from sm_platform.sources.transfer import Limits

URL = "https://sh.dataspace.copernicus.eu"
TOKEN_URL = (
    "https://identity.dataspace.copernicus.eu/auth/realms/CDSE/protocol/openid-connect/token"  # noqa: S105 - an address
)
FILTER = "sar:instrument_mode='IW' AND s1:polarization='DV' AND s1:resolution='HIGH'"
PAGE_SIZE = 100
FIRST_DAY = date(2014, 10, 3)
"""Of Sentinel-1 data."""
PASS_TIME = timedelta(minutes=30)
"""Longer than any pass over a region: so far around a day for its frames beyond midnight."""
TILES_IN_FLIGHT = 4
FRAME_LIMITS = Limits(connect_s=15.0, read_s=120.0, deadline_s=600.0, largest_bytes=1 << 28)


@dataclass(frozen=True, slots=True)
class SentinelHubSource:
    """Frames of Sentinel-1 that touch a region, from an account of the Copernicus Data Space.

    Args:
        client_id: of an OAuth client of the account (SH_CLIENT_ID).
        client_secret: its secret (SH_CLIENT_SECRET).
        url: of the service.
        token_url: where it logs in.
        frames_in_flight: frames fetched at once; each asks for up to four tiles at once.
        limits: of one request.
    """

    client_id: str | None = field(default=None, repr=False)
    client_secret: str | None = field(default=None, repr=False)
    url: str = URL
    token_url: str = TOKEN_URL
    frames_in_flight: int = 2
    limits: Limits = FRAME_LIMITS
    _opened: dict[str, SentinelHubWeb] = field(default_factory=dict, repr=False, compare=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    @property
    def name(self) -> str:
        """Id of the service."""
        return SERVICE.service_id

    def now(self) -> datetime:
        """This moment (UTC)."""
        return datetime.now(UTC)

    def in_flight(self, product: Product) -> int:
        """Frames at once."""
        return self.frames_in_flight

    def granules(
        self, product: Product, window: GridWindow, days: Sequence[date] | None
    ) -> list[Granule]:
        """Frames that touch the window, by the day of their pass, then id.

        Raises:
            PassingError: the service does not answer, or the account's month is used up.
            SourceError: no credentials, days before the mission, another product than Sentinel-1.
        """
        if product is not Product.S1_GRD or days is None:
            raise SourceError(f"{SERVICE.title} brings Sentinel-1 of given days, not {product}.")
        wanted = set(days)
        if not wanted:
            return []
        if max(wanted) < FIRST_DAY:
            raise SourceError(
                f"There is no Sentinel-1 before {FIRST_DAY}, asked was {max(wanted)}: choose later "
                "days."
            )
        found = [one for span in spans(wanted, ONE_DAY) for one in self._listed(window, *span)]
        return [one for one in by_day(found) if one.day in wanted]

    def listed_since(
        self,
        products: Collection[Product],
        window: GridWindow,
        since: datetime | None,
        first_day: date,
    ) -> list[Granule]:
        """Frames of the first day or later; those that are known to have come before are left out.

        Raises:
            PassingError: the service does not answer, or the account's month is used up.
            SourceError: no credentials.
        """
        if Product.S1_GRD not in products:
            return []
        found = self._listed(window, max(first_day, FIRST_DAY), self.now().date())
        return [
            one
            for one in by_day(found)
            if one.day is not None
            and one.day >= first_day
            and (since is None or one.available_utc is None or one.available_utc >= since)
        ]

    def fetch(self, granule: Granule, window: GridWindow, folder: Path) -> None:
        """Ask for the frame on the region's UTM grid and write its GeoTIFF and JSON.

        Raises:
            PassingError: no answer, too many requests, something else than the image.
            SourceError: denied, gone, or the frame does not touch the region.
        """
        empty_folder(folder)
        web = self._web()
        frame = frame_of(web.get_json_dict(item_href(granule)))
        if frame.granule_id != granule.granule_id:
            raise SourceError(
                f"{SERVICE.title} has {frame.granule_id} in the place of {granule.granule_id}: "
                "list the granules again."
            )
        whole = frame_window(window, frame.bounds)
        if whole is None:
            raise SourceError(
                f"{frame.granule_id} does not touch the region: list the granules again."
            )
        parts = tiles(whole)
        spend(requests=len(parts))
        with ThreadPoolExecutor(min(len(parts), TILES_IN_FLIGHT)) as pool:
            answers = list(pool.map(lambda tile: self._tile(web, frame, tile), parts))
        spend(received_bytes=sum(size for size, _ in answers))
        write_frame(folder, frame, joined(whole, [part for _, part in answers]))

    def probe(self, products: Collection[Product]) -> Iterator[Finding]:
        """Credentials, log-in, catalogue and terms; as `LiveSource.probe`."""
        try:
            web = self._web()
            yield Finding(True, f"{SERVICE.title}: {' and '.join(SERVICE.variables)} are set.")
            web.token()
            yield Finding(True, f"{SERVICE.title}: the log-in gives a token.")
            web.get_json_dict(f"{self.url}/api/v1/catalog/1.0.0/collections/{COLLECTION}")
            yield Finding(True, f"{SERVICE.title}: the catalogue has {COLLECTION}.")
        except SmPlatformError as error:
            yield Finding(False, str(error))
            return
        yield Finding(
            True,
            f"{SERVICE.title}: a tile of 2,500 x 2,500 pixels (50 km) takes some 32 to 64 "
            "processing units; units and requests of an account are limited per minute and month, "
            f"see {USAGE_PAGE}. Terms: {TERMS.licence}; cite the mission and Sentinel Hub.",
        )

    def _web(self) -> SentinelHubWeb:
        """The way to the service, opened once: it keeps its token."""
        if not self.client_id or not self.client_secret:
            raise lacks_credentials(SERVICE)
        with self._lock:
            if not self._opened:
                self._opened[self.url] = SentinelHubWeb(
                    self.token_url, self.client_id, self.client_secret, self.limits
                )
            return self._opened[self.url]

    def _listed(self, window: GridWindow, first: date, last: date) -> list[Granule]:
        """Frames of the passes from a first to a last day, each slice once, in order of time."""
        from sentinelhub.api.catalog import SentinelHubCatalog
        from sentinelhub.constants import CRS
        from sentinelhub.geometry import BBox

        start = datetime.combine(first, time(), UTC) - PASS_TIME
        stop = datetime.combine(last, time(), UTC) + timedelta(days=1) + PASS_TIME
        catalogue = SentinelHubCatalog(self._config())
        catalogue.client = cast(Any, self._web())
        items = catalogue.search(
            COLLECTION,
            bbox=BBox(lonlat_bounds(window), CRS.WGS84),
            time=(start, stop),
            filter=FILTER,
            limit=PAGE_SIZE,
        )
        return of_passes([granule_of(item, window, self.url) for item in items])

    def _tile(self, web: SentinelHubWeb, frame: Frame, tile: GridWindow) -> tuple[int, Power]:
        """Bytes received, and the tile."""
        from sentinelhub.api.process import SentinelHubRequest
        from sentinelhub.constants import CRS, MimeType
        from sentinelhub.geometry import BBox

        request = SentinelHubRequest(
            EVALSCRIPT,
            [input_data(frame)],
            [SentinelHubRequest.output_response("default", MimeType.TIFF)],
            bbox=BBox(tile.bounds, CRS(tile.crs.removeprefix("EPSG:"))),
            size=(tile.shape[1], tile.shape[0]),
            config=self._config(),
        ).download_list[0]
        content = web.ask(
            str(request.url), request.post_values, frame.granule_id, accept="image/tiff"
        )
        return len(content), power_of(content, tile, frame.granule_id)

    def _config(self) -> Any:  # noqa: ANN401 - of a library that is loaded at first use
        """Settings of the client: none of the account's, which the web alone knows."""
        from sentinelhub.config import SHConfig

        return SHConfig(use_defaults=True, sh_base_url=self.url, sh_token_url=self.token_url)
