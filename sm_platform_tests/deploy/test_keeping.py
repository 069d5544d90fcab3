"""Processes that are kept: started again, held, given up, and none of them left over."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sm_platform.defs.serving import keeping, parts
from sm_platform.defs.serving.keeping import Group, Part
from sm_platform.errors import DataError
from sm_platform_tests.desk import CHECKOUT

PATIENCE_S = 20.0
OWNER = """
import sys, time
from sm_platform.defs.serving import keeping
from sm_platform_tests.deploy.test_keeping import sleeper, watched
with open(sys.argv[1], "w") as lock:
    group = keeping.guarded_group(lock.fileno(), (sleeper("one"), sleeper("two")))
    watched(group, lambda: group.is_up)
    print(*(kept.process.pid for kept in group.kept.values()), flush=True)
    time.sleep(60)
"""


def python(
    name: str, text: str, needs: str = "", is_ready: Callable[[], bool] | None = None
) -> Part:
    """A part that runs a line of Python."""
    words = ("timeit", "-n1", "-r1", text)
    return Part(name, words, is_ready or (lambda: True), needs)


def sleeper(name: str, needs: str = "") -> Part:
    return python(name, "import time; time.sleep(60)", needs)


def watched(group: Group, what: Callable[[], object], say: Callable[[str], None] = print) -> None:
    until = time.monotonic() + PATIENCE_S
    while not what():
        assert time.monotonic() < until
        keeping.watch(group, say)
        time.sleep(0.02)


@pytest.fixture
def grouped(tmp_path: Path) -> Iterator[Callable[..., Group]]:
    made: list[Group] = []
    with (tmp_path / "lock").open("w") as lock:

        def make(*parts: Part) -> Group:
            made.append(keeping.guarded_group(lock.fileno(), parts))
            return made[-1]

        yield make
        for group in made:
            keeping.stop(group)


def pid(group: Group, name: str) -> int:
    process = group.kept[name].process
    assert process is not None
    return process.pid


def state(number: int) -> str:
    """The kernel's letter for what a process does; empty when it is gone."""
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return ""


def test_what_is_killed_is_started_again(grouped: Callable[..., Group]) -> None:
    group, said = grouped(sleeper("daemon")), []
    watched(group, lambda: group.is_up)
    first = pid(group, "daemon")
    os.kill(first, signal.SIGKILL)
    watched(group, lambda: group.is_up and pid(group, "daemon") != first, said.append)
    assert said == ["The daemon has ended (signal 9) and is started again."]


def test_what_ends_again_and_again_is_given_up(
    grouped: Callable[..., Group], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "FIRST_DELAY_SECONDS", 0.01)
    group = grouped(python("daemon", "import os; os._exit(3)"))
    with pytest.raises(DataError, match=r"daemon has ended 5 times .* \(exit code 3\).*doctor"):
        watched(group, lambda: False)


def test_what_does_not_answer_is_given_up(
    grouped: Callable[..., Group], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "READY_SECONDS", 0.2)
    group = grouped(python("code server", "import time; time.sleep(60)", is_ready=lambda: False))
    with pytest.raises(DataError, match="code server has not answered"):
        watched(group, lambda: False)


def test_what_needs_another_waits_for_it_and_is_held_while_it_is_away(
    grouped: Callable[..., Group], tmp_path: Path
) -> None:
    ready = tmp_path / "ready"
    first = python("code", "import time; time.sleep(60)", is_ready=ready.exists)
    group = grouped(first, sleeper("daemon", needs="code"))
    watched(group, lambda: group.kept["code"].process)
    keeping.watch(group, print)
    assert group.kept["daemon"].process is None
    ready.touch()
    watched(group, lambda: group.is_up)
    daemon = pid(group, "daemon")
    ready.unlink()
    os.kill(pid(group, "code"), signal.SIGKILL)
    watched(group, lambda: state(daemon) == "T")
    ready.touch()
    watched(group, lambda: group.is_up and state(daemon) == "S")


def test_nothing_is_left_after_the_end(grouped: Callable[..., Group], tmp_path: Path) -> None:
    child = "import subprocess; subprocess.run(['sleep', '60'])"
    group = grouped(python("parent", child), sleeper("held", needs="parent"))
    watched(group, lambda: group.is_up)
    keeping.stop(group)
    with pytest.raises(ProcessLookupError):
        os.killpg(group.guard.pid, 0)


def test_owner_that_is_killed_takes_all_along(tmp_path: Path) -> None:
    command = [sys.executable, "-c", OWNER, str(tmp_path / "lock")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=CHECKOUT) as owner:
        assert owner.stdout is not None
        pids = [int(word) for word in owner.stdout.readline().split()]
        owner.kill()
    until = time.monotonic() + PATIENCE_S
    while any(state(number) not in ("", "Z") for number in pids):
        assert time.monotonic() < until
        time.sleep(0.05)
    assert len(pids) == 2


@pytest.mark.parametrize("depth", [1, 12])
def test_code_server_is_reached_whatever_the_length_of_the_home(tmp_path: Path, depth: int) -> None:
    """A socket's path has about 100 bytes; a folder's may have many more."""
    home = tmp_path.joinpath(*["a-long-name"] * depth)
    home.mkdir(parents=True)
    with parts.code_place(home) as place, socket.socket(socket.AF_UNIX) as server:
        server.bind(str(place.socket))
        assert str(place.socket) in place.workspace.read_text()
    assert place.workspace.parent == home
