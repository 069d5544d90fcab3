"""What carries Earth Engine's client: one try a request, a deadline, no redirects, few at once.

The client's own carrier has no time-out, hides `Retry-After` and follows redirects. This one takes
its place and raises our errors itself for answers that may be different next time; refusals are
left to the client, which needs them to renew its credentials.
"""

import threading
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import requests
import urllib3

from sm_platform.errors import PassingError, SourceError
from sm_platform.sources.answers import bound
from sm_platform.sources.services import PASSING, Service, bare, refusal, retry_after_s, told_in
from sm_platform.sources.transfer import MOST_REDIRECTS, Limits, how_broken

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
REDIRECT, REFUSED = 300, 400


@dataclass(frozen=True, slots=True)
class Wire:
    """Sends requests as httplib2 does, from several threads."""

    session: requests.Session
    gate: threading.BoundedSemaphore
    """As many requests as it lets through are in flight at once, whoever sends them."""

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

        failed = None
        with self.gate:
            try:
                answer = self.session.request(
                    method, uri, data=body, headers=dict(headers or {}), allow_redirects=False
                )
            except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
                failed = how_broken(error)
        if failed is not None:  # raised out here: the client's own error may tell a token
            raise PassingError(
                f"{SERVICE.title} {failed} at {ASKED.get()} ({bare(uri)}): try again."
            )
        told = {name.lower(): value for name, value in answer.headers.items()}
        _check(uri, answer.status_code, told, answer.content)
        return httplib2.Response({**told, "status": answer.status_code}), answer.content


def new_wire(in_flight: int, limits: Limits) -> Wire:
    """A wire with a session of its own; credentials in `~/.netrc` are not looked at."""
    session = bound(requests.Session(), limits, in_flight=in_flight)
    session.max_redirects = MOST_REDIRECTS  # none is followed: each is an answer
    return Wire(session, threading.BoundedSemaphore(in_flight))


def _check(uri: str, status: int, told: Mapping[str, str], content: bytes) -> None:
    asked = ASKED.get()
    if status in PASSING:
        detail = told_in(content.decode(errors="replace"))
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
