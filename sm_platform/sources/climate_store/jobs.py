"""Requests to the Climate Data Store through its client: sent once, looked after, fetched.

The client's own waiting (500 tries, 120 s apart) and its own download are not used: a request is
sent, its id kept by the caller, asked for until it is ready or our deadline has come, and its one
file fetched like every other file.
"""

import re
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests

from sm_platform.errors import DeniedError, PassingError, SourceError
from sm_platform.sources.answers import bound
from sm_platform.sources.climate_store.pieces import Piece
from sm_platform.sources.services import (
    PASSING,
    TOO_MANY,
    Service,
    blotted,
    lacks_credentials,
    refusal,
    retry_after_s,
    unanswered,
)
from sm_platform.sources.transfer import (
    MOST_REDIRECTS,
    NETCDF,
    Limits,
    Reach,
    Wanted,
    fetch_file,
    how_broken,
)

if TYPE_CHECKING:
    from ecmwf.datastores import Client

DATASET = "reanalysis-era5-land"
PAGE = f"https://cds.climate.copernicus.eu/datasets/{DATASET}?tab=download#manage-licences"
SERVICE = Service(
    service_id="climate_store",
    title="Copernicus Climate Data Store",
    variables=("CDSAPI_KEY", "ECMWF_DATASTORES_KEY"),
    account="https://cds.climate.copernicus.eu/profile",
)
REACH = Reach(hosts=(".copernicus.eu", ".ecmwf.int"))
LIMITS = Limits(deadline_s=300.0, largest_bytes=64 << 20)
"""Of one answer that is no file."""
LOST = (403, 404, 410)
"""Of a request that was sent: not this account's, not known, or swept there."""
UNFIT = (AttributeError, AssertionError, LookupError, TypeError, ValueError)
"""What the client fails with over an answer of another shape, a web page for example."""
STATUS_PAGE = "https://status.ecmwf.int"
WAITING = ("accepted", "running")
NO_DATA = re.compile(r"(?i)no data|non-empty area|no matching data|(in|not .*)valid .*combination")
NOT_YET = re.compile(r"(?i)data you have requested is available yet")
"""As the store's own code says it of days that are still to come."""
TOO_LARGE = re.compile(r"(?i)cost limit|too large|exceed\w* the limit")
QUEUE_FULL = re.compile(r"(?i)queued requests|too many .*requests|temporally limited")
PLEASE_WAIT = re.compile(r"(?i)wait (\d+) seconds")
QUEUE_WAIT_S = 600.0
NOT_YET_WAIT_S = 6 * 3600.0


class TooLargeError(SourceError):
    """Variables, days and hours of a request are more than the store gives at once."""


class LostRequestError(Exception):
    """A request has failed, or the store knows it or its file no more: another has to be sent."""

    def __init__(self, told: SourceError) -> None:
        super().__init__(str(told))
        self.told = told
        """What to tell the caller."""


@dataclass(frozen=True, slots=True)
class Polling:
    """How often and how long a request is asked for."""

    first_s: float = 2.0
    """Each pause is half as long again as the one before."""
    longest_s: float = 60.0
    deadline_s: float = 3600.0
    """After it a PassingError says that the request still waits; the next try goes on with it."""


@dataclass(frozen=True, slots=True)
class Jobs:
    """The requests of one account."""

    url: str
    key: str | None = field(repr=False)
    polling: Polling = field(default_factory=Polling)

    def send(self, piece: Piece) -> str:
        """Send the request of a piece; returns its id."""
        with self._client(f"the request for {piece.name}") as client:
            return str(client.submit(DATASET, piece.inputs()).request_id)

    def collect(self, request_id: str, target: Path) -> None:
        """Wait until a request is ready, then fetch its file.

        Raises:
            LostRequestError: the request has failed, or it or its file is gone.
            PassingError: it still waits at the deadline, or the store did not answer.
            SourceError: the account may not have it.
        """
        with self._client(f"request {request_id} ({target.stem})") as client:
            remote = _known(client, request_id)
            self._wait(remote, request_id)
            results = remote.get_results()
            wanted = Wanted(str(results.location), NETCDF, int(results.content_length))
        try:
            fetch_file(SERVICE, wanted, target, reach=REACH)
        except PassingError:
            raise
        except SourceError:
            raise _lost(f"the file of request {request_id} is gone") from None

    def newest(self) -> datetime | None:
        """The newest hour of the whole collection, as the catalogue tells it; needs no key."""
        with self._client(f"the catalogue entry {DATASET}") as client:
            return client.get_collection(DATASET).end_datetime

    def account(self) -> list[str]:
        """Ids of the licences that the account has accepted: the smallest request with a key."""
        with self._client("the account's licences") as client:
            found = client.get_accepted_licences()
            return [str(one.get("id")) for one in found]

    def _wait(self, remote: Any, request_id: str) -> None:  # noqa: ANN401 - the client's `Remote`
        ends_at, pause = time.monotonic() + self.polling.deadline_s, self.polling.first_s
        while (status := str(remote.status)) in WAITING:
            if time.monotonic() + pause > ends_at:
                raise PassingError(
                    f"{SERVICE.title}: request {request_id} still waits ({status}) after "
                    f"{self.polling.deadline_s:.0f} s; it is kept: a later try goes on with it."
                )
            time.sleep(pause)
            pause = min(pause * 1.5, self.polling.longest_s)
        if status in ("dismissed", "deleted"):
            raise _lost(f"request {request_id} was {status}")
        # A failed one tells why when its results are asked for.

    @contextmanager
    def _client(self, asked: str) -> Iterator["Client"]:
        """A client of the store; whatever it raises in the block becomes an error of ours."""
        key = _checked(self.key)
        from ecmwf.datastores import Client
        from ecmwf.datastores.processing import LinkError, ProcessingFailedError

        # it warns, in its own words, when the store's notices cannot be read; nothing needs them
        warnings.filterwarnings("ignore", category=UserWarning, module=r"ecmwf\.datastores\.client")
        try:
            with requests.Session() as session:
                bound(session, LIMITS, redirects=MOST_REDIRECTS)
                yield Client(
                    url=self.url.rstrip("/"),
                    key=key,
                    progress=False,
                    timeout=(LIMITS.connect_s, LIMITS.read_s),
                    retry_after=1,
                    maximum_tries=1,
                    session=session,
                )
        except requests.HTTPError as error:
            raise _refused(error, asked, key) from None
        except ProcessingFailedError as error:
            raise LostRequestError(_failed(str(error), asked, key)) from None
        except (requests.RequestException, OSError, LinkError, *UNFIT) as error:
            raise _unanswered(error, asked, self.url) from None  # its text may tell the key


