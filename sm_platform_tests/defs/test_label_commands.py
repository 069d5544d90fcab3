"""Commands that bring labels: one clear line for a person, whatever they are given."""

import json
from typing import IO

import pytest

from sm_platform.defs.commands.labels import sources_command
from sm_platform.schema.label_sources import LABEL_SOURCES
from sm_platform_tests.defs.label_files import (
    write_csv,
)
from sm_platform_tests.defs.label_lake import (
    FARM,
    LAT,
    LON,
    farm,
)
from sm_platform_tests.desk import Answer, Desk


@pytest.fixture(scope="module")
def answers(server: IO[str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Answer]:
    """Commands of one desk, in turn."""
    desk = Desk(tmp_path_factory.mktemp("labels"), server, {})
    farm(desk.layout)
    path = write_csv(desk.root / "a.csv", [0.2, 0.3, 30.0, "x"])
    words = ["labels", "add-csv", "--region", FARM, path, "--time", "time", "--value", "theta"]
    place = ["--site-name", "plot", "--lon-deg", LON, "--lat-deg", LAT]
    good = [*words, *place, "--unit", "m3/m3", "--label-type", "simulated"]
    asked = {
        "good": good,
        "type": [*words, *place, "--unit", "m3/m3", "--label-type", "guess"],
        "region": ["labels", "add-ismn", "--region", "nowhere", path],
        "pdf": ["labels", "add-files", "--region", FARM, path],
        "show": ["labels", "show", "--region", FARM],
    }
    running = {name: desk.start(*asked[name]) for name in asked}
    return {name: one.wait() for name, one in running.items()}


@pytest.mark.parametrize(
    ("name", "code", "said"),
    [
        ("type", 2, "no label type 'guess': choose of product, model, in_situ, simulated"),
        ("region", 2, "no region 'nowhere'"),
        ("pdf", 1, "is no file of a gridded"),
        ("show", 1, "has no observations"),
    ],
)
def test_a_wrong_command_gets_one_line_and_its_code(
    name: str, code: int, said: str, answers: dict[str, Answer]
) -> None:
    answer = answers[name]
    assert answer.code == code
    (line,) = answer.err.splitlines()
    assert line.startswith("Error: ")
    assert said in line


def test_a_good_command_tells_what_it_found_and_what_comes_next(answers: dict[str, Answer]) -> None:
    answer = answers["good"]
    assert answer.code == 0, answer.err
    assert "3 readings of 1 site, 2 good" in answer.err
    assert "1 out_of_range" in answer.err
    assert "Left out: a.csv" in answer.err
    assert "1 granule is in the lake, 1 of them new" in answer.err
    assert "`station_readings`" in answer.err


def test_the_sources_are_told_a_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    sources_command()
    told_of = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {one["source"]: one["label_type"] for one in told_of}["ismn"] == "in_situ"
    assert [one["source"] for one in told_of] == list(LABEL_SOURCES)
