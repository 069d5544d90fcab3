"""Starts commands in processes of their own that find everything loaded already.

`python -m sm_platform_tests.command_server` reads one request a line (JSON: words, env, folder).
The first request of an environment starts a process that imports the command line for it; each
request becomes a process forked from that one, and runs as a user's would, four seconds sooner.
In the request's folder appear `pid`, `out`, `err` and, when it has ended, `code` (negative: the
signal that ended it).
"""

import gc
import importlib
import json
import os
import pkgutil
import signal
import sys
import traceback
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import sm_platform

READS_ENVIRONMENT = ("sm_platform.defs", "sm_platform.definitions", "sm_platform.cli")
"""What reads the environment while it is loaded, so that each environment loads it anew."""
LEARN = "learn"
"""Not a command of the platform: see `learning`."""
MOST_PLACES = 4
"""Environments that are kept ready; that of the oldest is loaded anew when it is asked for."""
Request = dict[str, Any]
Places = dict[str, IO[str]]
"""Where requests are written to by environment, the one that was opened first at the front."""


def load() -> None:
    """Import every room with what it needs; those that read the environment are forgotten."""
    _import_rooms()
    for name in [name for name in sys.modules if name.startswith(READS_ENVIRONMENT)]:
        del sys.modules[name]
    for name in READS_ENVIRONMENT:
        vars(sm_platform).pop(name.rpartition(".")[2], None)
    gc.collect()
    gc.freeze()  # no command looks through all this for what can be freed


def _import_rooms() -> None:
    """One that cannot be imported is left out: the commands that need it say why."""
    for found in pkgutil.walk_packages(sm_platform.__path__, "sm_platform."):
        if not found.name.endswith(".__main__"):
            with suppress(Exception):
                importlib.import_module(found.name)


def serve(lines: Iterable[str]) -> None:
    """Answer requests until the input ends; what still runs then goes on."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    places: Places = {}
    for line in lines:
        env = json.dumps(json.loads(line)["env"], sort_keys=True)
        if env not in places:
            if len(places) == MOST_PLACES:
                places.pop(next(iter(places))).close()
            places[env] = _place(json.loads(env), places)
        places[env].write(line)
        places[env].flush()


def _place(env: dict[str, str], others: Places) -> IO[str]:
    """Start the process of an environment; where its requests are written to."""
    reading, writing = os.pipe()
    if os.fork() == 0:
        for other in others.values():
            os.close(other.fileno())
        os.close(writing)
        _serve_place(env, reading)
    os.close(reading)
    return os.fdopen(writing, "w")


def _serve_place(env: dict[str, str], reading: int) -> None:
    """Load the command line for this environment, then fork a command a request."""
    os.environ.update(env)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)  # a command that asks must not read requests
    with suppress(Exception):  # the command says it: it meets the same
        importlib.import_module("sm_platform.cli")
        importlib.import_module("sm_platform.defs.launch")
    with os.fdopen(reading) as lines:
        for line in lines:
            request = json.loads(line)
            if os.fork() == 0:
                os.close(reading)
                _keep(Path(request["folder"]), request)
    os._exit(0)


def _keep(folder: Path, request: Request) -> None:
    """Start the command, wait for it, leave its code."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    pid = os.fork()
    if pid == 0:
        _become(folder, request)
    _put(folder / "pid", pid)
    _put(folder / "code", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    os._exit(0)


def _become(folder: Path, request: Request) -> None:
    """Run the command in this process and end it."""
    for number, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(folder / name, os.O_WRONLY | os.O_CREAT), number)
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
    serve(sys.stdin)
    os._exit(0)  # without the farewells of native libraries
