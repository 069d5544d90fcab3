"""ESA WorldCover v200 (2021) from its open bucket: land cover labels, tiles of three degrees.

https://esa-worldcover.org/en/data-access: v200/2021/map/{tile}.tif. The bucket itself is asked
which tiles exist (its list of tiles as a map leaves out small islands): what it does not name has
no land.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote

from sm_platform.grid.window import GridWindow
from sm_platform.sources.names import check_name
from sm_platform.sources.open_data.bucket import OpenArchive, fetch_text
from sm_platform.sources.open_data.cog_window import (
    WINDOW,
    excerpt_stamp,
    region_bounds,
)
from sm_platform.sources.open_data.tile_names import corners, worldcover_tile
from sm_platform.sources.open_data.tiles import Tiles
from sm_platform.sources.protocol import Granule, Product
from sm_platform.sources.services import Service
from sm_platform.sources.terms import WORLDCOVER, Terms
from sm_platform.sources.transfer import Limits

URL = "https://esa-worldcover.s3.eu-central-1.amazonaws.com"
FOLDER = "v200/2021/map"
SERVICE = Service("worldcover", "ESA WorldCover", account="https://esa-worldcover.org")
TILE_DEGREES, CELLS_PER_DEGREE = 3, 12000
TILES = Tiles(SERVICE, Product.LAND_COVER, "worldcover", WORLDCOVER, requests_each=10)
LISTING = (b"<?xml", b"<ListBucketResult")
_KEY = re.compile(r"<Key>([^<]+)</Key>")
_TAG = re.compile(r"<ETag>(?:&quot;|\")?([0-9a-f-]+)")


@dataclass(frozen=True, slots=True)
class OpenLandCoverSource(OpenArchive):
    """One static granule for each tile that the window and its margin touch."""

    service: ClassVar[Service] = SERVICE
    terms: ClassVar[Terms] = WORLDCOVER
    url: str = URL
    """Of the bucket, without a slash at the end."""
    limits: Limits = WINDOW

    def granules(
        self, product: Product, window: GridWindow, days: Sequence[date] | None
    ) -> list[Granule]:
        """The tiles that exist, by name; none for other products or for days.

        Raises:
            PassingError: the bucket does not answer.
            SourceError: it refuses, or the window crosses the date line.
        """
        if product is not Product.LAND_COVER or days is not None:
            return []
        needed = corners(
            region_bounds(window), tile_degrees=TILE_DEGREES, cells_per_degree=CELLS_PER_DEGREE
        )
        tiles = sorted(worldcover_tile(lon, lat) for lon, lat in needed)
        versions = {tile: self._version(tile) for tile in tiles}
        stamp = excerpt_stamp(window)
        return [
            TILES.granule(tile, self._href(tile), f"{version} {stamp}")
            for tile, version in versions.items()
            if version
        ]

    def fetch(self, granule: Granule, window: GridWindow, folder: Path) -> None:
        """Put the excerpt of a tile around the window into an existing empty folder.

        Raises:
            PassingError: no answer, too many requests, cut, or a web page.
            SourceError: gone, or the window lies outside.
        """
        tile = check_name(granule.granule_id, "granule id")
        TILES.fetch(self._href(tile), window, folder, self.limits)

    def looked_at(self) -> str:
        """One tile in the bucket's list."""
        tile = worldcover_tile(105, 18)
        return f"{tile} is {'there' if self._version(tile) else 'not there'}"

    def _version(self, tile: str) -> str | None:
        """The mark of a tile's version, None when the bucket has no such tile."""
        key = f"{FOLDER}/{tile}.tif"
        href = f"{self.url}/?list-type=2&max-keys=1&prefix={quote(key, safe='')}"
        text = fetch_text(SERVICE, href, f"{tile} in the bucket's list", LISTING)
        if key not in _KEY.findall(text):
            return None
        tag = _TAG.search(text)
        return tag[1] if tag else "there"

    def _href(self, tile: str) -> str:
        return f"{self.url}/{FOLDER}/{tile}.tif"
