"""Names that come from outside and become part of a path: checked once, here."""

import re
from collections.abc import Sequence
from pathlib import Path

from sm_platform.errors import SourceError, UsageError

SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
"""One path component that can neither climb, hide nor hold a separator."""


def check_name(name: str, what: str) -> str:
    """The name itself when it is safe as one path component.

    Raises:
        SourceError: it is not; `what` says in the message which kind of name it is.
    """
    if not isinstance(name, str) or SAFE_NAME.fullmatch(name) is None:
        raise SourceError(
            f"The {what} {name!r} is not safe as a file or folder name: only letters, digits, "
            "'.', '_' and '-', a letter or digit first."
        )
    return name


def stamp_of(paths: Sequence[Path]) -> str | None:
    """Size and time of change of the files; None when one is not there."""
    try:
        stats = [path.stat() for path in paths]
    except OSError:
        return None
    return " ".join(f"{one.st_size}@{one.st_mtime_ns}" for one in stats)


def empty_folder(folder: Path) -> None:
    """Check that a granule may be put here.

    Raises:
        UsageError: the folder does not exist or holds something already.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder: make it before fetching a granule into it.")
    if any(folder.iterdir()):
        raise UsageError(f"{folder} is not empty: a granule needs a folder of its own.")
