"""Assets of a map's STAC item, each described from its layer."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sm_platform.schema.product import LAYERS, NODATA, QA, QA_BITS, Layer, QaBit

COG_TYPE = "image/tiff; application=geotiff; profile=cloud-optimized"
QUICKLOOK = "quicklook"
PICTURE_FIELDS = {"type": "image/png", "roles": ["overview"], "title": "Picture of the map"}


@dataclass(frozen=True, slots=True)
class AssetFile:
    """One file of a map as its item lists it."""

    href: str
    """Relative to the item."""
    size: int
    """Bytes."""
    sha256: str
    """64 hex digits."""
    statistics: Mapping[str, float] = field(default_factory=dict)
    """Of the DN of a layer; empty for pictures."""


def asset_file(href: str, content: bytes, statistics: Mapping[str, float]) -> AssetFile:
    """The entry of a file from its bytes."""
    return AssetFile(href, len(content), hashlib.sha256(content).hexdigest(), statistics)


def item_assets(files: Mapping[str, AssetFile]) -> dict[str, dict[str, Any]]:
    """Assets by key: layers in small letters in their order, then the quicklook.

    Args:
        files: by layer name, the picture under `quicklook`.
    """
    assets = {
        layer.name.lower(): _file_fields(files[layer.name])
        | layer_fields(layer)
        | {"statistics": dict(files[layer.name].statistics)}
        for layer in LAYERS
        if layer.name in files
    }
    picture = files[QUICKLOOK]
    return assets | {QUICKLOOK: _file_fields(picture) | PICTURE_FIELDS}


def _file_fields(file: AssetFile) -> dict[str, Any]:
    # multihash: 12 names sha2-256, 20 its length in bytes, both in hex
    return {"href": file.href, "file:size": file.size, "file:checksum": f"1220{file.sha256}"}


def layer_fields(layer: Layer) -> dict[str, Any]:
    """What holds for this layer in every map."""
    fields: dict[str, Any] = {
        "type": COG_TYPE,
        "roles": list(layer.roles),
        "title": layer.band,
        "description": layer.meaning,
        "bands": [{"name": layer.name.lower()}],
        "data_type": "uint16",
        "nodata": NODATA,
        "unit": layer.unit,
        "raster:scale": layer.scale,
        "raster:offset": layer.offset,
        "raster:sampling": "area",
    }
    if layer.standard_name:
        fields["cf:standard_name"] = layer.standard_name
    if layer is QA:
        fields["classification:bitfields"] = [_bitfield(entry) for entry in QA_BITS]
    return fields


def _bitfield(entry: QaBit) -> dict[str, Any]:
    return {
        "name": entry.name,
        "description": entry.description,
        "offset": entry.offset,
        "length": 1,
        "roles": ["quality"],
        "classes": [{"value": 0, "name": "no"}, {"value": 1, "name": "yes"}],
    }
