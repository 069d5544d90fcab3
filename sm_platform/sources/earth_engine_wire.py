"""What carries Earth Engine's client: one try a request, a deadline, no redirects, few at once.

The client's own carrier has no time-out, hides `Retry-After` and follows redirects. This one takes
its place and raises our errors itself for answers that may be different next time; refusals are
left to the client, which needs them to renew its credentials.
"""

import json
import threading
import time
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import requests
import urllib3

from sm_platform.errors import PassingError, SourceError
from sm_platform.sources.metering import spend
from sm_platform.sources.services import PASSING, Service, bare, refusal, retry_after_s
from sm_platform.sources.transfer import Limits

if TYPE_CHECKING:
    import httplib2

SERVICE = Service(
    "earth_engine",
    "Google Earth Engine",
    ("GOOGLE_APPLICATION_CREDENTIALS",),
    "https://code.earthengine.google.com/register (register a Cloud project, then either make a "
    "key file of a service account or run `earthengine authenticate` once)",
)
ASKED: ContextVar[str] = ContextVar("asked_of_earth_engine", default="the service")
"""What is asked for at the moment, as it stands in messages."""
BLOCK_BYTES = 1 << 16
REDIRECT, REFUSED = 300, 400


@dataclass(frozen=True, slots=True)
class Wire:
    """Sends requests as httplib2 does, from several threads."""

    session: requests.Session
    gate: threading.BoundedSemaphore
    """As many requests as it lets through are in flight at once, whoever sends them."""
    limits: Limits

    def request(
        self,
        uri: str,
        method: str = "GET",
        body: str | bytes | None = None,
        headers: Mapping[str, str] | None = None,
        **_: object,
    ) -> "tuple[httplib2.Response, bytes]":
        """The answer and its content, refusals (400 to 499 except 429) among them.

        Raises:
            PassingError: no answer in time, cut, a server's error, too many requests, a web page.
            SourceError: a redirect, which this service never needs.
        """
        import httplib2

        with self.gate:
            spend(requests=1)
            try:
                status, told, content = self._answer(uri, method, body, dict(headers or {}))
            except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
                raise _broken(uri, error) from error
        spend(received_bytes=len(content))
        _check(uri, status, told, content)
        return httplib2.Response({**told, "status": status}), content

    def _answer(
        self, uri: str, method: str, body: str | bytes | None, headers: dict[str, str]
    ) -> tuple[int, dict[str, str], bytes]:
        ends_at = time.monotonic() + self.limits.deadline_s
        with self.session.request(
            method,
            uri,
            data=body,
            headers=headers,
            stream=True,
            allow_redirects=False,
            timeout=(self.limits.connect_s, self.limits.read_s),
        ) as response:
            blocks = bytearray()
            while block := response.raw.read1(BLOCK_BYTES, decode_content=True):
                blocks += block
                if time.monotonic() > ends_at:
                    raise requests.Timeout(f"not whole after {self.limits.deadline_s:.0f} s")
            told = {name.lower(): value for name, value in response.headers.items()}
            _check_length(told, blocks)
            return response.status_code, told, bytes(blocks)


def new_wire(in_flight: int, limits: Limits) -> Wire:
    """A wire with a session of its own; credentials in `~/.netrc` are not looked at."""
    session = requests.Session()
    session.auth = _as_it_is  # else an entry there takes the place of the client's token
    adapter = requests.adapters.HTTPAdapter(pool_maxsize=in_flight)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return Wire(session, threading.BoundedSemaphore(in_flight), limits)


def _check(uri: str, status: int, told: Mapping[str, str], content: bytes) -> None:
    asked = ASKED.get()
    if status in PASSING:
        detail = _message(content)
        wait = retry_after_s(told.get("retry-after"))
        raise refusal(SERVICE, status, asked, detail=detail, retry_after_s=wait)
    if REDIRECT <= status < REFUSED:
        host = urlsplit(told.get("location", "")).hostname
        raise SourceError(
            f"{SERVICE.title}: {asked} leads to {host}, a host that is not known: refused. Check "
            "the option url and whether a log-in page of the network stands between."
        )
    if status < REDIRECT and content.lstrip()[:1] == b"<":
        raise PassingError(
            f"{SERVICE.title} sent a web page in the place of {asked} ({bare(uri)}): see whether a "
            "log-in page of the network stands between, then try again."
        )


def _check_length(told: Mapping[str, str], content: bytearray) -> None:
    expected = told.get("content-length", "")
    if "content-encoding" not in told and expected.isdecimal() and len(content) < int(expected):
        raise requests.ConnectionError(f"cut after {len(content)} of {expected} bytes")


def _message(content: bytes) -> str:
    """What the service says in an error, JSON or not."""
    try:
        return str(json.loads(content)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return content[:500].decode(errors="replace")


def _broken(uri: str, error: Exception) -> PassingError:
    is_slow = isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError | TimeoutError)
    what = "did not answer in time" if is_slow else "broke off or cannot be reached"
    return PassingError(f"{SERVICE.title} {what} at {ASKED.get()} ({bare(uri)}): try again.")


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request
