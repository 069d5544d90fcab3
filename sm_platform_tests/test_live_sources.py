"""The same graph on services: maps as from the folder, a plan before, nothing fetched twice."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import IO

import pandas as pd
import pytest

from sm_platform.defs.lake_access import save_region
from sm_platform.densesm.checkpoint import save
from sm_platform.densesm.network import Architecture
from sm_platform.grid.window import lonlat
from sm_platform.schema.region import LIVE, Region
from sm_platform.sources.archive_folder import archive_regions
from sm_platform.sources.simulated.build import write_archive
from sm_platform.sources.simulated.period import Period
from sm_platform.sources.simulated.places import RED_RIVER
from sm_platform_tests.densesm.making import random_checkpoint
from sm_platform_tests.desk import Answer, Desk
from sm_platform_tests.servers import StandIn, standing_in
from sm_platform_tests.service_account import sources_file, variables

REGION, CHECKPOINT = RED_RIVER.region_id, "random"
PERIOD = Period(date(2025, 2, 20), date(2025, 3, 10), date(2025, 4, 8))
DAYS = ("--start", "2025-03-23", "--end", "2025-03-26")
ENVIRONMENT = {"SM_FIRST_DAY": "2025-02-26", "SM_MIN_LOOKBACK_SHARE": "0"}
DRIVERS = ("sentinel1", "ndvi", "weather", "soil", "elevation", "land_cover")
ALL_ARCHIVE = ",".join(f"{name}=archive" for name in DRIVERS)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("services") / "archive"
    write_archive(folder, seed=2, size=48, places=(RED_RIVER,), period=PERIOD, workers=1)
    return folder


@dataclass(frozen=True, slots=True)
class User:
    """A desk with random networks in its store, where the region's granules come from services."""

    desk: Desk

    def run(self, *words: object) -> Answer:
        return self.desk.done("run", "--region", REGION, *DAYS, *words)

    def inputs(self) -> pd.DataFrame:
        """All inputs of the network, by pass and cell."""
        return self.desk.table("from scene_features order by all")

    def maps(self) -> dict[str, dict[str, str]]:
        """Hashes of the layers' values, by map."""
        found = self.desk.table("select map_id, layer_sha256 from sm_maps where is_latest")
        return {row.map_id: row.layer_sha256 for row in found.itertuples()}


def user(root: Path, server: IO[str], archive: Path, **more: str) -> User:
    """Someone with a checkpoint, and a live region where SM_SOURCES is said."""
    desk = Desk(root, server, ENVIRONMENT | {"SM_ARCHIVE": str(archive)} | more)
    checkpoint = desk.models / CHECKPOINT
    checkpoint.mkdir(parents=True)
    network = random_checkpoint(Architecture(1, 8), seed=10)  # of values that a soil may have
    save(replace(network, checkpoint_id=CHECKPOINT), checkpoint)
    if "SM_SOURCES" in more:
        window = archive_regions(archive)[REGION]
        save_region(desk.layout, Region(REGION, window, LIVE, "", checkpoint_id=CHECKPOINT))
    return User(desk)


@pytest.fixture(scope="module")
def folder_user(tmp_path_factory: pytest.TempPathFactory, server: IO[str], archive: Path) -> User:
    made = user(tmp_path_factory.mktemp("folder"), server, archive)
    made.run("--archive", archive, "--checkpoint", CHECKPOINT)
    return made


@pytest.fixture(scope="module")
def mixed_user(tmp_path_factory: pytest.TempPathFactory, server: IO[str], archive: Path) -> User:
    return user(tmp_path_factory.mktemp("mixed"), server, archive, SM_SOURCES=ALL_ARCHIVE)


def test_the_plan_tells_what_a_download_takes_and_leaves_nothing(
    tmp_path: Path, server: IO[str], archive: Path
) -> None:
    new = user(tmp_path, server, archive, SM_SOURCES=ALL_ARCHIVE)
    plan = new.desk.done("download", "--region", REGION, *DAYS, "--dry-run")
    lines = {line.split()[0]: line.split() for line in plan.out.splitlines()}
    assert lines["weather"][2:5] == ["37", "37", "37"]
    assert lines["s1_grd"][1] == "archive"
    assert float(lines["weather"][5]) > 0.1
    assert "no budget is set" in plan.out
    assert "nothing is downloaded" in plan.err
    assert not (new.desk.layout.root / "granules").exists()