def _checked(key: str | None) -> str:
    """The key; the old store's keys are refused before they are sent."""
    if not key:
        raise lacks_credentials(SERVICE)
    if ":" in key:
        raise DeniedError(
            f"{SERVICE.title}: {SERVICE.variables[0]} is a key of the old store (number:key), "
            f"which is closed: copy the new one from {SERVICE.account}."
        )
    return key.strip()


def _known(client: "Client", request_id: str) -> Any:  # noqa: ANN401 - the client's `Remote`
    try:
        return client.get_remote(request_id)
    except requests.HTTPError as error:
        if error.response is not None and error.response.status_code in LOST:
            raise _lost(f"request {request_id} is not known any more") from None
        raise


def _lost(what: str) -> LostRequestError:
    return LostRequestError(PassingError(f"{SERVICE.title}: {what}: try again, to send it anew."))


def _unanswered(error: Exception, asked: str, url: str) -> PassingError:
    """What to say when no answer came, or one that is none."""
    is_net = isinstance(error, OSError) and not isinstance(error, ValueError)
    what = how_broken(error) if is_net else "sent no answer that can be read"
    return unanswered(SERVICE, what, asked, at=url, status=STATUS_PAGE)


def _refused(error: requests.HTTPError, asked: str, key: str) -> SourceError | LostRequestError:
    """What an answer with an error status means; licence and size both come as 403."""
    response = error.response
    if response is None:
        return PassingError(f"{SERVICE.title} did not answer at {asked}: try again later.")
    said = " ".join(_detail(response).split())
    if "licence" in said.lower():
        return DeniedError(
            f"{SERVICE.title}: the licence of {DATASET} is not accepted: accept it once, logged in "
            f"with the account of the key, at {PAGE}."
        )
    if str(response.url).endswith("/results") and response.status_code not in PASSING:
        return LostRequestError(_failed(said, asked, key))
    if any(words.search(said) for words in (TOO_LARGE, QUEUE_FULL, NOT_YET, NO_DATA)):
        return _failed(said, asked, key)
    wait_s = retry_after_s(response.headers.get("Retry-After"))
    if response.status_code == TOO_MANY and wait_s is None:
        found = PLEASE_WAIT.search(said)
        wait_s = float(found[1]) if found else None
    return refusal(
        SERVICE, response.status_code, asked, detail=said, retry_after_s=wait_s, secrets=[key]
    )


def _detail(response: requests.Response) -> str:
    try:
        told = response.json()
    except ValueError:
        return ""
    parts = [told.get(name) for name in ("title", "detail")] if isinstance(told, dict) else []
    return ". ".join(str(part) for part in parts if part)


def _failed(said: str, asked: str, key: str) -> SourceError:
    """Why a job failed; the store's own faults pass, a day or an area without data does not."""
    title, plain = SERVICE.title, " ".join(blotted(said, [key]).split())[:200]
    if TOO_LARGE.search(said):
        return TooLargeError(
            f"{title}: {asked} is larger than one request may be ({plain}): its limits have "
            f"changed; see {PAGE}."
        )
    if QUEUE_FULL.search(said):
        return PassingError(
            f"{title}: the account has too many requests in the queue, so {asked} was not taken "
            f"({plain}): try again in {QUEUE_WAIT_S / 60:.0f} minutes.",
            QUEUE_WAIT_S,
        )
    if NOT_YET.search(said):
        return PassingError(
            f"{title}: {asked} is not out yet ({plain}): it is asked for again later.",
            NOT_YET_WAIT_S,
        )
    if NO_DATA.search(said):
        return SourceError(
            f"{title} has no data for {asked} ({plain}): the days are not out yet, or the region "
            "lies in the sea; list the granules again later."
        )
    return PassingError(
        f"{title}: {asked} failed there ({plain}): try again; when it stays so, see "
        "https://cds.climate.copernicus.eu/requests?tab=all."
    )
