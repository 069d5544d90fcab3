"""Dagster's SQLite records without what only costs time in a test: same tables, same statements."""

import importlib
import sqlite3
from typing import Any

import sqlalchemy
from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.pool import Pool

STORES = (
    "runs.sqlite.sqlite_run_storage",
    "schedules.sqlite.sqlite_schedule_storage",
    "event_log.sqlite.sqlite_event_log",
    "event_log.sqlite.consolidated_sqlite_event_log",
)
"""Modules of dagster._core.storage that open databases."""


def hurry_records() -> None:
    """For this process and its children: one engine a database, and no wait for the disk.

    Dagster makes an engine for each statement and forgets with it the statements that were
    compiled: half of the time of a run of a few days. Connections are still opened anew each time.
    What a killed process has written stays written: only a machine that dies would lose it.
    """
    event.listen(Pool, "connect", _wait_for_no_disk)
    engines: dict[str, Engine] = {}
    make: Any = sqlalchemy.create_engine

    def create_engine(url: str, **options: object) -> Engine:
        key = f"{url} {sorted(options.items(), key=str)}"
        if key not in engines:
            engines[key] = make(url, **options)
        return engines[key]

    for name in STORES:
        module: Any = importlib.import_module(f"dagster._core.storage.{name}")
        module.create_engine = create_engine


def _wait_for_no_disk(connection: object, _: object) -> None:
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA synchronous=OFF")
