"""The Dagster instance of the command line, and runs that a killed command line left behind."""

import os
import shutil
import socket
from pathlib import Path

import dagster as dg

from sm_platform.defs.resources import CHECKOUT, point_dagster_at, settings
from sm_platform.lake.atomic import sweep
from sm_platform.lake.layout import Layout

HOST_TAG = "sm_platform/host"
PID_TAG = "sm_platform/pid"
OPEN_STATES = [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.STARTING]


def prepare_home() -> Path:
    """The Dagster home, made if need be with the checkout's dagster.yaml in it."""
    home = settings().dagster_home
    home.mkdir(parents=True, exist_ok=True)
    config = home / "dagster.yaml"
    if not config.exists():
        draft = home / f".dagster.yaml.{os.getpid()}"
        shutil.copyfile(CHECKOUT / "dagster.yaml", draft)
        draft.replace(config)
    return home


def open_instance() -> dg.DagsterInstance:
    """The instance, after ending runs and sweeping writes of dead command lines."""
    home = prepare_home()
    point_dagster_at(home)
    instance = dg.DagsterInstance.get()
    end_dead_runs(instance)
    now = settings()
    for aside in (Layout(now.data_lake).aside, now.models / ".aside"):
        sweep(aside)
    return instance


def run_tags() -> dict[str, str]:
    """Tags that tell which process a run lives in."""
    return {HOST_TAG: socket.gethostname(), PID_TAG: str(os.getpid())}


def end_dead_runs(instance: dg.DagsterInstance) -> None:
    """Fail the runs of command lines on this host that are gone, and free their slots."""
    ours = dg.RunsFilter(statuses=OPEN_STATES, tags={HOST_TAG: socket.gethostname()})
    for run in instance.get_runs(ours):
        if not _is_alive(int(run.tags[PID_TAG])):
            instance.report_run_failed(run, "The command line that held this run has ended.")
            instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)  # signal 0 asks only
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
