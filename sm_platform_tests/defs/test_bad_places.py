"""Folders that cannot be written: read-only, full, below a file; said by name, and mended."""

import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO

import pytest
import torch

from sm_platform.defs.map_index import read_index
from sm_platform.densesm.checkpoint import save
from sm_platform.densesm.network import Architecture
from sm_platform.lake.layout import Layout
from sm_platform.schema.recipes import EOV_2025
from sm_platform_tests.defs.seed_folder import PASSES, write_folder
from sm_platform_tests.densesm.making import random_checkpoint, random_state
from sm_platform_tests.desk import Answer, Desk

ENVIRONMENT = {"SM_FIRST_DAY": "2025-01-01", "SM_MIN_LOOKBACK_SHARE": "0"}
FIRST, LAST = PASSES[0], PASSES[1]
Disk = Callable[[str], Path]


@pytest.fixture(scope="module")
def desk(server: IO[str], tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A folder of the seed system and a checkpoint; nothing has been run yet."""
    desk = Desk(tmp_path_factory.mktemp("places"), server, ENVIRONMENT)
    (desk.models / "eov").mkdir(parents=True)
    made = random_checkpoint(Architecture(1, 8), recipe=EOV_2025)
    save(replace(made, checkpoint_id="eov"), desk.models / "eov")
    write_folder(desk.root / "in", "delta", [FIRST, LAST])
    return desk


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """Mounts a small disk with the given options; skips where that is not allowed."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted: list[str] = []

    def mount(options: str) -> Path:
        command = ["mount", "-t", "tmpfs", "-o", options, "small", str(place)]
        if os.getuid() or subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip("mounting a small disk needs root")
        mounted.append(str(place))
        return place

    yield mount
    for path in mounted:
        subprocess.run(["umount", path], check=True)


def at(desk: Desk, **variables: object) -> Desk:
    """The desk with other folders."""
    return replace(desk, more=ENVIRONMENT | {name: str(path) for name, path in variables.items()})


def run(desk: Desk, *more: str) -> Answer:
    days = "--start", FIRST, "--end", LAST
    folder = desk.root / "in"
    words = "--archive", folder, "--checkpoint", "eov"
    return desk.run("run", "--region", "delta", *days, *words, *more)


def checked(answer: Answer, *said: str) -> str:
    """What was said, after making sure that it is a sentence with these words and no traceback."""
    text = answer.out + answer.err
    assert "Traceback" not in text, text
    assert answer.code == 1, text
    for words in said:
        assert words in text, text
    return text


@pytest.mark.parametrize("variable", ["SM_DATA_LAKE", "DAGSTER_HOME"])
def test_a_folder_below_a_file_is_named(desk: Desk, variable: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    place = tmp_path / "file" / "folder"
    answer = run(at(desk, **{variable: place}), "--download")
    checked(answer, f"Cannot write {place}", "Not a directory", "make the folder writable")


def test_a_read_only_disk_is_named(desk: Desk, disk: Disk, tmp_path: Path) -> None:
    place = disk("ro,size=1m")
    for variable in ("SM_DATA_LAKE", "DAGSTER_HOME"):
        answer = run(at(desk, **{variable: place / "folder"}), "--download")
        checked(answer, f"Cannot write {place}", "Read-only file system")
    torch.save(random_state(Architecture(1, 8)), tmp_path / "coarse_1_8.pt")
    words = "models", "import", tmp_path, "--name", "new", "--recipe", "eov-2025"
    checked(at(desk, SM_MODELS=place).run(*words), f"Cannot write {place}")
    simulate = desk.run("archive", "simulate", "--out", place / "archive")
    checked(simulate, f"{place}/archive cannot be written", "another folder")
    report = checked(at(desk, SM_DATA_LAKE=place / "folder").run("doctor"))
    assert f"MISSING SM_DATA_LAKE {place}/folder cannot be written" in report


def test_a_full_lake_is_named_and_the_run_goes_on_once_there_is_room(
    desk: Desk, disk: Disk
) -> None:
    lake = disk("size=240k") / "lake"
    full = at(desk, SM_DATA_LAKE=lake)
    checked(run(full), f"Cannot write {lake}/", "No space left on device")
    subprocess.run(["mount", "-o", "remount,size=20m", str(lake.parent)], check=True)
    answer = run(full)
    assert answer.code == 0, answer.err
    assert all(read_index(Layout(lake), "delta", day) for day in (FIRST, LAST))


def test_a_full_dagster_home_is_named(desk: Desk, disk: Disk) -> None:
    home = disk("size=600k")
    checked(run(at(desk, DAGSTER_HOME=home), "--download"), f"DAGSTER_HOME {home} cannot be used")


@pytest.mark.parametrize("text", ["{broken", "bogus: 3"])
def test_a_wrong_dagster_yaml_is_named(desk: Desk, text: str, tmp_path: Path) -> None:
    (tmp_path / "dagster.yaml").write_text(text)
    answer = run(at(desk, DAGSTER_HOME=tmp_path), "--download")
    checked(answer, f"DAGSTER_HOME {tmp_path} cannot be used", "put its dagster.yaml right")
