"""Sentinel Hub of the Copernicus Data Space: tokens, the Sentinel-1 catalogue, the process API.

Settings: `token_life_s` (600), `refused_tokens` (so many of the first are refused, as expired),
`page_size` (what a page holds at most), `is_spent` (the account's month is used up), `cog` (ids end
as those of cloud-optimised products do). A frame is sampled nearest on the asked grid.
"""

import io
import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import rasterio
from affine import Affine
from numpy.typing import NDArray
from werkzeug import Request, Response

from sm_platform.grid.window import GridWindow, link
from sm_platform_tests.servers.stand_in import World

PREFIXES = ("/auth/realms/CDSE/", "/api/v1/catalog/1.0.0/", "/api/v1/process")
CLIENT_ID, CLIENT_SECRET = "sh-client-of-a-test", "sh-secret-of-a-test"  # noqa: S105
NAMED_CRS = "http://www.opengis.net/def/crs/EPSG/0/"
MOST_PIXELS = 2500
ISSUED: list[str] = []


@dataclass(frozen=True)
class Frame:
    """One frame of the archive."""

    folder: Path
    bounds: tuple[float, float, float, float]

    @property
    def properties(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / f"{self.folder.name}.json").read_text())
        return found

    @property
    def start(self) -> datetime:
        return _moment(self.folder.name.split("_")[4] + "Z")


def respond(request: Request, world: World) -> Response:
    """A token, or for who has one the rest."""
    if request.path.endswith("/openid-connect/token"):
        return _token(request, world)
    if not _is_good(request, world):
        return _refused(401, "Unauthorized", "You are not authorized! Provide a valid token.")
    if world.settings.get("is_spent"):
        code = "ACCESS_INSUFFICIENT_PROCESSING_UNITS"
        told = "Insufficient processing units or requests available in your account."
        return _refused(403, code, told)
    if "/catalog/" in request.path and "application/json" in request.accept_mimetypes.values():
        return _refused(406, "NOT_ACCEPTABLE", "items and searches are application/geo+json")
    if request.path == "/api/v1/process":
        return _processed(request, world)
    if request.path.endswith("/search"):
        return _found(request, world)
    if "/items/" in request.path:
        frames = [one for one in _frames(world) if request.path.endswith("/" + _id(one, world))]
        return _json(_item(frames[0], world)) if frames else _refused(404, "NOT_FOUND", "no item")
    return _json({"id": request.path.rsplit("/", 1)[1], "type": "Collection"})


