"""The Dagster instance of the command line, and runs that a killed command line left behind."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
from dagster._core.instance.ref import InstanceRef
from sqlalchemy.exc import SQLAlchemyError
from yaml import YAMLError  # type: ignore[import-untyped]

from sm_platform.defs.home import keeps_sqlite, prepare_home
from sm_platform.defs.resources import said, settings
from sm_platform.defs.serving.processes import is_alive, start_of
from sm_platform.defs.variables import POSTGRES
from sm_platform.errors import LakeError
from sm_platform.lake.atomic import explained, sweep
from sm_platform.lake.layout import Layout

NO_CAPTURE = {
    "module": "dagster._core.storage.noop_compute_log_manager",
    "class": "NoOpComputeLogManager",
}
"""Capturing what assets print (nothing) starts processes that show a traceback on Ctrl-C."""
HOST_TAG = "sm_platform/host"
PID_TAG = "sm_platform/pid"
START_TAG = "sm_platform/process_start"
OF_RECORDS = (SQLAlchemyError, YAMLError, dg.DagsterInvalidConfigError)
"""What is raised when databases or configuration of a home cannot be read or written."""
OPEN_STATES = [
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]


def open_instance() -> dg.DagsterInstance:
    """The instance, after ending runs and sweeping writes of dead command lines."""
    with explained(settings().dagster_home):
        home = prepare_home()
    place = InstanceRef.from_dir(str(home), overrides={"compute_logs": NO_CAPTURE})
    instance = dg.DagsterInstance.from_ref(place)
    end_dead_runs(instance)
    now = settings()
    for aside in (Layout(now.data_lake).aside, now.models / ".aside"):
        sweep(aside)
    return instance


@contextmanager
def home_explained() -> Iterator[None]:
    """Turns what fails in Dagster's own records (full, read-only, away) into a LakeError."""
    home = settings().dagster_home
    try:
        yield
    except Exception as error:
        if not isinstance(error, OF_RECORDS) and not isinstance(error.__cause__, OF_RECORDS):
            raise
        reason = " ".join(str(error.__cause__ or error).split())[:200]
        raise LakeError(
            f"DAGSTER_HOME {home} cannot be used ({reason}): {_advice(home)}"
        ) from error


def _advice(home: Path) -> str:
    database = said(POSTGRES)
    try:
        if not keeps_sqlite(home):
            return f"see that PostgreSQL runs and that {POSTGRES} {database} is its address."
    except (YAMLError, OSError):
        pass  # the configuration itself is the trouble
    return "free space, make it writable, or put its dagster.yaml right."


def run_tags() -> dict[str, str]:
    """Tags that tell which process a run lives in."""
    pid = os.getpid()
    return {HOST_TAG: socket.gethostname(), PID_TAG: str(pid), START_TAG: start_of(pid)}


def end_dead_runs(instance: dg.DagsterInstance) -> None:
    """Fail the runs of command lines on this host that are gone, and free their slots."""
    ours = dg.RunsFilter(statuses=OPEN_STATES, tags={HOST_TAG: socket.gethostname()})
    for run in instance.get_runs(ours):
        if run.remote_job_origin is not None:
            continue  # repeated in the UI with the tags of the first: a worker's, not ours
        if not is_alive(int(run.tags[PID_TAG]), run.tags.get(START_TAG)):
            instance.report_run_failed(run, "The command line that held this run has ended.")
            instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
