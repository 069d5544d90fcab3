"""Starts commands in processes of their own that find the heavy libraries loaded already.

`python -m sm_platform_tests.command_server` reads one request a line (JSON: words, env, folder).
Each becomes a process that imports the command line for its own environment and runs it, as a
user's would, three seconds sooner. In the request's folder appear `pid`, `out`, `err` and, when
it has ended, `code` (negative: the signal that ended it).
"""

import importlib
import json
import os
import pkgutil
import signal
import sys
import traceback
from pathlib import Path
from typing import Any

import sm_platform

READS_ENVIRONMENT = ("sm_platform.defs", "sm_platform.definitions", "sm_platform.cli")
"""What a command imports itself, because it reads the environment while it is loaded."""
LEARN = "learn"
"""Not a command of the platform: see `learning`."""


def load() -> None:
    """Import dagster and every room with what it needs."""
    importlib.import_module("dagster")
    for found in pkgutil.walk_packages(sm_platform.__path__, "sm_platform."):
        if not found.name.startswith(READS_ENVIRONMENT):
            importlib.import_module(found.name)


def serve() -> None:
    """Answer requests until the input ends; what still runs then goes on."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        request = json.loads(line)
        if os.fork() == 0:
            _keep(Path(request["folder"]), request)


def _keep(folder: Path, request: dict[str, Any]) -> None:
    """Start the command, wait for it, leave its code."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    pid = os.fork()
    if pid == 0:
        _become(folder, request)
    _put(folder / "pid", pid)
    _put(folder / "code", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    os._exit(0)


def _become(folder: Path, request: dict[str, Any]) -> None:
    """Run the command in this process and end it."""
    os.environ.update(request["env"])
    for number, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(folder / name, os.O_WRONLY | os.O_CREAT), number)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)  # a command that asks must not read requests
    code = 0
    try:
        _run(request["words"])
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        code = 99
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _run(words: list[str]) -> None:
    if words[0] == LEARN:
        learning = importlib.import_module("sm_platform_tests.learning")
        learning.learn(*words[1:])
        return
    sys.argv = ["sm-platform", *words]
    importlib.import_module("sm_platform.cli").main()


def _put(path: Path, value: int) -> None:
    draft = path.with_suffix(".draft")
    draft.write_text(str(value))
    draft.replace(path)


if __name__ == "__main__":
    load()
    serve()