def _token(request: Request, world: World) -> Response:
    form = request.form
    if form.get("grant_type") != "client_credentials":
        return Response('{"error": "unsupported_grant_type"}', 400)
    if (form.get("client_id"), form.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
        return Response('{"error": "invalid_client"}', 401, content_type="application/json")
    life_s = float(world.settings.get("token_life_s", 600))
    ISSUED.append(f"eyJ-{len(ISSUED)}-{time.time() + life_s}")
    world.settings["issued"] = world.settings.get("issued", 0) + 1
    told = {"access_token": ISSUED[-1], "expires_in": life_s, "token_type": "Bearer"}
    return _json(told | {"expires_at": time.time() + life_s})


def _is_good(request: Request, world: World) -> bool:
    token = request.headers.get("Authorization", "").removeprefix("Bearer ")
    is_refused = world.settings.get("issued", 0) <= world.settings.get("refused_tokens", 0)
    return token in ISSUED and float(token.rsplit("-", 1)[1]) > time.time() and not is_refused


def _found(request: Request, world: World) -> Response:
    asked = request.get_json()
    if asked["collections"] != ["sentinel-1-grd"] or "s1:polarization='DV'" not in asked["filter"]:
        return _refused(400, "BAD_REQUEST", "unknown collection or filter")
    first, last = (_moment(text) for text in asked["datetime"].split("/"))
    west, south, east, north = asked["bbox"]
    frames = [
        one
        for one in _frames(world)
        if first <= one.start <= last
        and one.bounds[0] < east
        and one.bounds[2] > west
        and one.bounds[1] < north
        and one.bounds[3] > south
    ]
    begin = asked.get("next", 0)
    size = min(asked.get("limit", 10), world.settings.get("page_size", 100))
    page = frames[begin : begin + size]
    context = {"limit": size, "returned": len(page)}
    if begin + size < len(frames):
        context["next"] = begin + size
    items = [_item(one, world) for one in page]
    return _json({"type": "FeatureCollection", "features": items, "context": context})


def _frames(world: World) -> list[Frame]:
    assert world.archive is not None
    rows = pq.read_table(world.archive / "index.parquet").to_pylist()
    return [
        Frame(
            world.archive / row["product"] / row["region_id"] / row["granule_id"],
            (row["west"], row["south"], row["east"], row["north"]),
        )
        for row in sorted(rows, key=lambda row: str(row["granule_id"]))
        if row["product"] == "s1_grd"
    ]


def _id(frame: Frame, world: World) -> str:
    return frame.folder.name + ("_COG.SAFE" if world.settings.get("cog") else "")


def _item(frame: Frame, world: World) -> dict[str, Any]:
    west, south, east, north = frame.bounds
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {
        "type": "Feature",
        "stac_version": "1.0.0",
        "id": _id(frame, world),
        "bbox": list(frame.bounds),
        "geometry": {"type": "MultiPolygon", "coordinates": [[ring]]},
        "properties": {
            "datetime": f"{frame.start:%Y-%m-%dT%H:%M:%SZ}",
            "platform": "sentinel-1",
            "sar:instrument_mode": "IW",
            "sat:orbit_state": frame.properties["orbitProperties_pass"].lower(),
            "s1:polarization": "DV",
            "s1:resolution": "HIGH",
            "s1:timeliness": "NRT-3h",
        },
    }


def _processed(request: Request, world: World) -> Response:
    asked = request.get_json()
    (data,), output = asked["input"]["data"], asked["output"]
    shape = output["height"], output["width"]
    if max(shape) > MOST_PIXELS:
        return _refused(400, "COMMON_BAD_PAYLOAD", "Output is larger than 2500 pixels.")
    processing = data["processing"]
    if (processing["backCoeff"], processing["orthorectify"]) != ("SIGMA0_ELLIPSOID", True):
        return _refused(400, "COMMON_BAD_PAYLOAD", "The archive has sigma0 only.")
    window = _window(asked["input"]["bounds"], shape)
    asked_range = data["dataFilter"]["timeRange"]
    first, last = _moment(asked_range["from"]), _moment(asked_range["to"])
    state = data["dataFilter"]["orbitDirection"]
    frames = [
        one
        for one in _frames(world)
        if first <= one.start <= last and one.properties["orbitProperties_pass"] == state
    ]
    return Response(_tiff(_sampled(window, frames)), content_type="image/tiff")


def _window(bounds: dict[str, Any], shape: tuple[int, int]) -> GridWindow:
    left, bottom, right, top = bounds["bbox"]
    code = bounds["properties"]["crs"].removeprefix(NAMED_CRS)
    across, down = (right - left) / shape[1], (top - bottom) / shape[0]
    return GridWindow(f"EPSG:{code}", Affine(across, 0, left, 0, -down, top), shape)


def _sampled(window: GridWindow, frames: Iterable[Frame]) -> NDArray[np.float32]:
    out = np.zeros((3, *window.shape), np.float32)
    for frame in frames:
        with rasterio.open(frame.folder / f"{frame.folder.name}.tif") as file:
            bands = file.read((1, 2))
            source = GridWindow(file.crs.to_string(), file.transform, file.shape)
        cells = link(window, source)
        there = cells >= 0
        power = (10 ** (bands / 10)).reshape(2, -1)[:, np.where(there, cells, 0)]
        there &= ~np.isnan(power).any(axis=0)
        out[:2] = np.where(there, power, out[:2])
        out[2] = np.where(there, 1, out[2])
    return out


def _tiff(bands: NDArray[np.float32]) -> bytes:
    out = io.BytesIO()
    count, height, width = bands.shape
    with rasterio.open(
        out, "w", driver="GTiff", count=count, height=height, width=width, dtype="float32"
    ) as file:
        file.write(bands)
    return out.getvalue()


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _json(found: object) -> Response:
    return Response(json.dumps(found), content_type="application/json")


def _refused(status: int, code: str, message: str) -> Response:
    error = {"status": status, "reason": code, "message": message, "code": code}
    return Response(json.dumps({"error": error}), status, content_type="application/json")
