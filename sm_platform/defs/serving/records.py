"""Dagster's records of runs and events in SQLite, with connections that stay open.

Dagster's own classes open a connection for each statement and close it after it. SQLite then folds
its write-ahead log back into the database and waits for the disk each time, and every statement is
compiled anew: half of the time of recording a short run. Tables and statements here are Dagster's;
its classes read what these wrote, and the other way round.
"""

import sqlite3
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
from watchdog.events import FileSystemEvent, PatternMatchingEventHandler
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver

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
        self.path = Path(base_dir).absolute() / f"{SQLITE_EVENT_LOG_FILENAME}.db"
        self._engine = _engine(f"sqlite:///{self.path}")
        self._observer: BaseObserver | None = None
        super().__init__(base_dir, inst_data)

    @contextmanager
    def _connect(self) -> Iterator[Connection]:
        with self._engine.begin() as connection:
            yield connection

    def watch(self, run_id: str, cursor: str | None, callback: EventHandlerFn) -> None:
        """Tell of a run's new events: they come to the write-ahead log long before the database."""
        if self._observer is None:
            self._observer = Observer()
            self._observer.schedule(_Watch(self), self._base_dir)
            self._observer.start()
        self._watchers[run_id][callback] = cursor

    def dispose(self) -> None:
        """End watching and close what is open."""
        if self._observer is not None:
            self._observer.stop()
            self._observer.join(timeout=15)
        self._engine.dispose()


class _Watch(PatternMatchingEventHandler):
    def __init__(self, records: EventRecords) -> None:
        super().__init__(patterns=[str(records.path), f"{records.path}-wal"])
        self._tell: Callable[[], None] = records.on_modified

    def on_modified(self, event: FileSystemEvent) -> None:
        self._tell()
