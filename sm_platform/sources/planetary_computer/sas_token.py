"""Signatures with which files of the Planetary Computer may be read: asked for, kept, renewed.

https://planetarycomputer.microsoft.com/docs/concepts/sas: GET {url}/{collection} answers with a
query and its expiry; a subscription key, where there is one, allows more requests.
"""

import json
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sm_platform.errors import PassingError
from sm_platform.sources.answers import Ask, one_answer
from sm_platform.sources.services import Service
from sm_platform.sources.transfer import Limits

KEY_HEADER = "Ocp-Apim-Subscription-Key"
EARLY = timedelta(minutes=16)
"""Renewed so long before it expires: a window takes up to 15 minutes."""
SMALL = Limits(read_s=30.0, deadline_s=60.0, largest_bytes=1 << 16)


@dataclass(frozen=True, slots=True)
class _Token:
    query: str = field(repr=False)
    expires_utc: datetime


@dataclass(slots=True)
class SasTokens:
    """The tokens of all collections; safe to share among threads."""

    service: Service
    url: str
    """Without the collection, no slash at the end."""
    subscription_key: str | None = field(default=None, repr=False)
    _held: dict[str, _Token] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def token(self, collection: str) -> str:
        """The query that opens files of a collection; never to be told.

        Raises:
            PassingError: no answer, too many requests, or something that is no token; denied.
            SourceError: no such collection.
        """
        with self._lock:  # others wait for the one that asks
            held = self._held.get(collection)
            if held is None or held.expires_utc - datetime.now(UTC) < EARLY:
                held = self._held[collection] = self._ask(collection)
            return held.query

    def forget(self, query: str) -> None:
        """Ask anew the next time: the service did not take this token."""
        with self._lock:
            self._held = {name: one for name, one in self._held.items() if one.query != query}

    def _ask(self, collection: str) -> _Token:
        key = self.subscription_key or ""
        headers = {KEY_HEADER: key} if key else {}
        asked = f"the token for {collection}"
        ask = Ask(self.service, asked, f"{self.url}/{collection}", headers, secret=key)
        text = one_answer(ask, SMALL).text
        try:
            told = json.loads(text)
            query, expires = str(told["token"]), datetime.fromisoformat(told["msft:expiry"])
            return _Token(query.removeprefix("?"), expires.astimezone(UTC))
        except (ValueError, KeyError, TypeError):
            pass  # raised below: the text may hold a token
        raise PassingError(
            f"{self.service.title} sent something else than {asked}: try again later."
        )
