"""The lock that says that `up` serves a Dagster home: held until its last process has ended."""

import fcntl
from pathlib import Path
from typing import IO

from sm_platform.errors import UsageError

NAME = "up.lock"


def hold(home: Path) -> IO[str]:
    """Take the lock; raises UsageError when somebody has it."""
    lock = (home / NAME).open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise UsageError(f"A daemon already runs on {home}: end it first.") from error
    return lock


def is_held(home: Path) -> bool | None:
    """Whether `up` serves the home now; None where it never did, as under a service manager."""
    path = home / NAME
    if not path.is_file():
        return None
    with path.open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
    return False
