"""How Earth Engine stores what it hands over: whole numbers or fractions, and on which grid."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from google.auth.credentials import AnonymousCredentials

from sm_platform.errors import SourceError
from sm_platform.formats import mod13q1, mod13q1_earth_engine, soilgrids
from sm_platform.grid.window import GridWindow, lonlat_bounds
from sm_platform.sources.archive import ArchiveSource, archive_regions
from sm_platform.sources.earth_engine.fetching import HOMOLOSINE, readable
from sm_platform.sources.earth_engine.grids import NativeGrid
from sm_platform.sources.earth_engine.images import VIIRS, in_digits
from sm_platform.sources.earth_engine.source import EarthEngineSource
from sm_platform.sources.protocol import Granule, Product
from sm_platform.sources.simulated.write_soil import GRID
from sm_platform_tests.servers import StandIn
from sm_platform_tests.sources.earth_engine_desk import check_same, fetched

DAYS = [date(2025, 1, 1), date(2025, 1, 9)]
FRACTIONS = {"precision": "FLOAT", "range": {"min": -1, "max": 1}}
SHORT = {"precision": "INT", "range": {"min": -32768, "max": 32767}}


@pytest.fixture
def source(servers: StandIn) -> EarthEngineSource:
    return EarthEngineSource("test-project", AnonymousCredentials(), url=servers.url)


@pytest.fixture(scope="module")
def window(tiny: Path) -> GridWindow:
    return archive_regions(tiny)["highland"]


@pytest.fixture
def composite(source: EarthEngineSource, window: GridWindow) -> Granule:
    return source.granules(Product.NDVI, window, DAYS)[0]


@pytest.mark.parametrize(
    "told",
    [
        FRACTIONS,
        {"precision": "DOUBLE", "range": {"min": -0.2, "max": 1}},
        {"precision": "FLOAT", "range": {"max": 1}},
    ],
)
def test_ndvi_of_fractions_reads_as_that_of_whole_numbers(
    source: EarthEngineSource,
    servers: StandIn,
    window: GridWindow,
    composite: Granule,
    tiny: Path,
    tmp_path: Path,
    told: dict[str, Any],
) -> None:
    servers.settings(types={"NDVI": told})
    home = fetched(source, composite, window, tmp_path)
    archive = ArchiveSource(tiny)
    theirs = next(
        one
        for one in archive.granules(Product.NDVI, window, DAYS)
        if one.day == composite.day and one.granule_id[:3] == composite.granule_id[:3]
    )
    there = fetched(archive, theirs, window, tmp_path)
    check_same(
        mod13q1_earth_engine.read_composite(home / composite.files[0], composite.granule_id),
        mod13q1.read_composite(there, theirs.granule_id),
    )


@pytest.mark.parametrize(
    ("types", "words"),
    [
        ({"NDVI": {"precision": "FLOAT"}}, "NDVI of .*/MODIS/061/.* as {'precision': 'FLOAT'}"),
        ({"NDVI": {"precision": "DOUBLE", "range": {"min": -2000, "max": 10000}}}, "scale"),
        ({"NDVI": None}, "a type that it does not tell"),
        ({"NDVI": FRACTIONS, "SummaryQA": FRACTIONS}, "whole numbers"),
        ({"DayOfYear": {"precision": "FLOAT"}}, "DayOfYear"),
    ],
)
def test_what_would_be_cast_to_nonsense_is_refused(
    source: EarthEngineSource,
    servers: StandIn,
    window: GridWindow,
    composite: Granule,
    tmp_path: Path,
    types: dict[str, Any],
    words: str,
) -> None:
    servers.settings(types=types)
    with pytest.raises(SourceError, match=words):
        source.fetch(composite, window, tmp_path)
    assert not [one for one in servers.log() if one["path"].endswith("computePixels")]


def test_viirs_is_looked_at_as_modis_is() -> None:
    told = {"name": "VNP13A1", "bands": [{"id": name, "dataType": SHORT} for name in VIIRS.names]}
    assert in_digits("image", VIIRS, told) == "image"
    told["bands"][0]["dataType"] = {"precision": "FLOAT"}  # type: ignore[index]
    with pytest.raises(SourceError, match="NDVI of VNP13A1"):
        in_digits("image", VIIRS, told)


def soil(source: EarthEngineSource, window: GridWindow) -> Granule:
    return source.granules(Product.SOIL, window, None)[0]


def test_soil_under_the_code_of_isric_reads_as_the_archive_s(
    source: EarthEngineSource, servers: StandIn, window: GridWindow, tiny: Path, tmp_path: Path
) -> None:
    servers.settings(soil_crs="EPSG:152160")
    home = fetched(source, soil(source, window), window, tmp_path)
    archive = ArchiveSource(tiny)
    theirs = fetched(archive, archive.granules(Product.SOIL, window, None)[0], window, tmp_path)
    bounds = lonlat_bounds(window)
    check_same(soilgrids.read_soil(home, bounds), soilgrids.read_soil(theirs, bounds))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"soil_crs": "EPSG:990099"}, "clay_mean|sand_mean.* 'EPSG:990099'"),
        ({"types": {"clay_0-5cm_mean": {"precision": "FLOAT"}}}, "clay_0-5cm_mean"),
    ],
)
def test_soil_that_cannot_be_placed_or_read_is_refused(
    source: EarthEngineSource,
    servers: StandIn,
    window: GridWindow,
    tmp_path: Path,
    settings: dict[str, Any],
    words: str,
) -> None:
    servers.settings(**settings)
    with pytest.raises(SourceError, match=words):
        source.fetch(soil(source, window), window, tmp_path)


def test_a_text_of_the_homolosine_that_cannot_be_read_goes_back_to_the_service() -> None:
    told = 'PROJCS["Homolosine",GEOGCS["WGS 84"],PROJECTION["Interrupted_Goode"]]'
    assert readable(NativeGrid(told, GRID), "clay") == NativeGrid(HOMOLOSINE, GRID, told)
    known = NativeGrid("EPSG:4326", GRID)
    assert readable(known, "clay") is known
