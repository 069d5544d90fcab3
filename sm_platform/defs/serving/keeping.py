"""Keeping processes running: what ends by itself is started again, what ends too often is told.

All of them are one process group, with a guard that only waits for the end of the process that
started it: when that is killed without a chance to stop them, the guard does.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from sm_platform.defs.resources import CHECKOUT, environment
from sm_platform.defs.talk import Say
from sm_platform.errors import DataError

POLL_SECONDS = 0.2
STOP_SECONDS = 10.0
READY_SECONDS = 120.0
"""Within it the definitions have been loaded on any machine."""
WINDOW_SECONDS = 60.0
MOST_ENDS = 5
"""A process that ends so often within the window is not started again."""
FIRST_DELAY_SECONDS = 0.5
LONGEST_DELAY_SECONDS = 8.0
GUARD = "trap '' INT TERM HUP; read -r end; kill -INT 0; kill -CONT 0; sleep 5; kill -KILL 0"
"""Ends its process group when nothing holds the other end of its input any more."""


@dataclass(frozen=True, slots=True)
class Part:
    """A process to keep: what a person calls it, and the words after `python -m`."""

    name: str
    words: tuple[str, ...]
    is_ready: Callable[[], bool] = lambda: True
    """Whether it answers, asked from its start on until it does."""
    needs: str = ""
    """Name of the part without which it is not started, and held where it runs.

    Dagster's daemon gives a backfill up for good when it looks while the code server is away.
    """


@dataclass(slots=True)
class Kept:
    """A part as it runs now."""

    part: Part
    next_start: float | None
    """When it is to be started; None while it runs (seconds, monotonic, like all times here)."""
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    is_up: bool = False
    is_held: bool = False
    ends: list[float] = field(default_factory=list)
    """When it ended by itself within the window."""


@dataclass(slots=True)
class Group:
    """The guard, whose number is that of the process group, and what runs beside it."""

    guard: subprocess.Popen[bytes]
    kept: dict[str, Kept] = field(default_factory=dict)

    @property
    def is_up(self) -> bool:
        """Whether all parts run and answer."""
        return all(kept.is_up for kept in self.kept.values())


def guarded_group(lock: int, parts: tuple[Part, ...]) -> Group:
    """A group whose parts `watch` will start; the guard holds `lock` until all have ended.

    Args:
        lock: file descriptor of a locked file.
        parts: each after the one that it needs.
    """
    command = ["/bin/sh", "-c", GUARD]
    guard = subprocess.Popen(  # noqa: S603 - the command is ours
        command, stdin=subprocess.PIPE, pass_fds=(lock,), process_group=0
    )
    return Group(guard, {part.name: Kept(part, time.monotonic()) for part in parts})


def watch(group: Group, say: Say) -> None:
    """Look after the parts once.

    Raises:
        DataError: one of them ends again and again, or does not answer.
    """
    for kept in group.kept.values():
        if kept.process is not None and kept.next_start is None and kept.process.poll() is not None:
            _plan_start(kept, say)
        needed = group.kept.get(kept.part.needs)
        if needed is not None and not needed.is_up:
            _hold(kept)
        elif kept.next_start is not None and time.monotonic() >= kept.next_start:
            _start(group, kept)
        else:
            _let_go(kept)
        _look_whether_up(kept)


def stop(group: Group) -> None:
    """End all parts and whatever they started; what does not end in time is killed."""
    deadline = time.monotonic() + STOP_SECONDS
    _signal(group, signal.SIGINT)
    _signal(group, signal.SIGCONT)
    started = [kept.process for kept in group.kept.values() if kept.process is not None]
    for process in started:
        with suppress(subprocess.TimeoutExpired):
            process.wait(max(0.1, deadline - time.monotonic()))
    group.guard.kill()
    group.guard.wait()
    while _signal(group, 0) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    _signal(group, signal.SIGKILL)
    for process in started:
        process.wait()


def _start(group: Group, kept: Kept) -> None:
    command = [sys.executable, "-m", *kept.part.words]
    kept.process = subprocess.Popen(  # noqa: S603
        command, env=environment(), cwd=CHECKOUT, process_group=group.guard.pid
    )
    kept.started, kept.next_start = time.monotonic(), None


def _plan_start(kept: Kept, say: Say) -> None:
    now, name = time.monotonic(), kept.part.name
    kept.is_up = kept.is_held = False
    kept.ends = [moment for moment in kept.ends if now - moment < WINDOW_SECONDS] + [now]
    how = _how_it_ended(kept.process)
    if len(kept.ends) >= MOST_ENDS:
        raise DataError(
            f"The {name} has ended {len(kept.ends)} times within a minute ({how}) and is not "
            "started again: its messages are above; `sm-platform doctor` looks at the settings."
        )
    say(f"The {name} has ended ({how}) and is started again.")
    delay = FIRST_DELAY_SECONDS * 2 ** (len(kept.ends) - 1)
    kept.next_start = now + min(LONGEST_DELAY_SECONDS, delay)


def _hold(kept: Kept) -> None:
    """Let a running part wait where it is."""
    if kept.process is not None and kept.next_start is None and not kept.is_held:
        kept.process.send_signal(signal.SIGSTOP)
        kept.is_held = True


def _let_go(kept: Kept) -> None:
    if kept.process is not None and kept.is_held:
        kept.process.send_signal(signal.SIGCONT)
        kept.is_held = False


def _look_whether_up(kept: Kept) -> None:
    if kept.is_up or kept.next_start is not None:
        return
    kept.is_up = kept.part.is_ready()
    if not kept.is_up and time.monotonic() - kept.started > READY_SECONDS:
        raise DataError(
            f"The {kept.part.name} has not answered for {READY_SECONDS:.0f} s: its messages are "
            "above; give the machine more memory, or end what keeps it busy."
        )


def _how_it_ended(process: subprocess.Popen[bytes] | None) -> str:
    code = process.returncode if process else 0
    return f"signal {-code}" if code < 0 else f"exit code {code}"


def _signal(group: Group, number: int) -> bool:
    """Signal the whole group; whether anything of it was left."""
    try:
        os.killpg(group.guard.pid, number)
    except ProcessLookupError:
        return False
    return True
