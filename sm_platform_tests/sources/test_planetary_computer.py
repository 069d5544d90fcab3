"""The Planetary Computer by pystac-client and GDAL: a stand-in that demands signatures."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from rasterio.warp import transform_bounds

from sm_platform.errors import UsageError
from sm_platform.formats.mod13q1 import read_composite
from sm_platform.formats.rtc_planetary_computer import read_properties
from sm_platform.grid.window import lonlat_bounds, pad
from sm_platform.sources.archive_folder import archive_regions
from sm_platform.sources.metering import metered
from sm_platform.sources.planetary_computer import modis as pc_modis
from sm_platform.sources.planetary_computer import radar as pc_radar
from sm_platform.sources.planetary_computer.modis import tiles_of
from sm_platform.sources.planetary_computer.source import PlanetaryComputerSource
from sm_platform.sources.planetary_computer.stac_search import Catalogue, Query, search
from sm_platform.sources.protocol import Granule, Product
from sm_platform.sources.services import Service
from sm_platform_tests.servers import StandIn
from sm_platform_tests.servers.stac import BANDS, KEY, rtc_values
from sm_platform_tests.sources.conftest import TINY
from sm_platform_tests.sources.planetary_desk import REGION, fetched, source_at

Found = Callable[[Product, str], list[tuple[Granule, Path]]]


@pytest.fixture
def source(servers: StandIn) -> PlanetaryComputerSource:
    return source_at(servers)


@pytest.mark.parametrize("paging", ["POST", "GET"])
@pytest.mark.parametrize("repeated", [False, True])
def test_composites_are_listed_as_in_the_archive(
    servers: StandIn,
    source: PlanetaryComputerSource,
    tiny: Path,
    listed: Found,
    paging: str,
    repeated: bool,
) -> None:
    servers.settings(page_size=3, paging=paging, repeated=repeated)
    window = archive_regions(tiny)[REGION]
    ours = source.granules(Product.NDVI, window, TINY.driver_days)
    theirs = [granule for granule, _ in listed(Product.NDVI, REGION)]
    assert [(g.granule_id, g.day, g.files) for g in ours] == [
        (g.granule_id, g.day, g.files) for g in theirs
    ]
    assert len(ours) > 6  # several pages
    for one, other in zip(ours, theirs, strict=True):
        assert one.available_utc == (other.available_utc or datetime.min).replace(microsecond=0)
        assert (one.format, one.service, one.size_bytes) == ("mod13q1", source.name, None)
        assert one.citation and one.granule_id[:7] in one.citation


def test_days_choose_by_the_first_day_of_a_composite(
    source: PlanetaryComputerSource, tiny: Path
) -> None:
    window = archive_regions(tiny)[REGION]
    days = [date(2025, 1, 1), date(2025, 2, 2), date(2025, 2, 3)]
    found = source.granules(Product.NDVI, window, days)
    assert [one.day for one in found] == [date(2025, 1, 1), date(2025, 2, 2)]
    assert source.granules(Product.NDVI, window, None) == []
    assert source.granules(Product.SOIL, window, days) == []


@pytest.mark.parametrize("region", [REGION, "highland"])
def test_landed_composites_read_as_the_archive(
    source: PlanetaryComputerSource, tiny: Path, listed: Found, region: str, tmp_path: Path
) -> None:
    window = archive_regions(tiny)[region]
    bounds = lonlat_bounds(pad(window, 30))
    for granule, folder in listed(Product.NDVI, region)[:2]:
        assert granule.day is not None
        (ours,) = source.granules(Product.NDVI, window, [granule.day])
        target = tmp_path / ours.granule_id
        target.mkdir()
        source.fetch(ours, window, target)
        found = read_composite(target, ours.granule_id, bounds_lonlat=bounds)
        expected = read_composite(folder, ours.granule_id, bounds_lonlat=bounds)
        assert found.window == expected.window
        for name, values in expected.values.items():
            np.testing.assert_array_equal(found.values[name], values)


def test_radar_frames_are_landed_on_their_own_grid(
    source: PlanetaryComputerSource, tiny: Path, listed: Found, tmp_path: Path
) -> None:
    window = archive_regions(tiny)[REGION]
    found = source.granules(Product.S1_GRD, window, TINY.driver_days)
    theirs = [granule for granule, _ in listed(Product.S1_GRD, REGION)]
    frames = {(one.day, one.granule_id[:-5] + "_rtc") for one in theirs}  # some made twice
    assert [(one.day, one.granule_id) for one in found] == sorted(frames)
    assert len(frames) > 10
    first = found[0]
    folder = fetched(source, first, tiny, tmp_path / "frame")
    for name in ("vv", "vh"):
        with rasterio.open(folder / f"{first.granule_id}_{name}.tif") as file:
            assert (file.crs.to_epsg(), file.nodata, file.dtypes) == (32648, -32768, ("float32",))
            assert file.transform.a == 10
            rows, cols = np.indices(file.shape)
            x, y = file.transform * (cols + 0.5, rows + 0.5)
            np.testing.assert_array_equal(file.read(1), rtc_values(name, x, y))
            west, south, east, north = transform_bounds(file.crs, "EPSG:4326", *file.bounds)
        left, bottom, right, top = lonlat_bounds(window)
        assert west < left and south < bottom and right < east and top < north
    read = read_properties(folder, first.granule_id)
    assert first.frame is not None
    assert first.frame.scene_id == f"{read.platform}_{read.datatake_id}"
    assert (first.frame.start_utc, first.frame.stop_utc) == (read.start_utc, read.end_utc)
    assert first.frame.relative_orbit == read.relative_orbit
    item = json.loads((folder / f"{first.granule_id}.json").read_text())
    assert item["id"] == first.granule_id
    assert item["properties"]["sar:polarizations"] == ["VV", "VH"]


def test_what_came_since(source: PlanetaryComputerSource, tiny: Path, listed: Found) -> None:
    """14 days of grace: the catalogue does not tell when an item appeared in it."""
    window = archive_regions(tiny)[REGION]
    theirs = [granule for granule, _ in listed(Product.NDVI, REGION)]
    since = datetime(2025, 3, 20, tzinfo=UTC)
    found = source.listed_since([Product.NDVI], window, since, date(2025, 1, 1))
    expected = [
        one.granule_id
        for one in theirs
        if one.available_utc
        and one.available_utc + timedelta(days=14) >= since
        and one.day
        and one.day >= date(2025, 1, 1)
    ]
    assert [one.granule_id for one in found] == expected
    assert 0 < len(found) < len(theirs)
    both = source.listed_since([Product.NDVI, Product.S1_GRD], window, since, date(2025, 1, 1))
    assert {one.product for one in both} == {Product.NDVI, Product.S1_GRD}


def test_requests_and_bytes_are_counted(
    servers: StandIn, source: PlanetaryComputerSource, tiny: Path, tmp_path: Path
) -> None:
    with metered() as meter:
        (granule,) = source.granules(
            Product.NDVI, archive_regions(tiny)[REGION], [date(2025, 1, 1)]
        )
        fetched(source, granule, tiny, tmp_path / "one")
    assert meter.requests == pytest.approx(len(servers.log()), abs=4)
    assert meter.received_bytes > 3000


def test_radar_geometry_is_refused_by_name() -> None:
    with pytest.raises(UsageError, match="hundreds of metres off"):
        PlanetaryComputerSource(radar_collection="sentinel-1-grd")


def test_probe(servers: StandIn, source: PlanetaryComputerSource) -> None:
    both = (Product.NDVI, Product.S1_GRD)
    found = list(source.probe(both))
    assert "no key needed;" in found[0].text
    assert [one.is_good for one in found] == [True, False, False]  # the archive ends long ago
    assert "earthdata:VJ113A1" in found[1].text
    assert [one.products for one in found[1:]] == [(one,) for one in both]
    servers.clear()
    _, radar = source.probe([Product.S1_GRD])
    assert "sentinel-1-rtc" in radar.text
    assert "modis" not in json.dumps(servers.log())
    servers.faults(["error"])
    assert not any(one.is_good for one in list(source.probe(both))[1:])
    keyed = source_at(servers, subscription_key=KEY)
    told = [one.text for one in keyed.probe(both)]
    assert "no key needed (PC_SDK_SUBSCRIPTION_KEY is set and sent)" in told[0]
    assert KEY not in "".join(told)


def test_tiles_of_a_window(tiny: Path) -> None:
    regions = archive_regions(tiny)
    assert tiles_of(regions[REGION]) == {"h27v06"}
    assert tiles_of(regions["highland"]) == {"h28v07"}


def frame(start: str, stop: str, **changes: Any) -> dict[str, Any]:  # noqa: ANN401
    item_id = f"S1A_IW_GRDH_1SDV_{start}_{stop}_058263_06D52B_rtc"
    return {
        "id": item_id,
        "collection": "sentinel-1-rtc",
        "properties": {},
        "assets": {name: {"href": f"https://there/{name}.tiff?sig=x"} for name in ("vv", "vh")},
        "links": [{"rel": "self", "href": f"https://there/{item_id}"}],
    } | changes


def test_a_pass_over_midnight_has_one_day(tiny: Path, caplog: pytest.LogCaptureFixture) -> None:
    window = archive_regions(tiny)[REGION]
    items = [
        frame("20250311T235950", "20250312T000015"),
        frame("20250312T000015", "20250312T000040"),
        frame("20250312T000040", "20250312T000105", assets={"vv": {"href": "https://there/a"}}),
        frame("20250312T000105", "20250312T000130", properties={"s1:datatake_id": "1"}),
        {"id": "something else"},
    ]
    found = pc_radar.granules(items, window)
    assert [one.day for one in found] == [date(2025, 3, 11)] * 2
    assert not any("?" in href for one in found for href in one.hrefs)
    assert caplog.text.count("is left out") == 2


def composite(made: str, tile: str = "h27v06") -> dict[str, Any]:
    item_id = f"MOD13Q1.A2025001.{tile}.061.{made}"
    assets = {f"250m_16_days_{band}": {"href": f"https://there/{band}.tif"} for band in BANDS}
    return {"id": item_id, "properties": {}, "assets": assets}


def test_of_a_composite_made_twice_the_newest_is_taken(tiny: Path) -> None:
    newest = composite("2025030000000")
    items = [
        composite("2025018000000"),
        newest,
        composite("2025020000000"),
        composite("2025018000000", tile="h28v06"),  # its outline touches, its cells do not
        composite("2025040000000") | {"assets": {}},
    ]
    (found,) = pc_modis.granules(items, archive_regions(tiny)[REGION])
    assert found.granule_id == newest["id"]


@pytest.mark.parametrize("paging", ["POST", "GET"])
def test_a_search_gives_each_item_once(servers: StandIn, paging: str) -> None:
    servers.settings(page_size=3, repeated=True, paging=paging)
    catalogue = Catalogue(Service("a", "A"), f"{servers.url}/pc/stac/v1")
    first, last = datetime(2024, 12, 1, tzinfo=UTC), datetime(2025, 4, 1, tzinfo=UTC)
    found = search(catalogue, Query(pc_modis.COLLECTION, (106.4, 20.4, 106.5, 20.5), first, last))
    ids = [one["id"] for one in found]
    assert len(ids) == len(set(ids)) > 6
    assert len([one for one in servers.log() if one["path"].endswith("search")]) > 4
