"""Records of runs and events: Dagster's own tables, written by fewer openings of the databases."""

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy
from dagster._core.storage.event_log import ConsolidatedSqliteEventLogStorage
from dagster._core.storage.runs import SqliteRunStorage

from sm_platform.defs.home import prepare_home
from sm_platform.defs.serving.records import EventRecords, RunRecords

DAYS = tuple(f"2025-01-{day:02d}" for day in range(1, 9))
KEY = dg.AssetKey("told")
WRITER = """
import sys
import dagster as dg
with dg.DagsterInstance.from_config(sys.argv[1]) as instance:
    for day in sys.argv[2:]:
        instance.report_runless_asset_event(dg.AssetMaterialization("told", partition=day))
    print("written", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    with dg.DagsterInstance.from_config(str(prepare_home())) as instance:
        yield instance


def report(instance: dg.DagsterInstance, day: str) -> None:
    instance.report_runless_asset_event(dg.AssetMaterialization(KEY, partition=day))


def a_run(instance: dg.DagsterInstance) -> str:
    return instance.create_run_for_job(dg.GraphDefinition("nothing").to_job()).run_id


def open_databases(home: Path) -> list[str]:
    """Files below the home that this process holds open."""
    paths = [str(fd.readlink()) for fd in Path("/proc/self/fd").iterdir() if fd.is_symlink()]
    return [path for path in paths if path.startswith(str(home)) and ".db" in path]


def test_configuration_of_the_checkout_uses_them(records: dg.DagsterInstance) -> None:
    assert type(records.event_log_storage) is EventRecords
    assert type(records.run_storage) is RunRecords


def test_dagsters_own_classes_read_them_and_they_read_dagsters(records: dg.DagsterInstance) -> None:
    home, run_id = Path(records.root_directory), a_run(records)
    report(records, DAYS[0])
    own_runs = SqliteRunStorage.from_local(str(home / "history"))
    own_events = ConsolidatedSqliteEventLogStorage(str(home))
    assert [run.run_id for run in own_runs.get_runs()] == [run_id]
    assert own_events.get_materialized_partitions(KEY) == {DAYS[0]}
    own_runs.delete_run(run_id)
    own_events.wipe_asset(KEY)
    assert records.get_runs() == []
    assert not records.has_asset_key(KEY)


def test_many_events_open_the_database_once(records: dg.DagsterInstance) -> None:
    opened: list[object] = []

    def count(*_: object) -> None:
        opened.append(1)

    report(records, DAYS[0])
    sqlalchemy.event.listen(sqlalchemy.pool.Pool, "connect", count)
    try:
        for day in DAYS:
            report(records, day)
    finally:
        sqlalchemy.event.remove(sqlalchemy.pool.Pool, "connect", count)
    assert not opened


def test_threads_that_come_together_all_write(records: dg.DagsterInstance) -> None:
    together = threading.Barrier(len(DAYS))

    def write(day: str) -> None:
        together.wait()
        report(records, day)

    with ThreadPoolExecutor(len(DAYS)) as pool:
        list(pool.map(write, DAYS))
    assert records.get_materialized_partitions(KEY) == set(DAYS)


def test_nothing_stays_open_behind_an_instance(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A home is made in a draft of it and then moved."""
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    home = prepare_home()
    assert open_databases(home) == []
    with dg.DagsterInstance.from_config(str(home)) as instance:
        report(instance, DAYS[0])
        assert open_databases(home)
    assert open_databases(home) == []


def test_another_process_is_heard_while_it_writes_and_its_death_loses_nothing(
    records: dg.DagsterInstance,
) -> None:
    told = threading.Event()
    heard: list[object] = []

    def hear(entry: dg.EventLogEntry, _: str) -> None:
        heard.append(entry.dagster_event_type)
        if len(heard) == len(DAYS):
            told.set()

    records.watch_event_logs("", None, hear)
    words = [sys.executable, "-c", WRITER, records.root_directory, *DAYS]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(words, text=True, **pipes) as writer:  # type: ignore[call-overload]
        assert writer.stdout.readline() == "written\n"
        assert told.wait(20)
        writer.send_signal(signal.SIGKILL)
    assert heard == [dg.DagsterEventType.ASSET_MATERIALIZATION] * len(DAYS)
    assert records.get_materialized_partitions(KEY) == set(DAYS)


def test_watching_goes_on_after_the_database_could_not_be_opened(
    records: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    events = records.event_log_storage
    assert isinstance(events, EventRecords)
    engine, told, n_tried = events._engine, threading.Event(), iter(range(10))
    connect = engine.connect

    def sometimes() -> sqlalchemy.Connection:
        if threading.current_thread() is events._look and next(n_tried) < 3:
            raise OSError("no descriptor left")
        return connect()

    monkeypatch.setattr(engine, "connect", sometimes)
    records.watch_event_logs("", None, lambda *_: told.set())
    report(records, DAYS[0])
    assert told.wait(20)
    assert len(caplog.records) == 1, "told once, not at every look"
