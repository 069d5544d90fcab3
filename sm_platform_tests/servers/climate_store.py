"""Stand-in of the Climate Data Store: a queue of jobs that make netCDF files of the archive's days.

Settings of a test: `cds_polls` (looks at a job until it is ready), `cds_failure` (why jobs fail),
`cds_refusal` ([status, title, detail] for every new request), `cds_lacks_licence`, `cds_is_zip`,
`cds_most_days` (of one request),
`cds_version` (of all values, 0001 or 0005), `cds_last_hour` (seconds since 1970: nothing later).
"""

import hashlib
import json
import tempfile
import threading
import uuid
import zipfile
from collections.abc import Iterator
from datetime import date, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import h5py
import netCDF4
import numpy as np
from werkzeug import Request, Response

from sm_platform_tests.servers.stand_in import World

PREFIXES = ("/cds/",)
KEY = "cds-4f1c-test-key"
DATASET = "reanalysis-era5-land"
STATES = ("accepted", "running", "successful")
JOBS: dict[str, dict[str, Any]] = {}
"""Inputs and number of looks of every job of this process."""
MADE: dict[str, bytes] = {}
"""Files by the digest of what made them: the same request is answered from the cache, as there."""
SHAPING = ("cds_is_zip", "cds_version", "cds_last_hour")
"""Settings that change what is in a file."""
ONE_AT_A_TIME = threading.Lock()
"""HDF5 is not made for threads."""
LICENCE_TITLE = "required licences not accepted"
LICENCE_DETAIL = (
    "Not all the required licences have been accepted; please visit https://cds.climate.copernicus"
    f".eu/datasets/{DATASET}?tab=download#manage-licences to accept the required licence(s)."
)
NO_DATA = "MultiAdaptorNoDataError: no data is available within your requested subset."
PARTS = {"t2m": "instant", "tp": "accum"}


def respond(request: Request, world: World) -> Response:
    """The store's answer."""
    path = request.path.removeprefix("/cds/")
    if path.startswith("cache/"):
        return _cached(request, path.removeprefix("cache/"))
    path = path.removeprefix("api/")
    if path == "catalogue/v1/messages":
        return _json({"messages": []})
    if path == f"catalogue/v1/collections/{DATASET}":
        interval = [["1950-01-01T00:00:00Z", "2025-04-06T00:00:00Z"]]
        return _json({"id": DATASET, "extent": {"temporal": {"interval": interval}}})
    if request.headers.get("PRIVATE-TOKEN") != KEY:
        return _problem(401, "authentication failed", "operation not allowed")
    if path == "profiles/v1/account/licences":
        return _json({"licences": [{"id": "cc-by", "revision": 1}]})
    if path == f"retrieve/v1/processes/{DATASET}":
        return _json({"id": DATASET, "links": []})
    if path == f"retrieve/v1/processes/{DATASET}/execution":
        return _new_job(request, world)
    return _job(path.removeprefix("retrieve/v1/jobs/"), world)


def _new_job(request: Request, world: World) -> Response:
    if world.settings.get("cds_lacks_licence"):
        return _problem(403, LICENCE_TITLE, LICENCE_DETAIL)
    if "cds_refusal" in world.settings:
        status, title, detail = world.settings["cds_refusal"]
        return _problem(status, title, detail)
    asked = request.get_json()["inputs"]
    if len(asked["day"]) > world.settings.get("cds_most_days", 31):
        return _problem(403, "cost limits exceeded", "Request too large. Cost 64512 over 60000.")
    name = str(uuid.uuid4())
    JOBS[name] = {"inputs": asked, "looks": 0}
    return _json(_told(name, "accepted", world, "monitor"), 201)


