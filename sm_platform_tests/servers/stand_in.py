"""All stand-ins as one WSGI application: a log, faults and latency over the servers' answers."""

import importlib
import json
import pkgutil
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, cast

from werkzeug import Request, Response

import sm_platform_tests.servers as package
from sm_platform_tests.servers import CONTROL
from sm_platform_tests.servers.faults import Plan, spoiled

NOT_SERVERS = {"__main__", "stand_in", "faults", "archive_content"}


class Server(Protocol):
    """A module of this folder that stands in for one provider."""

    PREFIXES: tuple[str, ...]
    """It answers what begins with one of these."""
    respond: Callable[[Request, "World"], Response]


@dataclass(slots=True)
class World:
    """What the servers know."""

    archive: Path | None
    url: str
    tls_url: str
    other_url: str
    settings: dict[str, Any] = field(default_factory=dict)
    """What the test decided."""


@dataclass(slots=True)
class Servers:
    """The application."""

    archive: Path | None
    url: str = ""
    tls_url: str = ""
    other_url: str = ""
    plan: Plan = field(default_factory=Plan)
    settings: dict[str, Any] = field(default_factory=dict)
    log: list[dict[str, Any]] = field(default_factory=list)
    at_work: int = 0
    peak: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    servers: list[tuple[str, Server]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for found in pkgutil.iter_modules(package.__path__):
            if found.name not in NOT_SERVERS:
                server = cast(Server, importlib.import_module(f"{package.__name__}.{found.name}"))
                self.servers += [(prefix, server) for prefix in getattr(server, "PREFIXES", ())]
        self.servers.sort(key=lambda one: -len(one[0]))

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a request."""
        request = Request(environ)
        if request.path.startswith(CONTROL):
            return self._control(request)(environ, start)
        with self.lock:
            self.at_work += 1
            self.peak = max(self.peak, self.at_work)
            fault = self.plan.fault_of(request.path)
        try:
            time.sleep(float(self.settings.get("latency_s", 0)))
            response = self._answer(request)
            if fault is not None:
                response = spoiled(fault, request, response, self.plan.retry_after)
        finally:
            with self.lock:
                self.at_work -= 1
        self._note(request, response, fault)
        return response(environ, start)

    def _answer(self, request: Request) -> Response:
        world = World(self.archive, self.url, self.tls_url, self.other_url, self.settings)
        for prefix, server in self.servers:
            if request.path.startswith(prefix):
                return server.respond(request, world)
        return Response("no such page", 404)

    def _note(self, request: Request, response: Response, fault: str | None) -> None:
        entry = {
            "method": request.method,
            "host": request.host,
            "path": request.path,
            "query": request.query_string.decode(),
            "headers": {name.lower(): value for name, value in request.headers},
            "status": response.status_code,
            "fault": fault,
        }
        with self.lock:
            self.log.append(entry)

    def _control(self, request: Request) -> Response:
        what = request.path.removeprefix(CONTROL)
        found: object = None
        with self.lock:
            if what == "/faults":
                self.plan = Plan(**request.get_json(force=True))
            elif what == "/settings":
                self.settings |= request.get_json(force=True)
            elif what == "/clear":
                self.plan, self.peak = Plan(), 0
                self.settings.clear()
                self.log.clear()
            elif what == "/log":
                found = list(self.log)
            elif what == "/peak":
                found = self.peak
        return Response(json.dumps(found), content_type="application/json")
