"""Webhook and mail against real servers on loopback: format, retry, encryption, refusals."""

import base64
import shutil
import socket
import subprocess
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from sm_platform.defs.alerting import delivery
from sm_platform.defs.alerting.addresses import AlertSettings, MailServer, alert_addresses
from sm_platform.defs.alerting.delivery import Channel, channels_of, send
from sm_platform.defs.alerting.mail import mail
from sm_platform.defs.alerting.webhook import post
from sm_platform.errors import PassingError, UsageError
from sm_platform_tests.defs.alert_servers import HOST, Chat, PostOffice, open_office

WHO = ("ops@example.vn", "lan@example.vn")
OUTSIDE = "LOCALHOST"
"""This machine by a name that is not known for it: to the code a server elsewhere."""


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "WAIT_S", 0.01)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of `localhost` with its key, signed by itself."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl on this machine to make a certificate")
    path = tmp_path_factory.mktemp("certificate") / "both.pem"
    words = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    names = [
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=localhost",
        "-addext",
        "subjectAltName=DNS:localhost",
    ]
    files = ["-keyout", str(path), "-out", str(path.with_suffix(".crt"))]
    subprocess.run(["openssl", *words, *names, *files], check=True, capture_output=True)
    path.write_text(path.read_text() + path.with_suffix(".crt").read_text())
    return path


def closed_port() -> int:
    with socket.socket() as found:
        found.bind((HOST, 0))
        return int(found.getsockname()[1])


def read(content: bytes) -> EmailMessage:
    found = message_from_bytes(content, policy=policy.default)
    assert isinstance(found, EmailMessage)
    return found


def at(office: PostOffice, host: str = HOST, user: str | None = None) -> MailServer:
    return MailServer(host, office.port, office.is_tls_from_start, user, "p w" if user else None)


def test_a_webhook_gets_json_with_the_text(chat: Chat) -> None:
    post(chat.address, "đất ẩm: 13 days\n<!channel>")
    assert chat.texts == ["đất ẩm: 13 days\n< !channel>"], "it must not ring all"


@pytest.mark.parametrize("code", [408, 429, 500, 503])
def test_what_passes_is_tried_once_more(code: int, chat: Chat) -> None:
    chat.answers = [code]
    (channel,) = channels_of(AlertSettings(chat.address, None, ()))
    assert send(channel, "dry", "farm").problem is None
    assert chat.texts == ["[sm-platform] dry\nfarm"]
    assert chat.n_asked == 2


@pytest.mark.parametrize("code", [302, 307, 400, 403, 404, 410])
def test_a_wrong_address_is_not_tried_again_and_names_its_variable(code: int, chat: Chat) -> None:
    chat.answers = [code] * 3
    (channel,) = channels_of(AlertSettings(chat.address, None, ()))
    outcome = send(channel, "dry", "farm")
    assert f"answered {code}" in str(outcome.problem)
    assert "SM_ALERT_WEBHOOK" in str(outcome.problem)
    assert chat.n_asked == 1


def test_a_service_that_stays_down_is_told_after_two_tries(chat: Chat) -> None:
    chat.answers = [503] * 9
    (channel,) = channels_of(AlertSettings(chat.address, None, ()))
    assert "503" in str(send(channel, "dry", "farm").problem)
    assert chat.n_asked == delivery.TRIES


def test_nobody_listening_is_passing() -> None:
    port = closed_port()
    with pytest.raises(PassingError, match="webhook cannot be reached"):
        post(f"http://{HOST}:{port}/x", "text")
    with pytest.raises(PassingError, match="mail server cannot be reached"):
        mail(MailServer(HOST, port, False, None, None), WHO, "dry", "text")


