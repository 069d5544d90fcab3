import errno
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from sm_platform.errors import LakeError
from sm_platform.lake.atomic import explained, sweep
from sm_platform.lake.layout import Layout
from sm_platform_tests.lake.small_lake import content, folder_of, put, rows_of, visible

CHECKOUT = Path(__file__).resolve().parents[2]
REFUSED = """
import os, resource, sys
from pathlib import Path
from sm_platform.errors import LakeError
from sm_platform.lake.atomic import check_takes_writing
from sm_platform.lake.layout import Layout
from sm_platform_tests.lake.small_lake import put
root, rows, limit = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
elif os.getuid() == 0:
    os.setuid(65534)
try:
    put(Layout(root), rows) if rows else check_takes_writing(Layout(root).aside)
except LakeError as error:
    print(error)
"""


def refused(root: Path, rows: int, *, limit: int = 0) -> str:
    """What a LakeError says of writing so many rows (0: of asking first), in a process of its own.

    With a limit no file may grow beyond so many bytes; else the process is an unprivileged one.
    """
    command = [sys.executable, "-c", REFUSED, str(root), str(rows), str(limit)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, timeout=60, cwd=CHECKOUT
    )
    return done.stdout.strip()


@pytest.fixture
def read_only() -> Iterator[Layout]:
    """A lake that may be read by all and written by root alone."""
    root = Path(tempfile.mkdtemp(prefix="read-only-lake-"))
    layout = Layout(root)
    put(layout, 2)
    shutil.rmtree(layout.aside)
    for path in (root, *root.rglob("*")):
        path.chmod(0o555)
    yield layout
    for path in (root, *root.rglob("*")):
        path.chmod(0o755)
    shutil.rmtree(root)


def test_a_read_only_lake_says_so(read_only: Layout) -> None:
    said = refused(read_only.root, 3)
    assert said.startswith(f"Cannot write {read_only.aside}")
    assert "Permission denied" in said
    assert "make the folder writable" in said
    assert rows_of(read_only) == 2


def test_a_file_that_may_not_grow_says_so_and_the_old_one_stays(layout: Layout) -> None:
    part = put(layout, 2)
    said = refused(layout.root, 5000, limit=1000)
    assert said.startswith(f"Cannot write {part}: ")
    assert "File too large" in said
    assert said.endswith("Free space or make the folder writable.")
    assert rows_of(layout) == 2
    sweep(layout.aside)
    assert visible(layout.root) == {part.relative_to(layout.root).as_posix()}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 KiB; skips where mounting one is not allowed."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "lake", str(disk)]
    if os.getuid() or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small disk needs root")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_says_so_and_the_old_content_stays(small_disk: Path) -> None:
    folder_of(small_disk, "o")
    with pytest.raises(LakeError, match=r"Cannot write .*made: No space left on device\. Free"):
        folder_of(small_disk, "new")
    assert content(small_disk) == "o"
    assert not list((small_disk / ".aside").glob("*/*"))
    layout = Layout(small_disk / "lake")
    put(layout, 2)
    filler = small_disk / "filler"
    with pytest.raises(OSError, match="No space"):
        filler.write_bytes(bytes(1 << 17))
    with pytest.raises(LakeError, match="No space left on device"):
        put(layout, 5000)
    assert rows_of(layout) == 2


def test_an_error_without_words_of_the_system_keeps_its_own() -> None:
    with pytest.raises(LakeError, match=r"Cannot write x: odd\. Free"), explained(Path("x")):
        raise OSError("odd")
    with pytest.raises(LakeError, match="Cannot write x: No space left"), explained(Path("x")):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_whether_a_lake_takes_writing_is_told_and_leaves_nothing(
    tmp_path: Path, read_only: Layout
) -> None:
    assert refused(tmp_path, 0, limit=1 << 20) == ""
    assert "Cannot write" in refused(tmp_path, 0, limit=1 << 10)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    assert "Cannot write" in refused(read_only.root, 0)
