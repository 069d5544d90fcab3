"""Wrong use of every command: an exit code, a sentence with the next step, never a traceback."""

import json
import os
import pickle
import shutil
import signal
import socket
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import IO

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from sm_platform.defs.map_index import read_index, write_index
from sm_platform.densesm.checkpoint import save
from sm_platform.densesm.network import Architecture
from sm_platform.schema.recipes import DENSESM_2024, EOV_2025
from sm_platform_tests.defs.seed_folder import NORTH, PASSES, WEST, around, write, write_folder
from sm_platform_tests.densesm.making import random_checkpoint, random_state
from sm_platform_tests.desk import Answer, Desk

ENVIRONMENT = {"SM_FIRST_DAY": "2024-12-18", "SM_MIN_LOOKBACK_SHARE": "0"}
DAY, LAST = PASSES[0], PASSES[-1]
DAYS = "--start", str(DAY), "--end", str(LAST)
Words = tuple[str, ...]
Answers = dict[Words, "Future[Answer]"]


@pytest.fixture(scope="module")
def desk(server: IO[str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """One mapped region, two checkpoints of different recipes, rows to score."""
    desk = Desk(tmp_path_factory.mktemp("wrong"), server, ENVIRONMENT)
    for name, recipe in (("eov", EOV_2025), ("dense", DENSESM_2024)):
        (desk.models / name).mkdir(parents=True)
        made = random_checkpoint(Architecture(1, 8), recipe=recipe)
        save(replace(made, checkpoint_id=name), desk.models / name)
    write_folder(desk.root / "in", "delta")
    write_rows(desk.root)
    desk.done("run", "--region", "delta", *DAYS, "--archive", desk.root / "in", *EOV)
    yield desk


EOV = "--checkpoint", "eov"


def write_rows(root: Path) -> None:
    """Rows to score, good ones and one file of each fault."""
    names = [str(number) for number in range(153)]
    numbers = np.random.default_rng(4).random((3, 153)).round(3)
    good = pd.DataFrame(numbers, columns=names)
    faults = {"good": None, "text": "wet", "range": 1.5, "missing": np.nan}
    for name, fault in faults.items():
        frame = good.astype(object)
        if fault is not None:
            frame.loc[1, "7"] = fault
        frame.to_csv(root / f"{name}.csv", index=False)
    good.drop(columns="152").to_csv(root / "short.csv", index=False)
    (root / "page.csv").write_text("<html><body>Sign in</body></html>")
    other = {"recipe_id": "densesm-2024", "recipe_fingerprint": DENSESM_2024.fingerprint}
    table = pa.Table.from_pandas(good, preserve_index=False)
    pq.write_table(table.replace_schema_metadata(other), root / "other.parquet")


def checked(answer: Answer, code: int, *said: str) -> str:
    """What was said, after making sure that it is a sentence with these words and no traceback."""
    text = answer.out + answer.err
    assert "Traceback" not in text, text
    assert answer.code == code, text
    for words in said:
        assert words in text, text
    return text


def named(part: str | tuple[str, ...]) -> str:
    """Id of a case: the command, then what is said."""
    return part[:40] if isinstance(part, str) else " ".join(part)[:80]


RUN = ("run", "--region", "delta")
USE: list[tuple[Words, str]] = [
    (("models",), "Usage"),
    (("fly",), "No such command"),
    (("run",), "Missing option '--region'"),
    ((*RUN, *DAYS, "--bogus"), "No such option"),
    (("run", "--region", "nowhere", *DAYS), "no region 'nowhere' (there: delta"),
    ((*RUN, *DAYS, "--checkpoint", "none"), "no checkpoint 'none'"),
    ((*RUN, *DAYS, "--checkpoint", "../models/eov"), "'../models/eov' cannot be part of a path"),
    ((*RUN, *DAYS, "--recipe", "soup"), "choose one of densesm-2024, eov-2025, sm-100m-v1"),
    ((*RUN, *DAYS, "--recipe", "densesm-2024", *EOV), "Checkpoint eov is of recipe eov-2025"),
    ((*RUN, *DAYS, "--recipe", "densesm-2024"), "Checkpoint eov is of recipe eov-2025"),
    ((*RUN, "--start", str(LAST), "--end", str(DAY)), "swap them"),
    ((*RUN, "--start", "2025-02-30", "--end", "2025-03-01"), "'2025-02-30' is not a day"),
    ((*RUN, "--start", "20250103", "--end", "20250104"), "write it as YYYY-MM-DD"),
    ((*RUN, "--start", "2099-01-01", "--end", "2099-01-02"), "lies in the future"),
    ((*RUN, "--start", "2020-01-01", "--end", str(DAY)), "set SM_FIRST_DAY"),
    *(
        (("run", "--region", name, *DAYS, "--archive", "{root}/in"), "cannot name a region")
        for name in ("../delta", "my delta", "Delta", "d", "d" * 60, "--", "")
    ),
    ((*RUN, *DAYS, "--archive", "{root}/models"), "neither an archive (index.parquet) nor"),
    ((*RUN, *DAYS, "--archive", "{root}/absent"), "neither an archive (index.parquet) nor"),
    (("export", *RUN[1:], "--day", "soon", "--out", "{root}/o.tif"), "'soon' is not a day"),
    (
        ("export", *RUN[1:], "--day", str(DAY), "--out", "{root}/o.tif", "--layer", "XY"),
        "no layer 'XY': it has SM, SD, AGE, QA",
    ),
    (
        ("export", *RUN[1:], "--day", str(DAY), "--out", "{root}/o.tif", "--crs", "flat"),
        "'flat' is no CRS: write it like EPSG:32648",
    ),
    (("export", *RUN[1:], "--day", str(DAY), "--out", "{root}/no/o.tif"), "make it first"),
    (("export", *RUN[1:], "--day", str(DAY), "--out", "{root}"), "name the file to write"),
    (
        ("export", *RUN[1:], "--day", str(DAY), "--out", "{root}/o.tif", "--pass", "A001"),
        "0 maps of delta",
    ),
    (("sql", "selec 1"), "syntax error"),
    (("sql", "select * from nothing"), "granule_log, "),
    (("sql", ""), "The query is empty"),
    (("archive", "advance", "--days", "-3"), "greater than or equal to 1"),
    (("archive", "simulate", "--out", "{root}/in"), "name another folder"),
    (("models", "import", "{root}/absent", "--name", "x1", "--recipe", "eov-2025"), "no folder"),
    (("models", "import", "{root}/in", "--name", "../x", "--recipe", "eov-2025"), "cannot name"),
    (("models", "import", "{root}/in", "--name", "x1", "--recipe", "soup"), "choose one of"),
    (
        ("models", "import", "{root}/in", "--name", "x1", "--recipe", "eov-2025")
        + ("--trained-until", "2099-01-01"),
        "lies in the future",
    ),
    (("up", "--port", "70000"), "choose 1 to 65535"),
    (("predict", "{root}/absent.csv", *EOV, "--out", "{root}/o.csv"), "no file"),
    (("predict", "{root}/good.csv", *EOV, "--out", "{root}/no/o.csv"), "make it first"),
    (("predict", "{root}/good.csv", *EOV, "--out", "{root}/o.txt"), ".csv or .parquet"),
    (("predict", "{root}/good.csv", *EOV, "--out", "{root}/good.csv"), "name another file"),
    (("predict", "{root}/other.parquet", *EOV, "--out", "{root}/o.csv"), "of their recipe"),
    (("predict", "{root}/good.csv", "--checkpoint", "x", "--out", "{root}/o.csv"), "'x'"),
]


@pytest.mark.parametrize(("words", "said"), USE, ids=named)
def test_wrong_use_is_code_2(answers: Answers, words: Words, said: str) -> None:
    checked(answers[words].result(), 2, said)


DATA: list[tuple[Words, str]] = [
    (("export", *RUN[1:], "--day", "2025-01-02", "--out", "{root}/o.tif"), "not been mapped"),
    (("archive", "advance"), "sm-platform archive simulate"),
    (("models", "import", "{root}/in", "--name", "x1", "--recipe", "eov-2025"), "no file named"),
    (("predict", "{root}/short.csv", *EOV, "--out", "{root}/o.csv"), "152 of the 153 columns"),
    (("predict", "{root}/text.csv", *EOV, "--out", "{root}/o.csv"), "row 2, column 7 holds 'wet'"),
    (("predict", "{root}/range.csv", *EOV, "--out", "{root}/o.csv"), "row 2, column 7 is 1.5"),
    (("predict", "{root}/page.csv", *EOV, "--out", "{root}/o.csv"), "0 of the 153 columns"),
    (("predict", "{root}/good.csv", "--checkpoint", "{root}/in", "--out", "{root}/o.csv"), "no c"),
]


@pytest.mark.parametrize(("words", "said"), DATA, ids=named)
def test_wrong_data_is_code_1(desk: Desk, answers: Answers, words: Words, said: str) -> None:
    checked(answers[words].result(), 1, said)
    assert not (desk.root / "o.csv").exists()


@pytest.fixture(scope="module")
def answers(desk: Desk) -> Iterator[Answers]:
    """What the desk says to all these words, two commands at a time."""

    def ask(words: Words) -> Answer:
        return desk.run(*(word.format(root=desk.root) for word in words))

    with ThreadPoolExecutor(max_workers=2) as pool:
        told = {words: pool.submit(ask, words) for words, _ in (*USE, *DATA)}
        yield told


def test_a_missing_input_gives_a_missing_result(desk: Desk) -> None:
    out = desk.root / "missing_out.csv"
    desk.done("predict", desk.root / "missing.csv", *EOV, "--out", out, "--members")
    found = pd.read_csv(out)
    assert list(found.columns) == ["sm_mean", "sm_sd", "member_1_8"]
    assert found.isna().all(axis=1).tolist() == [False, True, False]


def test_a_lake_without_anything_answers(desk: Desk) -> None:
    empty = replace(desk, more=ENVIRONMENT | {"SM_DATA_LAKE": str(desk.root / "empty")})
    assert empty.done("sql", "show tables").out.split() == ["name", "day_status", "failed_days"]
    checked(empty.run("sql", "select * from ndvi"), 2, "Tables: day_status, failed_days")
    assert empty.done("regions", "list").out == ""
    checked(empty.run("run", "--region", "delta", *DAYS), 2, "there: none yet", "--archive")
    assert not (desk.root / "empty").exists(), "asking makes nothing"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("SM_MIN_LOOKBACK_SHARE", "abc", "SM_MIN_LOOKBACK_SHARE is 'abc': write a share"),
        ("SM_MIN_LOOKBACK_SHARE", "1.5", "between 0 and 1"),
        ("SM_MIN_LOOKBACK_SHARE", "nan", "between 0 and 1"),
        ("SM_FIRST_DAY", "abc", "SM_FIRST_DAY: 'abc' is not a day"),
        ("SM_DATA_LAKE", "~nobody-of-that-name/lake", "SM_DATA_LAKE is '~nobody"),
    ],
)
@pytest.mark.parametrize("words", [("regions", "list"), (*RUN, *DAYS), ("doctor",)])
def test_a_variable_that_cannot_be_read_is_named(
    desk: Desk, name: str, value: str, said: str, words: tuple[str, ...]
) -> None:
    checked(replace(desk, more=ENVIRONMENT | {name: value}).run(*words), 2, said)


