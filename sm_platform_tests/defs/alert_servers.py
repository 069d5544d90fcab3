"""A webhook and a mail server of one machine, real ones on loopback, that answer as they are told.

Both keep what they were given; an answer that is scripted is given once, then all is well.
"""

import json
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

HOST = "127.0.0.1"


@dataclass(slots=True)
class Chat:
    """A chat service with an incoming webhook."""

    port: int = 0
    answers: list[int] = field(default_factory=list)
    """HTTP codes of the next requests; then 200."""
    texts: list[str] = field(default_factory=list)
    """Of the messages that it took."""
    n_asked: int = 0

    @property
    def address(self) -> str:
        return f"http://{HOST}:{self.port}/services/T0/B0/s3cretPath"

    def handler(self) -> type[BaseHTTPRequestHandler]:
        chat = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                assert self.headers["Content-Type"].startswith("application/json")
                assert self.path == "/services/T0/B0/s3cretPath"
                chat.n_asked += 1
                code = chat.answers.pop(0) if chat.answers else 200
                if code == 200:
                    chat.texts.append(body["text"])
                self.send_response(code)
                if code == 302:
                    self.send_header("Location", "/login")
                self.end_headers()

            def do_GET(self) -> None:
                raise AssertionError("a message must not become a GET")

            def log_message(self, *_: object) -> None:
                """Nothing is printed."""

        return Handler


@dataclass(slots=True)
class PostOffice:
    """A mail server; `tls` with a certificate and key: from the start, or when asked for."""

    port: int = 0
    answers: dict[str, str] = field(default_factory=dict)
    """Reply to the next use of a command (MAIL, RCPT, DATA, AUTH)."""
    mails: list[bytes] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    certificate: Path | None = None
    is_tls_from_start: bool = False
    n_encrypted: int = 0

    @property
    def context(self) -> ssl.SSLContext:
        assert self.certificate is not None
        found = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        found.load_cert_chain(self.certificate)
        return found

    def handler(self) -> type[socketserver.StreamRequestHandler]:
        office = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                try:
                    _Session(office, self).run()
                except (OSError, ssl.SSLError):
                    """The other side left, or does not trust us."""

        return Handler


class _Session:
    """One connection, in the words of RFC 5321."""

    def __init__(self, office: PostOffice, handler: socketserver.StreamRequestHandler) -> None:
        self.office, self.socket = office, handler.request
        if office.is_tls_from_start:
            self._encrypt()
        self.file = self.socket.makefile("rb")

    def run(self) -> None:
        self._say("220 office")
        while line := self.file.readline().decode().strip():
            word = line.split()[0].upper()
            reply = self.office.answers.pop(word, None) or self._reply(word, line)
            self._say(reply)
            if word == "DATA" and reply.startswith("354"):
                self.office.mails.append(self._data())
                self._say("250 taken")
            elif word == "STARTTLS":
                self._encrypt()
                self.file = self.socket.makefile("rb")
            elif word == "QUIT":
                return

    def _reply(self, word: str, line: str) -> str:
        if word == "EHLO":
            offered = ["250-STARTTLS"] if self.office.certificate else []
            return "\r\n".join(["250-office", *offered, "250 AUTH PLAIN"])
        if word == "AUTH":
            self.office.logins.append(line.split()[-1])
            return "235 welcome"
        replies = {"DATA": "354 go on", "QUIT": "221 bye", "STARTTLS": "220 go on"}
        return replies.get(word, "250 well")

    def _data(self) -> bytes:
        lines = iter(self.file.readline, b".\r\n")
        return b"".join(lines)

    def _encrypt(self) -> None:
        self.socket = self.office.context.wrap_socket(self.socket, server_side=True)
        self.office.n_encrypted += 1

    def _say(self, text: str) -> None:
        self.socket.sendall(f"{text}\r\n".encode())


@contextmanager
def open_chat(chat: Chat) -> Iterator[Chat]:
    """The chat service on a free port."""
    with _serving(ThreadingHTTPServer((HOST, 0), chat.handler())) as chat.port:
        yield chat


@contextmanager
def open_office(office: PostOffice) -> Iterator[PostOffice]:
    """The mail server on a free port."""
    server = socketserver.ThreadingTCPServer((HOST, 0), office.handler())
    server.daemon_threads = True
    with _serving(server) as office.port:
        yield office


@contextmanager
def _serving(server: socketserver.TCPServer) -> Iterator[int]:
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield int(server.socket.getsockname()[1])
    finally:
        server.shutdown()
        server.server_close()