def test_maps_through_the_configuration_are_those_of_the_folder(
    mixed_user: User, folder_user: User
) -> None:
    mixed_user.run()
    assert mixed_user.maps() == folder_user.maps() != {}
    plan = mixed_user.desk.done("download", "--region", REGION, *DAYS, "--dry-run")
    assert "granules, all of them there: nothing to fetch." in plan.out


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory: pytest.TempPathFactory, archive: Path) -> Iterator[StandIn]:
    with standing_in(archive, tmp_path_factory.mktemp("stand_in")) as running:
        yield running


@pytest.fixture(scope="module")
def live_user(
    tmp_path_factory: pytest.TempPathFactory, server: IO[str], archive: Path, stand_in: StandIn
) -> User:
    root = tmp_path_factory.mktemp("live")
    more = variables(root, stand_in)
    sources = sources_file(root / "sources.toml", stand_in)
    made = user(root, server, archive, **more, SM_SOURCES=str(sources))
    made.run()
    return made


def test_maps_from_the_services_are_those_of_the_folder_bit_for_bit(
    live_user: User, folder_user: User
) -> None:
    """Every value of every layer; ids and hashes of granules differ, as services cut files anew."""
    pd.testing.assert_frame_equal(live_user.inputs(), folder_user.inputs(), check_exact=True)
    assert live_user.maps() == folder_user.maps() != {}
    means = live_user.desk.table("select sm_mean_m3m3 from sm_maps where is_latest")
    assert means["sm_mean_m3m3"].between(0.05, 0.6).all(), "not all clipped to the same"
    landed = live_user.desk.table("select distinct product, source from granule_log order by 1")
    assert dict(landed.itertuples(index=False)) == {
        "elevation": "copernicus_dem",
        "land_cover": "worldcover",
        "ndvi": "planetary_computer",
        "s1_grd": "earth_engine",
        "soil": "isric",
        "weather": "climate_store",
    }


def test_radar_at_sites_is_that_of_their_pixels(
    live_user: User, archive: Path, tmp_path: Path
) -> None:
    window = archive_regions(archive)[REGION]
    lon, lat = lonlat(window)
    cells = [(5, 7), (30, 40), (44, 2)]
    lines = [f"s{n},{lon[cell]:.6f},{lat[cell]:.6f}" for n, cell in enumerate(cells)]
    (tmp_path / "sites.csv").write_text(
        "\n".join(["station,lon,lat", *lines, "far,-70,-40"]) + "\n"
    )
    words = ("samples", "radar-at", tmp_path / "sites.csv", *DAYS, "--out", tmp_path / "radar.csv")
    live_user.desk.done(*words)
    found = pd.read_csv(tmp_path / "radar.csv")
    query = (
        "select cell_id, vv_db from s1_backscatter where day between '2025-03-23' and '2025-03-26'"
    )
    stored = live_user.desk.table(query)
    wanted = {
        n: set(stored[stored["cell_id"] == r * 48 + c]["vv_db"].round(4))
        for n, (r, c) in enumerate(cells)
    }
    assert {n: set(found[found["site_id"] == f"s{n}"]["vv_db"].round(4)) for n in wanted} == wanted
    assert len(found) >= 6
    twice = "\n".join(["station,lon,lat", lines[0], lines[0]])
    (tmp_path / "sites.csv").write_text(twice)
    answer = live_user.desk.run(*words)
    assert (answer.code, "names the site 's0' twice" in answer.err) == (2, True)


def test_the_item_tells_licence_and_source_of_each_input(folder_user: User) -> None:
    items = list((folder_user.desk.layout.root / "maps").rglob("SM100_*.json"))
    told = json.loads(items[0].read_text())["properties"]["smp:inputs"]
    assert [one["product"] for one in told] == [
        "s1_grd",
        "ndvi",
        "weather",
        "soil",
        "elevation",
        "land_cover",
    ]
    assert {one["source"] for one in told} == {"archive"}
    assert all(one["licence"].endswith("(simulated)") for one in told)


@pytest.mark.parametrize(
    ("sources", "words"),
    [
        (None, "SM_SOURCES is not set"),
        ("sentinel1=archive", "names nothing for ndvi, weather, soil, elevation, land_cover"),
        ("sentinel1=asf", "radar geometry"),
    ],
)
def test_a_region_from_services_needs_them_named(
    tmp_path: Path, server: IO[str], archive: Path, sources: str | None, words: str
) -> None:
    more = {"SM_SOURCES": sources} if sources else {}
    desk = Desk(tmp_path, server, {"SM_ARCHIVE": str(archive)} | more)
    place = ("--bbox", "106.30", "20.40", "106.34", "20.44")
    answer = desk.run("regions", "add", "my-farm", "--live", *place)
    assert answer.code == 2
    assert words in answer.err
    assert "Traceback" not in answer.err
