"""`sm-platform up --read-only` as a person starts it, asked as a browser asks, then killed."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from sm_platform_tests.desk import CHECKOUT

PATIENCE_S = 90.0
LAUNCH = """mutation { launchRun(executionParams: {
  mode: "default", runConfigData: {}, selector: {
    repositoryLocationName: "sm_platform", repositoryName: "__repository__", jobName: "JOB"}})
  { __typename ... on UnauthorizedError { message } } }"""
JOBS = "{ repositoriesOrError { ... on RepositoryConnection { nodes { jobs { name } } } } }"


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    root = tmp_path_factory.mktemp("up")
    names = ("SM_DATA_LAKE", "SM_MODELS", "SM_ARCHIVE", "DAGSTER_HOME")
    folders = {name: str(root / name.lower()) for name in names}
    env = os.environ | folders | {"SM_AUTOMATION": "off"}
    port = free_port()
    command = [sys.executable, "-m", "sm_platform.cli", "up", "--read-only", "--port", str(port)]
    with subprocess.Popen(command, env=env, cwd=CHECKOUT) as process:
        yield process, port
        process.terminate()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def asked(port: int, query: str) -> dict[str, Any]:
    """What the UI's server answers to a GraphQL query, once it is there."""
    until = time.monotonic() + PATIENCE_S
    while True:
        connection = HTTPConnection("127.0.0.1", port)
        with closing(connection), suppress(OSError):
            body = json.dumps({"query": query})
            connection.request("POST", "/graphql", body, {"Content-Type": "application/json"})
            found: dict[str, Any] = json.load(connection.getresponse())["data"]
            return found
        assert time.monotonic() < until
        time.sleep(0.2)


def descendants(pid: int) -> set[int]:
    """Processes that a process has started, and those that these have started."""
    children = [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return set(children).union(*(descendants(child) for child in children))


def test_launch_is_refused_by_the_read_only_ui(up: tuple[subprocess.Popen[bytes], int]) -> None:
    jobs = [
        job["name"]
        for node in asked(up[1], JOBS)["repositoriesOrError"]["nodes"]
        for job in node["jobs"]
    ]
    assert "add_region_job" in jobs
    answer = asked(up[1], LAUNCH.replace("JOB", "add_region_job"))["launchRun"]
    assert answer["__typename"] == "UnauthorizedError"


def test_nothing_is_left_when_it_is_killed(up: tuple[subprocess.Popen[bytes], int]) -> None:
    started = descendants(up[0].pid)
    assert len(started) >= 4, "guard, code server, web server, daemon"
    up[0].send_signal(signal.SIGKILL)
    up[0].wait()
    until = time.monotonic() + PATIENCE_S
    while any(Path(f"/proc/{pid}").exists() for pid in started):
        assert time.monotonic() < until
        time.sleep(0.1)
