"""`sm-platform inspect` as a person types it: a table to read, JSON to pipe, one line on error."""

import json
from pathlib import Path
from typing import IO

import numpy as np
import pytest
from affine import Affine

from sm_platform_tests.desk import Desk
from sm_platform_tests.formats.provider_files import write_tiff

NAME = "NDVI_2025-01-09.tif"


@pytest.fixture(scope="module")
def desk(server: IO[str], tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return Desk(tmp_path_factory.mktemp("inspect"), server, {})


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    values = np.array([[5000, np.nan], [-3000, 6250]], "f4")
    affine = Affine(0.1, 0, 106, 0, -0.1, 21)
    return write_tiff(tmp_path_factory.mktemp("files") / NAME, [values], affine=affine)


def test_json_is_as_agreed(desk: Desk, file: Path) -> None:
    answer = desk.done("inspect", file, "--at", "106.05", "20.95", "--json")
    assert json.loads(answer.out) == {
        "product": "seed_ndvi",
        "time_utc": "2025-01-09T00:00:00Z",
        "crs": "EPSG:4326",
        "shape": [2, 2],
        "variables": {"NDVI": {"unit": "1", "valid_share": 0.5}},
        "at": {"NDVI": 0.5},
    }


def test_without_a_place_no_values_are_told(desk: Desk, file: Path) -> None:
    assert json.loads(desk.done("inspect", file, "--json").out)["at"] == {}


def test_missing_is_null_and_a_note_goes_to_stderr(desk: Desk, file: Path) -> None:
    answer = desk.done("inspect", file, "--json", "--at", "-70.5", "-20.5")
    assert json.loads(answer.out)["at"] == {"NDVI": None}
    assert "outside this file" in answer.err


def test_a_person_reads_a_table(desk: Desk, file: Path) -> None:
    out = desk.done("inspect", file, "--at", "106.15", "20.95").out
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert lines == [
        "product seed_ndvi",
        "time UTC 2025-01-09T00:00:00Z",
        "CRS EPSG:4326",
        "affine 0.1 0 106 0 -0.1 21",
        "shape 2 x 2",
        "variable unit valid at 106.15 20.95",
        "NDVI 1 50.00 % missing",
    ]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("absent.tif",), 2, "absent.tif does not exist"),
        (("FILE", "--at", "20.95", "106.05"), 2, "longitude (-180..180), then latitude"),
        (("FILE", "--at", "106.05"), 2, "--at"),
        (("BROKEN",), 1, "broken.tif: the image is damaged or cut off"),
    ],
)
def test_what_is_wrong_is_one_line(
    desk: Desk, file: Path, words: tuple[str, ...], code: int, said: str
) -> None:
    broken = file.with_name("broken.tif")
    broken.write_bytes(file.read_bytes()[:100])
    names = {"FILE": str(file), "BROKEN": str(broken)}
    answer = desk.run("inspect", *(names.get(word, word) for word in words))
    assert answer.code == code
    assert said in answer.err
    assert "Traceback" not in answer.err
    assert answer.out == ""
