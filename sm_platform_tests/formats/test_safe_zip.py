"""Zips that others made: what is refused, by name, and what stays bounded."""

import io
import random
import stat
import subprocess
import sys
import tracemalloc
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sm_platform.errors import GranuleError
from sm_platform.formats.safe_zip import Allowance, unpacked

MIB = 1 << 20
CHECKOUT = Path(__file__).resolve().parents[2]


def zipped(path: Path, members: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def refused(path: Path, folder: Path, allowance: Allowance | None = None) -> str:
    """The message; nothing may have been written outside of the folder."""
    folder.mkdir()
    before = set(folder.parent.rglob("*"))
    with pytest.raises(GranuleError) as error:
        unpacked(path, folder, allowance or Allowance())
    assert all(folder in one.parents for one in set(folder.parent.rglob("*")) - before)
    return str(error.value)


def test_files_come_out_as_they_went_in_and_in_their_order(tmp_path: Path) -> None:
    members = {"b/Tên trạm.stm": b"1", "a.stm": bytes(3 * MIB), "b/c/d.stm": b""}
    path = zipped(tmp_path / "a.zip", {"b/": b"", **members})
    allowance = Allowance()
    (tmp_path / "out").mkdir()
    found = unpacked(path, tmp_path / "out", allowance)
    assert [one.relative_to(tmp_path / "out").as_posix() for one in found] == list(members)
    assert [one.read_bytes() for one in found] == list(members.values())
    assert (allowance.files_left, allowance.bytes_left) == (19_997, (2 << 30) - 3 * MIB - 1)


@pytest.mark.parametrize(
    "name",
    [
        "../a.stm",
        "a/../../a.stm",
        "/etc/a.stm",
        "//host/a.stm",
        "C:/a.stm",
        "C:a.stm",
        "..\\a.stm",
        "\\a.stm",
        "a\\b.stm",
        "a.stm:b",
    ],
)
def test_a_name_that_leads_out_is_refused(tmp_path: Path, name: str) -> None:
    path = zipped(tmp_path / "a.zip", {"good.stm": b"1", name: b"2"})
    message = refused(path, tmp_path / "out")
    assert repr(name) in message
    assert "leads out of its folder" in message
    assert not any((tmp_path / "out").iterdir())


def test_a_link_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        link = zipfile.ZipInfo("a.stm")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    assert "a.stm' leads out of its folder or is a link" in refused(path, tmp_path / "out")


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("twice", [("a.stm", "a.stm"), ("a.stm", "A.STM"), ("x/a", "x/./a")])
def test_two_members_of_one_name_are_refused(tmp_path: Path, twice: tuple[str, str]) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in twice:
            archive.writestr(name, "1")
    assert "is in the zip twice" in refused(path, tmp_path / "out")


def test_a_file_that_is_also_a_folder_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {"a": b"1", "a/b": b"2"})
    assert "a.zip: the zip is damaged" in refused(path, tmp_path / "out")


def encrypted(content: bytes) -> bytes:
    """The same zip with the bit that says so, in the local and the central header."""
    flags = [content.index(b"PK\3\4") + 6, content.index(b"PK\1\2") + 8]
    return bytes(byte | (index in flags) for index, byte in enumerate(content))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda _: b"", "is an empty file, not a zip"),
        (lambda _: b"<html>login</html>", "is a web page .*not a zip"),
        (lambda _: b"station;time\n", "is something else, not a zip"),
        (lambda content: content[: len(content) // 2], "is cut off"),
        (lambda content: content[:-10], "is cut off"),
        (encrypted, "damaged or encrypted .*password"),
        (lambda content: content.replace(b"hello", b"hallo"), "damaged .*Bad CRC-32"),
    ],
)
def test_what_is_no_whole_zip_is_told(
    tmp_path: Path, change: Callable[[bytes], bytes], message: str
) -> None:
    path = zipped(tmp_path / "a.zip", {"a.stm": b"hello" * 40}, zipfile.ZIP_STORED)
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(GranuleError, match=f"^a.zip: .*{message}"):
        unpacked(path, tmp_path, Allowance())


