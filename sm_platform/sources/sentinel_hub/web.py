"""How requests reach Sentinel Hub: the token, one try each, a deadline, refusals in words.

The requests themselves are formed by the client `sentinelhub` (3.12), which is handed this in the
place of its own download client. What its own does, read in its source: `SHConfig()` reads and
writes `~/.config/sentinelhub/config.toml` unless `use_defaults=True`; `sh_base_url` is overruled by
the `service_url` of the predefined collections, so these have to be derived anew; tokens are
fetched without any time-out, and over plain http only with OAUTHLIB_INSECURE_TRANSPORT; a 429 is
repeated without end unless `max_retries` is set, and then its `Retry-After` is lost; an entry in
`~/.netrc` takes the place of the token; redirects are followed anywhere; time-outs count per read.
Sentinel Hub tells `Retry-After` in milliseconds.
"""

import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sm_platform.errors import BudgetError, PassingError, SourceError
from sm_platform.sources.answers import MOVED, Answer, Ask, any_answer
from sm_platform.sources.services import (
    DENIED,
    TOO_MANY,
    Service,
    bare,
    refusal,
    retry_after_s,
    told_in,
)
from sm_platform.sources.transfer import Limits

USAGE_PAGE = "https://shapps.dataspace.copernicus.eu/dashboard"
SERVICE = Service(
    "sentinel_hub",
    "Copernicus Data Space (Sentinel Hub)",
    ("SH_CLIENT_ID", "SH_CLIENT_SECRET"),
    f"{USAGE_PAGE} (User settings, OAuth clients)",
)
LISTING = "*/*"
"""What the client itself asks the catalogue for: version 1.0.0 answers `application/geo+json` and
wants that `application/json` is not asked for (docs.sentinel-hub.com, catalog API, migration)."""
REFUSED_FROM = 400
UNAUTHORIZED = 401
EXPIRY_MARGIN_S = 30.0
LIFE_UNTOLD_S = 60.0
SPENT_WORDS = ("insufficient_processing_units", "insufficient processing units", "quota")
"""In a 403 of an account whose month is used up."""


@dataclass(slots=True)
class SentinelHubWeb:
    """One account's way to the service; used from several threads."""

    token_url: str
    client_id: str = field(repr=False)
    client_secret: str = field(repr=False)
    limits: Limits = field(default_factory=Limits)
    _token: str = field(default="", repr=False)
    _ends_at: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def get_json_dict(
        self,
        url: str,
        post_values: Mapping[str, Any] | None = None,
        **_: Any,  # noqa: ANN401 - the client says also which account; there is one only
    ) -> dict[str, Any]:
        """The JSON object at an address of the service, as the client's catalogue asks for it."""
        content = self.ask(url, post_values, "the listing", accept=LISTING)
        try:
            found = json.loads(content)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise self._no_json(content)
        return found

    def ask(self, url: str, body: Mapping[str, Any] | None, asked: str, *, accept: str) -> bytes:
        """The content at an address; with a body it is posted. A token that expired is renewed.

        It is counted in the thread that calls: one that waits for others counts for them.

        Raises:
            PassingError: no answer, too many requests, slower than the deadline.
            BudgetError: the account has no processing units left.
            SourceError: denied, gone, wrong, or led to another host.
        """
        status, content = 0, b""
        for _ in range(2):
            token = self.token()
            headers = {"Authorization": f"Bearer {token}", "Accept": accept}
            status, content = self._send(url, asked, headers, json_body=body)
            if status != UNAUTHORIZED:
                break
            self._forget(token)
        if status >= REFUSED_FROM:
            raise self._refusal(status, asked, content)
        return content

    def token(self) -> str:
        """A token that is good for the next while.

        Raises:
            DeniedError: id and secret of the client are not taken.
            PassingError: the log-in does not answer as it should.
        """
        with self._lock:
            if time.monotonic() >= self._ends_at:
                self._token, self._ends_at = self._fetch_token()
            return self._token

    def _forget(self, token: str) -> None:
        with self._lock:
            if self._token == token:
                self._ends_at = 0.0

    def _fetch_token(self) -> tuple[str, float]:
        form = {
            "grant_type": "client_credentials",
            "client_id": self.client_id,
            "client_secret": self.client_secret,
        }
        asked = "a token"
        status, content = self._send(self.token_url, asked, {"Accept": "application/json"}, form)
        if status in (REFUSED_FROM, *DENIED):
            raise refusal(SERVICE, UNAUTHORIZED, asked)
        if status >= REFUSED_FROM:
            raise self._refusal(status, asked, content)
        try:
            found = json.loads(content)
            life_s = float(found.get("expires_in", LIFE_UNTOLD_S))
            return str(found["access_token"]), time.monotonic() + life_s - EXPIRY_MARGIN_S
        except (ValueError, TypeError, KeyError, AttributeError):  # its text may hold the token
            raise self._no_json(content) from None

    def _send(
        self,
        url: str,
        asked: str,
        headers: Mapping[str, str],
        form: Mapping[str, str] | None = None,
        *,
        json_body: Mapping[str, Any] | None = None,
    ) -> tuple[int, bytes]:
        """Status and content of one request; raises PassingError where none came whole."""
        method = "GET" if form is None and json_body is None else "POST"
        ask = Ask(SERVICE, asked, url, headers, method=method, body=json_body, form=form)
        answer = any_answer(ask, self.limits)
        if answer.status in MOVED:
            where = bare(answer.headers.get("Location", ""))
            raise SourceError(
                f"{SERVICE.title}: {asked} leads to {where}, a host that is not known: refused. "
                "See that its addresses are right."
            )
        if answer.status == TOO_MANY:
            raise self._too_many(answer, asked)
        return answer.status, answer.content

    def _too_many(self, answer: Answer, asked: str) -> SourceError:
        """Milliseconds, unlike elsewhere; a wait of less than a second is rounded up to one."""
        told = retry_after_s(answer.headers.get("Retry-After"))
        wait_s = None if told is None else max(told / 1000, 1.0)
        return refusal(SERVICE, TOO_MANY, asked, retry_after_s=wait_s)

    def _refusal(self, status: int, asked: str, content: bytes) -> SourceError:
        said = content[:2000].decode("utf-8", "replace")
        if status in DENIED and any(word in said.lower() for word in SPENT_WORDS):
            return BudgetError(
                f"{SERVICE.title}: the account has no processing units or requests left for "
                f"{asked}: they come back on the first day of the next month; see {USAGE_PAGE}."
            )
        secrets = (self.client_secret, self._token)
        return refusal(SERVICE, status, asked, detail=told_in(said), secrets=secrets)

    def _no_json(self, content: bytes) -> PassingError:
        what = "a web page" if content.lstrip()[:1] == b"<" else "something else"
        return PassingError(
            f"{SERVICE.title} sent {what} in the place of JSON: try again; when that stays "
            "so, see that its addresses are right."
        )
