"""Earth Engine's REST service: discovery, listing with filter and pages, pixels, features.

It evaluates the graphs that the real client sends on the files of the archive. Settings:
`page_size` of listings, `feature_page`, `registration` of the project, `types` of bands by id (an
NDVI of fractions is served so), `soil_crs`: a code for the grid of the soil, and `refusal`: paths
(a pattern), status, message.
"""

import io
import json
import re
from dataclasses import replace
from datetime import datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from affine import Affine
from werkzeug import Request, Response

from sm_platform.grid.window import GridWindow
from sm_platform.sources.simulated.write_soil import HOMOLOSINE
from sm_platform_tests.servers.earth_engine_assets import SINUSOIDAL, listed, soil_description
from sm_platform_tests.servers.earth_engine_graph import Graph
from sm_platform_tests.servers.earth_engine_image import RefusalError
from sm_platform_tests.servers.stand_in import World

PREFIXES = ("/$discovery/", "/v1/projects/")
MOST_BYTES, MOST_SIDE = 50331648, 32768
OWN_CODES = {"SR-ORG:6974": SINUSOIDAL, "EPSG:152160": HOMOLOSINE}
"""What the service calls projections that have no code elsewhere."""
PROFILE = "x-earth-engine-computation-profile"


def respond(request: Request, world: World) -> Response:
    """The answer of the service."""
    try:
        _refuse(request, world)
        return _answer(request, world)
    except RefusalError as error:
        told = {"code": error.status, "message": error.message, "status": "ERROR"}
        return _json({"error": told}, error.status)


def _answer(request: Request, world: World) -> Response:
    path = request.path
    if path.startswith("/$discovery/"):
        return Response(_discovery(), content_type="application/json")
    if path.endswith("/algorithms"):
        return Response(_algorithms(), content_type="application/json")
    if path.endswith("/config"):
        state = world.settings.get("registration", "REGISTERED_NOT_COMMERCIALLY")
        return _json({"name": path[4:], "registrationState": state})
    if world.archive is None:
        raise RefusalError(404, "there is no archive")
    if path.endswith(":listAssets"):
        return _listing(request, world, world.archive)
    if path.endswith("image:computePixels"):
        return _pixels(request, world)
    if path.endswith("table:computeFeatures"):
        return _features(request, world)
    if path.endswith("value:compute"):
        graph = _graph(request.get_json(), world, None)
        return _json({"result": graph.at({"valueReference": "0"})})
    return _json(_asset(path, world, world.archive))


def _refuse(request: Request, world: World) -> None:
    told = world.settings.get("refusal")
    if told and re.search(told["paths"], request.path):
        raise RefusalError(told["status"], told["message"])


def _graph(body: Any, world: World, target: GridWindow | None) -> Graph:  # noqa: ANN401
    assert world.archive is not None
    expression = body["expression"]
    values = {**expression["values"], "0": expression["values"][expression["result"]]}
    kind = world.settings.get("types", {}).get("NDVI", {}).get("precision", "INT")
    return Graph(world.archive, values, target, digits_of_one=None if kind == "INT" else 10_000)


def _listing(request: Request, world: World, archive: Path) -> Response:
    parent = request.path.partition("/assets/")[2].removesuffix(":listAssets")
    found = [one for one in listed(archive, parent) if _fits(one, request.args.get("filter", ""))]
    first = int(request.args.get("pageToken", 0))
    size = int(request.args.get("pageSize", world.settings.get("page_size", 100)))
    more = {"nextPageToken": str(first + size)} if first + size < len(found) else {}
    return _json({"assets": found[first : first + size], **more})


def _fits(image: dict[str, Any], filters: str) -> bool:
    start = re.search(r'startTime >= "([^"]*)"', filters)
    end = re.search(r'endTime < "([^"]*)"', filters)
    region = re.search(r'intersects\("([^"]*)"\)', filters)
    if start and _moment(image["startTime"]) < _moment(start[1]):
        return False
    if end and _moment(image["endTime"]) >= _moment(end[1]):
        return False
    return not region or _touch(image["geometry"], json.loads(region[1].replace("'", '"')))


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _touch(one: dict[str, Any], other: dict[str, Any]) -> bool:
    (a, b), (c, d) = (_corners(shape) for shape in (one, other))
    return bool((a <= d).all() and (c <= b).all())


