"""MODIS 16-day composites of the Planetary Computer: which items a window needs, as granules.

Items of `modis-13Q1-061` are named as NASA's files are (MOD13Q1 of Terra, MYD13Q1 of Aqua); their
images are named `250m_16_days_NDVI` and so on. `platform` may be empty; the time spans the 16 days.
"""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from math import floor, pi

from pyproj import Transformer

from sm_platform.grid.window import GridWindow
from sm_platform.sources.open_data.cog_window import excerpt_stamp
from sm_platform.sources.planetary_computer.stac_search import Item
from sm_platform.sources.protocol import Granule, Product
from sm_platform.sources.terms import vegetation

COLLECTION = "modis-13Q1-061"
BANDS = ("NDVI", "pixel_reliability", "composite_day_of_the_year")
SINUSOIDAL = "+proj=sinu +lon_0=0 +x_0=0 +y_0=0 +R=6371007.181 +units=m +no_defs"
TILE_M = 2 * pi * 6371007.181 / 36
"""Side of a tile: the globe is 36 x 18 of them (MODIS land grid)."""
IMAGE_REQUESTS = 6
IMAGE_BYTES = 200_000
_ID = re.compile(
    r"(?P<sensor>MOD13Q1|MYD13Q1)\.A(?P<year>\d{4})(?P<number>\d{3})\.(?P<tile>h\d{2}v\d{2})\."
    r"(?P<version>\d{3})\.(?P<made>\d{13})",
    re.ASCII,
)


def granules(items: Iterable[Item], window: GridWindow) -> list[Granule]:
    """The composites of the tiles that hold cells of the window.

    The outlines that the catalogue searches are coarse: tiles beside the window are left out. Of a
    composite that was made anew the newest is taken; items that lack an image are left out.
    """
    tiles, newest = tiles_of(window), dict[str, Item]()
    for item in sorted(items, key=lambda one: str(one["id"])):
        name = _ID.fullmatch(str(item["id"]))
        if name is not None and name["tile"] in tiles and len(_hrefs(item)) == len(BANDS):
            newest[item["id"].rsplit(".", 2)[0]] = item
    return [_granule(item, window) for item in newest.values()]


def tiles_of(window: GridWindow) -> set[str]:
    """Names such as `h27v06` of the tiles that the window touches."""
    turn = Transformer.from_crs(window.crs, SINUSOIDAL, always_xy=True)
    left, bottom, right, top = turn.transform_bounds(*window.bounds)
    across = range(floor(left / TILE_M) + 18, floor(right / TILE_M) + 19)
    down = range(8 - floor(top / TILE_M), 9 - floor(bottom / TILE_M))
    return {f"h{h:02d}v{v:02d}" for h in across for v in down}


def first_day(granule_id: str) -> date:
    """First of the 16 days, from the name of an item."""
    year, number = int(granule_id[9:13]), int(granule_id[13:16])
    return date(year, 1, 1) + timedelta(days=number - 1)


def _granule(item: Item, window: GridWindow) -> Granule:
    item_id = str(item["id"])
    terms = vegetation(item_id[:7])
    return Granule(
        product=Product.NDVI,
        granule_id=item_id,
        day=first_day(item_id),
        files=tuple(f"{item_id}_250m_16_days_{band}.tif" for band in BANDS),
        format="mod13q1",
        available_utc=made_utc(item),
        licence=terms.licence,
        stamp=excerpt_stamp(window),
        hrefs=tuple(_hrefs(item)),
        service="planetary_computer",
        citation=terms.citation,
        n_requests=IMAGE_REQUESTS * len(BANDS),
        estimated_bytes=IMAGE_BYTES * len(BANDS),
    )


def made_utc(item: Item) -> datetime | None:
    """When the item or its file was made, the later of what it tells; None when it does not."""
    told = item.get("properties") or {}
    moments = [told[key] for key in ("created", "updated") if isinstance(told.get(key), str)]
    found = [datetime.fromisoformat(one) for one in moments]
    return max((one.replace(tzinfo=one.tzinfo or UTC) for one in found), default=None)


def _hrefs(item: Item) -> list[str]:
    """Addresses of the three images, those that are there."""
    assets = item.get("assets") or {}
    found = [assets.get(f"250m_16_days_{band}", {}).get("href") for band in BANDS]
    return [str(href).split("?")[0] for href in found if href]
