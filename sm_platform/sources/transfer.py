"""One file over HTTP, whole or not at all: the only place that downloads.

No client library gives all of this: a deadline over the whole transfer (their time-outs count per
read, a slow drip never ends), the length compared, the first bytes looked at, redirects followed
only to known hosts and without the credentials there, `Retry-After` told, a cut transfer gone on
with where it broke off. Whether to try again is the caller's matter.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import requests
import urllib3

from sm_platform.errors import PassingError, SourceError
from sm_platform.sources.metering import spend
from sm_platform.sources.services import DENIED, Service, bare, refusal, retry_after_s

BLOCK_BYTES = 1 << 16
MOST_REDIRECTS = 5
PARTIAL, BAD_REQUEST = 206, 400
REDIRECTS = frozenset({301, 302, 303, 307, 308})
HDF5 = (b"\x89HDF\r\n\x1a\n",)
NETCDF = (*HDF5, b"CDF\x01", b"CDF\x02", b"PK\x03\x04")
"""netCDF 4, classic netCDF, or a ZIP under the name `.nc`."""
HDF4 = (b"\x0e\x03\x13\x01",)
TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


@dataclass(frozen=True, slots=True)
class Limits:
    """How long and how much one transfer may take."""

    connect_s: float = 15.0
    read_s: float = 60.0
    """Longest wait for the next bytes."""
    deadline_s: float = 1800.0
    """For the whole transfer, redirects and resumptions included."""
    largest_bytes: int = 8 << 30
    resumptions: int = 4
    """A transfer that breaks off goes on so many times from where it was."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file to fetch, and what is known of it."""

    href: str
    magic: tuple[bytes, ...] = ()
    """It begins with one of these; none: not looked at."""
    size_bytes: int | None = None
    """As the listing told it; None when it does not."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Sent to the first host and to `trusted_hosts` only: credentials among them."""


@dataclass(frozen=True, slots=True)
class Reach:
    """Which hosts a transfer may be led to; a leading dot stands for all hosts below."""

    hosts: tuple[str, ...] = ()
    """Besides the first one, without credentials."""
    trusted_hosts: tuple[str, ...] = ()
    """Those that get the credentials as well."""

    def allows(self, host: str) -> bool:
        """Whether a redirect to the host is followed."""
        return _among(host, self.hosts) or self.trusts(host)

    def trusts(self, host: str) -> bool:
        """Whether the host gets the credentials."""
        return _among(host, self.trusted_hosts)


@dataclass(slots=True)
class _Attempt:
    service: Service
    wanted: Wanted
    target: Path
    reach: Reach
    limits: Limits
    ends_at: float
    received: int = 0
    total: int | None = None
    tag: str | None = None

    @property
    def asked(self) -> str:
        return self.target.name

    def left_s(self) -> float:
        """Seconds until the deadline; raises PassingError when there are none."""
        left = self.ends_at - time.monotonic()
        if left <= 0:
            raise PassingError(
                f"{self.service.title}: {self.asked} was not whole after "
                f"{self.limits.deadline_s:.0f} s ({self.received} bytes): try again later."
            )
        return left


def fetch_file(
    service: Service,
    wanted: Wanted,
    target: Path,
    *,
    reach: Reach = Reach(),  # noqa: B008 - a frozen value
    limits: Limits = Limits(),  # noqa: B008 - likewise
) -> int:
    """Download a file to `target`; returns its size in bytes. One try.

    Each block is counted as it comes: who has a meter open can watch a large file (`metered`).
    What is left of a failed one may lie at `target`: callers fetch into a folder aside.

    Raises:
        PassingError: no answer, too many requests, cut, short, slower than the deadline, or text
            in the place of data: the same may succeed later.
        SourceError: denied, gone, too large, or led to a host that is not known.
    """
    attempt = _Attempt(service, wanted, target, reach, limits, time.monotonic() + limits.deadline_s)
    target.unlink(missing_ok=True)
    with requests.Session() as session:
        session.auth = as_it_is
        for resumption in range(limits.resumptions + 1):
            before = attempt.received
            try:
                _receive(session, attempt)
                break
            except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
                if isinstance(error, OSError) and error.errno is not None and not _is_net(error):
                    raise  # the disk, not the network
                is_last = resumption == limits.resumptions
                if is_last or (attempt.received == before and before == 0):
                    raise _broken(attempt, error) from None  # its text has the signed address
            if attempt.tag is None:  # nothing says that it would be the same file
                attempt.received = 0
    _check(attempt)
    return attempt.received


def _receive(session: requests.Session, attempt: _Attempt) -> None:
    """Ask for what is lacking and append it."""
    with _answer(session, attempt) as response:
        if attempt.received and response.status_code != PARTIAL:
            attempt.received = 0  # the whole file is sent anew
        if attempt.received == 0:
            attempt.total = _length(response)
            attempt.tag = _strong_tag(response)
        _check_size(attempt, attempt.total or 0)
        mode = "ab" if attempt.received else "wb"
        with attempt.target.open(mode) as file:
            while block := _next(response, attempt):
                file.write(block)
                attempt.received += len(block)
                spend(received_bytes=len(block))
                _check_size(attempt, attempt.received)
    total = attempt.total
    if total is not None and attempt.received < total:
        raise requests.ConnectionError(f"cut after {attempt.received} of {total} bytes")


