"""STAC 1.1 item of a map: what, where, when, from which granules and by which network."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sm_platform.maps.item_assets import AssetFile, item_assets
from sm_platform.maps.names import item_file, map_id
from sm_platform.maps.outline import measured_ring, ring_bounds
from sm_platform.maps.product import MapPass, MapProduct
from sm_platform.maps.summary import MapSummary
from sm_platform.maps.tags import ORBIT_STATES, UNKNOWN, utc_text
from sm_platform.schema.product import COLLECTION, NODATA, PRODUCT, SM, VERSION

EXTENSIONS = {
    "projection": "v2.0.0",
    "raster": "v2.0.0",
    "file": "v2.1.0",
    "processing": "v1.2.0",
    "sat": "v1.2.0",
    "sar": "v1.3.0",
    "version": "v1.2.0",
    "scientific": "v1.0.0",
    "cf": "v0.3.0",
    "product": "v1.0.0",
    "render": "v2.0.0",
    "classification": "v2.0.0",
}
METHOD = {
    "doi": "10.1016/j.rse.2023.113944",
    "citation": "Zhu et al. 2024, Remote Sensing of Environment 301:113944",
}
GSD_M = 100
DISPLAY_M3M3 = (0.0, 0.5)
"""Range of every picture of soil moisture, never stretched to the data."""


def stac_item(
    product: MapProduct,
    files: Mapping[str, AssetFile],
    *,
    figures: MapSummary,
    created_utc: datetime,
    predecessor_id: str | None = None,
    catalogue_url: str | None = None,
) -> dict[str, Any]:
    """The item as a plain dict, from the product alone: no clock, no file.

    Args:
        product: the map.
        files: its files by layer name, and `quicklook`.
        figures: its summary.
        created_utc: when it was made, as the caller decides.
        predecessor_id: map that this revision replaces; None for the first.
        catalogue_url: address whose children are the granules' own items; None names the
            granules by their hash instead.

    Raises:
        ProductError: no cell has radar.
    """
    ring = measured_ring(product)
    orbit = _orbit(product.seen)
    extensions = [name for name in EXTENSIONS if name != "sat" or orbit]
    return {
        "type": "Feature",
        "stac_version": "1.1.0",
        "stac_extensions": [extension_uri(name) for name in extensions],
        "id": map_id(product.seen, product.revision),
        "collection": COLLECTION,
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "bbox": ring_bounds(ring),
        "properties": _when(product.seen, created_utc)
        | _sensor(product.seen)
        | orbit
        | _grid(product)
        | _lineage(product)
        | _use(product, figures),
        "links": _links(product.seen, predecessor_id, catalogue_url),
        "assets": item_assets(files),
    }


def extension_uri(name: str) -> str:
    """Address of an extension's schema, which is its identity."""
    return f"https://stac-extensions.github.io/{name}/{EXTENSIONS[name]}/schema.json"


def renders() -> dict[str, Any]:
    """How viewers are to show a map: in DN, over the fixed range."""
    rescale = [round(limit / SM.scale) for limit in DISPLAY_M3M3]
    return {
        "sm": {
            "title": "Soil moisture, 0 to 0.5 m3/m3",
            "assets": [SM.name.lower()],
            "rescale": [rescale],
            "nodata": NODATA,
            "resampling": "nearest",
        }
    }


def deprecated(
    item: Mapping[str, Any], *, successor_id: str, latest_id: str | None = None
) -> dict[str, Any]:
    """The item of a map that a later revision replaces; applying it again changes only links.

    Args:
        item: as written.
        successor_id: the next revision.
        latest_id: the newest revision; None: the successor.
    """
    replaced = ("successor-version", "latest-version")
    kept = [link for link in item["links"] if link["rel"] not in replaced]
    links = [
        _version_link("successor-version", successor_id),
        _version_link("latest-version", latest_id or successor_id),
    ]
    properties = item["properties"] | {"deprecated": True}
    return dict(item) | {"properties": properties, "links": kept + links}


def _when(seen: MapPass, created_utc: datetime) -> dict[str, Any]:
    return {
        "datetime": utc_text(seen.start_utc),
        "start_datetime": utc_text(seen.start_utc),
        "end_datetime": utc_text(seen.end_utc),
        "created": utc_text(created_utc),
    }


def _sensor(seen: MapPass) -> dict[str, Any]:
    letter = seen.platform[-1].lower()
    return {
        "platform": "sentinel-1" if letter == "x" else f"sentinel-1{letter}",
        "constellation": "sentinel-1",
        "instruments": ["c-sar"],
        "gsd": GSD_M,
        "sar:instrument_mode": "IW",
        "sar:frequency_band": "C",
        "sar:polarizations": ["VV", "VH"],
    }


def _orbit(seen: MapPass) -> dict[str, Any]:
    state = ORBIT_STATES[seen.orbit_state]
    fields = {
        "sat:orbit_state": None if state == UNKNOWN else state,
        "sat:relative_orbit": seen.relative_orbit,
        "sat:absolute_orbit": seen.absolute_orbit,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _grid(product: MapProduct) -> dict[str, Any]:
    window, code = product.window, product.window.epsg
    known = {"proj:code": f"EPSG:{code}"} if code else {"proj:code": None, "proj:wkt2": window.crs}
    return known | {
        "proj:shape": list(window.shape),
        "proj:transform": [float(number) for number in tuple(window.affine)[:6]],
        "proj:bbox": [float(number) for number in window.bounds],
    }


def _lineage(product: MapProduct) -> dict[str, Any]:
    made = product.lineage
    return {
        "version": f"{VERSION}-r{product.revision:02d}",
        "deprecated": False,
        "license": made.licence,
        "processing:level": "L3",
        "processing:version": VERSION,
        "processing:software": {"sm-platform": made.code_version},
        "processing:lineage": (
            f"DenseSM checkpoint {made.checkpoint_id} ({made.checkpoint_fingerprint}), recipe "
            f"{made.recipe_id} ({made.recipe_fingerprint}), inputs {made.input_hash}"
        ),
        "sci:citation": made.citation,
        "sci:publications": [METHOD],
        **({"smp:ndvi_sensors": list(made.ndvi_sensors)} if made.ndvi_sensors else {}),
        **({"smp:inputs": [one.told for one in made.inputs]} if made.inputs else {}),
    }


def _use(product: MapProduct, figures: MapSummary) -> dict[str, Any]:
    made = product.lineage
    return {
        "product:type": PRODUCT,
        "renders": renders(),
        "smp:region": product.seen.region_id,
        "smp:recipe": made.recipe_id,
        "smp:checkpoint": made.checkpoint_id,
        "smp:inputs_status": made.inputs_status,
        "smp:in_sample": made.is_in_sample,
        "smp:recommended_percent": figures.recommended_percent,
    }


def _links(
    seen: MapPass, predecessor_id: str | None, catalogue_url: str | None
) -> list[dict[str, str]]:
    collection = {
        "rel": "collection",
        "href": "../../../../collection.json",
        "type": "application/json",
    }
    frames = [
        {
            "rel": "derived_from",
            "href": f"{catalogue_url}/{granule_id}" if catalogue_url else f"urn:sha256:{sha256}",
            "title": granule_id,
        }
        for granule_id, sha256 in seen.granules
    ]
    older = [_version_link("predecessor-version", predecessor_id)] if predecessor_id else []
    return [collection, *frames, *older]


def _version_link(rel: str, map_name: str) -> dict[str, str]:
    """Revisions of a map lie beside each other: their names share region and time."""
    href = f"../{map_name}/{item_file(map_name)}"
    return {"rel": rel, "href": href, "type": "application/geo+json"}
