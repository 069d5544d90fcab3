"""Earth Engine refuses, fails or lies: what is raised, what it says; the doctor; training sites."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import ee
import numpy as np
import pytest
from google.auth.credentials import AnonymousCredentials
from google.oauth2.credentials import Credentials

from sm_platform.errors import DeniedError, PassingError, SourceError, UsageError
from sm_platform.formats import era5_land
from sm_platform.grid.window import GridWindow, cell_index, lonlat_bounds
from sm_platform.sources.archive import ArchiveSource, archive_regions
from sm_platform.sources.earth_engine.client import LIMITS, Access
from sm_platform.sources.earth_engine.images import ERA5
from sm_platform.sources.earth_engine.probe import STATIC
from sm_platform.sources.earth_engine.sites import Reduction, Site, extract_sites
from sm_platform.sources.earth_engine.source import EarthEngineSource
from sm_platform.sources.metering import metered
from sm_platform.sources.protocol import Product
from sm_platform_tests.servers import StandIn

DAY = date(2025, 1, 2)
QUICK = replace(LIMITS, read_s=5.0, deadline_s=1.0)


@pytest.fixture
def source(servers: StandIn, monkeypatch: pytest.MonkeyPatch) -> EarthEngineSource:
    monkeypatch.setenv("NO_GCE_CHECK", "true")  # else the client looks for three seconds
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
    return EarthEngineSource(
        "test-project", AnonymousCredentials(), url=servers.url, tiles_in_flight=2, limits=QUICK
    )


@pytest.fixture(scope="module")
def window(tiny: Path) -> GridWindow:
    return archive_regions(tiny)["highland"]


def fetch_weather(source: EarthEngineSource, window: GridWindow, folder: Path) -> list[Path]:
    granule = source.granules(Product.WEATHER, window, [DAY])[0]
    source.fetch(granule, window, folder)
    return list(folder.iterdir())


@pytest.mark.parametrize(
    ("kind", "error", "words"),
    [
        ("too-many", PassingError, "try again in 7 s"),
        ("error", PassingError, "500"),
        ("forbidden", DeniedError, "403"),
        ("drip", PassingError, "in time"),
        ("cut", PassingError, "broke off"),
        ("short", PassingError, "broke off"),
        ("html", PassingError, "web page"),
        ("elsewhere", SourceError, "localhost.invalid"),
        ("unauthorized", DeniedError, "credentials"),
    ],
)
@pytest.mark.parametrize("path", [":listAssets", "computePixels"])
def test_fault_is_raised_in_words(
    source: EarthEngineSource,
    servers: StandIn,
    window: GridWindow,
    tmp_path: Path,
    kind: str,
    error: type[SourceError],
    words: str,
    path: str,
) -> None:
    servers.faults([kind], paths=path, retry_after="7")
    with metered() as meter, pytest.raises(error, match=words) as raised:
        fetch_weather(source, window, tmp_path)
    assert type(raised.value) is error
    assert "Google Earth Engine" in str(raised.value)
    assert meter.requests >= 1
    if kind == "too-many":
        assert raised.value.retry_after_s == 7  # type: ignore[attr-defined]
    servers.faults()
    for left in tmp_path.iterdir():
        left.unlink()
    assert fetch_weather(source, window, tmp_path)


@pytest.mark.parametrize(
    ("status", "message", "error", "words"),
    [
        (400, "User memory limit exceeded.", SourceError, "smaller tiles"),
        (400, "Computation timed out.", PassingError, "took too long"),
        (403, "Project 'p' is not registered to use Earth Engine.", DeniedError, "register"),
        (403, "Caller does not have required permission to use project p.", DeniedError, "role"),
        (404, "Image.load: Image asset 'x' not found.", SourceError, "list the granules again"),
        (429, "Too Many Requests: quota exceeded", PassingError, "quota"),
    ],
)
def test_refusal_names_the_next_step(
    source: EarthEngineSource,
    servers: StandIn,
    window: GridWindow,
    tmp_path: Path,
    status: int,
    message: str,
    error: type[SourceError],
    words: str,
) -> None:
    told = {"paths": "computePixels", "status": status, "message": message}
    servers.settings(refusal=told)
    with pytest.raises(error, match=words) as raised:
        fetch_weather(source, window, tmp_path)
    assert type(raised.value) is error
    assert "era5_land_daily_20250102" in str(raised.value)


def test_a_retired_collection_names_what_to_do(
    source: EarthEngineSource, servers: StandIn, window: GridWindow
) -> None:
    told = {"paths": "MOD13Q1:listAssets", "status": 404, "message": "Asset not found."}
    servers.settings(refusal=told)
    with pytest.raises(SourceError, match=r"no MODIS/061/MOD13Q1 .* successor"):
        source.granules(Product.NDVI, window, [DAY])


def test_too_large_a_request_is_refused_by_the_service_and_never_made(
    source: EarthEngineSource, window: GridWindow
) -> None:
    with pytest.raises(SourceError, match="tile_bytes"):
        replace(source, tile_bytes=64 << 20).granules(Product.WEATHER, window, [DAY])
    grid = {"dimensions": {"width": 8192, "height": 8192}, "crsCode": "EPSG:4326"}
    six = {"scaleX": 0.1, "translateX": -180.05, "scaleY": -0.1, "translateY": 90.05}
    source.granules(Product.WEATHER, window, [DAY])
    image = ee.Image(f"{ERA5}/20250102").unmask(-1, False).toFloat()
    with pytest.raises(ee.EEException, match="Total request size"):
        ee.data.computePixels(
            {"expression": image, "fileFormat": "NPY", "grid": grid | {"affineTransform": six}}
        )


def test_access_is_explained(source: EarthEngineSource, window: GridWindow, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no credentials, GOOGLE_APPLICATION_CREDENTIALS"):
        replace(source, credentials=None).granules(Product.WEATHER, window, [DAY])
    with pytest.raises(SourceError, match="no project is named"):
        replace(source, project=None).granules(Product.WEATHER, window, [DAY])
    key = tmp_path / "key.json"
    key.write_text('{"type": "service_account", "private_key": "hidden-words"}')
    with pytest.raises(SourceError, match="no readable key file") as raised:
        replace(source, credentials=str(key)).granules(Product.WEATHER, window, [DAY])
    assert "hidden-words" not in str(raised.value)
    with pytest.raises(UsageError, match="MODIS, VIIRS"):
        replace(source, ndvi_sensor="AVHRR").granules(Product.NDVI, window, [DAY])
    assert "hidden-words" not in repr(replace(source, credentials="hidden-words"))


def test_token_travels_and_netrc_does_not(
    source: EarthEngineSource, servers: StandIn, window: GridWindow, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login someone password else\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NETRC", str(netrc))
        mine = replace(source, credentials=Credentials("token-of-mine"))
        mine.granules(Product.WEATHER, window, [DAY])
    assert servers.log()[-1]["headers"]["authorization"] == "Bearer token-of-mine"


EVERY = (Product.S1_GRD, Product.NDVI, Product.WEATHER, *STATIC)


def test_doctor_finds_what_is_there(source: EarthEngineSource, servers: StandIn) -> None:
    found = list(source.probe(EVERY))
    assert all(one.is_good and "Google Earth Engine" in one.text for one in found)
    assert [one.products for one in found if one.products] == [(one,) for one in EVERY]
    text = "\n".join(one.text for one in found)
    for words in ("noncommercial use only", "agency", "CC-BY-4.0", "2 expected", servers.url):
        assert words in text
    servers.settings(registration="NOT_REGISTERED")
    found = list(source.probe([Product.WEATHER]))
    assert [one.is_good for one in found].count(False) == 1
    servers.faults(["error"])
    assert not list(replace(source, project="other-project").probe(EVERY))[-1].is_good
    assert "no project" in list(replace(source, project=None).probe(EVERY))[-1].text


@pytest.mark.parametrize(
    ("product", "asset"),
    [
        (Product.NDVI, "MODIS/061/MYD13Q1"),
        (Product.WEATHER, ERA5),
        (Product.SOIL, "clay_mean"),
        (Product.LAND_COVER, "ESA/WorldCover/v200"),
    ],
)
def test_doctor_asks_only_for_collections_in_use(
    source: EarthEngineSource, servers: StandIn, product: Product, asset: str
) -> None:
    told = {"paths": f"{asset}(:listAssets)?$", "status": 404, "message": "Asset not found."}
    servers.settings(refusal=told)
    bad = [one for one in source.probe(EVERY) if not one.is_good]
    assert [one.products for one in bad] == [(product,)]
    assert f"{asset} (404" in bad[0].text
    others = [one for one in EVERY if one is not product]
    assert all(one.is_good for one in source.probe(others))


def test_doctor_names_the_viirs_collection_where_it_is_chosen(source: EarthEngineSource) -> None:
    *_, found, quota = replace(source, ndvi_sensor="VIIRS").probe([Product.NDVI])
    assert "NASA/VIIRS/002/VNP13A1 has no image" in found.text  # the stand-in has MODIS alone
    assert not found.is_good
    assert quota.is_good


@pytest.mark.parametrize(
    "bands",
    [("temperature_2m",), ("temperature_2m", "total_precipitation_sum")],
)
def test_sites_are_read_in_chunks_and_pages(
    servers: StandIn, window: GridWindow, tiny: Path, bands: tuple[str, ...]
) -> None:
    servers.settings(feature_page=2)
    west, south, east, north = lonlat_bounds(window)
    rng = np.random.default_rng(3)
    places = rng.uniform((west, south), (east, north), (7, 2))
    sites = [Site(f"site-{n}", lon, lat) for n, (lon, lat) in enumerate(places.tolist())]
    sites.append(Site("far", -70.0, -40.0))
    images = [f"{ERA5}/{name}" for name in ("20250101", "20250102", "20250103")]
    access = Access("test-project", servers.url, AnonymousCredentials(), 2, LIMITS)
    table = extract_sites(access, sites, images, Reduction(bands, 11132.0), pairs=6)
    assert table.column_names == ["site_id", "image_id", *bands]
    assert table["site_id"].to_pylist() == [one.site_id for one in sites] * 3
    assert table["image_id"].to_pylist() == [name for name in images for _ in sites]
    asked = [one for one in servers.log() if one["path"].endswith(":computeFeatures")]
    assert len(asked) == 3 * (3 + 1)  # 8 sites by 6: 6 and 2, the latter with 3 images at once
    expected = values_at(tiny, sites[:-1], date(2025, 1, 3))
    np.testing.assert_array_equal(table["temperature_2m"].to_numpy()[16:23], expected)
    assert table["temperature_2m"].to_pylist()[23] is None
    with pytest.raises(UsageError, match="twice"):
        extract_sites(access, [sites[0], sites[0]], images, Reduction(bands, 11132.0))


def values_at(archive: Path, sites: list[Site], day: date) -> list[float]:
    granule = ArchiveSource(archive).granules(
        Product.WEATHER, archive_regions(archive)["highland"], [day]
    )[0]
    home = archive / "weather" / "highland" / granule.granule_id
    raster = era5_land.read_day(home / granule.files[0], day)
    lon, lat = (np.array([getattr(one, name) for one in sites]) for name in ("lon", "lat"))
    return [
        float(raster.values["temperature_k"].flat[place])
        for place in cell_index(raster.window, lon, lat)
    ]
