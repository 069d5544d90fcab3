"""The three processes of `up`: one code server for the other two, the web server, the daemon.

Web server and daemon would each start a code server of their own: definitions twice in memory,
and nobody who starts them again when they are gone.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import yaml  # type: ignore[import-untyped]
from dagster._core.errors import DagsterUserCodeUnreachableError
from dagster._grpc.client import DagsterGrpcClient

from sm_platform.defs.resources import CHECKOUT
from sm_platform.defs.serving.keeping import Part

HOST = "127.0.0.1"
CODE_SERVER = "code server"
LOCATION = "sm_platform"
MODULE = "sm_platform.definitions"
SOCKET = "code.sock"
LONGEST_SOCKET_PATH = 100
"""Bytes; the system takes 107, and gRPC writes a few before the path."""


@dataclass(frozen=True, slots=True)
class CodePlace:
    """Where the code server listens, and the workspace file that says so."""

    socket: Path
    workspace: Path


@contextmanager
def code_place(home: Path) -> Iterator[CodePlace]:
    """The place in the Dagster home; in a folder for temporary files when its path is too long."""
    if len(bytes(home / SOCKET)) <= LONGEST_SOCKET_PATH:
        yield _place(home, home / SOCKET)
        return
    with tempfile.TemporaryDirectory(prefix="sm_platform-") as aside:
        yield _place(home, Path(aside) / SOCKET)


def _place(home: Path, socket: Path) -> CodePlace:
    workspace = home / "workspace.yaml"
    server = {"socket": str(socket), "location_name": LOCATION}
    workspace.write_text(yaml.safe_dump({"load_from": [{"grpc_server": server}]}))
    return CodePlace(socket, workspace)


def code_server(place: CodePlace, module: str = MODULE) -> Part:
    """What loads the definitions and starts run workers; it tells broken ones to the UI."""
    words = ["api", "grpc", "--socket", str(place.socket), "-m", module, "-d", str(CHECKOUT)]
    quiet = ["--lazy-load-user-code", "--location-name", LOCATION, "--log-level", "warning"]
    return Part(CODE_SERVER, ("dagster", *words, *quiet), partial(answers, place))


def web_server(place: CodePlace, port: int, *, is_read_only: bool) -> Part:
    """The UI on loopback; read-only it refuses whatever would change something."""
    words = ["-h", HOST, "-p", str(port), "-w", str(place.workspace)]
    flags = ["--read-only"] * is_read_only
    command = ("dagster_webserver", *words, *flags)
    return Part("web server", command, partial(serves, port), needs=CODE_SERVER)


def daemon(place: CodePlace) -> Part:
    """What runs sensors, schedules, backfills and the queue of runs."""
    words = ("dagster._daemon", "run", "-w", str(place.workspace), "--log-level", "warning")
    return Part("daemon", words, needs=CODE_SERVER)


def serves(port: int) -> bool:
    """Whether the UI can be opened."""
    asked = HTTPConnection(HOST, port, timeout=1.0)
    try:
        asked.request("GET", "/server_info")
        return asked.getresponse().status == HTTPStatus.OK
    except (OSError, HTTPException):
        return False
    finally:
        asked.close()


def answers(place: CodePlace) -> bool:
    """Whether the code server can be asked."""
    try:
        DagsterGrpcClient(socket=str(place.socket)).ping("")
    except DagsterUserCodeUnreachableError:
        return False
    return True
