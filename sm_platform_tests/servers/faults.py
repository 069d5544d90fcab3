"""What may go wrong at a provider, planted in an answer that would have been good."""

import hashlib
import re
import socket
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from werkzeug import Request, Response

LOGIN_PAGE = b"<!DOCTYPE html>\n<html><head><title>Log in</title></head><body>Log in.</body></html>"
DRIP_BYTES, DRIP_S = 1, 0.2
"""A slow drip: a byte at a time; it outlasts every deadline of a test."""


@dataclass(slots=True)
class Plan:
    """Which requests meet which faults: by the seed, the path and how often it was asked."""

    kinds: list[str] = field(default_factory=list)
    """too-many, error, unauthorized, forbidden, drip, cut, short, html, elsewhere."""
    share: float = 1.0
    paths: str = ".*"
    seed: int = 0
    most: int | None = None
    retry_after: str = "0"
    asked: Counter[str] = field(default_factory=Counter)
    met: Counter[str] = field(default_factory=Counter)

    def fault_of(self, path: str) -> str | None:
        """The fault of this request, None when it is answered as it should be."""
        if not self.kinds or not re.search(self.paths, path):
            return None
        self.asked[path] += 1
        if self.most is not None and self.met[path] >= self.most:
            return None
        digest = hashlib.sha256(f"{self.seed} {path} {self.asked[path]}".encode()).digest()
        if digest[0] / 256 >= self.share:
            return None
        self.met[path] += 1
        return self.kinds[digest[1] % len(self.kinds)]


def spoiled(kind: str, request: Request, good: Response, retry_after: str) -> Response:
    """The answer as the fault makes it."""
    if kind == "too-many":
        return Response("too many requests", 429, headers={"Retry-After": retry_after})
    if kind == "error":
        return Response("<html>internal error</html>", 500, content_type="text/html")
    if kind == "unauthorized":
        return Response('{"error": "token expired"}', 401, content_type="application/json")
    if kind == "forbidden":
        return Response('{"error": "forbidden"}', 403, content_type="application/json")
    if kind == "html":
        return Response(LOGIN_PAGE, content_type="text/html")
    if kind == "elsewhere":
        return Response(status=302, headers={"Location": "http://localhost.invalid/log-in"})
    body = good.get_data()
    headers = {
        name: value for name, value in good.headers if name.lower() not in ("content-length",)
    }
    if kind == "drip":
        return _streamed(_drip(body), len(body), good.status_code, headers)
    if kind == "cut":
        return _streamed(_cut(request, body), len(body), good.status_code, headers)
    if kind == "short":
        return _streamed(iter([body[: len(body) // 2]]), len(body), good.status_code, headers)
    raise ValueError(kind)


def _streamed(body: Iterator[bytes], length: int, status: int, headers: dict[str, str]) -> Response:
    headers["Content-Length"] = str(length)
    return Response(body, status, headers=headers)


def _drip(body: bytes) -> Iterator[bytes]:
    for start in range(0, len(body), DRIP_BYTES):
        yield body[start : start + DRIP_BYTES]
        time.sleep(DRIP_S)


def _cut(request: Request, body: bytes) -> Iterator[bytes]:
    yield body[: len(body) // 2]
    request.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