def _job(rest: str, world: World) -> Response:
    name, _, what = rest.partition("/")
    if name not in JOBS:
        return _problem(404, "job not found", f"job {name} not found")
    job, failure = JOBS[name], world.settings.get("cds_failure")
    job["looks"] += 1
    n_polls = int(world.settings.get("cds_polls", 2))
    status = STATES[min(job["looks"] * 2 // max(n_polls, 1), 2)] if n_polls else "successful"
    if failure and status == "successful":
        status = "failed"
    if what == "results":
        return _problem(400, "job failed", failure) if failure else _results(name, world)
    return _json(_told(name, status, world, "self"))


def _told(name: str, status: str, world: World, rel: str) -> dict[str, Any]:
    href = f"{world.url}/cds/api/retrieve/v1/jobs/{name}"
    moment = "2026-01-01T00:00:00"
    links = [{"rel": rel, "href": href}, {"rel": "results", "href": href + "/results"}]
    told = {"jobID": name, "processID": DATASET, "type": "process", "status": status}
    return told | {"created": moment, "updated": moment, "links": links}


def _results(name: str, world: World) -> Response:
    told = [JOBS[name]["inputs"], *(world.settings.get(one) for one in SHAPING)]
    digest = hashlib.sha256(json.dumps(told).encode()).hexdigest()
    with ONE_AT_A_TIME:
        if digest not in MADE:
            hours = list(_hours(JOBS[name]["inputs"], world))
            if not hours:
                return _problem(400, "job failed", NO_DATA)
            MADE[digest] = _file(hours, world)
    href = f"{world.other_url}/cds/cache/{digest}.nc"
    asset = {"type": "application/netcdf", "href": href, "file:size": len(MADE[digest])}
    return _json({"asset": {"value": asset}})


def _cached(request: Request, name: str) -> Response:
    """A file of the cache, with what `Range` asks of it."""
    data = MADE[name.removesuffix(".nc")]
    response = Response(data, content_type="application/netcdf")
    response.set_etag(name)
    return response.make_conditional(request, accept_ranges=True, complete_length=len(data))


def _file(hours: list[dict[str, Any]], world: World) -> bytes:
    """What the store makes of a request: hours of the archive's days, cut to the area."""
    if not world.settings.get("cds_is_zip"):
        return _netcdf(hours, tuple(PARTS))
    target = BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for variable, kind in PARTS.items():
            member = f"data_stream-oper_stepType-{kind}.nc"
            archive.writestr(member, _netcdf(hours, (variable,)))
    return target.getvalue()


def _hours(inputs: dict[str, Any], world: World) -> Iterator[dict[str, Any]]:
    """The hours in order; midnight is the end of the day before, which holds its total."""
    last = int(world.settings.get("cds_last_hour", 1 << 40))
    asked = {int(text[:2]) for text in inputs["time"]}
    for text in inputs["day"]:
        day = date(int(inputs["year"]), int(inputs["month"]), int(text))
        before = _day_file(day - timedelta(days=1), inputs["area"], world)
        own = _day_file(day, inputs["area"], world)
        steps = sorted(asked - {0}) if before else sorted(asked)
        for path, wanted in ((before, [24] if 0 in asked else []), (own, steps)):
            found = _read(path, wanted, inputs["area"], world) if path and wanted else []
            yield from (one for one in found if one["time"] <= last)


def _read(
    path: Path, steps: list[int], area: list[float], world: World
) -> Iterator[dict[str, Any]]:
    with h5py.File(path) as file:
        rows, cols = _inside(file, area)
        held = {name: file[name][:, rows, cols] for name in PARTS}
        for step in steps:
            yield {
                "time": int(file["valid_time"][step]),
                "version": world.settings.get("cds_version") or file["expver"][step].decode(),
                "latitude": file["latitude"][rows],
                "longitude": file["longitude"][cols],
                **{name: values[step] for name, values in held.items()},
            }


def _day_file(day: date, area: list[float], world: World) -> Path | None:
    assert world.archive is not None
    for path in sorted((world.archive / "weather").glob(f"*/*_{day:%Y%m%d}/*.nc")):
        with h5py.File(path) as file:
            rows, cols = _inside(file, area)
            if rows.stop > rows.start and cols.stop > cols.start:
                return path
    return None


def _inside(file: h5py.File, area: list[float]) -> tuple[slice, slice]:
    north, west, south, east = area
    found = []
    for name, low, high in (("latitude", south, north), ("longitude", west, east)):
        places = np.flatnonzero((file[name][:] >= low - 1e-6) & (file[name][:] <= high + 1e-6))
        found.append(slice(places[0], places[-1] + 1) if places.size else slice(0, 0))
    return found[0], found[1]


def _netcdf(hours: list[dict[str, Any]], variables: tuple[str, ...]) -> bytes:
    """A file by the netCDF library, compressed as the store's files are."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "made.nc"
        with netCDF4.Dataset(path, "w") as file:
            _fill(file, hours, variables)
        return path.read_bytes()


def _fill(file: netCDF4.Dataset, hours: list[dict[str, Any]], variables: tuple[str, ...]) -> None:
    axes: dict[str, Any] = {
        "valid_time": [one["time"] for one in hours],
        "latitude": hours[0]["latitude"],
        "longitude": hours[0]["longitude"],
    }
    for name, values in axes.items():
        file.createDimension(name, len(values))
        axis = file.createVariable(name, "i8" if name == "valid_time" else "f8", (name,))
        axis[:] = np.asarray(values)
    file["valid_time"].units = "seconds since 1970-01-01"
    file["valid_time"].calendar = "proleptic_gregorian"
    file.createVariable("number", "i8", ())[...] = 0
    expver = file.createVariable("expver", str, ("valid_time",))
    expver[:] = np.array([one["version"] for one in hours], dtype=object)
    for name in variables:
        held = file.createVariable(
            name, "f4", tuple(axes), zlib=True, complevel=1, fill_value=np.float32(np.nan)
        )
        held.units = {"t2m": "K", "tp": "m"}[name]
        held[:] = np.stack([one[name] for one in hours])


def _problem(status: int, title: str, detail: str) -> Response:
    return _json(
        {"type": "about:blank", "title": title, "status": status, "detail": detail}, status
    )


def _json(content: object, status: int = 200) -> Response:
    return Response(json.dumps(content), status, content_type="application/json")
