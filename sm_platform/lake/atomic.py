"""Writing whole or not at all: aside first, then one rename.

What a crash leaves behind: before the rename a folder below `.aside/<pid>`, swept at the next
start once that process is dead; after it the finished file or folder. Readers never see the rest.
"""

import itertools
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sm_platform.errors import LakeError

_numbers = itertools.count()


@contextmanager
def replacing_file(target: Path, aside: Path) -> Iterator[Path]:
    """A path to write to; when the block ends well it takes the place of `target`."""
    with _aside_folder(aside) as folder, explained(target):
        draft = folder / "draft"
        yield draft
        target.parent.mkdir(parents=True, exist_ok=True)
        draft.replace(target)


@contextmanager
def replacing_folder(target: Path, aside: Path) -> Iterator[Path]:
    """An empty folder to fill; when the block ends well it takes the place of `target`.

    A folder that stands there is moved aside first and removed afterwards.
    """
    with _aside_folder(aside) as folder, explained(target):
        draft = folder / "draft"
        draft.mkdir()
        yield draft
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists():
            target.replace(folder / "old")
        draft.replace(target)


@contextmanager
def explained(target: Path) -> Iterator[None]:
    """Turns what the system says (full, read-only) into a LakeError naming the place."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise LakeError(
            f"Cannot write {target}: {reason}. Free space or make the folder writable."
        ) from error


def sweep(aside: Path) -> None:
    """Remove what dead processes left unfinished; a folder that cannot be removed stays."""
    if not aside.is_dir():
        return
    for folder in aside.iterdir():
        if folder.name.isdigit() and not _is_alive(int(folder.name)):
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _aside_folder(aside: Path) -> Iterator[Path]:
    folder = aside / str(os.getpid()) / str(next(_numbers))
    with explained(folder):
        folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
