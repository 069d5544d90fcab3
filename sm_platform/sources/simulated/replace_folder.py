"""A folder that appears or changes in one step: written beside its place, then renamed into it."""

import os
import re
import shutil
from pathlib import Path


def beside(folder: Path, role: str) -> Path:
    """A hidden folder next to the folder, of this process and a role: `aside` or `old`."""
    return folder.parent / f".{folder.name}.{role}-{os.getpid()}"


def sweep(folder: Path) -> None:
    """Remove what killed runs left beside the folder; another living process keeps its own.

    A folder that was renamed out of the way, but never replaced, is put back.
    """
    if not folder.parent.is_dir():
        return
    left = re.compile(rf"\.{re.escape(folder.name)}\.(aside|old)-(\d+)")
    for path in folder.parent.iterdir():
        match = left.fullmatch(path.name)
        if match is None or _is_another(int(match[2])):
            continue
        if match[1] == "old" and not folder.exists():
            path.rename(folder)
        else:
            shutil.rmtree(path, ignore_errors=True)


def _is_another(pid: int) -> bool:
    """Whether the number belongs to a living process other than this one."""
    if pid == os.getpid():
        return False
    try:
        os.kill(pid, 0)  # signal 0 asks only
    except ProcessLookupError:
        return False
    except OSError:
        pass  # somebody else's, but there
    return True


def show(aside: Path, folder: Path) -> None:
    """Rename the finished folder into place; an older one is first renamed out of it."""
    old = beside(folder, "old")
    if folder.exists():
        folder.rename(old)
    try:
        aside.rename(folder)
    except OSError:
        if old.exists():
            old.rename(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)
