"""Damaged provider files: the good days are finished, each bad file is named and set aside."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import rasterio

from sm_platform.defs.lake_access import find_region
from sm_platform.defs.map_index import read_index
from sm_platform.densesm.checkpoint import save
from sm_platform.densesm.network import Architecture
from sm_platform.grid.calendar import composites_ending
from sm_platform.lake.granules import landed
from sm_platform.schema.driver_tables import NDVI, WEATHER
from sm_platform.schema.product import Qa
from sm_platform.schema.recipes import EOV_2025, SM_100M_V1
from sm_platform.sources.protocol import Product
from sm_platform.sources.simulated.build import write_archive
from sm_platform.sources.simulated.period import Period
from sm_platform.sources.simulated.places import RED_RIVER
from sm_platform_tests.defs.seed_folder import (
    NORTH,
    RADAR,
    SIDE_DEG,
    SOIL,
    TERRAIN,
    WEST,
    around,
    write,
    write_folder,
)
from sm_platform_tests.densesm.making import random_checkpoint
from sm_platform_tests.desk import Answer, Desk

PAGE = "<!DOCTYPE html><html><body>Sign in</body></html>"
HOLE = date(2024, 1, 9)
AWAY = (20.0, 50.0)
PASSES = [date(2025, 1, day) for day in range(3, 15)]


def cut(path: Path) -> None:
    """The first half of a file, as a broken download leaves it."""
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def damage_radar(data: Path) -> dict[date, str]:
    """One fault a day from the second pass on; what is to be said of it."""
    paths = [data / f"s1_images/S1_{day}.tif" for day in PASSES]
    bands, names = [around(value, 6, 3) for value in RADAR.values()], list(RADAR)
    cut(paths[1])
    write(paths[2], bands, names, crs=None)
    write(paths[3], bands, names, crs="EPSG:32648", corner=(640000.0, 1100000.0), cell=100.0)
    write(paths[4], bands[:2], names[:2])
    paths[5].write_text(PAGE)
    paths[6].write_bytes(b"")
    write(paths[7], bands, names, corner=AWAY)
    write(paths[8], [np.zeros((6, 6), np.float32)] * 3, names)
    write(paths[9], [np.full((6, 6), np.nan, np.float32)] * 3, names)
    write(paths[10], bands, names, corner=(WEST + 0.0004, NORTH))
    said = [f"S1_{PASSES[1]}.tif", "CRS or position is missing", "CRS is EPSG:32648"]
    said += ["band angle is missing", "is a web page", "is an empty file", "outside the region"]
    return dict(zip(PASSES[1:8], said, strict=True))


def damage_drivers(data: Path) -> dict[date, str]:
    """One fault a day of the look-back."""
    weather = data / "weather_images"
    bands = [around(300.0, 2, 1), around(0.003, 2, 1)]
    names = ["temperature_2m", "total_precipitation_sum"]
    cut(data / "ndvi_images/NDVI_2024-12-26.tif")
    cut(weather / "Weather_2024-12-26.tif")
    (weather / "Weather_2024-12-27.tif").write_text(PAGE)
    write(weather / "Weather_2024-12-28.tif", bands[:1], names[:1])
    write(weather / "Weather_2024-12-29.tif", bands, names, crs="EPSG:3857")
    said = ["Weather_2024-12-26.tif", "is a web page", "band total_precipitation_sum is missing"]
    days = [date(2024, 12, day) for day in range(26, 30)]
    return dict(zip(days, [*said, "CRS is EPSG:3857"], strict=True))


@dataclass(frozen=True, slots=True)
class Story:
    """What a desk said in turn."""

    desk: Desk
    answers: list[Answer]


def run(desk: Desk, region: str, first: date, last: date, *more: object) -> Answer:
    days = "--start", first, "--end", last
    return desk.run("run", "--region", region, *days, *more, "--archive", desk.root / "in")


def hurt(desk: Desk) -> Story:
    """Many damaged days, the same again, and once more after all is put right."""
    folder = desk.root / "in"
    data = write_folder(folder, "hurt", PASSES)
    damage_radar(data)
    damage_drivers(data)
    answers = [run(desk, "hurt", PASSES[0], PASSES[-1], "--checkpoint", "eov-2025")]
    answers.append(run(desk, "hurt", PASSES[1], PASSES[1], "--download", "--extract"))
    write_folder(folder, "hurt", PASSES)
    answers.append(run(desk, "hurt", PASSES[0], PASSES[-1]))
    return Story(desk, answers)


def static(desk: Desk) -> Story:
    """Soil and terrain: cut off, lying elsewhere, absent, covering a part of the region."""
    day, answers = PASSES[0], []
    soil = [around(value, 3, 1) for value in SOIL.values()]
    terrain = [around(value, 20, 2)[:10] for value in TERRAIN.values()]

    def part(path: Path) -> None:
        write(path, [band[:, :10] for band in terrain], list(TERRAIN), cell=SIDE_DEG / 20)

    faults: dict[str, tuple[Callable[[Path], object], Callable[[Path], object]]] = {
        "both-cut": (cut, cut),
        "away": (lambda path: write(path, soil, list(SOIL), corner=AWAY), Path.unlink),
        "small-terrain": (lambda _: None, part),
    }
    for region, (on_soil, on_terrain) in faults.items():
        data = write_folder(desk.root / "in", region, [day])
        on_soil(data / "soilgrid_images/SoilGrid_sand_clay_bdod.tif")
        on_terrain(data / "dem_images/DEM_elevation_slope_aspect_30m.tif")
        answers.append(run(desk, region, day, day, "--checkpoint", "eov-2025"))
    return Story(desk, answers)


def holes(desk: Desk) -> Story:
    """A year of look-back without its oldest composite, which the second pass looks not back to."""
    first, second = date(2025, 1, 3), date(2025, 1, 12)
    data = write_folder(desk.root / "in", "holes", [first, second])
    year = [day for day in composites_ending(date(2025, 1, 9), 48) if day != HOLE]
    for day in year:
        write(data / f"ndvi_images/NDVI_{day}.tif", [around(5200.0, 6, day.day)], ["NDVI"])
        bands = [around(300.0, 2, day.day), around(0.003, 2, day.day)]
        names = ["temperature_2m", "total_precipitation_sum"]
        write(data / f"weather_images/Weather_{day}.tif", bands, names)
    desk = replace(desk, more={"SM_FIRST_DAY": "2025-01-01", "SM_MIN_LOOKBACK_SHARE": "0.9"})
    steps = [("--checkpoint", "eov-2025", "--download", "--extract"), ("--process", "--inference")]
    answers = [run(desk, "holes", first, second, *steps[0])]
    extract(desk, "holes", year)
    return Story(desk, [*answers, run(desk, "holes", first, second, *steps[1])])


def extract(desk: Desk, name: str, days: Sequence[date]) -> None:
    """Land and extract the drivers of these days without Dagster: a year in a second."""
    from sm_platform.defs.assets.drivers import extract_day
    from sm_platform.defs.region_source import open_landing

    region = find_region(desk.layout, name)
    landing = open_landing(desk.layout, region, print)
    for product, table in ((Product.NDVI, NDVI), (Product.WEATHER, WEATHER)):
        landing.land(landing.listed(product, days))
        for day in days:
            found = landed(desk.layout, product.value, name, day)
            extract_day(desk.layout, region, table, found, day)


def tell_nothing(folder: Path) -> None:
    """Take sizes and checksums out of the index: these files are damaged at the provider."""
    path = folder / "index.parquet"
    pq.write_table(pq.read_table(path).drop_columns(["size_bytes", "sha256"]), path)


def archive(desk: Desk) -> Story:
    """Provider files: properties and frames of passes, a netCDF, one band of a composite."""
    folder = desk.root / "in"
    period = Period(date(2025, 2, 1), date(2025, 3, 1), date(2025, 3, 12))
    write_archive(folder, seed=7, places=(RED_RIVER,), size=48, period=period, workers=1)
    cut(next(folder.glob("s1_grd/*/*_20250302T*/*.json")))
    for path in folder.glob("s1_grd/*/*_20250309T*/*.tif"):
        cut(path)
    cut(next(folder.glob("weather/*/*_20250203/*.nc")))
    next(folder.glob("ndvi/*/*.A2025033.*/*reliability.tif")).unlink()
    tell_nothing(folder)
    desk = replace(desk, more={"SM_FIRST_DAY": "2025-02-01", "SM_MIN_LOOKBACK_SHARE": "0"})
    days = date(2025, 3, 1), date(2025, 3, 12)
    answers = [run(desk, "nowhere", *days)]
    answers.append(run(desk, "red-river", *days, "--checkpoint", "sm-100m-v1"))
    return Story(desk, answers)


Stories = dict[str, "Future[Story]"]


@pytest.fixture(scope="module")
def stories(server: IO[str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stories]:
    """All stories, two at a time."""
    short = {"SM_FIRST_DAY": "2024-12-25", "SM_MIN_LOOKBACK_SHARE": "0"}
    with ThreadPoolExecutor(max_workers=2) as pool:
        told: Stories = {}
        for tell in (hurt, static, holes, archive):
            desk = Desk(tmp_path_factory.mktemp(tell.__name__), server, short)
            for recipe in (EOV_2025, SM_100M_V1):
                folder = desk.models / recipe.recipe_id
                folder.mkdir(parents=True)
                made = random_checkpoint(Architecture(1, 8), recipe=recipe)
                save(replace(made, checkpoint_id=recipe.recipe_id), folder)
            told[tell.__name__] = pool.submit(tell, desk)
        yield told


def checked(answer: Answer, code: int) -> str:
    """What was said, after making sure that it is no traceback."""
    text = answer.out + answer.err
    assert "Traceback" not in text, text
    assert answer.code == code, text
    return text


def line_of(text: str, start: object) -> str:
    """The line that begins so; fails when there is none, or several."""
    (line,) = [line for line in text.splitlines() if line.startswith(f"{start}: ")]
    return line


def statuses(desk: Desk, region: str, days: list[date]) -> dict[date, str | None]:
    rows: dict[date, list[dict[str, Any]]] = {
        day: read_index(desk.layout, region, day) for day in days
    }
    return {day: found[-1]["status"] if found else None for day, found in rows.items()}


def test_good_days_are_mapped_and_each_bad_file_is_named(stories: Stories, tmp_path: Path) -> None:
    story = stories["hurt"].result()
    text = checked(story.answers[0], 1)
    data = write_folder(tmp_path, "hurt", PASSES)
    radar, drivers = damage_radar(data), damage_drivers(data)
    assert f"{len(radar) + len(drivers)} days failed; the others are done." in text
    for day, words in {**radar, **drivers}.items():
        line = line_of(text, day)
        assert words in line
        assert "It lies in " in line
    both = line_of(text, date(2024, 12, 26))
    assert "NDVI_2024-12-26.tif" in both
    assert "Weather_2024-12-26.tif" in both


def test_each_damaged_file_lies_in_quarantine_with_its_reason(stories: Stories) -> None:
    desk = stories["hurt"].result().desk
    home = desk.layout.quarantine("s1_grd", "hurt", "any").parent
    assert {path.name for path in home.iterdir()} == {f"S1_{day}" for day in PASSES[1:8]}
    for product, stem in (("ndvi", "NDVI_2024-12-26"), ("weather", "Weather_2024-12-29")):
        (folder,) = desk.layout.quarantine(product, "hurt", stem).iterdir()
        assert (folder / f"{stem}.tif").is_file()
        assert f"{stem}.tif" in (folder / "reason.json").read_text()


def test_a_day_without_a_measurement_is_no_data_and_no_failure(stories: Stories) -> None:
    text = stories["hurt"].result().answers[0].out
    for day in PASSES[8:10]:
        line = next(line for line in text.splitlines() if line.startswith(f"{day} UTC "))
        assert "no_data" in line
        assert "s1_vv, s1_vh, incidence_angle missing everywhere" in line
    shifted = next(line for line in text.splitlines() if line.startswith(f"{PASSES[10]} UTC "))
    assert "m3/m3" in shifted, "a pass on another grid is brought to the region's pixels"


def test_a_damaged_day_stays_named_until_its_file_is_whole(stories: Stories) -> None:
    story = stories["hurt"].result()
    assert f"S1_{PASSES[1]}.tif" in line_of(checked(story.answers[1], 1), PASSES[1])
    checked(story.answers[2], 0)
    found = statuses(story.desk, "hurt", PASSES)
    assert set(found.values()) == {"mapped"}, "the empty passes were exported anew as well"


def test_soil_and_terrain_that_are_damaged_are_both_named(stories: Stories) -> None:
    cut_off, away, _ = stories["static"].result().answers
    text = checked(cut_off, 1)
    for name in ("SoilGrid_sand_clay_bdod.tif", "DEM_elevation_slope_aspect_30m.tif"):
        assert f"{name}: " in text
    assert text.count("It lies in ") == 2
    assert "SoilGrid_sand_clay_bdod.tif: lies at 20.000..20.005 E" in checked(away, 1)
    assert "No elevation file of away" in away.err


def test_terrain_of_a_part_maps_that_part(stories: Stories) -> None:
    story = stories["static"].result()
    checked(story.answers[2], 0)
    (row,) = read_index(story.desk.layout, "small-terrain", PASSES[0])
    assert 0 < row["n_valid"] < row["n_cells"] / 2


def test_holes_of_the_look_back_are_marked(stories: Stories) -> None:
    story = stories["holes"].result()
    for answer in story.answers:
        checked(answer, 0)
    filled = int(Qa.NDVI_FILLED | Qa.WEATHER_FILLED)
    for day, expected in ((date(2025, 1, 3), filled), (date(2025, 1, 12), 0)):
        (row,) = read_index(story.desk.layout, "holes", day)
        path = story.desk.layout.root / row["path"] / f"{row['map_id']}_QA.tif"
        with rasterio.open(path) as file:
            assert set((file.read(1) & filled).ravel().tolist()) == {expected}


def test_damaged_provider_files_are_named_and_the_whole_pass_is_mapped(stories: Stories) -> None:
    story = stories["archive"].result()
    assert "no region 'nowhere': it has red-river" in checked(story.answers[0], 2)
    text = checked(story.answers[1], 1)
    assert ".json: cannot be read as JSON" in line_of(text, date(2025, 3, 2))
    frames = line_of(text, date(2025, 3, 9))
    assert frames.count("It lies in ") == 2, "both frames of the pass are named"
    assert "era5-land_red-river_20250203.nc" in line_of(text, date(2025, 2, 3))
    assert "reliability.tif cannot be copied" in line_of(text, date(2025, 2, 2))
    days = [date(2025, 3, 1) + timedelta(n) for n in range(12)]
    found = statuses(story.desk, "red-river", days)
    assert found[date(2025, 3, 11)] == "mapped"
    assert found[date(2025, 3, 2)] is None
    assert found[date(2025, 3, 9)] is None