def _next(response: requests.Response, attempt: _Attempt) -> bytes:
    attempt.left_s()
    block: bytes = response.raw.read1(BLOCK_BYTES)
    return block


def _answer(session: requests.Session, attempt: _Attempt) -> requests.Response:
    """The answer with content, redirects followed by hand."""
    href = attempt.wanted.href
    first = urlsplit(href).netloc
    for _ in range(MOST_REDIRECTS + 1):
        host = urlsplit(href).hostname or ""
        is_trusted = urlsplit(href).netloc == first or attempt.reach.trusts(host)
        headers = {"Accept-Encoding": "identity"}
        headers |= attempt.wanted.headers if is_trusted else {}
        if attempt.received and attempt.tag:
            headers |= {"Range": f"bytes={attempt.received}-", "If-Range": attempt.tag}
        spend(requests=1)
        limits, left = attempt.limits, attempt.left_s()
        timeout = min(limits.connect_s, left), min(limits.read_s, left)
        response = session.get(
            href, headers=headers, stream=True, allow_redirects=False, timeout=timeout
        )
        if response.status_code not in REDIRECTS:
            return _accepted(response, attempt)
        response.close()
        href = _led_to(attempt, href, response.headers.get("Location", ""))
    raise SourceError(f"{attempt.service.title}: {attempt.asked} leads in a circle: list it again.")


def _led_to(attempt: _Attempt, href: str, location: str) -> str:
    """Where a redirect leads; raises SourceError unless it is a known host, and encrypted."""
    there = urljoin(href, location)
    parts, here = urlsplit(there), urlsplit(href)
    host = parts.hostname or ""
    is_known = parts.netloc == here.netloc or attempt.reach.allows(host)
    is_plain = parts.scheme not in ("http", "https") or (here.scheme, parts.scheme) == (
        "https",
        "http",
    )
    if not is_known or is_plain:
        raise SourceError(
            f"{attempt.service.title}: {attempt.asked} leads to {parts.scheme}://{host}, a host "
            "that is not known: refused. A log-in may have expired; see "
            f"{attempt.service.account or 'the page of the service'}."
        )
    return there


def _accepted(response: requests.Response, attempt: _Attempt) -> requests.Response:
    status = response.status_code
    if status < BAD_REQUEST:
        return response
    start = b"" if status in DENIED else response.raw.read1(BLOCK_BYTES)
    detail = start.decode(errors="replace")
    response.close()
    raise refusal(
        attempt.service,
        status,
        attempt.asked,
        detail=detail,
        retry_after_s=retry_after_s(response.headers.get("Retry-After")),
        secrets=attempt.wanted.headers.values(),
    )


def _check(attempt: _Attempt) -> None:
    """Compare length and first bytes with what is known."""
    for told in (attempt.total, attempt.wanted.size_bytes):
        if told is not None and attempt.received != told:
            raise PassingError(
                f"{attempt.asked} came with {attempt.received} of {told} bytes: download again; "
                "when that stays so, its file is damaged at the source."
            )
    magic = attempt.wanted.magic
    if not magic:
        return
    with attempt.target.open("rb") as file:
        start = file.read(max(map(len, magic)))
    if not start.startswith(magic):
        what = "a web page" if start.lstrip()[:1] == b"<" else "something else"
        raise PassingError(
            f"{attempt.service.title} sent {what} in the place of {attempt.asked}: see to the "
            "account or its terms, then download again."
        )


def _check_size(attempt: _Attempt, size: int) -> None:
    if size > attempt.limits.largest_bytes:
        raise SourceError(
            f"{attempt.service.title}: {attempt.asked} is larger than "
            f"{attempt.limits.largest_bytes / 1e9:.1f} GB: narrow the region, or fetch it by hand."
        )


def _broken(attempt: _Attempt, error: Exception) -> PassingError:
    return PassingError(
        f"{attempt.service.title} {how_broken(error)} at {attempt.asked} "
        f"({bare(attempt.wanted.href)}, "
        f"{attempt.received} bytes came): try again."
    )


def _length(response: requests.Response) -> int | None:
    text = response.headers.get("Content-Length", "")
    return int(text) if text.isdecimal() else None


def _strong_tag(response: requests.Response) -> str | None:
    """What tells whether it is still the same file when the rest is asked for."""
    tag = response.headers.get("ETag")
    return tag if tag and not tag.startswith("W/") else None


def as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """For `Session.auth`: the request with our header, whatever stands in ~/.netrc."""
    return request


def how_broken(error: Exception) -> str:
    """What to say of an answer that did not come, or not whole."""
    is_slow = isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError | TimeoutError)
    return "did not answer in time" if is_slow else "broke off"


def _is_net(error: OSError) -> bool:
    return isinstance(error, requests.RequestException | ConnectionError | TimeoutError)


def _among(host: str, known: tuple[str, ...]) -> bool:
    return any(host.endswith(one) if one.startswith(".") else host == one for one in known)
