"""All files of a map's folder, in memory; the item last, from what the others became."""

import json
from datetime import datetime

from sm_platform.maps.cog import encode, layer_cog
from sm_platform.maps.item import stac_item
from sm_platform.maps.item_assets import QUICKLOOK, AssetFile, asset_file
from sm_platform.maps.names import item_file, layer_file, map_id, quicklook_file
from sm_platform.maps.product import MapProduct
from sm_platform.maps.summary import MapSummary, statistics, summary
from sm_platform.schema.product import LAYERS


def map_files(
    product: MapProduct,
    *,
    created_utc: datetime,
    utc_offset_h: float,
    region_name: str | None = None,
    predecessor_id: str | None = None,
    catalogue_url: str | None = None,
    figures: MapSummary | None = None,
) -> dict[str, bytes]:
    """Every file of the folder by name: one COG a layer, the picture, the STAC item.

    Args:
        product: the map.
        created_utc: time of making for the item; the same argument gives the same bytes.
        utc_offset_h: local time minus UTC in hours, for the picture's title.
        region_name: name for people on the picture; None shows the id.
        predecessor_id: map that this revision replaces; None for the first.
        catalogue_url: see `stac_item`.
        figures: its summary where it is at hand; None computes it.

    Raises:
        ProductError: a value does not fit its layer, or no cell has radar.
    """
    from sm_platform.maps.quicklook import quicklook  # Matplotlib: only where it draws

    known = figures or summary(product)
    contents, assets = _layer_files(product)
    name = map_id(product.seen, product.revision)
    picture = quicklook(product, known, utc_offset_h=utc_offset_h, region_name=region_name)
    contents[quicklook_file(name)] = picture
    assets[QUICKLOOK] = asset_file(quicklook_file(name), picture, {})
    item = stac_item(
        product,
        assets,
        figures=known,
        created_utc=created_utc,
        predecessor_id=predecessor_id,
        catalogue_url=catalogue_url,
    )
    return contents | {item_file(name): json_bytes(item)}


def json_bytes(item: object) -> bytes:
    """An item as it lies in its folder."""
    return (json.dumps(item, indent=1, ensure_ascii=False) + "\n").encode()


def _layer_files(product: MapProduct) -> tuple[dict[str, bytes], dict[str, AssetFile]]:
    name = map_id(product.seen, product.revision)
    contents, assets = {}, {}
    for layer in (layer for layer in LAYERS if layer.name in product.layers):
        file = layer_file(name, layer.name)
        contents[file] = layer_cog(product, layer)
        numbers = encode(layer, product.layers[layer.name])
        assets[layer.name] = asset_file(file, contents[file], statistics(layer, numbers))
    return contents, assets
