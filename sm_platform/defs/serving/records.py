"""Dagster's records of runs and events in SQLite, with connections that stay open.

Dagster's own classes open a connection for each statement and close it after it. SQLite then folds
its write-ahead log back into the database and waits for the disk each time, and every statement is
compiled anew: half of the time of recording a short run. Tables and statements here are Dagster's;
its classes read what these wrote, and the other way round. Databases are moved or restored only
while no process of the home lives: one that does goes on with the files it has open.
"""

import logging
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import sqlalchemy
from dagster._core.event_api import EventHandlerFn
from dagster._core.storage.event_log import ConsolidatedSqliteEventLogStorage
from dagster._core.storage.event_log.sqlite.consolidated_sqlite_event_log import (
    SQLITE_EVENT_LOG_FILENAME,
)
from dagster._core.storage.runs import SqliteRunStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._serdes import ConfigurableClassData
from sqlalchemy.engine import Connection, Engine

LOOK_S = 0.25
"""How often a page that shows a run is told what is new."""
RUNS_FOLDER = "history"
"""Where Dagster itself puts the database of runs in its home."""


def _engine(address: str) -> Engine:
    """An engine that keeps its connections and opens more for threads that come together."""
    engine = sqlalchemy.create_engine(
        address, max_overflow=-1, connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS}
    )
    sqlalchemy.event.listen(engine, "connect", _wait_seldom)
    return engine


def _wait_seldom(connection: sqlite3.Connection, _: object) -> None:
    """Wait for the disk only when the write-ahead log is folded back.

    What a killed process wrote is kept. A machine that loses its power can lose the last records,
    never the database (sqlite.org/pragma.html#pragma_synchronous); the lake has its own writes.
    """
    connection.execute("pragma synchronous = normal")


class RunRecords(SqliteRunStorage):
    """Dagster's runs, in `history/runs.db` of the home as its own class keeps them."""

    def __init__(self, conn_string: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._engine = _engine(conn_string)
        super().__init__(conn_string, inst_data)

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> Self:
        """Open the records below the `base_dir` of the configuration."""
        return cls.from_local(str(Path(config_value["base_dir"]) / RUNS_FOLDER), inst_data)

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """One transaction."""
        with self._engine.begin() as connection:
            yield connection

    def dispose(self) -> None:
        """Close what is open."""
        self._engine.dispose()


class EventRecords(ConsolidatedSqliteEventLogStorage):
    """Dagster's events of all runs, in `event_log.db` of the home."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        path = Path(base_dir).absolute() / f"{SQLITE_EVENT_LOG_FILENAME}.db"
        self._engine = _engine(f"sqlite:///{path}")
        self._look: threading.Thread | None = None
        self._lock = threading.Lock()
        self._is_over = threading.Event()
        super().__init__(base_dir, inst_data)

    @contextmanager
    def _connect(self) -> Iterator[Connection]:
        with self._engine.begin() as connection:
            yield connection

    def watch(self, run_id: str, cursor: str | None, callback: EventHandlerFn) -> None:
        """Tell of a run's new events, as the pages of the web server ask for it."""
        self._watchers[run_id][callback] = cursor
        with self._lock:
            if self._look is None:
                self._look = threading.Thread(target=self._look_for_writes, daemon=True)
                self._look.start()

    def _look_for_writes(self) -> None:
        """Look for as long as the process lives; what fails is logged once and tried again."""
        failed = ""
        while not self._is_over.wait(LOOK_S):
            try:
                self._tell_of_writes()
            except Exception as error:  # a full disk, for example
                if str(error) != failed:
                    logging.getLogger(__name__).exception("Events cannot be told at the moment.")
                failed = str(error)

    def _tell_of_writes(self) -> None:
        """Ask SQLite whether another connection wrote, and then tell who watches.

        Notices of the file system would come too early: the write-ahead log is written before what
        is in it can be read, and the file of the database long after it.
        """
        tell: Callable[[], None] = self.on_modified
        seen = None
        with self._engine.connect() as connection:
            while not self._is_over.wait(LOOK_S):
                if not any(self._watchers.values()):
                    continue
                version = connection.exec_driver_sql("pragma data_version").scalar()
                if version != seen:
                    tell()
                    seen = version

    def dispose(self) -> None:
        """End watching and close what is open."""
        self._is_over.set()
        if self._look is not None:
            self._look.join(timeout=15)
        self._engine.dispose()
