"""A service over the network: what it is called, what it needs, and its refusals in words."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit, urlunsplit

from sm_platform.errors import DeniedError, PassingError, SourceError
from sm_platform.sources.masking import masked

TOO_MANY = 429
SERVER_ERRORS = frozenset(range(500, 600)) - {501, 505}
"""Those of proxies and caches before a service among them."""
PASSING = frozenset({408, 425, TOO_MANY}) | SERVER_ERRORS
"""Status codes after which the same request may succeed."""
DENIED = frozenset({401, 403})
GONE = frozenset({404, 410})
MOST_DETAIL = 200


@dataclass(frozen=True, slots=True)
class Service:
    """One provider as a person knows it."""

    service_id: str
    """As in the configuration, for example `earthdata`."""
    title: str
    """As its users call it, for example `NASA Earthdata`."""
    variables: tuple[str, ...] = ()
    """Environment variables that hold its credentials; none: it needs no account."""
    account: str = ""
    """Where to get an account or key, and what else is to be done there once."""


def lacks_credentials(service: Service) -> DeniedError:
    """What to say when none of a service's variables is set."""
    return DeniedError(
        f"{service.title}: no credentials, {' or '.join(service.variables)} is not set: get them "
        f"at {service.account}, then set the variable and try again."
    )


def refusal(
    service: Service,
    status: int,
    asked: str,
    *,
    detail: str = "",
    retry_after_s: float | None = None,
    secrets: Iterable[str] = (),
) -> SourceError:
    """The error for an answer that is none, by its HTTP status.

    Args:
        service: who answered.
        status: HTTP status, 400 or higher.
        asked: what was asked for, without secrets: a granule id, "the listing".
        detail: what the service said; cut, and secrets are blotted out.
        retry_after_s: what its `Retry-After` says.
        secrets: values that must not be told.
    """
    said = _said(detail, secrets)
    if status in PASSING:
        return PassingError(_passing(service, status, asked, said, retry_after_s), retry_after_s)
    if status in DENIED:
        names = " or ".join(service.variables) or "no account"
        return DeniedError(
            f"{service.title} denied {asked} ({status}{said}): see that {names} is right and not "
            f"expired, and that the terms are accepted; {service.account or 'see its page'}."
        )
    if status in GONE:
        return SourceError(
            f"{service.title}: {asked} is not there (any more) ({status}{said}): list the granules "
            "again."
        )
    return SourceError(f"{service.title} refused {asked} ({status}{said}): see what it says.")


def unanswered(service: Service, how: str, asked: str, *, at: str, status: str) -> PassingError:
    """What to say when no answer came, or none that can be read.

    Args:
        service: the one that was asked.
        how: for example `broke off`.
        asked: what was asked for.
        at: address that was asked.
        status: page that tells of the service's outages.
    """
    return PassingError(
        f"{service.title} {how} at {asked} ({bare(at)}): try again later; when that stays so, see "
        f"{status} and whether the network lets requests through to it."
    )


def blotted(text: str, secrets: Iterable[str] = ()) -> str:
    """The text without the secrets, and without what looks like one."""
    return masked(text, secrets)


def told_in(said: str) -> str:
    """The message in the JSON of an error, as Google and Sentinel Hub write it; else the text."""
    try:
        return str(json.loads(said)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return said


def bare(href: str) -> str:
    """An address without user, query and fragment: what may be told of it."""
    parts = urlsplit(href)
    host = parts.hostname or ""
    host = f"{host}:{parts.port}" if parts.port else host
    return urlunsplit((parts.scheme, host, parts.path, "", ""))


def retry_after_s(value: str | None, now: datetime | None = None) -> float | None:
    """Seconds of a `Retry-After` header (a number or a date); None when it says nothing."""
    if not value:
        return None
    if value.strip().isdecimal():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    if moment.tzinfo is None:  # written as -0000
        moment = moment.replace(tzinfo=UTC)
    return max((moment - (now or datetime.now(UTC))).total_seconds(), 0.0)


def _passing(
    service: Service, status: int, asked: str, said: str, retry_after_s: float | None
) -> str:
    when = f"in {retry_after_s:.0f} s" if retry_after_s else "later"
    if status == TOO_MANY:
        return (
            f"{service.title} has had too many requests or its quota is used up, at {asked} "
            f"(429{said}): try again {when}."
        )
    return f"{service.title} did not answer as it should at {asked} ({status}{said}): try {when}."


def _said(detail: str, secrets: Iterable[str]) -> str:
    plain = " ".join(re.sub(r"<[^>]*>", " ", blotted(detail, secrets)).split())[:MOST_DETAIL]
    return f": {plain}" if plain else ""
