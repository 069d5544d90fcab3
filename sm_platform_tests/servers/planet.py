"""Stand-in of Planet's Subscriptions API over the archive's soil water content.

One subscription for each region of the archive, and some that are of no use. Settings of a test:
`planet_page_size`, `planet_uses` (times a link works), `planet_expired` (status after that),
`planet_is_dateless` (results tell no `item_datetime`), `planet_is_elsewhere` (results have no
links), `planet_is_plain` (ids of items do not name the region), `planet_only` (names of the
subscriptions that the account has).
"""

import itertools
import json
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from werkzeug import Request, Response

from sm_platform.grid.window import lonlat_bounds
from sm_platform.sources.archive import ArchiveSource, archive_regions
from sm_platform.sources.protocol import Granule, Product
from sm_platform_tests.servers.files import ranged
from sm_platform_tests.servers.stand_in import World

PREFIXES = ("/planet/",)
KEY = "PLAK-test-1234"
SERIES = "SWC-SMAP-L_V2.0_100"
API = "subscriptions/v1"
USED: Counter[str] = Counter()
SERIAL = itertools.count()


def respond(request: Request, world: World) -> Response:
    """The answer of the API, or a delivered file."""
    path = request.path.removeprefix("/planet/").rstrip("/")
    if path.startswith("delivered/"):
        return _delivered(request, path.removeprefix("delivered/"), world)
    if request.headers.get("Authorization") != f"api-key {KEY}":
        return _json({"message": "Please enter your API key, or email and password."}, 401)
    found = _subscriptions(world)
    if path == API:
        wanted = request.args.get("source_type")
        own = [one for one in found if wanted in (None, one["source"].get("type"))]
        return _page(request, world, "subscriptions", own)
    name = path.removeprefix(f"{API}/").removesuffix("/results")
    if name not in {one["id"] for one in found} or not path.endswith("/results"):
        return _json({"message": "no such subscription"}, 404)
    return _page(request, world, "results", _results(request, name, world))


def _subscriptions(world: World) -> list[dict[str, Any]]:
    assert world.archive is not None
    found = [
        _subscription("cancelled-1km", "running", "SWC-SMAP-L_V5.0_1000", (100, 10, 110, 25)),
        _subscription("never-began", "failed", SERIES, (100, 10, 110, 25)),
        _subscription("far-away", "running", SERIES, (10, 45, 11, 46)),
        _subscription("in-features", "running", SERIES, None),
    ]
    for region, window in archive_regions(world.archive).items():
        west, south, east, north = lonlat_bounds(window)
        bounds = (west - 0.01, south - 0.01, east + 0.01, north + 0.01)
        found.append(_subscription(region, "completed", SERIES, bounds))
    only = world.settings.get("planet_only")
    return [one for one in found if only is None or one["name"] in only]


def _subscription(
    name: str, status: str, series: str, bounds: tuple[float, float, float, float] | None
) -> dict[str, Any]:
    geometry: dict[str, Any] = {"type": "ref", "content": "pl:features/my/areas/1-abc"}
    if bounds is not None:
        west, south, east, north = bounds
        ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
        geometry = {"type": "Polygon", "coordinates": [ring]}
    parameters = {"id": series, "geometry": geometry, "start_time": "2024-01-01T00:00:00Z"}
    source = {"type": "soil_water_content", "parameters": parameters}
    return {"id": f"id-of-{name}", "name": name, "status": status, "source": source}


def _results(request: Request, name: str, world: World) -> list[dict[str, Any]]:
    assert world.archive is not None
    region = name.removeprefix("id-of-")
    windows = archive_regions(world.archive)
    if region not in windows:
        return []
    source = ArchiveSource(world.archive)
    since = source.now() - timedelta(days=400)
    granules = source.listed_since([Product.SWC], windows[region], None, since.date())
    west, _, east, _ = lonlat_bounds(windows[region])
    own = [one for one in granules if f"_{region}-" in one.granule_id]
    return [
        told
        for told in (_result(one, region, (west + east) / 2, world) for one in own)
        if _is_within(request.args.get("item_datetime"), told["sensed"])
        and _is_within(request.args.get("completed"), told["completed"])
    ]


def _result(granule: Granule, region: str, lon: float, world: World) -> dict[str, Any]:
    local = datetime.strptime(granule.granule_id[-13:] + "+0000", "%Y%m%dT%H%M%z")
    sensed = (local - timedelta(hours=lon / 15)).isoformat().replace("+00:00", "Z")
    base = f"{world.url}/planet/delivered/{region}/{granule.granule_id}"
    names = [*granule.files, f"{granule.granule_id}_metadata.json"]
    if world.settings.get("planet_is_plain"):
        names = [name.replace(f"_{region}-", "-") for name in names]
    links: list[Any] = [f"{base}/{name}?token=t{next(SERIAL)}" for name in names]
    if world.settings.get("planet_is_named"):  # as the Orders API, whose addresses tell no name
        hrefs = [f"{base}/x_{name.rpartition('_')[2]}?token=t{next(SERIAL)}" for name in names]
        links = [
            {"name": f"made/2025/{name}", "location": href, "delivery": "success"}
            for name, href in zip(names, hrefs, strict=True)
        ]
    assert granule.available_utc is not None
    return {
        "id": f"result-{granule.granule_id}",
        "status": "success",
        "completed": granule.available_utc.isoformat().replace("+00:00", "Z"),
        "properties": {} if world.settings.get("planet_is_dateless") else {"item_datetime": sensed},
        "_links": {} if world.settings.get("planet_is_elsewhere") else {"results": links},
        "sensed": sensed,
    }


def _is_within(interval: str | None, moment: str) -> bool:
    if not interval:
        return True
    low, high = interval.split("/")
    return (low == ".." or low <= moment) and (high == ".." or moment < high)


def _page(request: Request, world: World, what: str, found: list[dict[str, Any]]) -> Response:
    size = int(world.settings.get("planet_page_size", 3))
    start = int(request.args.get("start", 0))
    page: dict[str, Any] = {what: found[start : start + size], "_links": {}}
    if start + size < len(found):
        asked = "&".join(f"{k}={v}" for k, v in request.args.items() if k != "start")
        here = f"{world.url}{request.path}?{asked}&start={start + size}"
        page["_links"]["next"] = here
    return _json(page)


def _delivered(request: Request, rest: str, world: World) -> Response:
    token, uses = request.args.get("token", ""), world.settings.get("planet_uses")
    USED[token] += 1
    if uses is not None and USED[token] > int(uses):
        return _json({"message": "link expired"}, int(world.settings.get("planet_expired", 410)))
    assert world.archive is not None
    region, granule, name = rest.split("/")
    name = granule + name[name.rindex("_") :]
    return ranged(request, world.archive / "planet_swc" / region / granule / name)


def _json(content: object, status: int = 200) -> Response:
    return Response(json.dumps(content), status, content_type="application/json")
