"""One answer of a service, whole and in memory, or none: a deadline, a largest size, counted.

For what is no file to land (`transfer` fetches those): a page of a catalogue, a token, a tile, the
first bytes of a file. A time-out of `requests` counts for each read, and many a client built on it
sets none. Here a session receives the whole answer before it hands it over; it leads to no other
host, and no `.netrc` takes the place of our header.
"""

import io
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter

from sm_platform.errors import PassingError, SourceError
from sm_platform.sources.metering import spend
from sm_platform.sources.services import Service, bare, refusal, retry_after_s
from sm_platform.sources.silence import silenced
from sm_platform.sources.transfer import (
    BAD_REQUEST,
    BLOCK_BYTES,
    MOST_REDIRECTS,
    Limits,
    as_it_is,
    how_broken,
)

SMALL = Limits(deadline_s=120.0, largest_bytes=128 << 20)
"""For a page of a catalogue."""
MOVED = range(300, 400)
IN_FLIGHT = 10


@dataclass(frozen=True, slots=True)
class Ask:
    """A request."""

    service: Service
    asked: str
    """What is asked for, as messages tell it: without secrets."""
    href: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    method: str = "GET"
    body: Any = None
    """Sent as JSON; None: nothing."""
    form: Mapping[str, str] | None = field(default=None, repr=False)
    """Sent as a form in the place of JSON."""
    secret: str = field(default="", repr=False)
    """Stands in address or headers and must not be told."""
    follows: bool = False
    """Whether redirects on the same host are followed; else they are an answer."""
    is_start_enough: bool = False
    """Whether the rest after `largest_bytes` is left unread instead of refused."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def text(self) -> str:
        """The content as text."""
        return self.content.decode("utf-8", errors="replace")


def one_answer(ask: Ask, limits: Limits = SMALL) -> Answer:
    """Make the request once; its answer has a status below 400.

    Raises:
        PassingError: no answer, cut, too slow, too large, or an error that may pass.
        SourceError: denied, refused, or led to another host.
    """
    found = any_answer(ask, limits)
    if found.status >= BAD_REQUEST:
        raise refusal(
            ask.service,
            found.status,
            ask.asked,
            detail=found.text,
            retry_after_s=retry_after_s(found.headers.get("Retry-After")),
            secrets=[ask.secret],
        )
    return found


def any_answer(ask: Ask, limits: Limits = SMALL) -> Answer:
    """As `one_answer`, but a refusal is an answer too."""
    found = _tried(ask, limits)
    if isinstance(found, Answer):
        return found
    where = f"{ask.asked} ({bare(ask.href)})"  # raised out here: a client's error names the address
    if found.startswith("leads"):
        raise SourceError(f"{ask.service.title} {found} at {where}: refused, see its page.")
    raise PassingError(f"{ask.service.title} {found} at {where}: try again later.")


def bound(
    session: requests.Session,
    limits: Limits,
    *,
    redirects: int = 0,
    in_flight: int = IN_FLIGHT,
    is_start_enough: bool = False,
) -> requests.Session:
    """Let every request of a session end within the limits, its whole answer received.

    Args:
        session: of a client library, or a new one.
        limits: of each request.
        redirects: so many are followed, on the same host; one more raises TooManyRedirects.
        in_flight: connections that are kept.
        is_start_enough: leave the rest after `largest_bytes` unread.
    """
    adapter = _Whole(limits, redirects, in_flight, is_start_enough)
    for scheme in ("http://", "https://"):
        session.mount(scheme, adapter)
    session.max_redirects = redirects
    session.auth = as_it_is
    session.headers["Accept-Encoding"] = "identity"
    return session


class _Whole(HTTPAdapter):
    """Receives the whole answer before it hands it over, or gives up."""

    def __init__(
        self, limits: Limits, redirects: int, in_flight: int, is_start_enough: bool
    ) -> None:
        super().__init__(max_retries=0, pool_maxsize=in_flight)
        self.limits = limits
        self.stays = redirects > 0
        self.is_start_enough = is_start_enough

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,  # noqa: ANN401 - as in requests
        verify: bool | str = True,
        cert: Any = None,  # noqa: ANN401 - likewise
        proxies: dict[str, str] | None = None,
    ) -> requests.Response:
        """One request; counted where it is spent. Whoever asks sets no time-out of their own."""
        limits = self.limits
        ends_at = time.monotonic() + limits.deadline_s
        waits = (min(limits.connect_s, limits.deadline_s), min(limits.read_s, limits.deadline_s))
        spend(requests=1)
        response = super().send(request, True, waits, verify, cert, proxies)
        raw = response.raw
        try:
            response.raw = io.BytesIO(self._content(response, ends_at))
        except BaseException as error:
            raw.close()
            if isinstance(error, urllib3.exceptions.HTTPError):  # as `requests` does when it reads
                slow = isinstance(error, urllib3.exceptions.TimeoutError)
                raise (requests.ReadTimeout if slow else requests.ConnectionError)(error) from None
            raise
        if self.stays:
            _check_stays(response)
        return response

    def _content(self, response: requests.Response, ends_at: float) -> bytes:
        """The whole answer or its start.

        Raises:
            requests.RequestException: it is shorter than told, too slow or too large.
        """
        content, most = bytearray(), self.limits.largest_bytes
        while block := response.raw.read1(BLOCK_BYTES, decode_content=True):
            content += block
            spend(received_bytes=len(block))
            if self.is_start_enough and len(content) >= most:
                response.raw.close()
                return bytes(content[:most])
            if time.monotonic() > ends_at:
                raise requests.ReadTimeout("not whole at the deadline")
            if len(content) > most:
                raise requests.RequestException(f"longer than {most} bytes")
        told = response.headers.get("Content-Length", "")
        is_plain = "Content-Encoding" not in response.headers  # else it came decoded
        if is_plain and told.isdecimal() and len(content) < int(told):
            raise requests.ConnectionError(f"cut after {len(content)} of {told} bytes")
        return bytes(content)


def _check_stays(response: requests.Response) -> None:
    """Raises TooManyRedirects where a redirect leads to another host, or out of encryption."""
    if not response.is_redirect:
        return
    there = urlsplit(urljoin(response.url, response.headers["Location"]))
    here = urlsplit(response.url)
    if (there.scheme, there.netloc) != (here.scheme, here.netloc):
        raise requests.TooManyRedirects("to another host", response=response)


def _tried(ask: Ask, limits: Limits) -> Answer | str:
    """The answer, or what went wrong."""
    try:
        with silenced(ask.secret), requests.Session() as session:
            redirects = MOST_REDIRECTS if ask.follows else 0
            bound(session, limits, redirects=redirects, is_start_enough=ask.is_start_enough)
            session.max_redirects = MOST_REDIRECTS  # one that is not followed is an answer
            response = session.request(
                ask.method,
                ask.href,
                json=ask.body,
                data=ask.form,
                headers=dict(ask.headers),
                allow_redirects=ask.follows,
            )
            return Answer(response.status_code, response.headers, response.content)
    except requests.TooManyRedirects as error:
        location = error.response.headers.get("Location", "") if error.response is not None else ""
        return f"leads to {bare(location)}"
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
        return how_broken(error)
