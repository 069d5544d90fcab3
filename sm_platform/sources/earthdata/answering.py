"""Small questions by the library `requests` that end in time, and its failures in our words.

A time-out of `requests` counts for each read, and the clients built on it (earthaccess, cmr) set
none at all. Here one answer, its body included, has a deadline; nothing is redirected, and no
`.netrc` takes the place of our header.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import requests
import urllib3

from sm_platform.errors import PassingError, SourceError
from sm_platform.sources.answers import bound
from sm_platform.sources.services import Service, bare, refusal, retry_after_s
from sm_platform.sources.transfer import Limits, how_broken

MOST_BYTES = 1 << 28
"""More is no answer to a small question."""
UNFIT = (ValueError, KeyError, TypeError, AttributeError, IndexError)
"""What clients fail with over an answer of another shape: a web page, half a JSON text."""


def patient(session: requests.Session, patience_s: float) -> requests.Session:
    """Let all requests of a session end in `patience_s` each; nothing is redirected."""
    limits = Limits(read_s=patience_s, deadline_s=patience_s, largest_bytes=MOST_BYTES)
    return bound(session, limits)


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
        raise _in_words(service, asked, error, secrets) from None  # its text may tell a token


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
    is_odd = isinstance(error, UNFIT)
    what = "sent no answer that can be read" if is_odd else how_broken(error)
    return PassingError(f"{service.title} {what} at {asked}: try again later.")


def _response_of(error: Exception) -> requests.Response | None:
    """The refusal behind an error; earthaccess hides it one step further."""
    for one in (error, error.__cause__):
        found = getattr(one, "response", None)
        if isinstance(found, requests.Response):
            return found
    return None
