"""Writing whole or not at all: aside first, then a rename.

What a crash leaves behind: a folder below `.aside/<pid>`, removed at the next start once that
process is dead, or the finished file or folder in its place. A folder is replaced in two renames,
the old one out, the new one in; what a crash between them left without a place goes back to it
at the next start. Readers never see half of anything.
"""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from sm_platform.errors import LakeError

OLD = "old"
"""Below a folder aside: what stood in the place of the new folder."""
HOME = "home.txt"
"""Beside it: where that was, relative to the folder aside."""
PROBE_BYTES = 1 << 16
_in_use: set[str] = set()
"""Folders aside that this process is writing in; another may have had its number before."""


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

    A folder that stands there is moved aside first; it is removed afterwards, or put back when
    the new one could not take its place.
    """
    with _aside_folder(aside) as folder, explained(target):
        draft = folder / "draft"
        draft.mkdir()
        yield draft
        target.parent.mkdir(parents=True, exist_ok=True)
        (folder / HOME).write_text(os.path.relpath(target, folder))
        _take_place(draft, target, folder / OLD)
        (folder / HOME).unlink()


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


def check_takes_writing(aside: Path) -> None:
    """Raise LakeError where a small file cannot be written: full, read-only, not ours."""
    with _aside_folder(aside) as folder, explained(aside.parent):
        (folder / "probe").write_bytes(bytes(PROBE_BYTES))


def sweep(aside: Path) -> None:
    """Remove what dead processes left unfinished, after putting back what they moved away.

    What cannot be put back or removed stays.
    """
    if not aside.is_dir():
        return
    for process in aside.iterdir():
        if process.name.isdecimal() and not _is_another(int(process.name)):
            with suppress(OSError):
                _clear_all(process)


@contextmanager
def _aside_folder(aside: Path) -> Iterator[Path]:
    folder = aside / str(os.getpid()) / uuid4().hex
    _in_use.add(folder.name)
    try:
        with explained(folder):
            folder.mkdir(parents=True)
        yield folder
    finally:
        _clear(folder)
        _in_use.discard(folder.name)


def _take_place(draft: Path, target: Path, old: Path) -> None:
    """Rename the draft to `target`, and what stands there to `old`; the last writer wins."""
    while True:
        with suppress(FileNotFoundError):
            target.replace(old)
        try:
            draft.replace(target)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
            shutil.rmtree(old, ignore_errors=True)  # another writer was quicker: its turn to go
        else:
            return


def _put_back(folder: Path) -> None:
    """Return to its place what was moved out of it, unless something stands there by now."""
    old, home = folder / OLD, folder / HOME
    if old.exists() and home.is_file():
        target = folder / home.read_text()
        if not target.exists():
            old.replace(target)


def _clear_all(process: Path) -> None:
    for folder in process.iterdir():
        if folder.name not in _in_use:
            _clear(folder)
    if int(process.name) != os.getpid():
        process.rmdir()


def _clear(folder: Path) -> None:
    with suppress(OSError):
        _put_back(folder)
        shutil.rmtree(folder)


def _is_another(pid: int) -> bool:
    """Whether the number belongs to a living process other than this one."""
    if pid == os.getpid():
        return False
    try:
        os.kill(pid, 0)  # signal 0 asks only
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass  # somebody else's, but there
    return True
