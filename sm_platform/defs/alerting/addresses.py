"""Where alerts go, read from what a person wrote; a wrong address is refused by its variable.

What was written is never repeated in a message: it may hold a password or a token.
"""

import re
from dataclasses import dataclass, field
from urllib.parse import SplitResult, unquote, urlsplit

from sm_platform.errors import UsageError

WEBHOOK, EMAIL, SMTP = "SM_ALERT_WEBHOOK", "SM_ALERT_EMAIL", "SM_SMTP_URL"
THIS_MACHINE = {"localhost", "127.0.0.1", "::1"}
PORTS = {"smtp": 587, "smtps": 465}
"""Submission with STARTTLS, and with TLS from the start (RFC 8314)."""
MAIL_ADDRESS = re.compile(r"[^\s@,;<>\"]+@[^\s@,;<>\"]+")


@dataclass(frozen=True, slots=True)
class MailServer:
    """A server that takes mails; its password is left out when it is printed."""

    host: str
    port: int
    is_tls_from_start: bool
    user: str | None
    password: str | None = field(repr=False)

    @property
    def is_local(self) -> bool:
        """Whether it is this machine, to which nothing needs to be encrypted."""
        return self.host in THIS_MACHINE


@dataclass(frozen=True, slots=True)
class AlertSettings:
    """The channels that are configured; none is a legal choice."""

    webhook: str | None = field(repr=False)
    """Address; who knows it may post."""
    server: MailServer | None
    recipients: tuple[str, ...]
    """Mail addresses; none without a server."""

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of the channels, for people."""
        found = {"webhook": self.webhook, "e-mail": self.server}
        return tuple(name for name, address in found.items() if address)


def alert_addresses(webhook: str, email: str, smtp: str) -> AlertSettings:
    """The channels as the three variables name them, empty where they are not set.

    Raises:
        UsageError: naming the variable that is wrong, or is missing beside another.
    """
    if bool(email) != bool(smtp):
        there, missing = (EMAIL, SMTP) if email else (SMTP, EMAIL)
        raise UsageError(f"{there} is set without {missing}: set both for mails, or none.")
    return AlertSettings(
        webhook=_webhook(webhook) if webhook else None,
        server=_server(smtp) if smtp else None,
        recipients=_recipients(email) if email else (),
    )


def _webhook(text: str) -> str:
    address = _split(WEBHOOK, text)
    if "@" in address.netloc:
        raise UsageError(
            f"{WEBHOOK} has a user or password before its host (its value is not shown), which a "
            "webhook is not sent: write the secret in the path or the query, as chat services do."
        )
    is_safe = address.scheme == "https" or address.hostname in THIS_MACHINE
    if address.scheme not in ("http", "https") or not address.hostname or not is_safe:
        raise UsageError(
            f"{WEBHOOK} is no address that alerts can be posted to (its value is not shown): "
            "write https://..., plain http only to this machine."
        )
    return text


def _server(text: str) -> MailServer:
    address = _split(SMTP, text)
    if address.scheme not in PORTS or not address.hostname or address.path.strip("/"):
        raise UsageError(
            f"{SMTP} is no mail server (its value is not shown): write "
            "smtp://user:password@host:587 or smtps://user:password@host:465, signs in the "
            "password as %40 and the like."
        )
    return MailServer(
        address.hostname,
        address.port or PORTS[address.scheme],
        address.scheme == "smtps",
        unquote(address.username) if address.username else None,
        unquote(address.password) if address.password else None,
    )


def _recipients(text: str) -> tuple[str, ...]:
    found = tuple(one.strip() for one in text.split(","))
    if not all(MAIL_ADDRESS.fullmatch(one) and one.isascii() for one in found):
        raise UsageError(
            f"{EMAIL} is no mail address (its value is not shown): write name@example.org, "
            "several with commas."
        )
    return found


def _split(variable: str, text: str) -> SplitResult:
    """The parts of an address; raises UsageError when it has a gap, or a port that is none."""
    try:
        address = urlsplit(text)
        is_whole = address.port != 0 and text.isascii() and not re.search(r"\s", text)
    except ValueError:
        is_whole = False
    if not is_whole:
        raise UsageError(f"{variable} is no address (its value is not shown): write it anew.")
    return address