def _corners(shape: dict[str, Any]) -> tuple[Any, Any]:
    points = np.array(shape["coordinates"][0])
    return points.min(axis=0), points.max(axis=0)


def _pixels(request: Request, world: World) -> Response:
    body = request.get_json()
    window = _window(body["grid"])
    _check_size(_graph(body, world, replace(window, shape=(1, 1))), window)
    image = _graph(body, world, window).at({"valueReference": "0"})
    if image.is_fine:
        raise RefusalError(400, "single pixels of 10 m in the place of a mean")
    dtype = [(name, values.dtype) for name, values in image.bands.items()]
    pixels = np.zeros(window.shape, dtype)
    for name, values in image.bands.items():
        pixels[name] = np.ma.filled(values, 0)  # what is still masked comes as 0
    out = io.BytesIO()
    np.save(out, pixels)
    told = (
        {PROFILE: f"profile-{request.path}"}
        if "X-Earth-Engine-Computation-Profiling" in request.headers
        else {}
    )
    return Response(out.getvalue(), content_type="application/octet-stream", headers=told)


def _check_size(graph: Graph, window: GridWindow) -> None:
    bands = graph.at({"valueReference": "0"}).bands.values()
    size = window.size * sum(values.dtype.itemsize for values in bands)
    if size > MOST_BYTES:
        raise RefusalError(
            400,
            f"Total request size ({size} bytes) must be less than or equal to {MOST_BYTES} bytes.",
        )


def _window(grid: dict[str, Any]) -> GridWindow:
    six, size = grid["affineTransform"], grid["dimensions"]
    if max(size.values()) > MOST_SIDE:
        raise RefusalError(400, f"Pixel grid dimensions {size} must be at most {MOST_SIDE}.")
    crs = grid.get("crsCode") or grid["crsWkt"]
    affine = Affine(six["scaleX"], 0, six["translateX"], 0, six["scaleY"], six["translateY"])
    return GridWindow(OWN_CODES.get(crs, crs), affine, (size["height"], size["width"]))


def _features(request: Request, world: World) -> Response:
    body = request.get_json()
    found = _graph(body, world, None).at({"valueReference": "0"})
    first = int(body.get("pageToken", 0))
    size = int(world.settings.get("feature_page", body.get("pageSize", 1000)))
    more = {"nextPageToken": str(first + size)} if first + size < len(found) else {}
    return _json({"type": "FeatureCollection", "features": found[first : first + size], **more})


def _asset(path: str, world: World, archive: Path) -> dict[str, Any]:
    asset = path.partition("/assets/")[2]
    if "soilgrids" in asset:
        return _typed(soil_description(asset, world.settings.get("soil_crs")), world)
    for image in listed(archive, asset.rpartition("/")[0]):
        if image.get("id") == asset:
            return _typed(image, world)
    raise RefusalError(404, f"Asset '{asset}' not found.")


def _typed(image: dict[str, Any], world: World) -> dict[str, Any]:
    """The description with the types that the test wants told."""
    types = world.settings.get("types", {})
    bands = [
        {**band, "dataType": types.get(band["id"], band.get("dataType"))} for band in image["bands"]
    ]
    return {**image, "bands": bands}


@cache
def _discovery() -> str:
    """The client's own document of the protocol, with what newer versions have."""
    path = files("ee") / "tests" / "cloud_api_discovery_document.json"
    told = json.loads(path.read_text().replace("v1alpha", "v1"))
    projects = told["resources"]["projects"]
    listing = projects["resources"]["assets"]["methods"]["listAssets"]
    listing["parameters"] |= {
        name: {"type": "string", "location": "query"} for name in ("filter", "view")
    }
    name = {
        "type": "string",
        "location": "path",
        "required": True,
        "pattern": "^projects/[^/]+/config$",
    }
    projects["methods"]["getConfig"] = {
        "id": "earthengine.projects.getConfig",
        "path": "v1/{+name}",
        "httpMethod": "GET",
        "parameters": {"name": name},
        "parameterOrder": ["name"],
        "response": {"type": "any"},
    }
    return json.dumps(told)


@cache
def _algorithms() -> str:
    return (files("ee") / "tests" / "algorithms.json").read_text()


def _json(content: object, status: int = 200) -> Response:
    return Response(json.dumps(content), status, content_type="application/json")
