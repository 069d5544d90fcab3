"""A sensor is followed by another: whose NDVI a day holds, and what features and maps say of it."""

import shutil
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest

from sm_platform.defs.assets.features import write_features
from sm_platform.defs.feature_inputs import open_inputs
from sm_platform.defs.lake_access import SENSOR, dated_rasters
from sm_platform.defs.ndvi_choice import own_sensor, sensor_note, used_of_day
from sm_platform.defs.radar_quantity import QUANTITY
from sm_platform.defs.stored_features import DayFeatures, read_features
from sm_platform.lake import store
from sm_platform.lake.granules import LandedGranule
from sm_platform.lake.layout import Layout
from sm_platform.lake.models import ModelStore
from sm_platform.schema.driver_tables import NDVI, S1_BACKSCATTER
from sm_platform.schema.product import Qa
from sm_platform.schema.recipes import SM_100M_V1, SM_100M_V1_VIIRS, NdviSensor, Recipe
from sm_platform.schema.region import Region
from sm_platform.sources.archive import ArchiveSource
from sm_platform.sources.protocol import Product
from sm_platform_tests.defs.checked import judged, of_days
from sm_platform_tests.defs.succession_lake import (
    AFTER,
    ALONE,
    BOTH,
    DAYS,
    LAST,
    NAME,
    RADAR_FIRST,
    extract_ndvi,
    extract_radar,
    extract_weather,
    land,
    make_static,
    open_lake,
    write_world,
)

MODIS, VIIRS = NdviSensor.MODIS, NdviSensor.VIIRS
DAY = date(2025, 4, 6)
"""A day with a pass."""
CHANGE = date(2025, 5, 15)
"""From here on too few passes for a satellite to be judged."""


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_world(tmp_path_factory.mktemp("succession"))


@pytest.fixture(scope="module")
def made(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Layout, Region]:
    """All drivers and passes; tests must not change it."""
    layout, region = open_lake(tmp_path_factory.mktemp("made"), archive)
    make_static(layout, region)
    for product in (Product.NDVI, Product.WEATHER, Product.S1_GRD):
        land(layout, region, product, DAYS)
    extract_ndvi(layout, region, DAYS)
    extract_weather(layout, region, DAYS)
    extract_radar(layout, region, [day for day in DAYS if day >= RADAR_FIRST])
    return layout, region


def granule(name: str, kind: str, source: str = "archive") -> LandedGranule:
    day = datetime(2025, 2, 10, tzinfo=UTC)
    return LandedGranule(
        Path(name), "ndvi", name, day.date(), kind, (), name, 1, day, source, retrieved_utc=day
    )


TILES = [granule(f"MOD13Q1.{tile}", "mod13q1") for tile in ("h27", "h28")]
NPP, NOAA20 = granule("VNP13A1.h27", "vnp13a1"), granule("VJ113A1.h27", "vnp13a1")
ELSEWHERE = replace(NOAA20, granule_id="VJ113A1_2025_02_10", source="earth_engine")
LATER = replace(TILES[0], granule_id="MOD13Q1_2025_02_10", source="sentinel_hub")
LATER = replace(LATER, retrieved_utc=datetime(2025, 3, 1, tzinfo=UTC))
RAIN = [replace(one, product="late_rain", format="imerg") for one in (*TILES, LATER)]


@pytest.mark.parametrize(
    ("there", "own", "service", "used"),
    [
        ([*TILES, NPP, NOAA20], MODIS, "archive", TILES),
        ([*TILES, NPP, NOAA20], VIIRS, "archive", [NPP]),
        ([*TILES, NPP, NOAA20], VIIRS, None, [NPP]),
        ([NOAA20], MODIS, "archive", [NOAA20]),
        ([NPP, ELSEWHERE], VIIRS, "earth_engine", [ELSEWHERE]),
        ([NPP, ELSEWHERE], VIIRS, "archive", [NPP]),
        ([NPP, ELSEWHERE], VIIRS, "nobody", [NPP]),
        ([*TILES, ELSEWHERE], MODIS, "earth_engine", TILES),
        ([*TILES, LATER, NPP], MODIS, "archive", TILES),
        ([*TILES, LATER, NPP], MODIS, None, [LATER]),
        (RAIN, VIIRS, None, RAIN[2:]),
        (RAIN, VIIRS, "archive", RAIN[:2]),
        ([], MODIS, "archive", []),
    ],
)
def test_a_day_is_of_a_sensor_a_service_and_a_satellite_in_this_order(
    there: list[LandedGranule], own: NdviSensor, service: str | None, used: list[LandedGranule]
) -> None:
    for order in (there, there[::-1]):
        found = used_of_day(order, own, service)
        assert sorted(one.granule_id for one in found) == [one.granule_id for one in used]


def test_the_note_of_a_day_tells_its_sensor() -> None:
    assert [sensor_note(one) for one in ([NPP], TILES)] == [{SENSOR: "VIIRS"}, {SENSOR: "MODIS"}]
    assert [sensor_note(one) for one in ([], RAIN)] == [{}, {}]


def test_the_own_sensor_is_that_of_the_regions_recipe(
    made: tuple[Layout, Region], tmp_path: Path
) -> None:
    region, models = made[1], ModelStore(tmp_path)
    assert own_sensor(region, models) is MODIS
    assert own_sensor(replace(region, recipe_id="sm-100m-v1-viirs"), models) is VIIRS
    assert own_sensor(replace(region, checkpoint_id="not-there"), models) is MODIS


