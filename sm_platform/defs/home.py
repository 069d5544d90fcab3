"""The Dagster home: its databases are made once, whole, however many commands begin together.

Dagster makes them in place when they are absent. Two processes that do so at once, or one that is
killed over it, leave databases that no later start can read: so they are made aside under a lock.
"""

import fcntl
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import dagster as dg

from sm_platform.defs.resources import CHECKOUT, point_dagster_at, settings

CONFIG = "dagster.yaml"
DRAFT = ".making"
EVENT_LOG = "event_log.db"
MADE = ".made"
"""An empty file: all databases are in their place."""


def prepare_home() -> Path:
    """The Dagster home, made if need be, with the checkout's dagster.yaml when it has none."""
    home = settings().dagster_home
    home.mkdir(parents=True, exist_ok=True)
    with (home / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (home / MADE).exists():
            _make(home)
    point_dagster_at(home)
    return home


def _make(home: Path) -> None:
    """Put into place what is missing; what a killed process left unfinished is made anew."""
    draft = home / DRAFT
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    own = home / CONFIG
    shutil.copyfile(own if own.exists() else CHECKOUT / CONFIG, draft / CONFIG)
    point_dagster_at(draft)
    with dg.DagsterInstance.from_config(str(draft)):
        pass  # opening it makes its databases
    for entry in draft.iterdir():
        if not (home / entry.name).exists():
            entry.replace(home / entry.name)
    shutil.rmtree(draft)
    (home / MADE).touch()


@contextmanager
def event_log_open() -> Iterator[None]:
    """Keep one connection to the event log open meanwhile.

    Dagster opens and closes one for each event; SQLite folds its write-ahead log back whenever
    the last one closes, which took a third of the time of recording a day.
    """
    path = settings().dagster_home / EVENT_LOG
    if not path.is_file():  # another storage is configured
        yield
        return
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("select count(*) from sqlite_master").fetchall()
        yield
