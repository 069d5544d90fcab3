import errno
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest

from sm_platform.errors import LakeError
from sm_platform.lake import store
from sm_platform.lake.atomic import explained, replacing_file, replacing_folder, sweep
from sm_platform.lake.layout import Layout
from sm_platform.schema.driver_tables import WEATHER
from sm_platform_tests.lake.dying import NAMES, SIZE

DAY = date(2025, 3, 7)
CHECKOUT = Path(__file__).resolve().parents[2]


def visible(root: Path) -> set[str]:
    """Every file below the lake but those aside."""
    return {
        path.relative_to(root).as_posix()
        for path in root.rglob("*")
        if path.is_file() and ".aside" not in path.parts
    }


def left_aside(root: Path) -> list[Path]:
    return sorted((root / ".aside").rglob("*"))


def content(root: Path) -> str:
    """The one letter that the files in `made` hold throughout; fails when one is not whole."""
    texts = {path.read_text() for path in (root / "made").iterdir()}
    (text,) = texts
    assert text == text[0] * SIZE
    return text[0]


def die_at_every_step(what: str, home: Path) -> list[Path]:
    """Lakes in which a write was killed at its first, second, ... file operation."""
    command = [sys.executable, "-m", "sm_platform_tests.lake.dying", what, str(home)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, timeout=120, cwd=CHECKOUT
    )
    return [home / str(n) for n in range(1, int(done.stdout) + 1)]


@pytest.mark.parametrize(("what", "names"), [("file", {"one.txt"}), ("folder", set(NAMES))])
def test_killed_at_any_step_leaves_old_or_new_whole_and_nothing_after_the_sweep(
    tmp_path: Path, what: str, names: set[str]
) -> None:
    found = []
    for root in die_at_every_step(what, tmp_path):
        before = visible(root)
        assert before in (set(), {f"made/{name}" for name in names})
        sweep(root / ".aside")
        assert visible(root) == {f"made/{name}" for name in names}
        assert not [path for path in left_aside(root) if path.is_file()]
        assert all(p.parent == root / ".aside" for p in left_aside(root))
        found.append((len(before), content(root)))
    assert [letter for _, letter in found] == sorted((c for _, c in found), reverse=True)
    assert {letter for _, letter in found} == {"o", "n"}
    assert ((0, "o") in found) == (what == "folder")  # between the two renames of a folder