def test_doctor_names_what_means_nothing_and_what_cannot_be_written(desk: Desk) -> None:
    below_a_file = str(desk.root / "good.csv" / "lake")
    odd = {"SM_DATALAKE": "/lake", "SM_MODELS": below_a_file}
    said = checked(replace(desk, more=ENVIRONMENT | odd).run("doctor"), 1)
    assert "MISSING SM_DATALAKE is set but means nothing" in said
    assert f"MISSING SM_MODELS {below_a_file} cannot be written" in said


def test_below_the_share_the_look_back_is_refused_by_name(desk: Desk) -> None:
    strict = replace(desk, more=ENVIRONMENT | {"SM_MIN_LOOKBACK_SHARE": "0.9"})
    checked(strict.run(*RUN, *DAYS, "--process"), 1, "3 of 46 steps", "Download and extract NDVI")


def test_features_of_another_recipe_are_not_mapped(desk: Desk) -> None:
    answer = desk.run(*RUN, *DAYS, "--checkpoint", "dense", "--inference")
    said = checked(answer, 1, "--recipe densesm-2024", "4 days failed")
    assert said.count("built by recipe eov-2025") == 1, "one cause of four days is told once"
    assert f"4 days ({DAYS[1]} to {DAYS[3]}): " in said


def test_the_same_name_from_another_folder_with_another_grid_is_refused(desk: Desk) -> None:
    data = write_folder(desk.root / "moved", "delta", PASSES[:1])
    bands, names = [around(-11.0, 6, 1)] * 3, ("VV", "VH", "angle")
    write(data / f"s1_images/S1_{DAY}.tif", bands, names, corner=(WEST + 0.1, NORTH))
    answer = desk.run(*RUN, *DAYS, "--archive", desk.root / "moved")
    checked(answer, 2, "stored with another pixel grid", "another name")


