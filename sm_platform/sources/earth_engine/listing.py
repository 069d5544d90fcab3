"""Dated granules of Earth Engine: images by place and time, and what their metadata tell."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sm_platform.errors import SourceError
from sm_platform.grid.window import GridWindow, lonlat_bounds
from sm_platform.sources.day_spans import spans
from sm_platform.sources.earth_engine.client import LISTING, asking
from sm_platform.sources.earth_engine.collections import RADAR_FRAMES, Collection
from sm_platform.sources.earth_engine.grids import covering
from sm_platform.sources.earth_engine.pixels import tiles
from sm_platform.sources.names import check_name
from sm_platform.sources.protocol import Granule, Product
from sm_platform.sources.sentinel1_names import parse_frame

PRELIMINARY = timedelta(days=90)
"""ERA5-Land is final two to three months after the day (its documentation, ERA5-Land-T)."""
PRELIMINARY_STAMP, FINAL_STAMP = "preliminary", "final"


@dataclass(frozen=True, slots=True)
class Place:
    """Where granules are listed, for whom and at which moment."""

    window: GridWindow
    url: str
    tile_bytes: int
    now: datetime


def dated_granules(
    ee: Any,  # noqa: ANN401
    collection: Collection,
    place: Place,
    days: Sequence[date],
) -> list[Granule]:
    """Granules of a collection that touch the window and begin on one of the days.

    Raises:
        SourceError: all days lie before the collection's first one, or the service refuses.
    """
    wanted = set(days)
    if wanted and max(wanted) < collection.first_day:
        raise SourceError(
            f"Google Earth Engine: {collection.asset_id} begins on {collection.first_day}, "
            f"{max(wanted)} lies before it: ask for later days."
        )
    images = [image for span in spans(wanted) for image in _images(ee, collection, place, span)]
    found = [
        _granule(collection, place, image) for image in images if _is_usable(collection, image)
    ]
    unique = {one.granule_id: one for one in found if one.day in wanted}
    return [unique[name] for name in sorted(unique)]


def region_of(window: GridWindow) -> str:
    """The window's outline as GeoJSON.

    Raises:
        SourceError: it lies across the 180th meridian.
    """
    west, south, east, north = lonlat_bounds(window)
    if west >= east:
        raise SourceError(
            "Google Earth Engine: the region lies across the 180th meridian: make two regions of "
            "it, one on each side."
        )
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return json.dumps({"type": "Polygon", "coordinates": [ring]})


def moment_of(text: str) -> datetime:
    """A moment as the service writes it, in UTC."""
    return datetime.fromisoformat(text).astimezone(UTC)


def image_name(image: Mapping[str, Any]) -> str:
    """The image's name within its collection, safe in a path."""
    return check_name(str(image["name"]).rpartition("/")[2], "image name")


def _images(
    ee: Any,  # noqa: ANN401
    collection: Collection,
    place: Place,
    span: tuple[date, date],
) -> list[Mapping[str, Any]]:
    """Descriptions of the images; the service compares its end time, so more than the span."""
    last = span[1] + timedelta(days=collection.last_offset_days + 2)
    question = {
        "parent": collection.asset_id,
        "startTime": f"{span[0]}T00:00:00Z",
        "endTime": f"{last}T00:00:00Z",
        "region": region_of(place.window),
    }
    with asking(f"{LISTING}{collection.asset_id}"):
        images = ee.data.listImages(question)["images"]
        return [image for image in images if image["name"] and image["startTime"]]


def _is_usable(collection: Collection, image: Mapping[str, Any]) -> bool:
    """Of the radar only what the features are made of: IW, VV and VH, 10 m."""
    if collection is not RADAR_FRAMES:
        return True
    told = image.get("properties", {})
    polarisations = told.get("transmitterReceiverPolarisation", ())
    return (
        told.get("instrumentMode") == "IW"
        and {"VV", "VH"} <= set(polarisations)
        and told.get("resolution_meters", 10) == 10
        and parse_frame(image_name(image)) is not None
    )


def _granule(collection: Collection, place: Place, image: Mapping[str, Any]) -> Granule:
    name = collection.granule_id(image_name(image))
    day = moment_of(image["startTime"]).date()
    updated = image.get("updateTime")
    grid, is_radar = collection.grid, collection is RADAR_FRAMES
    is_described = is_radar or collection.bands.is_digits
    window = place.window if grid is None else covering(grid, place.window)
    size = collection.bands.bytes_per_pixel
    return Granule(
        product=collection.product,
        granule_id=name,
        day=day,
        files=(f"{name}.tif", f"{name}.json") if is_radar else (f"{name}.tif",),
        format=collection.format,
        available_utc=moment_of(updated) if updated else None,
        licence=collection.terms.licence,
        stamp=_stamp(collection, place.now, day, updated),
        hrefs=(f"{place.url}/v1/{image['name']}",),
        service="earth_engine",
        citation=collection.terms.citation,
        n_requests=len(tiles(window, size, place.tile_bytes)) + is_described,
        estimated_bytes=window.size * size,
    )


def _stamp(collection: Collection, now: datetime, day: date, updated: str | None) -> str | None:
    """Weather changes once it is final, and while it is not whenever its image does."""
    if collection.product is not Product.WEATHER:
        return None
    if now.date() - day < PRELIMINARY:
        return f"{PRELIMINARY_STAMP} {updated or ''}".strip()
    return FINAL_STAMP
