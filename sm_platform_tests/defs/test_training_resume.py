"""A training killed at random moments goes on and ends with the weights of an unbroken one."""

import multiprocessing
import os
import signal
import subprocess
import time
from contextlib import redirect_stdout
from multiprocessing.process import BaseProcess
from pathlib import Path

import numpy as np
import pytest

from sm_platform.defs.lesson import prepare_lesson
from sm_platform.defs.training_choice import TrainingChoice
from sm_platform.defs.training_course import Course, Graduate, take_course
from sm_platform.densesm.member_run import Epoch
from sm_platform.errors import LakeError
from sm_platform.lake.layout import Layout
from sm_platform.lake.models import ModelStore
from sm_platform_tests.defs.sample_lake import NAME
from sm_platform_tests.defs.taught_lake import CUT_OFF, taught_region

CHOICE = TrainingChoice(members=2, epochs=6, repeats=2, seed=4)
KILLS = 4


def course(root: Path, lake: Path) -> Graduate:
    """Take the course with the models below `root`; each line said goes to stdout."""

    def say(line: str) -> None:
        print(line, flush=True)

    def show(curves: dict[str, list[Epoch]], line: str) -> None:
        pass

    layout = Layout(lake)
    place = Course(layout, ModelStore(root / "models"), NAME, CUT_OFF, say, show)
    return take_course(place, CHOICE, prepare_lesson(layout, NAME, CUT_OFF, CHOICE))


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    layout = Layout(tmp_path_factory.mktemp("taught") / "lake")
    taught_region(layout)
    return layout.root


@pytest.fixture(scope="module")
def unbroken(lake: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Fingerprint of what a training comes to that nobody stops."""
    return course(tmp_path_factory.mktemp("unbroken"), lake).card.fingerprint


def at_work(root: Path, lake: Path) -> None:
    """What a process of its own does: all that it says goes to a file."""
    with (root / "said.txt").open("a") as file, redirect_stdout(file):
        print(course(root, lake).card.fingerprint)


def started(root: Path, lake: Path) -> BaseProcess:
    """The training in a process that has nothing in common with this one but what is imported."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    run = context.Process(target=at_work, args=(root, lake))
    run.start()
    return run


def changes(root: Path) -> int:
    """A number that grows with each snapshot that is written."""
    files = list((root / "models" / ".training").glob("*/*"))
    return sum(path.stat().st_mtime_ns for path in files if path.exists())


def kill_after(run: BaseProcess, root: Path, n: int, pause: float) -> int | None:
    """Kill the run when it has written n more snapshots; its exit code."""
    last, seen, until = changes(root), 0, time.monotonic() + 120
    while seen < n and run.is_alive() and time.monotonic() < until:
        now = changes(root)
        seen += now != last
        last = now
        time.sleep(0.001)
    time.sleep(pause)
    os.kill(run.pid or 0, signal.SIGKILL)
    run.join()
    return run.exitcode


def test_killed_at_random_moments_it_ends_with_the_same_weights(
    lake: Path, tmp_path: Path, unbroken: str
) -> None:
    rng = np.random.default_rng(11)
    for _ in range(KILLS):
        run = started(tmp_path, lake)
        n, pause = int(rng.integers(2, 5)), float(rng.uniform(0, 0.02))
        assert kill_after(run, tmp_path, n, pause) == -signal.SIGKILL
        assert ModelStore(tmp_path / "models").names() == []
    last = started(tmp_path, lake)
    last.join(120)
    said = (tmp_path / "said.txt").read_text()
    assert last.exitcode == 0
    assert "goes on from epoch " in said
    assert said.split()[-1] == unbroken
    assert not (tmp_path / "models" / ".training").exists()


def test_a_full_disk_names_the_place_and_what_is_finished_is_gone_on_with(
    lake: Path, tmp_path: Path, unbroken: str, capsys: pytest.CaptureFixture[str]
) -> None:
    disk = tmp_path / "models"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "models", str(disk)]
    if os.getuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small disk needs root")
    try:
        with pytest.raises(LakeError, match=r"Cannot write .*No space left on device\. Free"):
            course(tmp_path, lake)
        assert ModelStore(disk).names() == []
        subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
        made = course(tmp_path, lake)
        assert "goes on from epoch" in capsys.readouterr().out
        assert made.card.fingerprint == unbroken
        assert ModelStore(disk).names() == [made.card.checkpoint_id]
    finally:
        subprocess.run(["umount", str(disk)], check=True)