def test_killed_half_way_through_a_partition_the_old_one_is_read(layout: Layout) -> None:
    put(layout, 3)
    script = (
        "import sys, time; from pathlib import Path\n"
        "from sm_platform.lake.atomic import replacing_file\n"
        "with replacing_file(Path(sys.argv[1]), Path(sys.argv[2])) as draft:\n"
        "    draft.write_bytes(b'PAR1 half')\n"
        "    print('half', flush=True)\n"
        "    time.sleep(60)\n"
    )
    part = layout.part("weather", "red-river", DAY)
    command = [sys.executable, "-c", script, str(part), str(layout.aside)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "half\n"
        sweep(layout.aside)
        drafts = [path for path in left_aside(layout.root) if path.is_file()]
        assert [path.relative_to(layout.aside).parts[0] for path in drafts] == [str(writer.pid)]
        writer.send_signal(signal.SIGKILL)
    assert rows_of(layout) == 3
    assert visible(layout.root) == {part.relative_to(layout.root).as_posix()}
    assert store.days_made(layout, WEATHER, "red-river") == [DAY]
    sweep(layout.aside)
    assert not list(layout.aside.glob(f"{writer.pid}*"))


def weather(n: int) -> pa.Table:
    columns = {
        "cell_id": pa.array(range(n), pa.int32()),
        "temperature_k": pa.array([300.0] * n),
        "precipitation_m": pa.array([0.01] * n),
        "temperature_range_code": pa.array([0] * n),
        "precipitation_range_code": pa.array([0] * n),
        "is_preliminary": pa.array([False] * n),
    }
    return pa.table(columns)


def put(layout: Layout, n: int) -> Path:
    return store.write(layout, WEATHER, weather(n), region="red-river", day=DAY)


def rows_of(layout: Layout) -> int:
    found = store.read(layout, WEATHER, "red-river", DAY)
    assert found is not None
    return int(found.rows.num_rows)


def folder_of(root: Path, text: str) -> None:
    with replacing_folder(root / "made", root / ".aside") as draft:
        for name in NAMES:
            (draft / name).write_text(text * SIZE)


def test_a_block_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    folder_of(tmp_path, "o")
    with (
        pytest.raises(ZeroDivisionError),
        replacing_folder(tmp_path / "made", tmp_path / ".aside") as draft,
    ):
        (draft / "a.txt").write_text("half")
        _ = 1 / 0
    with (
        pytest.raises(ZeroDivisionError),
        replacing_file(tmp_path / "one.txt", tmp_path / ".aside") as path,
    ):
        path.write_text("half")
        _ = 1 / 0
    assert content(tmp_path) == "o"
    assert visible(tmp_path) == {f"made/{name}" for name in NAMES}
    assert not list((tmp_path / ".aside").glob("*/*"))


def test_a_folder_is_replaced_with_all_its_files(tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "of before.txt").write_text("old")
    folder_of(tmp_path, "n")
    assert visible(tmp_path) == {f"made/{name}" for name in NAMES}
    assert content(tmp_path) == "n"
    assert not list((tmp_path / ".aside").glob("*/*"))


def test_a_folder_that_cannot_take_its_place_leaves_the_old_one_there(tmp_path: Path) -> None:
    folder_of(tmp_path, "o")
    with (
        pytest.raises(LakeError, match="Cannot write"),
        replacing_folder(tmp_path / "made", tmp_path / ".aside") as draft,
    ):
        draft.rmdir()
    assert content(tmp_path) == "o"


def test_writers_of_one_folder_do_not_disturb_each_other(tmp_path: Path) -> None:
    failed: list[Exception] = []

    def writer(letter: str) -> None:
        try:
            for _ in range(200):
                folder_of(tmp_path, letter)
        except Exception as error:  # a thread's error would be lost
            failed.append(error)

    threads = [threading.Thread(target=writer, args=(letter,)) for letter in "abc"]
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # so that they meet between the two renames
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    finally:
        sys.setswitchinterval(usual)
    assert not failed
    assert content(tmp_path) in "abc"
    assert not list((tmp_path / ".aside").glob("*/*"))


def test_the_sweep_leaves_living_writers_their_drafts(tmp_path: Path) -> None:
    aside = tmp_path / ".aside"
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        theirs = aside / str(other.pid) / "draft"
        theirs.mkdir(parents=True)
        with replacing_file(tmp_path / "one.txt", aside) as draft:
            draft.write_text("ours")
            sweep(aside)
        assert theirs.is_dir()
        other.communicate(b"\n")
    sweep(aside)
    assert not theirs.parent.exists()
    assert (tmp_path / "one.txt").read_text() == "ours"


def test_an_earlier_process_of_our_number_is_no_hindrance(tmp_path: Path) -> None:
    """In a container every start may have the same process number."""
    left = tmp_path / ".aside" / str(os.getpid())
    for number in range(3):
        (left / str(number)).mkdir(parents=True)
    folder_of(tmp_path, "n")
    sweep(tmp_path / ".aside")
    assert content(tmp_path) == "n"
    assert not list(left.iterdir())


def test_what_moved_away_goes_back_also_when_the_lake_was_moved(tmp_path: Path) -> None:
    root = next(r for r in die_at_every_step("folder", tmp_path / "x") if not visible(r))
    moved = root.rename(tmp_path / "elsewhere")
    sweep(moved / ".aside")
    assert content(moved) == "o"


def test_what_moved_away_does_not_push_out_a_newer_one(tmp_path: Path) -> None:
    root = next(r for r in die_at_every_step("folder", tmp_path / "x") if not visible(r))
    folder_of(root, "z")
    sweep(root / ".aside")
    assert content(root) == "z"


def test_sweeping_nothing_is_nothing(tmp_path: Path) -> None:
    sweep(tmp_path / "absent")
    (tmp_path / ".aside" / "notes").mkdir(parents=True)
    sweep(tmp_path / ".aside")
    assert (tmp_path / ".aside" / "notes").is_dir()


REFUSED = """
import os, resource, sys
from pathlib import Path
from sm_platform.errors import LakeError
from sm_platform.lake.layout import Layout
from sm_platform_tests.lake.test_atomic import put
root, rows, limit = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
elif os.getuid() == 0:
    os.setuid(65534)
try:
    put(Layout(root), rows)
except LakeError as error:
    print(error)
"""


def refused(root: Path, rows: int, *, limit: int = 0) -> str:
    """What a LakeError says of writing so many rows, in a process of its own.

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