def test_the_archive_lists_one_sensor_or_all(archive: Path, made: tuple[Layout, Region]) -> None:
    window = made[1].window
    found = {
        sensor: {
            (one.day, one.format)
            for one in ArchiveSource(archive, sensor).granules(Product.NDVI, window, DAYS)
        }
        for sensor in (MODIS, VIIRS, None)
    }
    assert found[MODIS] | found[VIIRS] == found[None]
    assert {kind for _, kind in found[MODIS]} == {"mod13q1"}
    assert {kind for _, kind in found[VIIRS]} == {"vnp13a1"}
    assert (BOTH, "mod13q1") in found[MODIS]
    assert (BOTH, "vnp13a1") in found[VIIRS]
    since = datetime(2025, 2, 1, tzinfo=UTC)
    late = ArchiveSource(archive, VIIRS).listed_since([Product.NDVI], window, since, DAYS[0])
    assert {one.format for one in late} == {"vnp13a1"}


def test_a_stored_day_tells_its_sensor(made: tuple[Layout, Region]) -> None:
    notes = {day: store.note_of(made[0], NDVI, NAME, day) or {} for day in (ALONE, BOTH, AFTER)}
    assert [notes[day][SENSOR] for day in (ALONE, BOTH, AFTER)] == ["MODIS", "MODIS", "VIIRS"]
    assert [name[:7] for name in notes[BOTH]["passed_over"]] == ["VNP13A1"]
    assert "passed_over" not in notes[ALONE]
    rasters, _ = dated_rasters(made[0], NDVI, NAME, [ALONE, AFTER])
    assert [one.sensor for one in rasters] == ["MODIS", "VIIRS"]
    cells = [one.raster.window.affine.a for one in rasters]
    assert cells == pytest.approx([231.656, 463.313], abs=1e-3)


def test_another_recipe_makes_the_day_anew_and_the_same_one_leaves_it(
    archive: Path, tmp_path: Path
) -> None:
    layout, region = open_lake(tmp_path, archive)
    land(layout, region, Product.NDVI, [BOTH])
    part = layout.part("ndvi", NAME, BOTH)
    extract_ndvi(layout, region, [BOTH])
    first = part.stat().st_mtime_ns
    extract_ndvi(layout, region, [BOTH])
    assert part.stat().st_mtime_ns == first
    extract_ndvi(layout, region, [BOTH], own=VIIRS)
    assert (store.note_of(layout, NDVI, NAME, BOTH) or {})[SENSOR] == "VIIRS"


@pytest.mark.parametrize(
    ("recipe", "sensors"),
    [(SM_100M_V1, ("MODIS", "VIIRS")), (SM_100M_V1_VIIRS, ("VIIRS", "MODIS"))],
)
def test_features_tell_whose_observations_are_in_the_series(
    made: tuple[Layout, Region], recipe: Recipe, sensors: tuple[str, ...]
) -> None:
    layout, region = made
    inputs = open_inputs(layout, region, [DAY], recipe)
    write_features(layout, inputs, DAY, 0.0)
    found = read_features(layout, NAME, DAY)
    assert found.scenes
    for name, one in found.scenes.items():
        assert found.ndvi_sensors(name) == sensors
        assert np.all(one.qa & Qa.NDVI_FILLED)
        assert np.isfinite(one.rows.series[:, 0]).all()


def test_features_of_older_lakes_are_of_modis() -> None:
    assert DayFeatures({}, {}).ndvi_sensors("S1A_06F3A1") == ("MODIS",)


def test_a_satellite_that_reads_a_decibel_higher_is_noticed_by_name(
    made: tuple[Layout, Region],
) -> None:
    found = judged(made[0], "s1_backscatter", of_days(NAME, LAST))["no_platform_bias"]
    assert not found.passed
    assert found.told.startswith("S1D VV is ")
    for words in ("dB above what S1A, S1C show", f"pixels of {NAME}", "detection limit"):
        assert words in found.told
    assert found.counted["S1D_VV_db"] == pytest.approx(0.8, abs=0.3)
    assert found.counted["S1D_VH_db"] == pytest.approx(0.8, abs=0.3)
    assert "S1A V" not in found.told
    assert "S1C V" not in found.told


def test_a_satellite_that_has_hardly_flown_is_not_judged(made: tuple[Layout, Region]) -> None:
    found = judged(made[0], "s1_backscatter", of_days(NAME, date(2025, 4, 20)))["no_platform_bias"]
    assert found.passed
    assert not found.told


def test_days_of_another_quantity_are_not_compared(
    made: tuple[Layout, Region], tmp_path: Path
) -> None:
    layout = Layout(tmp_path)
    for table in ("s1_scenes", "s1_backscatter"):
        shutil.copytree(made[0].table(table), layout.table(table))
    scope = of_days(NAME, LAST)
    assert not judged(layout, "s1_backscatter", scope)["no_platform_bias"].passed
    for day in DAYS:
        if RADAR_FIRST <= day < CHANGE:
            _as_gamma0(layout, day)
    found = judged(layout, "s1_backscatter", scope)["no_platform_bias"]
    assert found.passed, found.told
    for day in DAYS:
        if day >= CHANGE:
            _as_gamma0(layout, day)
    found = judged(layout, "s1_backscatter", scope)["no_platform_bias"]
    assert found.told.startswith("S1D VV is "), "days of one quantity are, whichever it is"


def _as_gamma0(layout: Layout, day: date) -> None:
    """Note a day's measurement as the other quantity; empty days are noted as sigma0."""
    part = store.read(layout, S1_BACKSCATTER, NAME, day)
    if part is not None and part.rows.num_rows:
        note = {**part.note, QUANTITY: "GAMMA0_TERRAIN"}
        store.write(layout, S1_BACKSCATTER, part.rows, region=NAME, day=day, note=note)
