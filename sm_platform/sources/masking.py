"""Taking secrets out of texts before they are stored or sent.

Two ways, each for what the other misses: values that the environment is known to hold, and
whatever looks like a credential. Ids of granules, maps, runs and hashes stay readable.
"""

import re
from collections.abc import Iterable
from contextlib import suppress
from urllib.parse import unquote, urlsplit

MASK = "***"
SHORTEST = 4
"""Characters; a shorter value would take ordinary words along."""
LONGEST = 5000
"""Characters that are looked at; what is told is far shorter."""

IN_ADDRESS = r"(\b[a-z][a-z0-9+.-]*://)[^\s/@'\"<>]+@"
"""User and password, or a token, before the host."""
WEBHOOK_HOST = r"(https?://[^\s/'\"]*(?:hooks?\.|webhook|discord)[^\s/'\"]*/)[^\s'\"<>]+"
WEBHOOK_PATH = r"(/(?:hooks|webhooks?)/)[^\s'\"<>]+"
"""Who has the address of an incoming webhook may post."""
SCHEME = r"(\b(?:bearer|basic)\s+)[\w.~+/=-]{6,}"
"""Of an Authorization header."""
NAMED = (
    r"((?:passw(?:or)?d|passwd|pwd|secret|token|api[_-]?key|access[_-]?key|signature|credential"
    r"|[?&]sig)[\w.-]*['\"]?\s*[=:]\s*)(?:'[^']*'|\"[^\"]*\"|[^\s&,;'\")}]+)"
)
"""password=..., "token": "...", &X-Amz-Signature=..."""
KNOWN_START = r"()\b(?:gh[pousr]_|github_pat_|xox[a-z]-|AKIA|AIza|PLAK|eyJ)[\w.-]{10,}"
"""Tokens of GitHub, Slack, AWS, Google, Planet; signed tokens."""
RANDOM = r"()(?<![\w-])(?=\w*?[a-z])(?=\w*?[A-Z])(?=\w*?\d)[A-Za-z0-9]{32,}(?![\w-])"
"""A long word of capitals, small letters and digits, without a sign in it."""
_ANY_CASE = (IN_ADDRESS, WEBHOOK_HOST, WEBHOOK_PATH, SCHEME, NAMED)
LOOKS = (
    *(re.compile(pattern, re.IGNORECASE) for pattern in _ANY_CASE),
    *(re.compile(pattern) for pattern in (KNOWN_START, RANDOM)),
)


def masked(text: str, secrets: Iterable[str]) -> str:
    """The text with known secrets, and what looks like one, as stars; cut after LONGEST.

    Args:
        text: of an alert, or what a channel said.
        secrets: values of variables that must not be told; the parts of an address count as well.
    """
    text = text[:LONGEST]
    parts = {part for secret in secrets for part in _parts(secret)}
    for part in sorted(parts, key=len, reverse=True):  # a whole before what it is made of
        text = text.replace(part, MASK)
    for pattern in LOOKS:
        text = pattern.sub(rf"\g<1>{MASK}", text)
    return text


def _parts(secret: str) -> set[str]:
    """The value, with its password and path where it is an address, as written and as meant."""
    found = {secret, *secret.split(",")}
    with suppress(ValueError):  # no address
        address = urlsplit(secret)
        found |= {address.password or "", address.path.strip("/"), address.query}
    found |= {unquote(part) for part in found}
    return {part.strip() for part in found if len(part.strip()) >= SHORTEST}
