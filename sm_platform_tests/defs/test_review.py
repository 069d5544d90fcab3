"""Choices and failures across days: which checkpoint, which recipe, which labels, which reasons."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import IO

import pytest
from affine import Affine

from sm_platform.defs.choice import Read, choose_checkpoint
from sm_platform.defs.estimators import read_card
from sm_platform.defs.map_index import Row, read_index
from sm_platform.defs.mapping import _later
from sm_platform.densesm.checkpoint import save
from sm_platform.grid.window import GridWindow
from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.lake.models import ModelStore
from sm_platform.schema import model_tables
from sm_platform.schema.recipes import DENSESM_2024, EOV_2025, SM_100M_V1, Recipe
from sm_platform.schema.region import Region
from sm_platform.sources.simulated.build import write_archive
from sm_platform.sources.simulated.period import Period
from sm_platform.sources.simulated.places import RED_RIVER
from sm_platform_tests.defs import registry_lake
from sm_platform_tests.defs.registry_lake import register, stored
from sm_platform_tests.defs.seed_folder import PASSES, RADAR, around, write, write_folder
from sm_platform_tests.densesm.making import random_checkpoint
from sm_platform_tests.desk import Desk

DAY = date(2026, 3, 10)
REGION = Region("delta", GridWindow("EPSG:6933", Affine(1, 0, 0, 0, -1, 0), (2, 2)), "archive", "a")


@pytest.fixture
def models(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "models")


def reader(models: ModelStore) -> Read:
    return lambda name: read_card(models.folder(name))


def accept(
    layout: Layout, models: ModelStore, name: str, cut_off: date, recipe: Recipe, until: date
) -> None:
    """A checkpoint that was trained until a day, accepted for the region under another."""
    stored(models, name, recipe, trained_until=until.isoformat())
    register(layout, name, cut_off, recipe=recipe)
    registry_lake.accept(layout, name, cut_off)


def features_of(layout: Layout, recipe: Recipe) -> None:
    """Features of the day without a row: their note says the recipe."""
    table = model_tables.SCENE_FEATURES
    note = {"recipe_id": recipe.recipe_id, "recipe_fingerprint": recipe.fingerprint}
    empty = table.arrow_schema.empty_table()
    store.write(layout, table, empty, region=REGION.region_id, day=DAY, note=note)


@pytest.mark.parametrize(
    ("recipe", "name"), [(SM_100M_V1, "ours"), (EOV_2025, "theirs"), (DENSESM_2024, "theirs")]
)
def test_newest_accepted_of_the_recipe_of_the_features_is_taken(
    layout: Layout, models: ModelStore, recipe: Recipe, name: str
) -> None:
    accept(layout, models, "older", date(2025, 3, 1), SM_100M_V1, date(2025, 3, 1))
    accept(layout, models, "ours", date(2026, 3, 1), SM_100M_V1, date(2026, 3, 1))
    accept(layout, models, "theirs", date(2026, 3, 5), EOV_2025, date(2026, 3, 5))
    features_of(layout, recipe)
    assert (
        choose_checkpoint(layout, reader(models), REGION, None, DAY).checkpoint.checkpoint_id
        == name
    )


@pytest.mark.parametrize(
    ("cut_off", "until", "is_in_sample"),
    [
        (date(2026, 3, 10), date(2026, 3, 10), False),
        (date(2026, 3, 11), date(2026, 3, 11), True),
        (date(2026, 3, 1), date(2026, 3, 20), True),
    ],
)
def test_day_is_in_sample_before_the_registration_or_the_training_ended(
    layout: Layout, models: ModelStore, cut_off: date, until: date, is_in_sample: bool
) -> None:
    accept(layout, models, "one", cut_off, SM_100M_V1, until)
    chosen = choose_checkpoint(layout, reader(models), REGION, None, DAY)
    assert chosen.is_in_sample(DAY) == is_in_sample


@pytest.fixture(scope="module")
def desk(server: IO[str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A folder of the seed system, landed, with two checkpoints that nobody chose yet."""
    root = tmp_path_factory.mktemp("review")
    write_folder(root, "tiny")
    models = ModelStore(root / "models")
    for name, recipe in (("published", DENSESM_2024), ("seed", EOV_2025)):
        checkpoint = replace(random_checkpoint(recipe=recipe), checkpoint_id=name)
        models.add(name, lambda folder, made=checkpoint: save(made, folder))  # type: ignore[misc]
    yield Desk(root, server, {"SM_FIRST_DAY": "2024-12-18", "SM_MIN_LOOKBACK_SHARE": "0"})


