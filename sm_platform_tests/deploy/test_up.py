"""`sm-platform up --read-only` as a person starts it, asked as a browser asks, then killed."""

import json
import os
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


@pytest.fixture
def port() -> int:
    """A port that nobody has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def up(tmp_path: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    names = ("SM_DATA_LAKE", "SM_MODELS", "SM_ARCHIVE", "DAGSTER_HOME")
    folders = {name: str(tmp_path / name.lower()) for name in names}
    env = os.environ | folders | {"SM_AUTOMATION": "off"}
    command = [sys.executable, "-m", "sm_platform.cli", "up", "--read-only", "--port", str(port)]
    with subprocess.Popen(command, env=env, cwd=CHECKOUT) as process:
        yield process
        process.terminate()


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


def test_launch_is_refused_by_the_read_only_ui_and_a_kill_leaves_nothing(
    up: subprocess.Popen[bytes], port: int
) -> None:
    jobs = [
        job["name"]
        for node in asked(port, JOBS)["repositoriesOrError"]["nodes"]
        for job in node["jobs"]
    ]
    assert "add_region_job" in jobs
    answer = asked(port, LAUNCH.replace("JOB", "add_region_job"))["launchRun"]
    assert answer["__typename"] == "UnauthorizedError"
    started = descendants(up.pid)
    assert len(started) >= 4, "guard, code server, web server, daemon"
    up.kill()
    up.wait()
    until = time.monotonic() + PATIENCE_S
    while any(Path(f"/proc/{pid}").exists() for pid in started):
        assert time.monotonic() < until
        time.sleep(0.1)
