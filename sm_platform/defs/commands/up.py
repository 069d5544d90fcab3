"""`sm-platform up`: web server and exactly one daemon on loopback."""

import fcntl
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import IO

from sm_platform.defs.instance import home_explained, open_instance
from sm_platform.defs.resources import CHECKOUT, environment
from sm_platform.defs.talk import Say
from sm_platform.errors import DataError, UsageError

HOST = "127.0.0.1"
STOP_SECONDS = 10
HIGHEST_PORT = 65535


@home_explained()
def up_command(port: int, say: Say) -> None:
    """Start both and wait; when one ends or Ctrl-C comes, both end."""
    home = Path(open_instance().root_directory)
    lock = _only_one(home)
    _check_free(port)
    workspace = ["-w", str(CHECKOUT / "workspace.yaml")]
    server = ["dagster_webserver", "-h", HOST, "-p", str(port), *workspace]
    daemon = ["dagster._daemon", "run", *workspace]
    signal.signal(signal.SIGTERM, _interrupt)
    both = [_start(server), _start(daemon)]
    say(f"UI on http://{HOST}:{port} - Ctrl-C ends it")
    try:
        while all(one.poll() is None for one in both):
            time.sleep(0.5)
        raise DataError("The UI or its daemon has ended by itself: its messages are above.")
    except KeyboardInterrupt:
        say("Stopping.")
    finally:
        _stop(both)
        lock.close()


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _start(module: list[str]) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", *module]
    return subprocess.Popen(command, env=environment(), cwd=CHECKOUT)  # noqa: S603


def _stop(processes: list[subprocess.Popen[bytes]]) -> None:
    for one in processes:
        one.send_signal(signal.SIGINT)
    for one in processes:
        try:
            one.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            one.kill()


def _only_one(home: Path) -> IO[str]:
    """Hold the lock that says a daemon runs on this home; raises UsageError when one does."""
    lock = (home / "up.lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise UsageError(f"A daemon already runs on {home}: end it first.") from error
    return lock


def _check_free(port: int) -> None:
    if not 1 <= port <= HIGHEST_PORT:
        raise UsageError(f"There is no port {port}: choose 1 to {HIGHEST_PORT} with --port.")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise UsageError(f"Port {port} is taken: choose another with --port.") from error
