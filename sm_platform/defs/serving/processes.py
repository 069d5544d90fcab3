"""Whether a process on this machine is still the one that a run was given to."""

import os
from pathlib import Path

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
CLOCK = Path("/proc/stat")
START_FIELD = 19
"""Place of a process's start, in clock ticks since boot, after its name in /proc/PID/stat."""
CLOCK_STEP_S = 2.0
"""The kernel tells when it booted in whole seconds only."""


def start_of(pid: int) -> str:
    """When a process was started, told apart from every other start; empty where unknown."""
    try:
        ticks = _start_ticks(pid)
        return "ended" if ticks is None else f"{BOOT_ID.read_text().strip()}/{ticks}"
    except OSError:
        return ""


def is_alive(pid: int, start: str | None) -> bool:
    """Whether the process still runs; a later one that was given its number is another."""
    return _exists(pid) and (start is None or start == start_of(pid))


def is_alive_since(pid: int, moment: float) -> bool:
    """Whether a process that ran at `moment` (seconds since 1970) still runs."""
    if not _exists(pid):
        return False
    try:
        ticks = _start_ticks(pid)
        booted = next(line for line in CLOCK.read_text().splitlines() if line.startswith("btime"))
    except (OSError, StopIteration):
        return True  # no /proc here: that it exists must do
    if ticks is None:
        return False
    started = float(booted.split()[1]) + ticks / os.sysconf("SC_CLK_TCK")
    return started <= moment + CLOCK_STEP_S


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)  # signal 0 asks only
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # somebody else's, by its start perhaps
    return True


def _start_ticks(pid: int) -> int | None:
    """Start in clock ticks since boot; None of a process that has ended and waits for its parent.

    Raises:
        OSError: there is no such process, or no /proc.
    """
    state, *fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return None if state == "Z" else int(fields[START_FIELD - 1])
