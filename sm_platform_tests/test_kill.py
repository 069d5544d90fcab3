"""Runs that are killed at any moment, or go on side by side, end as one undisturbed run."""

import json
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import IO

import dagster as dg
import numpy as np
import pyarrow.parquet as pq
import pytest
import rasterio
from PIL import Image

from sm_platform.densesm.checkpoint import save
from sm_platform.sources.simulated.build import write_archive
from sm_platform.sources.simulated.period import Period
from sm_platform.sources.simulated.places import RED_RIVER
from sm_platform_tests.densesm.making import random_checkpoint
from sm_platform_tests.desk import Desk, Running

REGION = RED_RIVER.region_id
PERIOD = Period(date(2025, 2, 20), date(2025, 3, 10), date(2025, 3, 31))
FIRST, LAST = "2025-03-23", "2025-03-26"
DAYS = {f"2025-03-{n:02d}" for n in range(23, 27)}
PASS_DAYS = ["2025-03-23", "2025-03-26"]
PAUSE_S = 0.05
ENVIRONMENT = {"SM_FIRST_DAY": "2025-02-26", "SM_MIN_LOOKBACK_SHARE": "0"}
OPEN_STATES = {
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
}
MOMENTS = [
    ("granules/weather/*/*/*", 29),
    ("tables/weather/*/*", 38),
    ("tables/s1_backscatter/*/*", 29),
    ("tables/scene_features/*/*", 4),
    ("maps/*/*/*/*/*", 2),
]
"""Folders whose number tells how far a run has come: it is killed at some number up to this."""
REMADE = ("regions", "soil_cells", "static_drivers", "land_cover_cells", "sm_maps")
"""Tables that each run writes again, with the same bytes."""


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("killed") / "archive"
    write_archive(folder, seed=2, size=48, places=(RED_RIVER,), period=PERIOD, workers=1)
    return folder


@dataclass(frozen=True, slots=True)
class Worker:
    """A desk with weak networks in its store, and the one command that is given at it."""

    desk: Desk
    archive: Path

    def start(self) -> Running:
        days = ("--start", FIRST, "--end", LAST)
        rest = ("--archive", self.archive, "--checkpoint", "test-1")
        return self.desk.start("run", "--region", REGION, *days, *rest)


@pytest.fixture
def worker(server: IO[str], archive: Path, tmp_path: Path) -> Worker:
    desk = Desk(tmp_path, server, ENVIRONMENT)
    folder = desk.models / "test-1"
    folder.mkdir(parents=True)
    save(random_checkpoint(), folder)
    return Worker(desk, archive)


class Reader:
    """Opens every file of tables and maps as soon as it is seen, and again when it changes."""

    def __init__(self, desk: Desk) -> None:
        self.folders = (desk.layout.tables, desk.layout.maps)
        self.known: dict[Path, int] = {}

    def look(self) -> None:
        time.sleep(PAUSE_S)
        for path in (path for folder in self.folders for path in folder.rglob("*.*")):
            changed = time_of(path)
            if changed and self.known.get(path) != changed:
                self.known[path] = changed
                try:
                    read(path)
                except Exception:
                    assert time_of(path) != changed, f"{path} is not whole"


def time_of(path: Path) -> int:
    """Time of change of a file; 0 when it is none, or no longer there."""
    try:
        return path.stat().st_mtime_ns if path.is_file() else 0
    except FileNotFoundError:
        return 0


def read(path: Path) -> None:
    """Fails on anything that is not a whole file of its kind."""
    if path.suffix == ".parquet":
        pq.ParquetFile(path, memory_map=False).read()
    elif path.suffix == ".json":
        json.loads(path.read_text())
    elif path.suffix == ".png":
        Image.open(path).load()
    elif path.suffix == ".tif":
        with rasterio.open(path) as file:
            file.read()
    else:
        raise AssertionError(f"{path} is no file of a lake")