def test_a_server_that_says_nothing_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("webhook", "mail"):
        monkeypatch.setattr(f"sm_platform.defs.alerting.{module}.PATIENCE_S", 0.05)
    with socket.create_server((HOST, 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(PassingError, match="timed out"):
            post(f"http://{HOST}:{port}/x", "text")
        with pytest.raises(PassingError, match="timed out"):
            mail(MailServer(HOST, port, False, None, None), WHO, "dry", "text")


def test_a_mail_has_subject_text_sender_and_all_recipients(office: PostOffice) -> None:
    mail(at(office), WHO, "farm:\r\nBcc: all@example.vn", "đất ẩm\nnext")
    (found,) = map(read, office.mails)
    assert found["Subject"] == "farm: Bcc: all@example.vn", "no header comes from a subject"
    assert found["Bcc"] is None
    assert found["To"] == ", ".join(WHO)
    assert found["From"] == WHO[0]
    assert found.get_content().splitlines() == ["đất ẩm", "next"]


def test_a_mail_is_from_the_account_of_the_server(office: PostOffice) -> None:
    mail(at(office, user="soil@example.vn"), WHO, "dry", "text")
    assert read(office.mails[0])["From"] == "soil@example.vn"
    assert base64.b64decode(office.logins[0]) == b"\0soil@example.vn\0p w"


@pytest.mark.parametrize(
    ("command", "reply", "error"),
    [
        ("MAIL", "451 later", PassingError),
        ("DATA", "452 no room", PassingError),
        ("RCPT", "550 unknown", None),
        ("MAIL", "550 not you", UsageError),
        ("AUTH", "535 wrong password", UsageError),
    ],
)
def test_a_refusal_of_the_mail_server(
    command: str, reply: str, error: type[Exception] | None, office: PostOffice
) -> None:
    office.answers[command] = reply
    server = at(office, user="soil@example.vn")
    if error is None:  # the other recipient has it
        mail(server, WHO, "dry", "text")
        assert len(office.mails) == 1
        return
    with pytest.raises(error, match=reply.split()[0]):
        mail(server, WHO, "dry", "text")
    assert office.mails == []


def test_a_mail_that_no_recipient_can_get_is_refused(office: PostOffice) -> None:
    office.answers["RCPT"] = "550 unknown"
    with pytest.raises(UsageError, match="550"):
        mail(at(office), WHO[:1], "dry", "text")


def test_a_server_elsewhere_without_encryption_gets_no_password(office: PostOffice) -> None:
    with pytest.raises(UsageError, match="SM_SMTP_URL"):
        mail(at(office, OUTSIDE, "soil@example.vn"), WHO, "dry", "text")
    assert (office.mails, office.logins) == ([], [])


@pytest.mark.parametrize("is_tls_from_start", [True, False])
def test_a_trusted_server_is_talked_to_in_secret_and_another_not_at_all(
    is_tls_from_start: bool, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = PostOffice(certificate=certificate, is_tls_from_start=is_tls_from_start)
    with open_office(made) as office:
        server = at(office, OUTSIDE, "soil@example.vn")
        with pytest.raises(UsageError, match="certificate verify failed"):
            mail(server, WHO, "dry", "text")
        assert (office.mails, office.logins) == ([], [])
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate.with_suffix(".crt")))
        mail(server, WHO, "dry", "text")
        assert office.n_encrypted == 1
        assert len(office.mails) == len(office.logins) == 1


@pytest.mark.parametrize(
    ("webhook", "email", "smtp", "named"),
    [
        ("http://chat.example.vn/x", "", "", "SM_ALERT_WEBHOOK"),
        ("ftp://localhost/x", "", "", "SM_ALERT_WEBHOOK"),
        ("https:///x", "", "", "SM_ALERT_WEBHOOK"),
        ("hooks.example.vn/x", "", "", "SM_ALERT_WEBHOOK"),
        ("https://a b/x", "", "", "SM_ALERT_WEBHOOK"),
        ("https://a:99999/x", "", "", "SM_ALERT_WEBHOOK"),
        ("https://[a/x", "", "", "SM_ALERT_WEBHOOK"),
        ("https://bot:s3cret@a.vn/x", "", "", "SM_ALERT_WEBHOOK has a user or password"),
        ("https://s3cret@a.vn/x", "", "", "write the secret in the path or the query"),
        ("", "ops", "smtp://localhost", "SM_ALERT_EMAIL"),
        ("", "ops@a.vn,", "smtp://localhost", "SM_ALERT_EMAIL"),
        ("", "a@b\r\nBcc: c@d", "smtp://localhost", "SM_ALERT_EMAIL"),
        ("", "ops@a.vn", "", "without SM_SMTP_URL"),
        ("", "", "smtp://localhost", "without SM_ALERT_EMAIL"),
        ("", "ops@a.vn", "http://a", "SM_SMTP_URL"),
        ("", "ops@a.vn", "smtp://u:p/w@a", "SM_SMTP_URL"),
        ("", "ops@a.vn", "smtp://u:pw@a:port", "SM_SMTP_URL"),
        ("", "ops@a.vn", "mail.a.vn:25", "SM_SMTP_URL"),
    ],
)
def test_a_wrong_address_is_refused_by_its_variable_and_not_repeated(
    webhook: str, email: str, smtp: str, named: str
) -> None:
    with pytest.raises(UsageError, match=named) as refused:
        alert_addresses(webhook, email, smtp)
    written = next(text for text in (webhook, smtp, email) if text)
    assert written not in str(refused.value)
    assert "s3cret" not in str(refused.value)


def test_addresses_are_read_with_their_defaults() -> None:
    found = alert_addresses("https://a.vn/x", "a@b.vn, c@d.vn", "smtps://u%40b.vn:p%2Fw@c.vn")
    assert found.server == MailServer("c.vn", 465, True, "u@b.vn", "p/w")
    assert found.recipients == ("a@b.vn", "c@d.vn")
    assert found.channels == ("webhook", "e-mail")
    assert "p/w" not in repr(found)
    assert "a.vn/x" not in repr(found)
    nothing = alert_addresses("", "", "")
    assert (nothing.channels, channels_of(nothing)) == ((), [])
    local = alert_addresses("http://localhost:1/x", "a@b.vn", "smtp://localhost:25").server
    assert local == MailServer("localhost", 25, False, None, None)


def test_a_fault_that_is_none_of_ours_is_not_hidden() -> None:
    def broken(subject: str, text: str) -> None:
        raise KeyError(subject + text)

    with pytest.raises(KeyError):
        send(Channel("broken", "posted_utc", broken), "a", "b")
