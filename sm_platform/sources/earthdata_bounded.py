"""Small questions by the library `requests` that end in time, and its failures in our words.

A time-out of `requests` counts for each read, and the clients built on it (earthaccess, cmr) set
none at all. Here one answer, its body included, has a deadline; nothing is redirected, and no
`.netrc` takes the place of our header.
"""

import io
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter

from sm_platform.errors import PassingError, SourceError
from sm_platform.sources.metering import spend
from sm_platform.sources.services import Service, bare, refusal, retry_after_s

BLOCK_BYTES = 1 << 16
CONNECT_S = 15.0
MOST_BYTES = 1 << 28
"""More is no answer to a small question."""
UNFIT = (ValueError, KeyError, TypeError, AttributeError, IndexError)
"""What clients fail with over an answer of another shape: a web page, half a JSON text."""


class _Bounded(HTTPAdapter):
    """Receives the whole answer before it hands it over, or gives up at the deadline."""

    def __init__(self, patience_s: float) -> None:
        super().__init__(max_retries=0)
        self.patience_s = patience_s

    def send(  # noqa: PLR0913 - as in requests
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,  # noqa: ANN401 - as in requests
        verify: bool | str = True,
        cert: Any = None,  # noqa: ANN401 - likewise
        proxies: dict[str, str] | None = None,
    ) -> requests.Response:
        """One request; counted where it is spent."""
        ends_at = time.monotonic() + self.patience_s
        spend(requests=1)
        limits = (min(CONNECT_S, self.patience_s), self.patience_s)
        response = super().send(request, True, limits, verify, cert, proxies)
        content = _whole(response.raw, ends_at)
        spend(received_bytes=len(content))
        response.raw = io.BytesIO(content)
        return response


def _whole(raw: Any, ends_at: float) -> bytes:  # noqa: ANN401 - urllib3's response
    content = bytearray()
    while block := raw.read1(BLOCK_BYTES, decode_content=True):
        content += block
        if time.monotonic() > ends_at:
            raise requests.ReadTimeout("the answer did not end in time")
        if len(content) > MOST_BYTES:
            raise requests.RequestException(f"the answer is longer than {MOST_BYTES} bytes")
    return bytes(content)


def bound(session: requests.Session, patience_s: float) -> requests.Session:
    """Let all requests of a session end in `patience_s` each."""
    for scheme in ("http://", "https://"):
        session.mount(scheme, _Bounded(patience_s))
    session.max_redirects = 0
    session.auth = _as_it_is
    session.headers["Accept-Encoding"] = "identity"
    return session


def bounded_session(patience_s: float) -> requests.Session:
    """A new session whose requests end in time."""
    return bound(requests.Session(), patience_s)


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


@contextmanager
def answering(service: Service, asked: str, secrets: Iterable[str] = ()) -> Iterator[None]:
    """Whatever a client built on `requests` fails with inside becomes an error of ours.

    Raises:
        PassingError: no answer in time, a cut one, one of another shape; or by its HTTP status.
        SourceError: led to another host, or by its HTTP status.
    """
    try:
        yield
    except SourceError:
        raise
    except (
        requests.RequestException,
        urllib3.exceptions.HTTPError,
        RuntimeError,
        OSError,
        *UNFIT,
    ) as error:
        raise _in_words(service, asked, error, secrets) from error


def _in_words(
    service: Service, asked: str, error: Exception, secrets: Iterable[str]
) -> SourceError:
    response = _response_of(error)
    if isinstance(error, requests.TooManyRedirects) and response is not None:
        there = bare(response.headers.get("Location", ""))
        return SourceError(
            f"{service.title}: {asked} leads to {there}: refused. A log-in may have expired; see "
            f"{service.account}."
        )
    if response is not None:
        return refusal(
            service,
            response.status_code,
            asked,
            detail=response.text[:500],
            retry_after_s=retry_after_s(response.headers.get("Retry-After")),
            secrets=secrets,
        )
    is_slow = isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError | TimeoutError)
    what = "sent no answer that can be read" if isinstance(error, UNFIT) else "broke off"
    what = "did not answer in time" if is_slow else what
    return PassingError(f"{service.title} {what} at {asked}: try again later.")


def _response_of(error: Exception) -> requests.Response | None:
    """The refusal behind an error; earthaccess hides it one step further."""
    for one in (error, error.__cause__):
        found = getattr(one, "response", None)
        if isinstance(found, requests.Response):
            return found
    return None
