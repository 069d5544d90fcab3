"""SoilGrids 2.0 from ISRIC's file server: sand, clay and bulk density of the top 5 cm, 250 m.

https://files.isric.org/soilgrids/latest/data/{property}/{property}_0-5cm_mean.vrt lists about
twenty thousand tiles in the Interrupted Goode Homolosine; the list is most of what is moved.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import ClassVar

from sm_platform.errors import SourceError
from sm_platform.grid.window import GridWindow
from sm_platform.sources.names import empty_folder
from sm_platform.sources.open_data.bucket import OpenArchive
from sm_platform.sources.open_data.cog_window import (
    WINDOW,
    Remote,
    excerpt_stamp,
    look,
    region_bounds,
)
from sm_platform.sources.open_data.vrt_window import MAGIC, write_vrt_window
from sm_platform.sources.protocol import Granule, Product
from sm_platform.sources.services import Service
from sm_platform.sources.terms import SOILGRIDS, Terms
from sm_platform.sources.transfer import Limits

URL = "https://files.isric.org/soilgrids/latest/data"
SERVICE = Service(
    "isric", "ISRIC SoilGrids", account="https://files.isric.org/soilgrids/latest/data"
)
PROPERTIES = ("sand", "clay", "bdod")
GRANULE_ID = "soilgrids-2.0_0-5cm"
LIST_BYTES = 8_000_000
"""Of one property's list, about."""
REQUESTS_EACH = 8
"""The list, and a few tiles."""


@dataclass(frozen=True, slots=True)
class OpenSoilSource(OpenArchive):
    """One static granule of three excerpts, `{property}_0-5cm_mean.tif`."""

    service: ClassVar[Service] = SERVICE
    terms: ClassVar[Terms] = SOILGRIDS
    url: str = URL
    """Of the folder with a folder for each property, without a slash at the end."""
    limits: Limits = WINDOW

    def granules(
        self, product: Product, window: GridWindow, days: Sequence[date] | None
    ) -> list[Granule]:
        """The granule of the window; asks for nothing. None for other products or for days."""
        if product is not Product.SOIL or days is not None:
            return []
        return [
            Granule(
                product=Product.SOIL,
                granule_id=GRANULE_ID,
                day=None,
                files=tuple(_file(one) for one in PROPERTIES),
                format="soilgrids",
                available_utc=None,
                licence=SOILGRIDS.licence,
                stamp=excerpt_stamp(window),
                hrefs=tuple(self._href(one) for one in PROPERTIES),
                service=SERVICE.service_id,
                citation=SOILGRIDS.citation,
                n_requests=REQUESTS_EACH * len(PROPERTIES),
                estimated_bytes=LIST_BYTES * len(PROPERTIES),
            )
        ]

    def fetch(self, granule: Granule, window: GridWindow, folder: Path) -> None:
        """Put the three excerpts around the window into an existing empty folder.

        Raises:
            PassingError: no answer, too many requests, cut, or a web page.
            SourceError: gone, or the window lies outside.
        """
        empty_folder(folder)
        if granule.product is not Product.SOIL:
            raise SourceError(f"{SERVICE.title} has no {granule.granule_id}: list granules again.")
        for one in PROPERTIES:
            remote = Remote(SERVICE, self._href(one))
            write_vrt_window(remote, region_bounds(window), folder / _file(one), limits=self.limits)

    def looked_at(self) -> str:
        """The first bytes of one list."""
        look(Remote(SERVICE, self._href(PROPERTIES[0])), self.limits, MAGIC)
        return "the list of sand begins as it should"

    def _href(self, name: str) -> str:
        return f"{self.url}/{name}/{name}_0-5cm_mean.vrt"


def _file(name: str) -> str:
    return f"{name}_0-5cm_mean.tif"