def kill_at(worker: Worker, moment: tuple[str, int], rng: np.random.Generator) -> int:
    """Start the run, read along, kill it when it has come so far; its exit code."""
    pattern, most = moment
    running, reader = worker.start(), Reader(worker.desk)
    number, pause = rng.integers(1, most + 1), rng.uniform(0, 0.3)
    while not running.is_over and len(list(worker.desk.layout.root.glob(pattern))) < number:
        reader.look()
    until = time.monotonic() + pause
    while time.monotonic() < until:
        reader.look()
    code = running.kill().code
    reader.look()
    return code


def finished(desk: Desk) -> dict[Path, int]:
    """Time of change of all that no later run needs to touch again."""
    root = desk.layout.root
    days = desk.layout.tables.rglob("day=*/part.parquet")
    kept = [path for path in days if not path.is_relative_to(desk.layout.table("sm_maps"))]
    indexed = {path.parent.name[4:] for path in desk.layout.table("sm_maps").rglob("part.parquet")}
    maps = [
        path
        for path in desk.layout.maps.rglob("*.tif")
        if path.name.split("_")[2][:8] in {day.replace("-", "") for day in indexed}
    ]
    granules = [path for path in (root / "granules").rglob("*") if path.is_file()]
    return {path: path.stat().st_mtime_ns for path in kept + maps + granules}


def check_whole(desk: Desk) -> None:
    """Each pass has one map, each day is shown as made, nothing lies about."""
    rows = [
        row
        for part in sorted(desk.layout.table("sm_maps").rglob("part.parquet"))
        for row in pq.read_table(part).to_pylist()
    ]
    assert len(rows) == len(DAYS)
    maps = [row for row in rows if row["status"] == "mapped"]
    assert [f"{row['pass_start_utc']:%Y-%m-%d}" for row in maps] == PASS_DAYS
    assert [(row["revision"], row["is_latest"]) for row in maps] == [(0, True)] * len(maps)
    folders = {path for path in desk.layout.maps.rglob("SM100_*") if path.is_dir()}
    assert folders == {desk.layout.root / row["path"] for row in maps}
    for asset in ("s1_granules", "s1_scenes", "s1_backscatter", "scene_features", "sm_maps"):
        assert desk.days_materialized(asset, REGION) >= DAYS, asset
    assert not [path for path in desk.layout.aside.rglob("*") if not is_empty_folder(path)]


def is_empty_folder(path: Path) -> bool:
    return path.is_dir() and not list(path.iterdir())


def states(desk: Desk) -> list[dg.DagsterRunStatus]:
    with desk.instance() as instance:
        return [run.status for run in instance.get_runs()]


def test_killed_runs_are_taken_up_where_they_were(worker: Worker) -> None:
    rng = np.random.default_rng(20250309)
    before: dict[Path, int] = {}
    codes = []
    for moment in MOMENTS:
        codes.append(kill_at(worker, moment, rng))
        now = finished(worker.desk)
        assert {path: now[path] for path in before} == before, "nothing is computed twice"
        before = now
    last, reader = worker.start(), Reader(worker.desk)
    while not last.is_over:
        reader.look()
    assert last.wait().code == 0, last.wait().err
    assert codes == [-9] * len(MOMENTS)
    now = finished(worker.desk)
    assert {path: now[path] for path in before} == before
    check_whole(worker.desk)
    found = states(worker.desk)
    assert not OPEN_STATES & set(found)
    assert found.count(dg.DagsterRunStatus.FAILURE) >= 3, "runs of the dead are shown as failed"


def test_two_runs_of_a_region_at_once_end_well(worker: Worker) -> None:
    both, reader = [worker.start(), worker.start()], Reader(worker.desk)
    while not all(one.is_over for one in both):
        reader.look()
    answers = [one.wait() for one in both]
    assert [answer.code for answer in answers] == [0, 0], [answer.err for answer in answers]
    assert answers[0].out == answers[1].out
    check_whole(worker.desk)
    assert not OPEN_STATES & set(states(worker.desk))
