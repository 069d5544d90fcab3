"""Copernicus GLO-30 from its open bucket: surface heights, tiles of one degree.

https://copernicus-dem-30m.s3.amazonaws.com/readme.html: {tile}/{tile}.tif, and tileList.txt names
all that exist. What it does not name is sea, but for the places whose tiles were never released.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import ClassVar

from sm_platform.errors import SourceError
from sm_platform.grid.window import GridWindow
from sm_platform.sources.names import check_name
from sm_platform.sources.open_data.bucket import OpenArchive, fetch_text
from sm_platform.sources.open_data.cog_window import (
    WINDOW,
    excerpt_stamp,
    region_bounds,
)
from sm_platform.sources.open_data.tile_names import corners, glo30_tile
from sm_platform.sources.open_data.tiles import Tiles
from sm_platform.sources.protocol import Granule, Product
from sm_platform.sources.services import Service
from sm_platform.sources.terms import GLO30, Terms
from sm_platform.sources.transfer import Limits

URL = "https://copernicus-dem-30m.s3.amazonaws.com"
SERVICE = Service("copernicus_dem", "Copernicus DEM GLO-30", account=f"{URL}/readme.html")
TILE_LIST = "tileList.txt"
START = "Copernicus_DSM_COG_10_"
TILE_DEGREES, CELLS_PER_DEGREE = 1, 3600
NOT_RELEASED = range(43, 51), range(38, 42)
"""Longitudes and latitudes of the tiles around Armenia and Azerbaijan: GLO-30 Public lacks some
on land there (bucket readme), and the Caspian Sea lies below 0 m."""
TILES = Tiles(SERVICE, Product.ELEVATION, "glo30", GLO30, requests_each=8)


@dataclass(slots=True)
class _Known:
    """The tiles that exist, once they have been asked for."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    names: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class OpenElevationSource(OpenArchive):
    """One static granule for each tile that the window and its margin touch."""

    service: ClassVar[Service] = SERVICE
    terms: ClassVar[Terms] = GLO30
    url: str = URL
    """Of the bucket, without a slash at the end."""
    limits: Limits = WINDOW
    _known: _Known = field(default_factory=_Known, repr=False, compare=False)

    def granules(
        self, product: Product, window: GridWindow, days: Sequence[date] | None
    ) -> list[Granule]:
        """The tiles with land, by name; none for other products or for days.

        Raises:
            PassingError: the list of tiles does not come.
            SourceError: a tile on land that was never released, or the date line.
        """
        if product is not Product.ELEVATION or days is not None:
            return []
        needed = corners(
            region_bounds(window), tile_degrees=TILE_DEGREES, cells_per_degree=CELLS_PER_DEGREE
        )
        there = self._tiles()
        found = []
        for lon, lat in needed:
            tile = glo30_tile(lon, lat)
            if tile in there:
                found.append(TILES.granule(tile, self._href(tile), excerpt_stamp(window)))
            elif lon in NOT_RELEASED[0] and lat in NOT_RELEASED[1]:
                raise SourceError(
                    f"{SERVICE.title} has no tile {tile}: heights around Armenia and Azerbaijan "
                    "are not released. Take the elevation from earth_engine or from a folder."
                )
        return sorted(found, key=lambda one: one.granule_id)

    def fetch(self, granule: Granule, window: GridWindow, folder: Path) -> None:
        """Put the excerpt of a tile around the window into an existing empty folder.

        Raises:
            PassingError: no answer, too many requests, cut, or a web page.
            SourceError: gone, or the window lies outside.
        """
        tile = check_name(granule.granule_id, "granule id")
        TILES.fetch(self._href(tile), window, folder, self.limits)

    def looked_at(self) -> str:
        """The list of tiles."""
        return f"tiles in its list: {len(self._tiles())}"

    def _tiles(self) -> frozenset[str]:
        """Names of all tiles; asked for once."""
        with self._known.lock:
            if not self._known.names:
                text = fetch_text(SERVICE, f"{self.url}/{TILE_LIST}", TILE_LIST, (START.encode(),))
                self._known.names = frozenset(text.split())
            return self._known.names

    def _href(self, tile: str) -> str:
        return f"{self.url}/{tile}/{tile}.tif"
