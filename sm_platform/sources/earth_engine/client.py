"""Earth Engine's client, connected once a process, and what it fails with in our words."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sm_platform.errors import DeniedError, PassingError, SmPlatformError, SourceError
from sm_platform.sources.earth_engine.wire import ASKED, SERVICE, new_wire
from sm_platform.sources.services import GONE, blotted, lacks_credentials, refusal
from sm_platform.sources.transfer import Limits

URL = "https://earthengine.googleapis.com"
HIGH_VOLUME_URL = "https://earthengine-highvolume.googleapis.com"
"""Made for many small automatic requests at once."""
WORKLOAD_TAG = "sm-platform"
"""Marks our computations in the project's monitoring and bill."""
LIMITS = Limits(read_s=330.0, deadline_s=600.0, resumptions=0)
"""A request is computed for 5 minutes at most (Earth Engine's quota page)."""
LISTING = "the listing of "
"""Begins what is asked for when a collection is."""
PROJECT = (
    "register a Cloud project at https://code.earthengine.google.com/register, enable the Earth "
    "Engine API in it and name it in the option project"
)


@dataclass(frozen=True, slots=True)
class Access:
    """Where and as whom the client asks."""

    project: str | None
    url: str
    credentials: Any = field(repr=False)
    """Credentials of google-auth; a path of a service account's key file; None: those stored by
    `earthengine authenticate` or gcloud."""
    in_flight: int
    limits: Limits


_LOCK = threading.Lock()
_CONNECTED: list[Access] = []
"""The client has one state a process: of this access; empty before the first."""


def connect(access: Access) -> Any:  # noqa: ANN401 - the module has no useful type
    """The module `ee`, initialised for this access; from several threads.

    Raises:
        PassingError: the service did not answer.
        SourceError: no credentials or no project, or the service refuses them.
    """
    import ee

    with _LOCK:
        is_mine = bool(_CONNECTED) and _CONNECTED[0] == access and ee.data.is_initialized()
        if not is_mine:
            _CONNECTED.clear()
            with asking("the start of a session"):
                _initialise(ee, access)
            _CONNECTED.append(access)
    return ee


def _initialise(ee: Any, access: Access) -> None:  # noqa: ANN401
    ee.Reset()
    ee.data.setMaxRetries(0)  # the caller tries again, and obeys Retry-After
    ee.Initialize(
        _credentials(ee, access.credentials),
        url=access.url.rstrip("/"),
        project=access.project,
        http_transport=new_wire(access.in_flight, access.limits),
    )
    ee.data.setWorkloadTag(WORKLOAD_TAG)


def _credentials(ee: Any, given: Any) -> Any:  # noqa: ANN401
    if given is None:
        return ee.data.get_persistent_credentials()
    if not isinstance(given, str):
        return given
    try:
        return ee.ServiceAccountCredentials(key_file=given)
    except (OSError, ValueError) as error:  # its text may show what the file holds
        raise SourceError(
            f"{SERVICE.title}: {SERVICE.variables[0]} names {given}, which is no readable key file "
            f"of a service account ({type(error).__name__}): make one at {SERVICE.account}."
        ) from None


@contextmanager
def asking(asked: str) -> Iterator[None]:
    """Whatever the client fails with inside is raised as our error; `asked` stands in it."""
    token = ASKED.set(asked)
    try:
        yield
    except SmPlatformError:
        raise
    except _failures() as error:
        raise _translated(error, asked) from None  # its text may tell a token
    finally:
        ASKED.reset(token)


def _failures() -> tuple[type[BaseException], ...]:
    """What the client and the libraries below it raise; a strange answer ends as the last four."""
    import ee
    import google.auth.exceptions
    import googleapiclient.errors
    import httplib2

    clients = (googleapiclient.errors.Error, google.auth.exceptions.GoogleAuthError)
    strange = (TypeError, ValueError, KeyError, AttributeError)
    return (ee.EEException, *clients, httplib2.HttpLib2Error, OSError, EOFError, *strange)


RULES: tuple[tuple[str, type[SourceError], str], ...] = (
    (r"no project found|project is required", SourceError, f"no project is named: {PROJECT}"),
    (
        r"not registered|has not been used in project|it is disabled|not signed up",
        DeniedError,
        f"the project is not registered for Earth Engine: {PROJECT}",
    ),
    (
        r"permission to use project|serviceusage|permission .*computations",
        DeniedError,
        "the account may not use the project: give it the roles Service Usage Consumer and Earth "
        "Engine Resource Viewer there",
    ),
    (r"computation timed out", PassingError, "the computation took too long: try again later"),
    (
        r"memory limit|too many pixels|too many input pixels|total request size|grid dimensions",
        SourceError,
        "one request is too large for the service: set smaller tiles (tile_bytes) or a smaller "
        "region",
    ),
)
"""Pattern of the client's words, what is raised, and what is said."""


def _translated(error: BaseException, asked: str) -> SourceError:
    import google.auth.exceptions

    text = " ".join(blotted(str(error)).split())[:300]
    if re.search(r"authorize access|earthengine authenticate", text):
        return lacks_credentials(SERVICE)
    for pattern, kind, words in RULES:
        if re.search(pattern, text, re.IGNORECASE):
            return kind(f"{SERVICE.title} refused {asked} ({text}); {words}.")
    status = _status_of(error)
    if status in GONE and asked.startswith(LISTING):
        return SourceError(
            f"{SERVICE.title} has no {asked.removeprefix(LISTING)} ({status}: {text}): the "
            "collection is retired. Its catalogue page names the successor (VIIRS follows MODIS); "
            "choose it, or another service for this driver."
        )
    if status is not None:
        return refusal(SERVICE, status, asked, detail=text)
    if isinstance(error, google.auth.exceptions.GoogleAuthError):
        return DeniedError(
            f"{SERVICE.title}: the credentials are expired, revoked or not valid, at {asked} "
            f"({type(error).__name__}): renew them at {SERVICE.account}."
        )
    return PassingError(
        f"{SERVICE.title} answered {asked} with something its client cannot read "
        f"({type(error).__name__}: {text}): try again."
    )


def _status_of(error: BaseException | None) -> int | None:
    """HTTP status of a failure: the client hangs the answer on one of the errors behind it."""
    while error is not None:
        status = getattr(getattr(error, "resp", None), "status", None)
        if isinstance(status, int):
            return status
        error = error.__cause__ or error.__context__
    return None
