import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from sm_platform.errors import LakeError
from sm_platform.lake import store
from sm_platform.lake.atomic import replacing_file, replacing_folder, sweep
from sm_platform.lake.layout import Layout
from sm_platform.schema.driver_tables import WEATHER
from sm_platform_tests.lake.dying import NAMES
from sm_platform_tests.lake.small_lake import DAY, content, folder_of, put, rows_of, visible

CHECKOUT = Path(__file__).resolve().parents[2]


def left_aside(root: Path) -> list[Path]:
    return sorted((root / ".aside").rglob("*"))


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
