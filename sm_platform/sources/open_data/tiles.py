"""A tile of a global raster in an open bucket as a granule, and the part of it that is landed."""

from dataclasses import dataclass
from pathlib import Path

from sm_platform.grid.window import GridWindow
from sm_platform.sources.names import check_name, empty_folder
from sm_platform.sources.open_data.cog_window import Remote, region_bounds, write_window
from sm_platform.sources.protocol import Granule, Product
from sm_platform.sources.services import Service
from sm_platform.sources.terms import Terms
from sm_platform.sources.transfer import Limits

TILE_BYTES = 4_000_000
"""Of the blocks that a region touches, about: a few to a few dozen of 1024 x 1024 cells."""


@dataclass(frozen=True, slots=True)
class Tiles:
    """What all tiles of a raster have in common."""

    service: Service
    product: Product
    format: str
    terms: Terms
    requests_each: int

    def granule(self, tile: str, href: str, stamp: str) -> Granule:
        """The static granule of a tile: one GeoTIFF of its name."""
        return Granule(
            product=self.product,
            granule_id=tile,
            day=None,
            files=(f"{tile}.tif",),
            format=self.format,
            available_utc=None,
            licence=self.terms.licence,
            stamp=stamp,
            hrefs=(href,),
            service=self.service.service_id,
            citation=self.terms.citation,
            n_requests=self.requests_each,
            estimated_bytes=TILE_BYTES,
        )

    def fetch(self, href: str, window: GridWindow, folder: Path, limits: Limits) -> None:
        """Put the excerpt of a tile around the window into an existing empty folder.

        Raises:
            PassingError: no answer, too many requests, cut, or a web page.
            SourceError: gone, or the window lies outside.
        """
        empty_folder(folder)
        remote = Remote(self.service, href)
        target = folder / check_name(remote.name, "file name")
        write_window(remote, region_bounds(window), target, limits=limits)
