"""One user's desk: lake, models, archive and Dagster home of its own, and commands run at it."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

import dagster as dg
import pandas as pd
import pytest

from sm_platform.lake.layout import Layout
from sm_platform.lake.models import ModelStore

CHECKOUT = Path(__file__).resolve().parents[1]
PATIENCE_S = 240.0
START_S = 60.0
POLL_S = 0.02


@dataclass(frozen=True, slots=True)
class Answer:
    """How a command ended: exit code (negative: the signal that ended it) and what it said."""

    code: int
    out: str
    err: str


@dataclass(frozen=True, slots=True)
class Running:
    """A command that was started; `folder` is where the server reports on it."""

    folder: Path

    @property
    def is_over(self) -> bool:
        return (self.folder / "code").exists()

    def wait(self) -> Answer:
        """Its answer; it is killed when it takes longer than PATIENCE_S."""
        until = time.monotonic() + PATIENCE_S
        while not self.is_over:
            if time.monotonic() > until:
                self.kill()
                raise TimeoutError((self.folder / "err").read_text())
            time.sleep(POLL_S)
        texts = ((self.folder / name).read_text() for name in ("out", "err"))
        return Answer(int((self.folder / "code").read_text()), *texts)

    def kill(self) -> Answer:
        """End it as the system does when memory runs out; how it ended."""
        until = time.monotonic() + START_S
        while not (self.folder / "pid").exists():
            if time.monotonic() > until:
                raise TimeoutError("The command was not started: see what its server said.")
            time.sleep(POLL_S)
        with suppress(ProcessLookupError):
            if not self.is_over:
                os.kill(int((self.folder / "pid").read_text()), signal.SIGKILL)
        return self.wait()


@dataclass(frozen=True, slots=True)
class Desk:
    """Folders below `root` and what else is set in the environment."""

    root: Path
    server: IO[str]
    more: Mapping[str, str]

    @property
    def layout(self) -> Layout:
        return Layout(self.root / "data_lake")

    @property
    def models(self) -> Path:
        return self.root / "models"

    @property
    def environment(self) -> dict[str, str]:
        folders = {
            "SM_DATA_LAKE": self.layout.root,
            "SM_MODELS": self.models,
            "SM_ARCHIVE": self.root / "archive",
            "DAGSTER_HOME": self.root / "dagster_home",
        }
        return {name: str(folder) for name, folder in folders.items()} | dict(self.more)

    def start(self, *words: object) -> Running:
        """Start a command and come back at once."""
        folder = self.root / "commands" / uuid4().hex
        folder.mkdir(parents=True)
        request = {
            "words": [str(word) for word in words],
            "env": self.environment,
            "folder": str(folder),
        }
        self.server.write(json.dumps(request) + "\n")
        self.server.flush()
        return Running(folder)

    def run(self, *words: object) -> Answer:
        """Run a command to its end."""
        return self.start(*words).wait()

    def done(self, *words: object) -> Answer:
        """Run a command that must end well."""
        answer = self.run(*words)
        assert answer.code == 0, answer.err + answer.out
        return answer

    def checkpoints(self) -> list[str]:
        """Names of the stored checkpoints."""
        return ModelStore(self.models).names()

    def checkpoint(self, name: str) -> dict[str, Any]:
        """What the file of a stored checkpoint says."""
        found: dict[str, Any] = json.loads((self.models / name / "checkpoint.json").read_text())
        return found

    def table(self, query: str) -> pd.DataFrame:
        """What `sql` answers, read back from its CSV; times as UTC."""
        text = self.done("sql", "--csv", query).out
        return pd.read_csv(StringIO(text))

    @contextmanager
    def instance(self) -> Iterator[dg.DagsterInstance]:
        """The Dagster instance as it lies in the home."""
        home = self.environment["DAGSTER_HOME"]
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("DAGSTER_HOME", home)
            with dg.DagsterInstance.from_config(home) as instance:
                yield instance

    def days_materialized(self, asset: str, region: str) -> set[str]:
        """The days of a region that Dagster shows as made."""
        with self.instance() as instance:
            keys = instance.get_materialized_partitions(dg.AssetKey(asset))
        pairs = (key.split("|") for key in keys)
        return {day for day, name in pairs if name == region}


@contextmanager
def command_server() -> Iterator[IO[str]]:
    """The process that starts commands; requests are written to it."""
    command = [sys.executable, "-m", "sm_platform_tests.command_server"]
    with subprocess.Popen(command, cwd=CHECKOUT, stdin=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        yield process.stdin
        process.stdin.close()


def seen(*folders: Path) -> dict[str, tuple[int, str]]:
    """Time of change and hash of content of every file below the folders."""
    return {
        str(path): (path.stat().st_mtime_ns, hashlib.sha256(path.read_bytes()).hexdigest())
        for folder in folders
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