def asked(*words: object) -> list[str]:
    days = "--start", str(PASSES[0]), "--end", str(PASSES[1])
    return ["run", "--region", "tiny", *days, *map(str, words)]


def test_choice_share_and_reasons_of_a_run(desk: Desk) -> None:
    data = desk.root / "tiny/data"
    damaged = (
        data / "ndvi_images/NDVI_2024-12-26.tif",
        data / "weather_images/Weather_2025-01-01.tif",
    )
    whole = [path.read_bytes() for path in damaged]
    for path, content in zip(damaged, whole, strict=True):
        path.write_bytes(content[:40])
    steps = "--archive", desk.root, "--download", "--extract"
    answer = desk.run(*asked(*steps))
    assert answer.code == 1
    for path in damaged:
        assert path.name in answer.err, "of each product every damaged file is named"
    assert "2 days failed" in answer.err
    for path, content in zip(damaged, whole, strict=True):
        path.write_bytes(content)
    desk.done(*asked(*steps))

    desk.done(*asked("--process", "--checkpoint", "seed"))
    assert recipes(desk) == {"eov-2025"}, "without --recipe it is the checkpoint's"
    desk.done(*asked("--archive", desk.root, "--process", "--checkpoint", "published"))
    assert recipes(desk) == {"densesm-2024"}
    desk.done(*asked("--archive", desk.root, "--process"))
    assert recipes(desk) == {"densesm-2024"}, "what was chosen stays"

    strict = replace(desk, more=desk.more | {"SM_MIN_LOOKBACK_SHARE": "0.9"})
    answer = strict.run(*asked("--process"))
    assert answer.code == 1
    assert "of 46 steps" in answer.err, "features that are there already are judged anew"


def recipes(desk: Desk) -> set[str]:
    days = PASSES[:2]
    notes = [store.note_of(desk.layout, model_tables.SCENE_FEATURES, "tiny", day) for day in days]
    return {note["recipe_id"] for note in notes if note}


def test_each_map_names_the_next_revision_and_the_newest() -> None:
    rows: list[Row] = [
        {"map_id": f"{scene}_r{n:02d}", "scene_id": scene, "revision": n}
        for scene in ("morning", "evening")
        for n in (0, 1, 2)
    ]
    rows.append({"map_id": None, "scene_id": None, "revision": None})
    assert _later(rows[0], rows) == ["morning_r01", "morning_r02"]
    assert _later(rows[4], rows) == ["evening_r02"]


def test_damaged_first_day_is_named(desk: Desk) -> None:
    answer = replace(desk, more={"SM_FIRST_DAY": "2015"}).run("regions", "list")
    assert answer.code == 2
    assert "SM_FIRST_DAY" in answer.err


def test_region_of_the_embedded_archive_needs_no_folder(desk: Desk) -> None:
    folder = desk.root / "archive"
    period = Period(date(2025, 3, 1), date(2025, 3, 1), date(2025, 3, 4))
    write_archive(folder, seed=1, places=(RED_RIVER,), size=48, period=period, workers=1)
    days = "--start", "2025-03-03", "--end", "2025-03-04"
    late = replace(desk, more={"SM_FIRST_DAY": "2025-03-01"})
    late.done("run", "--region", "red-river", *days, "--download")
    assert "red-river  48 x 48" in desk.done("regions", "list").out


def test_end_before_start_registers_nothing(desk: Desk) -> None:
    write_folder(desk.root, "other")
    days = "--start", "2025-01-06", "--end", "2025-01-03"
    answer = desk.run("run", "--region", "other", *days, "--archive", desk.root)
    assert answer.code == 2
    assert "before the start" in answer.err
    assert not desk.layout.part("regions", "other", None).exists()


def test_file_exported_anew_makes_a_new_map(desk: Desk) -> None:
    data = write_folder(desk.root, "anew")
    day = PASSES[0]
    days = "--start", str(day), "--end", str(day)
    command = "run", "--region", "anew", *days, "--checkpoint", "seed"
    assert desk.run(*command, "--archive", desk.root).code == 0
    (first,) = read_index(desk.layout, "anew", day)
    bands = [around(value + 1, 6, 99) for value in RADAR.values()]
    write(data / f"s1_images/S1_{day}.tif", bands, list(RADAR))
    assert desk.run(*command).code == 0
    rows = {row["revision"]: row for row in read_index(desk.layout, "anew", day)}
    assert {n: row["is_latest"] for n, row in rows.items()} == {0: False, 1: True}
    assert rows[1]["granule_sha256s"] != first["granule_sha256s"]
    kept = desk.layout.superseded("s1_grd", "anew", f"S1_{day}")
    assert [path.name for path in kept.iterdir()] == [first["granule_sha256s"][0][:12]]
