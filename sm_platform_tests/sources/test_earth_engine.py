"""Earth Engine's real client against the stand-in: what lands reads exactly as the archive's."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import ee
import numpy as np
import pytest
import rasterio
from google.auth.credentials import AnonymousCredentials

from sm_platform.errors import SourceError
from sm_platform.formats import (
    era5_land,
    era5_land_earth_engine,
    glo30,
    mod13q1,
    mod13q1_earth_engine,
    s1_earth_engine,
    soilgrids,
    worldcover,
)
from sm_platform.formats.ranges import BACKSCATTER_DB
from sm_platform.grid.window import GridWindow, Raster, lonlat_bounds
from sm_platform.sources.archive import ArchiveSource, archive_regions
from sm_platform.sources.earth_engine.collections import DAILY_WEATHER
from sm_platform.sources.earth_engine.images import (
    NOTHING_FLOAT,
    NOTHING_INT,
    RADAR,
    filled,
    radar_db,
)
from sm_platform.sources.earth_engine.listing import Place, dated_granules
from sm_platform.sources.earth_engine.source import EarthEngineSource
from sm_platform.sources.metering import metered
from sm_platform.sources.protocol import Product
from sm_platform_tests.servers import StandIn
from sm_platform_tests.servers.earth_engine_graph import functions_in
from sm_platform_tests.sources.earth_engine_desk import check_same, fetched

RADAR_DAYS = [date(2025, 3, 1) + timedelta(days=n) for n in range(30)]


@pytest.fixture
def source(servers: StandIn) -> EarthEngineSource:
    return EarthEngineSource(
        "test-project", AnonymousCredentials(), url=servers.url, tile_bytes=60_000
    )


@pytest.fixture(scope="module")
def window(tiny: Path) -> GridWindow:
    return archive_regions(tiny)["red-river"]


@pytest.fixture
def archive(tiny: Path) -> ArchiveSource:
    return ArchiveSource(tiny)


def test_frames_are_listed_with_what_the_collection_tells(
    source: EarthEngineSource, archive: ArchiveSource, window: GridWindow, servers: StandIn
) -> None:
    servers.settings(page_size=3)
    found = source.granules(Product.S1_GRD, window, RADAR_DAYS)
    expected = archive.granules(Product.S1_GRD, window, RADAR_DAYS)
    assert [(one.granule_id, one.day) for one in found] == [
        (one.granule_id, one.day) for one in expected
    ]
    assert [one.available_utc for one in found] == [one.available_utc for one in expected]
    first = found[0]
    assert first.files == (f"{first.granule_id}.tif", f"{first.granule_id}.json")
    assert first.hrefs[0].endswith(f"/assets/COPERNICUS/S1_GRD/{first.granule_id}")
    assert first.service == source.name
    assert "doi.org" in (first.citation or "")
    assert len([one for one in servers.log() if one["path"].endswith(":listAssets")]) > 3


def test_a_frame_of_one_polarisation_is_left_out(
    source: EarthEngineSource, window: GridWindow
) -> None:
    source.granules(Product.S1_GRD, window, RADAR_DAYS[:1])
    listed = ee.data.listImages({"parent": "COPERNICUS/S1_GRD"})["images"]
    assert any("1SSV" in one["name"] for one in listed)
    assert not any(
        "1SSV" in one.granule_id for one in source.granules(Product.S1_GRD, window, RADAR_DAYS)
    )


def test_frames_read_as_the_archive_s(
    source: EarthEngineSource, archive: ArchiveSource, window: GridWindow, tmp_path: Path
) -> None:
    source = replace(source, tile_bytes=8000)
    for granule in source.granules(Product.S1_GRD, window, RADAR_DAYS)[:4]:
        home = fetched(source, granule, window, tmp_path)
        told = s1_earth_engine.read_properties(home / granule.files[1])
        theirs = fetched(archive, granule, window, tmp_path)
        expected_told = s1_earth_engine.read_properties(theirs / granule.files[1])
        assert replace(told, end_utc=expected_told.end_utc) == expected_told
        assert abs(told.end_utc - expected_told.end_utc) < timedelta(seconds=1)  # that of the id
        frame = s1_earth_engine.read_frame(home / granule.files[0])
        expected = s1_earth_engine.read_frame(theirs / granule.files[0])
        check_same(frame, expected)
        assert max(frame.window.shape) <= max(window.shape)


def test_what_is_masked_is_no_zero(
    source: EarthEngineSource, window: GridWindow, tmp_path: Path
) -> None:
    outside = replace(window, shape=(window.shape[0] + 60, window.shape[1] + 7))
    granule = source.granules(Product.S1_GRD, outside, RADAR_DAYS)[0]
    home = fetched(source, granule, outside, tmp_path)
    with rasterio.open(home / granule.files[0]) as file:
        values = file.read()
        assert np.isnan(file.nodata)
    assert np.isnan(values[:, :, -1]).all()
    assert not (values == 0).any()
    assert not (values == NOTHING_FLOAT).any()
    assert np.isfinite(values).any()
    lowest = min(BACKSCATTER_DB[0], glo30.LOWEST_M, era5_land.NOISE_M)
    assert lowest > NOTHING_FLOAT  # no value that a band can hold
    assert mod13q1.NDVI_LOWEST > NOTHING_INT


def test_graph_is_the_mean_of_power_in_decibels_with_a_number_for_nothing(
    source: EarthEngineSource, window: GridWindow
) -> None:
    source.granules(Product.SOIL, window, None)  # connects
    graph = ee.serializer.encode(filled(radar_db(ee, "S1A_ID"), RADAR))
    text = json.dumps(graph)
    assert text.count("COPERNICUS/S1_GRD_FLOAT/S1A_ID") == 1
    assert '"sameFootprint": {"constantValue": false}' in text
    assert list(functions_in(graph)).count("Image.reduceResolution") == 1
    inner = json.dumps(graph["values"][graph["result"]])
    names = ("toFloat", "unmask", "addBands", "multiply", "log10", "reduceResolution")
    places = [inner.index(name) for name in names]
    assert places == sorted(places)  # the outermost first: the mean is taken before the logarithm


def test_weather_is_preliminary_for_ninety_days(
    source: EarthEngineSource, window: GridWindow
) -> None:
    source.granules(Product.SOIL, window, None)  # connects
    days = [date(2025, 1, 1), date(2025, 1, 3)]
    place = Place(window, "", 1000, datetime(2025, 4, 1, 12, tzinfo=UTC))
    old, new = dated_granules(ee, DAILY_WEATHER, place, days)
    assert old.stamp == "final"
    assert new.stamp is not None
    assert new.stamp.startswith("preliminary 2025-01-")  # changes with the image too


def test_composites_read_as_the_archive_s(
    source: EarthEngineSource, archive: ArchiveSource, window: GridWindow, tmp_path: Path
) -> None:
    days = [date(2024, 12, 18) + timedelta(days=n) for n in range(40)]
    found = source.granules(Product.NDVI, window, days)
    expected = {one.day: one for one in archive.granules(Product.NDVI, window, days)}
    assert [one.day for one in found] == list(expected)
    assert {one.granule_id[:3] for one in found} == {"MOD", "MYD"}
    for granule in found[:3]:
        home = fetched(source, granule, window, tmp_path)
        theirs = expected[granule.day]
        there = fetched(archive, theirs, window, tmp_path)
        check_same(
            mod13q1_earth_engine.read_composite(home / granule.files[0], granule.granule_id),
            mod13q1.read_composite(there, theirs.granule_id),
        )


def test_weather_reads_as_the_archive_s_and_tells_its_version(
    source: EarthEngineSource, archive: ArchiveSource, window: GridWindow, tmp_path: Path
) -> None:
    days = [date(2025, 1, 1), date(2025, 1, 2), date(2025, 5, 1)]
    granules = source.granules(Product.WEATHER, window, days)
    assert [one.day for one in granules] == days[:2]  # the third has not come: simply absent
    granule = granules[0]
    assert granule.stamp == "final"
    home = fetched(source, granule, window, tmp_path)
    mine = era5_land_earth_engine.read_day(home / granule.files[0], days[0])
    there = fetched(archive, archive.granules(Product.WEATHER, window, days)[0], window, tmp_path)
    expected = era5_land.read_day(next(there.iterdir()), days[0])
    assert not mine.values["is_preliminary"].any()
    same = {k: v for k, v in expected.values.items() if k != "is_preliminary"}
    check_same(mine, Raster(expected.window, same))
    (tmp_path / "early").mkdir()
    source.fetch(replace(granule, stamp="preliminary x"), window, tmp_path / "early")
    fresh = era5_land_earth_engine.read_day(tmp_path / "early" / granule.files[0], days[0])
    assert fresh.values["is_preliminary"].all()


def test_static_drivers_read_as_the_archive_s(
    source: EarthEngineSource, archive: ArchiveSource, window: GridWindow, tmp_path: Path
) -> None:
    bounds = lonlat_bounds(window)
    rasters: dict[str, list[Raster]] = {"soil": [], "elevation": [], "land_cover": []}
    for one in (source, archive):
        for product in (Product.SOIL, Product.ELEVATION, Product.LAND_COVER):
            granules = one.granules(product, window, None)
            homes = [fetched(one, granule, window, tmp_path) for granule in granules]
            paths = [path for home in homes for path in sorted(home.iterdir())]
            if product is Product.SOIL:
                rasters["soil"].append(soilgrids.read_soil(homes[0], bounds))
            elif product is Product.ELEVATION:
                rasters["elevation"].append(glo30.read_elevation(paths, bounds))
            else:
                rasters["land_cover"].append(worldcover.read_land_cover(paths, bounds))
    for mine, theirs in rasters.values():
        assert check_same(mine, theirs) == 0
        assert all(np.isfinite(values).any() for values in mine.values.values())


def test_new_granules_are_those_that_came_since(
    source: EarthEngineSource, archive: ArchiveSource, window: GridWindow
) -> None:
    since = datetime(2025, 4, 1, tzinfo=UTC)
    products = (Product.S1_GRD, Product.NDVI, Product.WEATHER)
    found = source.listed_since(products, window, since, date(2025, 3, 10))
    expected = archive.listed_since(products, window, since, date(2025, 3, 10))
    assert {(one.product, one.day) for one in found} == {(one.product, one.day) for one in expected}
    assert all(one.available_utc and one.available_utc >= since for one in found)


def test_plan_tells_the_requests_that_fetching_takes(
    source: EarthEngineSource, window: GridWindow, tmp_path: Path, servers: StandIn
) -> None:
    asked = ((Product.NDVI, RADAR_DAYS, 4000), (Product.ELEVATION, None, 60_000))
    for product, days, tile_bytes in asked:
        source = replace(source, tile_bytes=tile_bytes)
        granule = source.granules(product, window, days)[0]
        servers.clear()
        with metered() as meter:
            fetched(source, granule, window, tmp_path)
        own = [one for one in servers.log() if one["path"].startswith("/v1/")]
        assert meter.requests == granule.n_requests == len(own), own
        assert meter.received_bytes >= (granule.estimated_bytes or 0)
        assert granule.n_requests > 1


def test_cost_is_told_when_it_is_asked_for(
    source: EarthEngineSource, window: GridWindow, tmp_path: Path
) -> None:
    granule = source.granules(Product.WEATHER, window, [date(2025, 1, 1)])[0]
    with metered() as meter:
        fetched(replace(source, profile=True), granule, window, tmp_path)
    assert meter.eecu_s == pytest.approx(0.5)
    assert meter.requests == granule.n_requests + 1


def test_requests_of_all_granules_share_one_limit(
    source: EarthEngineSource, window: GridWindow, tmp_path: Path, servers: StandIn
) -> None:
    few = replace(source, tiles_in_flight=3, tile_bytes=4000)
    granule = few.granules(Product.NDVI, window, RADAR_DAYS)[0]
    servers.settings(latency_s=0.05)
    fetched(few, granule, window, tmp_path)
    assert servers.peak() in (2, 3)


def test_every_request_carries_project_and_workload_tag(
    source: EarthEngineSource, window: GridWindow, tmp_path: Path, servers: StandIn
) -> None:
    granule = source.granules(Product.WEATHER, window, [date(2025, 1, 1)])[0]
    fetched(source, granule, window, tmp_path)
    last = servers.log()[-1]
    assert last["path"] == "/v1/projects/test-project/image:computePixels"
    assert last["headers"]["x-goog-user-project"] == "test-project"
    assert ee.data.getWorkloadTag() == "sm-platform"


def test_bad_questions_are_answered_in_words(source: EarthEngineSource, window: GridWindow) -> None:
    with pytest.raises(SourceError, match="begins on 2014-10-03"):
        source.granules(Product.S1_GRD, window, [date(2013, 1, 1)])
    north = replace(window, affine=window.affine * window.affine.translation(0, -40000))
    with pytest.raises(SourceError, match="50 degrees"):
        source.granules(Product.ELEVATION, north, None)