def test_one_of_several_maps_must_be_chosen(desk: Desk) -> None:
    rows = read_index(desk.layout, "delta", LAST)
    more = [row | {"map_id": row["map_id"].replace("X000", "D091")} for row in rows]
    write_index(desk.layout, "delta", LAST, rows + more, {"status": "mapped", "rows": 2})
    words = "export", *RUN[1:], "--day", LAST, "--out", desk.root / "one.tif"
    checked(desk.run(*words), 2, "2 maps of delta", "--pass D091: SM100_delta_", "--pass X000")
    desk.done(*words, "--pass", "X000")
    write_index(desk.layout, "delta", LAST, rows, {"status": "mapped", "rows": 1})


def test_a_taken_port_is_named(desk: Desk) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        checked(desk.run("up", "--port", port), 2, f"Port {port} is taken", "--port")


class Trap:
    """Runs when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str, ...]]:
        return os.mkdir, (str(self.path),)


def test_pickled_classes_are_never_loaded(desk: Desk) -> None:
    folder, sprung = desk.root / "pickled", desk.root / "sprung"
    folder.mkdir()
    torch.save({"out.bias": Trap(sprung)}, folder / "coarse_1_8.pt")
    answer = desk.run("models", "import", folder, "--name", "trap", "--recipe", "eov-2025")
    checked(answer, 1, "coarse_1_8.pt: it holds pickled classes", "state_dict()")
    (folder / "coarse_1_8.pt").write_bytes(pickle.dumps(Trap(sprung)))
    checked(desk.run("models", "import", folder, "--name", "trap", "--recipe", "eov-2025"), 1)
    assert not sprung.exists()


@pytest.mark.parametrize("content", [b"junk", b"", b"<html>", b"PK\x03\x04", bytes(200)])
def test_a_damaged_network_file_is_named(desk: Desk, content: bytes, tmp_path: Path) -> None:
    (tmp_path / "coarse_1_8.pt").write_bytes(content)
    answer = desk.run("models", "import", tmp_path, "--name", "bad", "--recipe", "eov-2025")
    checked(answer, 1, "coarse_1_8.pt")


def test_a_name_that_is_there_is_not_imported_over(desk: Desk, tmp_path: Path) -> None:
    torch.save(random_state(Architecture(1, 8)), tmp_path / "coarse_1_8.pt")
    before = desk.checkpoint("eov")
    answer = desk.run("models", "import", tmp_path, "--name", "eov", "--recipe", "densesm-2024")
    checked(answer, 2, "'eov' already", "choose another name")
    assert desk.checkpoint("eov") == before


@pytest.mark.parametrize("name", ["members.safetensors", "checkpoint.json"])
def test_a_changed_checkpoint_is_refused_wherever_it_is_used(
    desk: Desk, name: str, tmp_path: Path
) -> None:
    shutil.copytree(desk.models / "eov", tmp_path / "eov")
    shutil.copytree(desk.models / "dense", tmp_path / "dense")
    path = tmp_path / "eov" / name
    content = bytearray(path.read_bytes())
    spot = content.index(b"2025-10-31") + 9 if name.endswith("json") else -5
    content[spot] ^= 1
    path.write_bytes(content)
    changed = replace(desk, more=ENVIRONMENT | {"SM_MODELS": str(tmp_path)})
    checked(changed.run(*RUN, *DAYS, *EOV), 1, f"{path} was changed", "from its origin")
    out = desk.root / "changed.csv"
    checked(changed.run("predict", desk.root / "good.csv", *EOV, "--out", out), 1, str(path))
    said = checked(changed.run("models", "list"), 1, f"{path} was changed")
    assert "dense  densesm-2024" in said, "the whole ones are listed"


def test_ctrl_c_ends_a_run_at_once_and_it_can_go_on(desk: Desk) -> None:
    write_folder(desk.root / "in", "halted", [DAY])
    days = "--start", DAY, "--end", DAY
    words = "run", "--region", "halted", *days, "--archive", desk.root / "in", *EOV
    running = desk.start(*words)
    errors = running.folder / "err"
    while not (errors.exists() and "static_granules" in errors.read_text()):
        assert not running.is_over, errors.read_text()
        time.sleep(0.02)
    os.kill(int((running.folder / "pid").read_text()), signal.SIGINT)
    said = checked(running.wait(), 130)
    assert "sm_maps" not in said
    desk.done(*words)
    assert read_index(desk.layout, "halted", DAY)


def test_a_damaged_table_is_named_and_made_again_once_removed(desk: Desk) -> None:
    part = desk.layout.part("ndvi", "delta", date(2024, 12, 26))
    whole = part.read_bytes()
    part.write_bytes(whole[:50])
    checked(desk.run("sql", "select count(*) from ndvi"), 1, str(part), "remove it")
    checked(desk.run(*RUN, *DAYS, "--process"), 1, str(part), "remove it and run its step again")
    part.unlink()
    desk.done(*RUN, *DAYS, "--extract")
    assert part.read_bytes() == whole


def test_a_map_that_lost_a_file_is_made_again(desk: Desk) -> None:
    (row,) = read_index(desk.layout, "delta", PASSES[1])
    layer = desk.layout.root / row["path"] / f"{row['map_id']}_SM.tif"
    whole = layer.read_bytes()
    layer.unlink()
    desk.done(*RUN, "--start", PASSES[1], "--end", PASSES[1], "--inference")
    assert layer.read_bytes() == whole
    assert json.dumps(read_index(desk.layout, "delta", PASSES[1]), default=str) == json.dumps(
        [row], default=str
    )
