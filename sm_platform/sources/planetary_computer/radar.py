"""Sentinel-1 RTC of the Planetary Computer: frames with both polarisations, as granules.

Items of `sentinel-1-rtc`: gamma0, linear, terrain-corrected, 10 m, UTM, nodata -32768.
"""

import logging
from collections.abc import Iterable, Iterator
from datetime import timedelta

from sm_platform.errors import SourceError
from sm_platform.grid.window import GridWindow
from sm_platform.sources.open_data.cog_window import excerpt_stamp
from sm_platform.sources.pass_days import with_pass_days
from sm_platform.sources.planetary_computer.modis import made_utc
from sm_platform.sources.planetary_computer.stac_scenes import SceneItem, scene_of
from sm_platform.sources.planetary_computer.stac_search import Item
from sm_platform.sources.protocol import Granule, Product
from sm_platform.sources.terms import SENTINEL_1_RTC

LOG = logging.getLogger(__name__)
COLLECTION = "sentinel-1-rtc"
FORMAT = "rtc_planetary_computer"
NEEDED = ("VV", "VH")
NEIGHBOUR = timedelta(days=1)
"""Frames of one pass may lie on two days (UTC)."""
IMAGE_REQUESTS = 12
IMAGE_BYTES = 8_000_000


def granules(items: Iterable[Item], window: GridWindow) -> list[Granule]:
    """A granule for each frame of wide swath with VV and VH, on the day of its pass."""
    framed = [(scene, item) for scene, item in _scenes(items) if _is_usable(scene)]
    newest = {scene.item_id: (scene, item) for scene, item in framed}
    return with_pass_days([_granule(scene, item, window) for scene, item in newest.values()])


def _scenes(items: Iterable[Item]) -> Iterator[tuple[SceneItem, Item]]:
    """Items that can be read as scenes; one damaged entry does not hide the others."""
    for item in items:
        try:
            yield scene_of(item), item
        except SourceError as error:
            LOG.warning("An item of %s is left out: %s", COLLECTION, error)


def _is_usable(scene: SceneItem) -> bool:
    return scene.mode == "IW" and all(one in scene.hrefs for one in NEEDED)


def _granule(scene: SceneItem, item: Item, window: GridWindow) -> Granule:
    images = tuple(f"{scene.item_id}_{one.lower()}.tif" for one in NEEDED)
    return Granule(
        product=Product.S1_GRD,
        granule_id=scene.item_id,
        day=scene.day,
        files=(*images, f"{scene.item_id}.json"),
        format=FORMAT,
        available_utc=made_utc(item),
        licence=SENTINEL_1_RTC.licence,
        stamp=excerpt_stamp(window),
        hrefs=(*(scene.hrefs[one].split("?")[0] for one in NEEDED), _own_href(item)),
        service="planetary_computer",
        citation=SENTINEL_1_RTC.citation,
        n_requests=IMAGE_REQUESTS * len(NEEDED) + 1,
        estimated_bytes=IMAGE_BYTES * len(NEEDED),
        frame=scene.frame,
    )


def _own_href(item: Item) -> str:
    """Address of the item itself."""
    for link in item.get("links") or []:
        if link.get("rel") == "self" and link.get("href"):
            return str(link["href"]).split("?")[0]
    raise SourceError(f"{item['id']}: the catalogue gives no address of the item itself.")
