"""A platform behind `sm-platform up` for the browser: what it holds is told by `ui_story`."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

import pytest

CHECKOUT = Path(__file__).resolve().parents[1]
START_S = 90
FOLDERS = {"SM_DATA_LAKE": "lake", "SM_MODELS": "models", "DAGSTER_HOME": "home"}
SETTINGS = {
    "SM_FIRST_DAY": "2024-12-18",
    "SM_MIN_LOOKBACK_SHARE": "0.02",
    "SM_AUTOMATION": "off",  # no run but those that are asked for here
    "SM_MEMORY_STEPS": "2",
}


@dataclass(frozen=True, slots=True)
class Platform:
    """A running `sm-platform up`."""

    address: str
    process: subprocess.Popen[bytes]
    story: subprocess.Popen[bytes]

    def hear_story(self) -> None:
        """Wait until everything is in the lake."""
        assert self.story.wait() == 0

    def let_daemon_look(self) -> None:
        """Kill the daemon: it looks after backfills when it is started again, else each 30 s."""
        for stat in Path("/proc").glob("[0-9]*/stat"):
            if _is_daemon_of(self.process.pid, stat.parent):
                os.kill(int(stat.parent.name), signal.SIGKILL)


@contextmanager
def running_platform(root: Path, region: str, damaged: str) -> Iterator[Platform]:
    """The platform while a region is mapped and labelled for it, everything below `root`.

    The file of the day `damaged` cannot be read.
    """
    folders = {name: str(root / folder) for name, folder in FOLDERS.items()}
    env = {**os.environ, **folders, **SETTINGS}
    port = _free_port()
    up = [sys.executable, "-m", "sm_platform.cli", "up", "--port", str(port)]
    tell = [sys.executable, "-m", "sm_platform_tests.ui_story", str(root), region, damaged]
    server = subprocess.Popen(up, env=env, cwd=CHECKOUT)
    story = subprocess.Popen(tell, env=env, cwd=CHECKOUT)
    try:
        _wait_for(f"http://127.0.0.1:{port}/server_info")
        yield Platform(f"http://127.0.0.1:{port}", server, story)
    finally:
        story.wait()
        server.send_signal(signal.SIGINT)
        server.wait(30)


def _is_daemon_of(parent: int, process: Path) -> bool:
    """Whether a process, as a folder of /proc, is the daemon that `parent` has started."""
    try:
        words = (process / "cmdline").read_bytes().split(b"\0")
        started_by = int((process / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:  # it has just ended
        return False
    return started_by == parent and b"dagster._daemon" in words


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(url: str) -> None:
    # Without the proxies that were set when this process first asked for anything.
    direct, until = build_opener(ProxyHandler({})), time.monotonic() + START_S
    while time.monotonic() < until:
        try:
            with direct.open(url, timeout=5):
                return
        except (URLError, OSError):
            time.sleep(0.5)
    pytest.fail(f"{url} did not answer within {START_S} s")
