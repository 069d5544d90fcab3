"""Sending a message by mail, encrypted unless the mail server is this very machine."""

import smtplib
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

from sm_platform.defs.alerting.addresses import MAIL_ADDRESS, SMTP, MailServer
from sm_platform.errors import PassingError, UsageError

PATIENCE_S = 5.0
"""For each answer of the server: a tick of a sensor has a minute for all it does."""
TEMPORARY = range(400, 500)
"""Replies of a server that may take the same mail later (RFC 5321, 4.2.1)."""


def mail(server: MailServer, recipients: Sequence[str], subject: str, text: str) -> None:
    """Hand a mail to the server; done when it took it for at least one recipient.

    Raises:
        PassingError: no answer, a broken connection, a refusal for now.
        UsageError: the server takes no mail of ours: wrong password, address or encryption.
    """
    message = EmailMessage()
    message["Subject"] = " ".join(subject.split())
    message["From"] = _sender(server, recipients)
    message["To"] = ", ".join(recipients)
    message["Date"] = formatdate()
    message["Message-ID"] = make_msgid(domain="sm-platform.invalid")
    message.set_content(text)
    with _explained(), _connected(server) as connection:
        connection.send_message(message)


@contextmanager
def _connected(server: MailServer) -> Iterator[smtplib.SMTP]:
    """A connection that is encrypted and logged in."""
    place = server.host, server.port
    if server.is_tls_from_start:
        context = ssl.create_default_context()
        connection: smtplib.SMTP = smtplib.SMTP_SSL(*place, timeout=PATIENCE_S, context=context)
    else:
        connection = smtplib.SMTP(*place, timeout=PATIENCE_S)
    with connection:
        if not server.is_tls_from_start and not server.is_local:
            connection.starttls(context=ssl.create_default_context())
        if server.user:
            connection.login(server.user, server.password or "")
        yield connection


@contextmanager
def _explained() -> Iterator[None]:
    """What may pass, and what a person must put right, told apart."""
    try:
        yield
    except (smtplib.SMTPNotSupportedError, ssl.SSLCertVerificationError) as error:
        raise UsageError(
            f"the mail server cannot encrypt or log in as asked ({error}): look at {SMTP}."
        ) from error
    except UnicodeError as error:  # a password with accents, an impossible host name
        raise UsageError(
            f"the mail server cannot be asked with that {SMTP}: write it anew."
        ) from error
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        raise _refusal(max(codes), "the recipients") from error
    except smtplib.SMTPResponseException as error:
        raise _refusal(error.smtp_code, _said(error.smtp_error)) from error
    except (smtplib.SMTPException, OSError) as error:
        raise PassingError(
            f"the mail server cannot be reached ({error}): it is tried again."
        ) from error


def _refusal(code: int, told: str) -> PassingError | UsageError:
    if code in TEMPORARY:
        return PassingError(f"the mail server refused for now ({code}: {told}): it is tried again.")
    return UsageError(f"the mail server refused ({code}: {told}): look at {SMTP}.")


def _said(answer: bytes | str) -> str:
    text = answer.decode(errors="replace") if isinstance(answer, bytes) else answer
    return " ".join(text.split())


def _sender(server: MailServer, recipients: Sequence[str]) -> str:
    """The account of the server; where it is none of mail, who gets it, as nobody else answers."""
    is_address = server.user is not None and MAIL_ADDRESS.fullmatch(server.user)
    return server.user if server.user and is_address else recipients[0]
