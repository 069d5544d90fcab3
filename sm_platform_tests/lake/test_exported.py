"""Exports: a folder or a zip, whole or not at all, with the files that belong to it alone."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from sm_platform.errors import CheckpointError, UsageError
from sm_platform.lake.exported import is_export, opened_export, write_exported

FILES = {"checkpoint.json": b"{}", "members.safetensors": b"12", "MODEL_CARD.md": b"# one"}
FULL = """
import random, resource, sys
from pathlib import Path
from sm_platform.errors import LakeError
from sm_platform.lake.exported import write_exported
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    write_exported(Path(sys.argv[1]), {"checkpoint.json": b"{}", "members": random.randbytes(9000)})
except LakeError as error:
    print(error)
"""


def read(path: Path) -> dict[str, bytes]:
    with opened_export(path, FILES) as folder:
        return {one.name: one.read_bytes() for one in folder.iterdir()}


@pytest.mark.parametrize("name", ["out", "out.zip"])
def test_what_is_written_is_read_back_and_is_the_same_each_time(name: str, tmp_path: Path) -> None:
    write_exported(tmp_path / name, FILES)
    assert read(tmp_path / name) == FILES
    assert is_export(tmp_path / name, "checkpoint.json")
    assert [one.name for one in tmp_path.iterdir()] == [name]
    if name.endswith(".zip"):
        write_exported(tmp_path / "b.zip", dict(reversed(FILES.items())))
        assert (tmp_path / "b.zip").read_bytes() == (tmp_path / name).read_bytes()


def test_an_empty_folder_is_filled_and_what_is_there_is_kept(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    write_exported(tmp_path / "empty", FILES)
    assert read(tmp_path / "empty") == FILES
    for there in ("empty", "empty/checkpoint.json"):
        with pytest.raises(UsageError, match="is there already"):
            write_exported(tmp_path / there, FILES)
    (tmp_path / "a.zip").write_bytes(b"mine")
    with pytest.raises(UsageError, match="is there already"):
        write_exported(tmp_path / "a.zip", FILES)
    with pytest.raises(UsageError, match="make it first"):
        write_exported(tmp_path / "no" / "out", FILES)
    assert (tmp_path / "a.zip").read_bytes() == b"mine"


@pytest.mark.parametrize("name", ["models.pt", "../up", "code/evil.pkl"])
def test_files_that_do_not_belong_to_it_are_refused(name: str, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as packed:
        packed.writestr("checkpoint.json", b"{}")
        packed.writestr(name, b"x")
    with pytest.raises(CheckpointError, match="take out what does not belong"):
        read(tmp_path / "a.zip")
    assert [one.name for one in tmp_path.iterdir()] == ["a.zip"]


def test_a_folder_with_more_in_it_is_refused(tmp_path: Path) -> None:
    write_exported(tmp_path / "out", FILES)
    (tmp_path / "out" / "coarse_1_8.pt").write_bytes(b"x")
    with pytest.raises(CheckpointError, match=r"holds coarse_1_8\.pt beside"):
        read(tmp_path / "out")


def test_a_damaged_zip_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    write_exported(path, {**FILES, "members.safetensors": bytes(range(256)) * 40})
    whole = path.read_bytes()
    name = whole.index(b"members.safetensors") + len(b"members.safetensors")
    changed = [whole[:n] + bytes([whole[n] ^ 0xFF]) + whole[n + 1 :] for n in (name, name + 9)]
    for content in (b"", b"PK", whole[: len(whole) // 2], *changed):
        path.write_bytes(content)
        with pytest.raises(CheckpointError, match="is no zip that can be read"):
            read(path)


@pytest.mark.parametrize("name", ["out", "out.zip"])
def test_a_full_disk_leaves_nothing_half_written(name: str, tmp_path: Path) -> None:
    command = [sys.executable, "-c", FULL, str(tmp_path / name)]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert f"Cannot write {tmp_path / name}" in said
    assert list(tmp_path.iterdir()) == []
