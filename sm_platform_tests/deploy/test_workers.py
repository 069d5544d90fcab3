"""Whether a run's worker lives, as run monitoring asks it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator

import dagster as dg
import pytest
from dagster._core.events import EngineEventData
from dagster._core.launcher.base import WorkerStatus
from dagster._core.storage.tags import GRPC_INFO_TAG

from sm_platform.defs.instance import HOST_TAG, PID_TAG, run_tags
from sm_platform.defs.serving import workers
from sm_platform.defs.serving.processes import is_alive_since
from sm_platform.defs.serving.workers import WorkerLauncher

STARTED = dg.DagsterRunStatus.STARTED
AWAY = json.dumps({"host": "localhost", "socket": "/nowhere/code.sock"})
REMOTE = json.dumps({"host": "127.0.0.2", "port": 1})


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as found:
        yield found


@pytest.fixture
def launcher(instance: dg.DagsterInstance) -> WorkerLauncher:
    found = WorkerLauncher()
    found.register_instance(instance)
    return found


@pytest.fixture(scope="module")
def gone() -> int:
    """Number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-S", "-c", ""])
    process.wait()
    return process.pid


def started(
    instance: dg.DagsterInstance, tags: dict[str, str], pid: int | None = None
) -> dg.DagsterRun:
    """A run whose worker has told its number."""
    run = dg.DagsterRun(job_name="job", status=STARTED, tags=tags)
    instance.add_run(run)
    if pid is not None:
        told = EngineEventData.in_process(pid)
        instance.report_engine_event(f"Started process for run (pid: {pid}).", run, told)
    return run


def health(launcher: WorkerLauncher, run: dg.DagsterRun) -> WorkerStatus:
    return launcher.check_run_worker_health(run).status


def test_worker_outlives_its_code_server(
    launcher: WorkerLauncher, instance: dg.DagsterInstance
) -> None:
    run = started(instance, {GRPC_INFO_TAG: AWAY}, os.getpid())
    assert health(launcher, run) == WorkerStatus.RUNNING


@pytest.mark.parametrize("place", [AWAY, REMOTE])
def test_dead_worker_of_a_server_that_does_not_answer_is_told_after_a_while(
    launcher: WorkerLauncher,
    instance: dg.DagsterInstance,
    gone: int,
    place: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """At once its retry would fail for good: that needs the code server."""
    run = started(instance, {GRPC_INFO_TAG: place}, gone)
    assert health(launcher, run) == WorkerStatus.RUNNING
    monkeypatch.setattr(workers, "PATIENCE_SECONDS", 0.0)
    assert health(launcher, run) == WorkerStatus.NOT_FOUND


def test_command_lines_are_asked_after_too(
    launcher: WorkerLauncher, instance: dg.DagsterInstance, gone: int
) -> None:
    dead = {PID_TAG: str(gone)}
    assert health(launcher, started(instance, run_tags())) == WorkerStatus.RUNNING
    assert health(launcher, started(instance, run_tags() | dead)) == WorkerStatus.NOT_FOUND
    elsewhere = run_tags() | dead | {HOST_TAG: "elsewhere"}
    assert health(launcher, started(instance, elsewhere)) == WorkerStatus.RUNNING
    assert health(launcher, started(instance, {})) == WorkerStatus.RUNNING


def test_worker_that_no_server_knows_is_interrupted_itself(
    launcher: WorkerLauncher, instance: dg.DagsterInstance
) -> None:
    with subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(60)"]) as process:
        run = started(instance, {}, process.pid)
        assert workers.worker_of(instance, run) is None, "it has not told on which machine it is"
        run = started(instance, {GRPC_INFO_TAG: AWAY}, process.pid)
        found = workers.worker_of(instance, run)
        assert found is not None
        assert found.is_alive
        process.kill()
        process.wait()
        assert not found.is_alive


def test_process_of_a_later_start_is_another() -> None:
    assert is_alive_since(os.getpid(), moment=4e9)
    assert not is_alive_since(os.getpid(), moment=1e9)
