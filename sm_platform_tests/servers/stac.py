"""The Planetary Computer: a STAC catalogue of an archive's composites and frames, signed files.

`/pc/stac/v1` the landing page, `/search` (POST; further pages by POST with a token, or by GET when
the test sets `paging` to "GET"), `/collections/C` and `/collections/C/items/ID`; `/pc/sas/token/C`
a signature; `/pc/blob/...` the files, which only open with one. Settings: `page_size`,
`token_life_s`, `revoked` (numbers of signatures that are no longer taken), `needs_key`, `repeated`
(every item is listed twice), `empty_page` (a page in the middle without items), `moved_host`,
`retired` (no collection is there any more).
Radar files are float32 on UTM, made from their coordinates (`rtc_values`).
"""

import hashlib
import json
import time
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from affine import Affine
from numpy.typing import NDArray
from pyproj import Transformer
from rasterio.io import MemoryFile
from werkzeug import Request, Response

from sm_platform.sources.archive import read_clock
from sm_platform_tests.servers.files import ranged
from sm_platform_tests.servers.stand_in import World

PREFIXES = ("/pc/",)
ROOT = "/pc/stac/v1"
MODIS, RTC = "modis-13Q1-061", "sentinel-1-rtc"
BANDS = ("NDVI", "pixel_reliability", "composite_day_of_the_year")
KEY = "a-subscription-key"
UTM, CELL_M, SIDE = "EPSG:32648", 10, 1600
PAGE_ITEMS = 4
NOON = 12


def respond(request: Request, world: World) -> Response:
    """The catalogue, a signature or a file."""
    path = request.path.rstrip("/")
    if path.startswith("/pc/sas/token/"):
        return _token(request, world)
    if path.startswith("/pc/blob/"):
        return _blob(request, world)
    if path == ROOT:
        return _json(_landing(world))
    if path == f"{ROOT}/search":
        return _json(_page(request, world))
    parts = path.removeprefix(f"{ROOT}/collections/").split("/")
    if parts[0] not in (MODIS, RTC) or world.settings.get("retired"):
        return Response('{"code": "NotFoundError"}', 404, content_type="application/json")
    found = [one for one in _items(world, parts[0]) if len(parts) > 2 and one["id"] == parts[2]]
    return _json(found[0]) if found else Response('{"code": "NotFoundError"}', 404)


def rtc_values(name: str, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float32]:
    """What a radar file `iw-vv` or `iw-vh` holds at cell centres, metres."""
    level = 0.1 if "vv" in name else 0.02
    return (level * (1 + np.sin(x / 700) * np.cos(y / 900))).astype(np.float32)


def _json(content: object) -> Response:
    return Response(json.dumps(content), content_type="application/geo+json")


def _landing(world: World) -> dict[str, Any]:
    url = world.url + ROOT
    return {
        "type": "Catalog",
        "id": "microsoft-pc",
        "stac_version": "1.0.0",
        "description": "stand-in",
        "conformsTo": [
            "https://api.stacspec.org/v1.0.0/core",
            "https://api.stacspec.org/v1.0.0/item-search",
        ],
        "links": [
            {"rel": "self", "href": url, "type": "application/json"},
            {"rel": "root", "href": url, "type": "application/json"},
            *(
                {
                    "rel": "search",
                    "type": "application/geo+json",
                    "href": f"{url}/search",
                    "method": method,
                }
                for method in ("GET", "POST")
            ),
        ],
    }


def _page(request: Request, world: World) -> dict[str, Any]:
    """The page of a search, with the link to the next one."""
    asked = dict(request.args) if request.method == "GET" else request.get_json()
    if isinstance(asked.get("collections"), str):
        asked["collections"] = asked["collections"].split(",")
        asked["bbox"] = [float(edge) for edge in asked["bbox"].split(",")]
    items = [one for name in asked["collections"] for one in _items(world, name)]
    found = [one for one in items if _touches(one, asked["bbox"]) and _within(one, asked)]
    if world.settings.get("repeated"):
        found = [one for one in found for _ in range(2)]
    size = min(int(world.settings.get("page_size", PAGE_ITEMS)), int(asked.get("limit", 100)))
    first = int(asked.get("token", "next:0").split(":")[1])
    shown = [] if world.settings.get("empty_page") and first else found[first : first + size]
    links = []
    if first + size < len(found):
        links.append(_next(world, asked | {"token": f"next:{first + size}"}))
    return {"type": "FeatureCollection", "features": shown, "links": links}


