"""One request and its small answer, in memory: a deadline, a largest size, counted, in words.

For what is no file to land: a page of a catalogue, a token, the first bytes of a file. Nothing
that a library logs or raises about the request shows its secret.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import requests
import urllib3

from sm_platform.errors import PassingError
from sm_platform.sources.metering import spend
from sm_platform.sources.services import Service, bare, refusal, retry_after_s
from sm_platform.sources.silence import silenced

BLOCK_BYTES = 1 << 16
BAD_REQUEST = 400
REDIRECTS = range(300, 400)


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
    secret: str = field(default="", repr=False)
    """Stands in address or headers and must not be told."""
    follows: bool = False
    """Whether redirects are followed; else they are an answer."""


@dataclass(frozen=True, slots=True)
class Bounded:
    """How long and how large an answer may be."""

    connect_s: float = 15.0
    read_s: float = 60.0
    """Longest wait for the next bytes."""
    deadline_s: float = 120.0
    most_bytes: int = 128 << 20
    is_start_enough: bool = False
    """Whether the rest after `most_bytes` is left unread instead of refused."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came; its status is below 400."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def text(self) -> str:
        """The content as text."""
        return self.content.decode("utf-8", errors="replace")


def one_answer(ask: Ask, bounded: Bounded = Bounded()) -> Answer:  # noqa: B008 - a frozen value
    """Make the request once.

    Raises:
        PassingError: no answer, cut, too slow, too large, denied, or an error that may pass.
        SourceError: refused.
    """
    found = _tried(ask, bounded)
    if isinstance(found, str):  # raised out here: the client's own error names the address
        raise PassingError(
            f"{ask.service.title} did not answer at {ask.asked} ({bare(ask.href)}, {found}): try "
            "again later."
        )
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


def _tried(ask: Ask, bounded: Bounded) -> Answer | str:
    """The answer, or the name of what went wrong."""
    spend(requests=1)
    try:
        with silenced(ask.secret), requests.Session() as session:
            session.auth = _as_it_is  # else an entry in ~/.netrc takes the place of our header
            response = session.request(
                ask.method,
                ask.href,
                json=ask.body,
                headers={"Accept-Encoding": "identity", **ask.headers},
                stream=True,
                allow_redirects=ask.follows,
                timeout=(bounded.connect_s, bounded.read_s),
            )
            with response:
                content = _content(response, bounded)
            return Answer(response.status_code, response.headers, content)
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
        return type(error).__name__


def _content(response: requests.Response, bounded: Bounded) -> bytes:
    """The whole answer or its start.

    Raises:
        TimeoutError: it comes too slowly or is too large.
        requests.ConnectionError: it is shorter than told.
    """
    ends_at = time.monotonic() + bounded.deadline_s
    found: bytes = b""
    while block := response.raw.read1(BLOCK_BYTES):
        found += block
        spend(received_bytes=len(block))
        if len(found) >= bounded.most_bytes and bounded.is_start_enough:
            return found[: bounded.most_bytes]
        if len(found) > bounded.most_bytes or time.monotonic() > ends_at:
            raise TimeoutError
    told = response.headers.get("Content-Length", "")
    if told.isdecimal() and int(told) > len(found):
        raise requests.ConnectionError("cut")
    return found


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request
