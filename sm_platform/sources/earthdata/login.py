"""Earthdata Login: from a token, a user and password, or a netrc file to a Bearer token."""

import base64
import binascii
import json
import netrc as netrc_file
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests

from sm_platform.errors import DeniedError, PassingError
from sm_platform.sources.earthdata.answering import answering, patient
from sm_platform.sources.earthdata.collections import SERVICE
from sm_platform.sources.services import lacks_credentials

TOKEN_PATH = "/api/users/find_or_create_token"  # noqa: S105 - an address
"""Earthdata Login API: gives one of the user's two tokens, a new one when there is none."""
LOGIN_HOST = "urs.earthdata.nasa.gov"


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a person has: a token, or a user and password, or a file with them."""

    token: str | None = field(default=None, repr=False)
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    netrc: Path | None = None
    """A netrc file; its entry for the login host is used."""

    def pair(self, host: str) -> tuple[str, str] | None:
        """User and password; None when there are none."""
        if self.user and self.password:
            return self.user, self.password
        if self.netrc is None or not self.netrc.is_file():
            return None
        try:
            entry = netrc_file.netrc(self.netrc).hosts.get(host)
        except (netrc_file.NetrcParseError, OSError, UnicodeDecodeError):
            return None
        return (entry[0], entry[2]) if entry else None

    def secrets(self, host: str) -> list[str]:
        """Values that must not be told."""
        pair = self.pair(host)
        return [one for one in (self.token, *(pair[1:] if pair else ())) if one]


@dataclass(slots=True)
class Login:
    """The token that a user and password gave; asked for once, by whichever thread comes first."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    token: str | None = field(default=None, repr=False)

    def bearer(self, credentials: Credentials, host: str, patience_s: float) -> str:
        """A token that is not known to be expired.

        Raises:
            SourceError: there are no credentials.
            DeniedError: the token has expired, or user and password are wrong.
            PassingError: the login service does not answer.
        """
        token = credentials.token or self._own(credentials, host, patience_s)
        if _is_over(token):
            raise DeniedError(
                f"{SERVICE.title}: the token expired on {expiry(token):%Y-%m-%d %H:%M} UTC: make "
                f"a new one at {SERVICE.account} and set EARTHDATA_TOKEN."
            )
        return token

    def _own(self, credentials: Credentials, host: str, patience_s: float) -> str:
        with self.lock:
            if self.token is None or _is_over(self.token):
                self.token = _asked(credentials, host, patience_s)
            return self.token

    def forget(self) -> None:
        """After a refusal: the next one asks anew."""
        with self.lock:
            self.token = None


def expiry(token: str) -> datetime | None:
    """When a token ends, from its own text (JSON Web Token, `exp`); None when it does not say."""
    try:
        body = token.split(".")[1]
        told = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        return datetime.fromtimestamp(told["exp"], UTC)
    except (IndexError, binascii.Error, ValueError, KeyError, TypeError, OverflowError, OSError):
        return None


def _is_over(token: str) -> bool:
    ends = expiry(token)
    return ends is not None and ends <= datetime.now(UTC)


def _asked(credentials: Credentials, host: str, patience_s: float) -> str:
    """A token from the login service.

    The client earthaccess does the same, but reads the process' environment, keeps its state for
    the whole process and sends user and password only after a refusal.
    """
    pair = credentials.pair(host)
    if pair is None:
        raise lacks_credentials(SERVICE)
    secrets = credentials.secrets(host)
    with answering(SERVICE, "the login", secrets), requests.Session() as session:
        patient(session, patience_s)
        response = session.post(f"https://{host}{TOKEN_PATH}", auth=pair)
        response.raise_for_status()
        told: dict[str, Any] = response.json()
        token = told.get("access_token")
    if not isinstance(token, str) or not token:
        raise PassingError(f"{SERVICE.title}: the login gave no token: try again later.")
    return token
