"""A plain file server: ranges, redirects to another host, sizes made up on request.

`/files/NAME` serves a file of the archive by its name; `/made/N/NAME` N bytes that follow from the
name; `/led/REST` redirects to the other host's `/REST`.
"""

from collections.abc import Iterator
from pathlib import Path

from werkzeug import Request, Response

from sm_platform_tests.servers.stand_in import World

PREFIXES = ("/files/", "/made/", "/led/")
BLOCK = 1 << 16


def respond(request: Request, world: World) -> Response:
    """The file, a part of it, or where it lies."""
    kind, rest = request.path[1:].split("/", 1)
    if kind == "led":
        return Response(status=302, headers={"Location": f"{world.other_url}/{rest}"})
    if kind == "made":
        size, name = rest.split("/", 1)
        return made(request, int(size), name)
    paths = sorted(world.archive.rglob(rest)) if world.archive else []
    return ranged(request, paths[0]) if paths else Response("no such file", 404)


def ranged(request: Request, path: Path) -> Response:
    """A file with what `Range` asks of it, as object stores serve it."""
    data = path.read_bytes()
    response = Response(data, content_type="application/octet-stream")
    response.set_etag(f"{len(data)}-{path.stat().st_mtime_ns}")
    return response.make_conditional(request, accept_ranges=True, complete_length=len(data))


def made(request: Request, size: int, name: str) -> Response:
    """`size` bytes: a HDF5 signature, then a block made from the name, again and again."""
    first, stop = 0, size
    if request.range is not None:
        first, end = request.range.ranges[0]
        stop = size if end is None else min(end, size)
    headers = {"Content-Length": str(stop - first), "ETag": f'"{name}-{size}"'}
    status = 200
    if request.range is not None:
        status, headers["Content-Range"] = 206, f"bytes {first}-{stop - 1}/{size}"
    return Response(made_bytes(name, first, stop), status, headers=headers)


def made_bytes(name: str, first: int, stop: int) -> Iterator[bytes]:
    """The content of a made file from one byte up to another."""
    block = (b"\x89HDF\r\n\x1a\n" + name.encode()).ljust(BLOCK, b"\x5a")
    for start in range(first - first % BLOCK, stop, BLOCK):
        yield block[max(first - start, 0) : min(stop - start, BLOCK)]