def _next(world: World, asked: dict[str, Any]) -> dict[str, Any]:
    href = f"{world.url}{ROOT}/search"
    if world.settings.get("paging") != "GET":
        return {"rel": "next", "href": href, "method": "POST", "body": asked, "merge": False}
    flat = {k: ",".join(map(str, v)) if isinstance(v, list) else v for k, v in asked.items()}
    query = "&".join(f"{name}={value}" for name, value in flat.items())
    return {"rel": "next", "href": f"{href}?{query}", "method": "GET"}


def _touches(item: dict[str, Any], bbox: list[float]) -> bool:
    west, south, east, north = item["bbox"]
    return west <= bbox[2] and bbox[0] <= east and south <= bbox[3] and bbox[1] <= north


def _within(item: dict[str, Any], asked: dict[str, Any]) -> bool:
    first, last = (datetime.fromisoformat(one) for one in asked["datetime"].split("/"))
    told = item["properties"]
    start, stop = (datetime.fromisoformat(told[f"{end}_datetime"]) for end in ("start", "end"))
    return start <= last and stop >= first


def _items(world: World, collection: str) -> list[dict[str, Any]]:
    product = {MODIS: "ndvi", RTC: "s1_grd"}.get(collection)
    if world.archive is None or product is None or world.settings.get("retired"):
        return []
    rows = pq.read_table(world.archive / "index.parquet").to_pylist()
    make = _composite if product == "ndvi" else _frame
    now = read_clock(world.archive).now_utc
    there = [one for one in rows if one["product"] == product and one["available_utc"] <= now]
    return [make(row, world) for row in there]


def _item(row: dict[str, Any], world: World, collection: str, item_id: str) -> dict[str, Any]:
    west, south, east, north = (row[edge] for edge in ("west", "south", "east", "north"))
    outline = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    href = f"{world.url}{ROOT}/collections/{collection}"
    return {
        "type": "Feature",
        "stac_version": "1.0.0",
        "id": item_id,
        "collection": collection,
        "bbox": [west, south, east, north],
        "geometry": {"type": "Polygon", "coordinates": [outline]},
        "links": [
            {"rel": "collection", "href": href},
            {"rel": "self", "href": f"{href}/items/{item_id}"},
        ],
    }


def _composite(row: dict[str, Any], world: World) -> dict[str, Any]:
    item_id = row["granule_id"]
    start = datetime(row["day"].year, row["day"].month, row["day"].day, tzinfo=UTC)
    h, v = int(item_id[18:20]), int(item_id[21:23])
    host = world.settings.get("moved_host", world.url)
    folder = f"{host}/pc/blob/modis-061-cogs/{item_id[:7]}/{h:02d}/{v:02d}/{item_id[9:16]}"
    assets = {
        f"250m_16_days_{band}": {"href": f"{folder}/{item_id}_250m_16_days_{band}.tif"}
        for band in BANDS
    }
    properties = {
        "datetime": None,
        "start_datetime": f"{start:%Y-%m-%dT%H:%M:%SZ}",
        "end_datetime": f"{start + timedelta(days=16, seconds=-1):%Y-%m-%dT%H:%M:%SZ}",
        "created": f"{row['available_utc']:%Y-%m-%dT%H:%M:%SZ}",
        "platform": "aqua" if item_id.startswith("MYD") else "",
        "modis:horizontal-tile": h,
        "modis:vertical-tile": v,
    }
    item = _item(row, world, MODIS, item_id)
    return item | {"properties": properties, "assets": assets}


