"""`sm-platform up`: web server and exactly one daemon on loopback, kept running."""

import signal
import socket
import time
from pathlib import Path

from sm_platform.defs.instance import home_explained, open_instance
from sm_platform.defs.resources import check_environment
from sm_platform.defs.serving import keeping, parts, pools
from sm_platform.defs.serving.up_lock import hold
from sm_platform.defs.talk import Say
from sm_platform.errors import UsageError

HIGHEST_PORT = 65535


@home_explained()
def up_command(port: int, say: Say, *, is_read_only: bool = False) -> None:
    """Start all and wait; they end together, with Ctrl-C or when one ends again and again."""
    check_environment()
    _check_port(port)
    limits = pools.wanted_limits()
    with open_instance() as instance:
        home = Path(instance.root_directory)
        lock = hold(home)
        _check_free(port)
        pools.set_limits(instance, limits)
    for number in (signal.SIGINT, signal.SIGTERM):  # SIGINT is ignored when started with "&"
        signal.signal(number, _interrupt)
    with lock, parts.code_place(home) as place:
        server = parts.web_server(place, port, is_read_only=is_read_only)
        all_parts = (parts.code_server(place), server, parts.daemon(place))
        group = keeping.guarded_group(lock.fileno(), all_parts)
        try:
            _keep(group, f"UI on http://{parts.HOST}:{port}{' (read-only)' * is_read_only}", say)
        except KeyboardInterrupt:
            say("Stopping.")
        finally:
            keeping.stop(group)


def _keep(group: keeping.Group, where: str, say: Say) -> None:
    while not group.is_up:
        keeping.watch(group, say)
        time.sleep(keeping.POLL_SECONDS)
    say(f"{where} - Ctrl-C ends it")
    while True:
        keeping.watch(group, say)
        time.sleep(keeping.POLL_SECONDS)


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _check_port(port: int) -> None:
    if not 1 <= port <= HIGHEST_PORT:
        raise UsageError(f"There is no port {port}: choose 1 to {HIGHEST_PORT} with --port.")


def _check_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((parts.HOST, port))
        except OSError as error:
            raise UsageError(f"Port {port} is taken: choose another with --port.") from error
