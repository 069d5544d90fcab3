"""STAC collection of all maps of the product, beside their folders."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sm_platform.errors import ProductError
from sm_platform.maps.item import extension_uri, renders
from sm_platform.maps.item_assets import PICTURE_FIELDS, QUICKLOOK, layer_fields
from sm_platform.maps.tags import utc_text
from sm_platform.schema.product import COLLECTION, LAYERS, PRODUCT, VERSION

USED = ("projection", "raster", "version", "cf", "product", "render", "classification")
DESCRIPTION = (
    "Volumetric soil moisture at 0-5 cm on cells of about 100 m, one map a region and Sentinel-1 "
    "pass, with the spread of its networks and a quality mask of 16 bits. Stored as whole numbers: "
    "multiply by raster:scale."
)


def stac_collection(
    boxes: Sequence[Sequence[float]],
    *,
    first_utc: datetime,
    last_utc: datetime,
    licence: str,
    has_items_table: bool = False,
) -> dict[str, Any]:
    """The collection as a plain dict.

    Args:
        boxes: west, south, east, north of each region in degrees.
        first_utc: start of the oldest map.
        last_utc: end of the newest one.
        licence: of the maps, as an SPDX id or `other`.
        has_items_table: whether `items.parquet` lies beside it.

    Raises:
        ProductError: no region, so there is nothing to describe.
    """
    if not boxes:
        raise ProductError("A collection needs the box of a region: map a region first.")
    west, south, east, north = zip(*boxes, strict=True)
    whole = [min(west), min(south), max(east), max(north)]
    spatial = [whole] if len(boxes) == 1 else [whole, *(list(box) for box in boxes)]
    return {
        "type": "Collection",
        "stac_version": "1.1.0",
        "stac_extensions": [extension_uri(name) for name in USED],
        "id": COLLECTION,
        "title": f"{PRODUCT} soil moisture, version {VERSION.split('.')[0]}",
        "description": DESCRIPTION,
        "license": licence,
        "version": VERSION,
        "extent": {
            "spatial": {"bbox": spatial},
            "temporal": {"interval": [[utc_text(first_utc), utc_text(last_utc)]]},
        },
        "summaries": {"product:type": [PRODUCT], "constellation": ["sentinel-1"], "gsd": [100]},
        "renders": renders(),
        "item_assets": {layer.name.lower(): layer_fields(layer) for layer in LAYERS}
        | {QUICKLOOK: PICTURE_FIELDS},
        "assets": _items_table() if has_items_table else {},
        "links": [],
    }


def _items_table() -> dict[str, Any]:
    return {
        "geoparquet-items": {
            "href": "items.parquet",
            "type": "application/vnd.apache.parquet",
            "roles": ["collection-mirror"],
            "title": "All items in one table",
        }
    }
