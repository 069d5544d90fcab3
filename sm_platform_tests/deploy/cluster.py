"""A PostgreSQL cluster of a test: made in a temporary folder, reached through its socket alone."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

DEBIAN = Path("/usr/lib/postgresql")
SERVER_USER = "postgres"
SETTINGS = "listen_addresses = ''\nfsync = off\nunix_socket_directories = '{folder}'\n"


@dataclass(frozen=True, slots=True)
class Cluster:
    """A running server and the folder that holds its data and socket."""

    binaries: Path
    folder: Path

    @property
    def url(self) -> str:
        """The address as SM_POSTGRES_URL takes it."""
        return f"postgresql+psycopg2://{SERVER_USER}@/postgres?host={self.folder}"

    def control(self, *words: str) -> None:
        """Tell the server to `start`, `restart` or `stop`; comes back when that is done."""
        log = self.folder / "log"
        command = [self.binaries / "pg_ctl", "-D", self.folder / "data", "-l", log, "-w", *words]
        subprocess.run(command, check=True, capture_output=True, **_as_server_user())


@contextmanager
def running_cluster() -> Iterator[Cluster]:
    """A new cluster; skips, saying so, where PostgreSQL is not installed."""
    binaries = _binaries()
    folder = Path(tempfile.mkdtemp(prefix="smpg-"))  # pytest's is closed to the server's user
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, SERVER_USER)
        initdb = [binaries / "initdb", "-D", folder / "data", "-U", SERVER_USER, "-A", "trust"]
        words = [*initdb, "--no-sync", "--no-instructions"]
        subprocess.run(words, check=True, capture_output=True, **_as_server_user())
        with (folder / "data" / "postgresql.conf").open("a") as config:
            config.write(SETTINGS.format(folder=folder))
        cluster = Cluster(binaries, folder)
        cluster.control("start")
        try:
            yield cluster
        finally:
            cluster.control("-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _binaries() -> Path:
    found = sorted(DEBIAN.glob("*/bin/initdb")) or [Path(shutil.which("initdb") or "/none")]
    if not found[-1].exists():
        pytest.skip("no PostgreSQL on this machine: apt-get install postgresql")
    if os.geteuid() == 0:
        _skip_without_user()
    return found[-1].resolve().parent


def _skip_without_user() -> None:
    try:
        pwd.getpwnam(SERVER_USER)
    except KeyError:
        pytest.skip(f"PostgreSQL refuses to run as root, and there is no user {SERVER_USER}")


def _as_server_user() -> dict[str, str]:
    return {"user": SERVER_USER, "cwd": "/"} if os.geteuid() == 0 else {}
