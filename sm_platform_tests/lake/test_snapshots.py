"""Snapshots of trainings: whole or not at all, found again, removed, swept when old."""

import os
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sm_platform.errors import LakeError, UsageError
from sm_platform.lake.snapshots import KEPT, open_snapshots, sweep_snapshots

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def made(root: Path, name: str, age: timedelta) -> Path:
    """A training with one snapshot, last touched so long ago."""
    folder = open_snapshots(root, name)
    folder.write("1_8", b"state")
    then = (NOW - age).timestamp()
    for path in (folder.folder / "1_8", folder.folder):
        os.utime(path, (then, then))
    return folder.folder


def test_what_is_written_is_read_by_whoever_opens_the_same_training(tmp_path: Path) -> None:
    open_snapshots(tmp_path, "a").write("2_32_r2", b"first")
    open_snapshots(tmp_path, "a").write("2_32_r2", b"second")
    assert open_snapshots(tmp_path, "a").read("2_32_r2") == b"second"
    assert open_snapshots(tmp_path, "a").read("2_32") is None
    assert open_snapshots(tmp_path, "b").read("2_32_r2") is None


def test_opening_makes_nothing_and_a_strange_name_is_refused(tmp_path: Path) -> None:
    found = open_snapshots(tmp_path, "a")
    assert not list(tmp_path.iterdir())
    with pytest.raises(UsageError, match="cannot be part of a path"):
        found.write("../elsewhere", b"")


def test_threads_write_side_by_side(tmp_path: Path) -> None:
    found = open_snapshots(tmp_path, "a")
    with ThreadPoolExecutor(4) as workers:
        list(workers.map(lambda n: found.write(f"{n % 4}_8", bytes([n]) * 999), range(80)))
    for name in ("0_8", "1_8", "2_8", "3_8"):
        content = found.read(name)
        assert content is not None
        assert content == content[:1] * 999


def test_removing_leaves_nothing_and_no_other_training(tmp_path: Path) -> None:
    one, other = open_snapshots(tmp_path, "a"), open_snapshots(tmp_path, "b")
    one.write("1_8", b"x")
    other.write("1_8", b"y")
    one.remove()
    one.remove()
    assert other.read("1_8") == b"y"
    other.remove()
    assert {path.name for path in tmp_path.iterdir()} == {".aside"}


def test_only_what_nobody_has_touched_for_a_month_is_swept(tmp_path: Path) -> None:
    old = made(tmp_path, "old", KEPT + timedelta(hours=1))
    young = made(tmp_path, "young", KEPT - timedelta(hours=1))
    gone_on = made(tmp_path, "gone-on", KEPT + timedelta(days=9))
    fresh = (NOW - timedelta(days=1)).timestamp()
    os.utime(gone_on / "1_8", (fresh, fresh))
    assert sweep_snapshots(tmp_path, NOW) == ["old"]
    assert (old.exists(), young.exists(), gone_on.exists()) == (False, True, True)
    assert sweep_snapshots(tmp_path / "nothing", NOW) == []


def test_a_training_that_is_finished_while_another_sweeps_disturbs_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its folder is listed, and gone before it is looked at."""
    made(tmp_path, "finished", KEPT + timedelta(hours=1))
    old = made(tmp_path, "old", KEPT + timedelta(hours=1))
    listed = sorted((tmp_path / ".training").iterdir())
    monkeypatch.setattr(Path, "iterdir", lambda _: iter(listed))
    open_snapshots(tmp_path, "finished").remove()
    assert sweep_snapshots(tmp_path, NOW) == ["old"]
    assert not old.exists()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 KiB; skips where mounting one is not allowed."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "models", str(disk)]
    if os.getuid() or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small disk needs root")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_says_so_and_the_snapshot_before_stays(small_disk: Path) -> None:
    found = open_snapshots(small_disk, "a")
    found.write("1_8", b"good" * 1000)
    with pytest.raises(LakeError, match=r"Cannot write .*1_8: No space left on device\. Free"):
        found.write("1_8", b"more" * 20_000)
    assert found.read("1_8") == b"good" * 1000
    assert not list((small_disk / ".aside").glob("*/*"))