def test_an_empty_zip_an_absent_one_and_a_folder_are_told(tmp_path: Path) -> None:
    with pytest.raises(GranuleError, match=r"a\.zip: the zip is empty"):
        unpacked(zipped(tmp_path / "a.zip", {}), tmp_path, Allowance())
    with pytest.raises(GranuleError, match="the zip is empty"):
        unpacked(zipped(tmp_path / "b.zip", {"folder/": b""}), tmp_path, Allowance())
    for name in ("absent.zip", ""):
        with pytest.raises(GranuleError, match="cannot be opened"):
            unpacked(tmp_path / name, tmp_path, Allowance())


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_method_that_cannot_be_bounded_is_refused(tmp_path: Path, method: int) -> None:
    path = zipped(tmp_path / "a.zip", {"a.stm": bytes(MIB)}, method)
    assert f"not read here ({method})" in refused(path, tmp_path / "out")


def bomb(path: Path, n_bytes: int, *, claimed: int | None = None) -> Path:
    """Zeros that unpack to many bytes; `claimed` is what the zip says of them."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("zeros.stm", "w", force_zip64=True) as out:
            for _ in range(n_bytes // MIB):
                out.write(bytes(MIB))
        if claimed is not None:
            archive.infolist()[0].file_size = claimed
    return path


def test_10_gib_of_zeros_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    # What the zip tells of itself is enough: the zeros need not be packed for it.
    path = bomb(tmp_path / "a.zip", 4 * MIB, claimed=10 << 30)
    message = refused(path, tmp_path / "out")
    assert "zeros.stm and the other files unpack to more than the 2048 MiB" in message
    assert not any((tmp_path / "out").iterdir())


def test_a_zip_that_understates_its_size_writes_no_more_than_allowed(tmp_path: Path) -> None:
    path = bomb(tmp_path / "a.zip", 64 * MIB, claimed=5 * MIB)
    tracemalloc.start()
    refused(path, tmp_path / "out", Allowance(bytes_left=8 * MIB))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    written = sum(one.stat().st_size for one in (tmp_path / "out").iterdir())
    assert written <= 8 * MIB
    assert peak < 8 * MIB
    assert path.stat().st_size < MIB


def test_the_allowance_is_for_all_files_and_all_zips_together(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {str(n): bytes(10) for n in range(5)})
    assert "more than" in refused(path, tmp_path / "x", Allowance(bytes_left=49))
    assert "has 5 files, more than the 4" in refused(path, tmp_path / "y", Allowance(files_left=4))
    allowance = Allowance(bytes_left=99, files_left=10)
    (tmp_path / "z").mkdir()
    unpacked(path, tmp_path / "z", allowance)
    assert (allowance.bytes_left, allowance.files_left) == (49, 5)
    assert "more than" in refused(path, tmp_path / "w", allowance)


FULL = """
import resource, sys
from pathlib import Path
from sm_platform.errors import DataError
from sm_platform.formats.safe_zip import Allowance, unpacked
resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
try:
    unpacked(Path(sys.argv[1]), Path(sys.argv[2]), Allowance())
except DataError as error:
    print(type(error).__name__, error)
"""


def test_a_disk_without_room_is_not_blamed_on_the_zip(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {"a.stm": bytes(2 * MIB)})
    command = [sys.executable, "-c", FULL, str(path), str(tmp_path)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, timeout=60, cwd=CHECKOUT
    )
    assert done.stdout.startswith("DataError ")
    assert "there is no room to unpack a.zip" in done.stdout


@given(seed=st.integers(0, 10_000), n_changed=st.integers(1, 8))
def test_changed_bytes_are_read_or_refused_and_never_anything_else(
    tmp_path_factory: pytest.TempPathFactory, seed: int, n_changed: int
) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/Trạm.stm", "2020/01/01 00:00 0.2 G M\n" * 5)
        archive.writestr("b.stm", "x")
    content = bytearray(buffer.getvalue())
    change = random.Random(seed)  # noqa: S311
    for _ in range(n_changed):
        content[change.randrange(len(content))] = change.randrange(256)
    folder = tmp_path_factory.mktemp("zip")
    (folder / "a.zip").write_bytes(content)
    (folder / "out").mkdir()
    try:
        found = unpacked(folder / "a.zip", folder / "out", Allowance())
    except GranuleError as error:
        assert str(error).startswith("a.zip: ")
    else:
        assert all(folder / "out" in one.parents for one in found)
