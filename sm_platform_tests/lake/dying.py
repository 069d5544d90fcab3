"""A process that kills itself (signal 9) at each step of a write; started by test_atomic.

Usage: python -m sm_platform_tests.lake.dying {file|folder} FOLDER

The nth write dies when the system is asked for the nth file operation (opening, making, renaming,
listing, removing); each has a lake of its own, `FOLDER/<n>`, where an older content stands
already. Prints how many moments there were.
"""

import os
import signal
import sys
from itertools import count
from pathlib import Path

from sm_platform.lake.atomic import replacing_file, replacing_folder

NAMES = ("a.txt", "b.txt")
SIZE = 20_000


def write(what: str, root: Path, content: str) -> None:
    """Write the content SIZE times, in one file or in each of NAMES, half and half."""
    if what == "file":
        with replacing_file(root / "made" / "one.txt", root / ".aside") as draft:
            _in_halves(draft, content)
        return
    with replacing_folder(root / "made", root / ".aside") as folder:
        for name in NAMES:
            _in_halves(folder / name, content)


def _in_halves(path: Path, content: str) -> None:
    for mode in ("w", "a"):
        with path.open(mode) as stream:
            stream.write(content * (SIZE // 2))


def _die_at(moment: int) -> None:
    seen = count(1)

    def hook(event: str, _: tuple[object, ...]) -> None:
        is_step = event == "open" or event.startswith(("os.", "shutil."))
        if is_step and event != "os.fork" and next(seen) == moment:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def _dies(what: str, root: Path, moment: int) -> bool:
    write(what, root, "o")
    child = os.fork()
    if not child:
        _die_at(moment)
        write(what, root, "n")
        os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


if __name__ == "__main__":
    kind, home = sys.argv[1], Path(sys.argv[2])
    print(next(n for n in count(1) if not _dies(kind, home / str(n), n)) - 1)
