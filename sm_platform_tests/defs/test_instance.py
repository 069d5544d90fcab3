"""Runs of command lines that are gone are ended; those of the living and of others are not."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping

import dagster as dg
import pytest
from dagster._core.remote_origin import (
    RegisteredCodeLocationOrigin,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
)

from sm_platform.defs.instance import HOST_TAG, PID_TAG, START_TAG, end_dead_runs, run_tags

LEFT, ENDED = dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.FAILURE


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as found:
        yield found


@pytest.fixture
def zombie() -> Iterator[int]:
    """A process that has ended and that its parent has not asked after."""
    with subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.read()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        yield process.pid


def left_by(
    instance: dg.DagsterInstance,
    tags: Mapping[str, str],
    status: dg.DagsterRunStatus = LEFT,
    origin: RemoteJobOrigin | None = None,
) -> dg.DagsterRunStatus:
    """What becomes of a run with these tags at the next start."""
    run = dg.DagsterRun(job_name="run", status=status, tags=dict(tags), remote_job_origin=origin)
    instance.add_run(run)
    end_dead_runs(instance)
    found = instance.get_run_by_id(run.run_id)
    assert found is not None
    return found.status


def test_run_of_this_process_goes_on(instance: dg.DagsterInstance) -> None:
    assert left_by(instance, run_tags()) == LEFT


@pytest.mark.parametrize(
    "status", [LEFT, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.NOT_STARTED]
)
def test_run_of_a_process_that_is_gone_has_failed(
    instance: dg.DagsterInstance, status: dg.DagsterRunStatus
) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    assert left_by(instance, run_tags() | {PID_TAG: str(gone.pid)}, status) == ENDED


def test_run_of_an_earlier_process_of_the_same_number_has_failed(
    instance: dg.DagsterInstance,
) -> None:
    assert left_by(instance, run_tags() | {START_TAG: "an earlier start"}) == ENDED


def test_run_of_a_zombie_has_failed(instance: dg.DagsterInstance, zombie: int) -> None:
    assert left_by(instance, run_tags() | {PID_TAG: str(zombie)}) == ENDED


def test_runs_of_other_hosts_and_of_the_daemon_are_left_alone(
    instance: dg.DagsterInstance,
) -> None:
    assert left_by(instance, run_tags() | {HOST_TAG: "elsewhere", START_TAG: "then"}) == LEFT
    assert left_by(instance, {}) == LEFT


def test_run_repeated_in_the_ui_with_the_tags_of_the_first_is_left_alone(
    instance: dg.DagsterInstance,
) -> None:
    place = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("sm_platform"), "__repository__")
    origin = RemoteJobOrigin(place, "run")
    assert left_by(instance, run_tags() | {START_TAG: "then"}, origin=origin) == LEFT


def test_finished_run_keeps_its_end(instance: dg.DagsterInstance) -> None:
    done = dg.DagsterRunStatus.SUCCESS
    assert left_by(instance, run_tags() | {START_TAG: "then"}, done) == done
