"""Run workers: started by the code server, and asked after when that was restarted.

A code server tells of workers that died while it lived. One that was restarted, or died together
with its workers, knows nothing of them, and Dagster's own launcher would let their runs be
"started" for ever. This one answers the daemon's run monitoring, so such runs fail and are retried.
"""

import json
import os
import signal
import socket
import time
from dataclasses import dataclass

import dagster as dg
from dagster._core.errors import DagsterUserCodeUnreachableError
from dagster._core.launcher.base import CheckRunHealthResult, WorkerStatus
from dagster._core.launcher.default_run_launcher import DefaultRunLauncher
from dagster._core.storage.tags import GRPC_INFO_TAG
from dagster._grpc.types import CanCancelExecutionRequest, CanCancelExecutionResult
from dagster._serdes import ConfigurableClassData, deserialize_value

from sm_platform.defs.instance import HOST_TAG, PID_TAG, START_TAG
from sm_platform.defs.serving.processes import is_alive, is_alive_since

ASK_SECONDS = 10
PATIENCE_SECONDS = 60.0
"""A code server that is restarted answers long before, and then tells which workers ended."""
LOOPBACK = ("localhost", "127.0.0.1", "::1")
RUNNING = CheckRunHealthResult(WorkerStatus.RUNNING)


@dataclass(frozen=True, slots=True)
class Worker:
    """Process of a run on this machine, and when it said so (seconds since 1970)."""

    pid: int
    moment: float

    @property
    def is_alive(self) -> bool:
        """Whether it still runs."""
        return is_alive_since(self.pid, self.moment)


class WorkerLauncher(DefaultRunLauncher):
    """Dagster's launcher, which can also be asked whether a worker lives."""

    def __init__(self, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__(inst_data)
        self._lost_since: dict[str, float] = {}

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Run monitoring may ask."""
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """RUNNING unless it is certain that nothing works on the run any more."""
        if GRPC_INFO_TAG not in run.tags:
            return _command_line_health(run)
        worker = worker_of(self._instance, run)
        if worker is not None and worker.is_alive:
            self._lost_since.pop(run.run_id, None)
            return RUNNING  # perhaps of a server that was restarted since
        is_known = self._is_known_to_server(run.run_id)
        if is_known is False:
            return _gone("Its worker ended together with the code server that had started it.")
        if is_known and worker is None:
            return RUNNING
        # A server tells of a worker's end itself, and a retry needs one that answers: wait for it.
        if self._is_lost_long(run.run_id):
            return _gone("Its worker has ended, or its code server does not answer any more.")
        return RUNNING

    def terminate(self, run_id: str) -> bool:
        """End a run; a worker that its code server does not know is told so itself."""
        if super().terminate(run_id):  # type: ignore[no-untyped-call]
            return True
        run = self._instance.get_run_by_id(run_id)
        worker = worker_of(self._instance, run) if run else None
        if worker is None or not worker.is_alive:
            return False
        os.kill(worker.pid, signal.SIGINT)
        return True

    def _is_known_to_server(self, run_id: str) -> bool | None:
        """Whether the code server holds the run; None when it does not answer."""
        client = self._get_grpc_client_for_termination(run_id)  # type: ignore[no-untyped-call]
        if client is None:
            return True  # the run has ended meanwhile
        asked = CanCancelExecutionRequest(run_id=run_id)
        try:
            answer = client.can_cancel_execution(asked, ASK_SECONDS)
        except DagsterUserCodeUnreachableError:
            return None
        return deserialize_value(answer, CanCancelExecutionResult).can_cancel

    def _is_lost_long(self, run_id: str) -> bool:
        since = self._lost_since.setdefault(run_id, time.monotonic())
        return time.monotonic() - since > PATIENCE_SECONDS


def worker_of(instance: dg.DagsterInstance, run: dg.DagsterRun) -> Worker | None:
    """The worker that a run names; None when it runs on another machine or has named none."""
    place = json.loads(run.tags.get(GRPC_INFO_TAG, "{}"))
    if not place.get("socket") and place.get("host") not in LOOPBACK:
        return None
    told = instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ENGINE_EVENT)
    for entry in told:
        event = entry.get_dagster_event()
        pid = event.engine_event_data.metadata.get("pid")
        if pid is not None:
            return Worker(int(str(pid.value)), entry.timestamp)
    return None


def _command_line_health(run: dg.DagsterRun) -> CheckRunHealthResult:
    """Of a run that a command line of some machine executes itself."""
    is_here = run.tags.get(HOST_TAG) == socket.gethostname()
    if not is_here or is_alive(int(run.tags[PID_TAG]), run.tags.get(START_TAG)):
        return RUNNING
    return _gone("The command line that held this run has ended.")


def _gone(why: str) -> CheckRunHealthResult:
    return CheckRunHealthResult(WorkerStatus.NOT_FOUND, why)