def _frame(row: dict[str, Any], world: World) -> dict[str, Any]:
    grd = row["granule_id"]
    parts = grd.split("_")
    start, stop = (datetime.strptime(parts[n], "%Y%m%dT%H%M%S") for n in (4, 5))
    day = f"{start.year}/{start.month}/{start.day}"
    folder = f"{world.url}/pc/blob/sentinel1-grd-rtc/GRD/{day}/IW/DV/{grd}/measurement"
    properties = {
        "datetime": f"{start:%Y-%m-%dT%H:%M:%SZ}",
        "start_datetime": f"{start:%Y-%m-%d %H:%M:%S}.123456+00:00",
        "end_datetime": f"{stop:%Y-%m-%d %H:%M:%S}.123456+00:00",
        "platform": f"SENTINEL-1{grd[2]}",
        "sar:instrument_mode": "IW",
        "sar:polarizations": ["VV", "VH"],
        "sat:absolute_orbit": int(parts[6]),
        "sat:orbit_state": "ascending" if start.hour < NOON else "descending",
        "s1:datatake_id": str(int(parts[7], 16)),
    }
    item = _item(row, world, RTC, "_".join(parts[:8]) + "_rtc")
    assets = {name: {"href": f"{folder}/iw-{name}.rtc.tiff"} for name in ("vh", "vv")}
    return item | {"properties": properties, "assets": assets}


def _token(request: Request, world: World) -> Response:
    collection = request.path.rsplit("/", 1)[-1]
    if world.settings.get("needs_key") and request.headers.get("Ocp-Apim-Subscription-Key") != KEY:
        return Response('{"statusCode": 401, "message": "Access denied."}', 401)
    ends = time.time() + float(world.settings.get("token_life_s", 3600))
    query = f"se={ends:.3f}&sp=rl&c={collection}&sig={_sign(collection, f'{ends:.3f}')}"
    expiry = datetime.fromtimestamp(ends, UTC)
    return _json({"msft:expiry": f"{expiry:%Y-%m-%dT%H:%M:%SZ}", "token": query})


def _sign(collection: str, ends: str) -> str:
    return hashlib.sha256(f"{collection} {ends}".encode()).hexdigest()


def _blob(request: Request, world: World) -> Response:
    """A file: 409 without a signature, 403 with one that is wrong, revoked or too old."""
    asked = request.args
    if "sig" not in asked:
        return Response("Public access is not permitted on this storage account.", 409)
    is_right = asked["sig"] == _sign(asked["c"], asked["se"])
    is_revoked = asked["sig"] in world.settings.get("revoked", [])
    if not is_right or is_revoked or float(asked["se"]) < time.time():
        return Response("<Error><Code>AuthenticationFailed</Code></Error>", 403)
    name = request.path.rsplit("/", 1)[-1]
    if name.endswith(".rtc.tiff"):
        data = _radar(name)
        response = Response(data, content_type="image/tiff")
        return response.make_conditional(request, accept_ranges=True, complete_length=len(data))
    found = sorted((world.archive / "ndvi").rglob(name)) if world.archive else []
    return ranged(request, found[0]) if found else Response("<Error/>", 404)


@lru_cache(maxsize=2)
def _radar(name: str) -> bytes:
    """A radar image around the archive's delta, tiled."""
    x, y = Transformer.from_crs("EPSG:4326", UTM, always_xy=True).transform(106.43, 20.45)
    west, north = (round(v / CELL_M) * CELL_M + side for v, side in ((x, -8000), (y, 8000)))
    steps = (np.arange(SIDE) + 0.5) * CELL_M
    columns, rows = np.meshgrid(west + steps, north - steps)
    profile: dict[str, Any] = {
        "driver": "GTiff",
        "width": SIDE,
        "height": SIDE,
        "count": 1,
        "dtype": "float32",
        "crs": UTM,
        "transform": Affine(CELL_M, 0, west, 0, -CELL_M, north),
        "nodata": -32768,
        "tiled": True,
        "compress": "deflate",
    }
    with MemoryFile() as memory:
        with memory.open(**profile) as out:
            out.write(rtc_values(name, columns, rows), 1)
        return bytes(memory.getbuffer())
