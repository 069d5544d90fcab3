"""Planet's soil water content, through its real client and a stand-in of its API."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import rasterio

from sm_platform.errors import DeniedError, PassingError, SourceError
from sm_platform.grid.window import GridWindow, lonlat_bounds
from sm_platform.sources.archive import ArchiveSource, archive_regions
from sm_platform.sources.metering import metered
from sm_platform.sources.planet.source import PlanetSource
from sm_platform.sources.protocol import Granule, Product
from sm_platform_tests.servers import StandIn
from sm_platform_tests.servers.planet import KEY

REGION = "red-river"
DAYS = [date(2025, 3, 1) + timedelta(days=n) for n in range(14)]


@pytest.fixture
def source(servers: StandIn) -> PlanetSource:
    return PlanetSource(KEY, f"{servers.url}/planet")


@pytest.fixture
def window(tiny: Path) -> GridWindow:
    return archive_regions(tiny)[REGION]


def fetched(source: PlanetSource, window: GridWindow, granule: Granule, folder: Path) -> Path:
    folder.mkdir()
    source.fetch(granule, window, folder)
    assert sorted(path.name for path in folder.iterdir()) == sorted(granule.files)
    return folder


def paths(servers: StandIn, part: str) -> list[str]:
    """Addresses with this part that were asked for since the last clear."""
    return [one["path"] for one in servers.log() if part in one["path"]]


@pytest.mark.parametrize("how", ["as_usual", "planet_is_dateless", "planet_is_named"])
def test_granules_are_those_of_the_archive(
    how: str, source: PlanetSource, servers: StandIn, window: GridWindow,
    tiny: Path, tmp_path: Path,
) -> None:  # fmt: skip
    servers.settings(**{how: True})
    own = ArchiveSource(tiny).granules(Product.SWC, window, DAYS)
    found = source.granules(Product.SWC, window, DAYS)
    assert len(own) > 5
    for ours, theirs in zip(found, own, strict=True):
        for name in ("granule_id", "day", "files", "format", "available_utc"):
            assert getattr(ours, name) == getattr(theirs, name), name
        assert all("?" not in href for href in ours.hrefs)
        assert ours.service == "planet"
    folder = fetched(source, window, found[0], tmp_path / "one")
    home = tiny / "planet_swc" / REGION / found[0].granule_id
    for name in found[0].files:
        assert (folder / name).read_bytes() == (home / name).read_bytes()


def test_all_pages_are_read_and_links_are_not_asked_for_twice(
    source: PlanetSource, servers: StandIn, window: GridWindow, tmp_path: Path
) -> None:
    servers.settings(planet_page_size=2)
    with metered() as meter:
        found = source.granules(Product.SWC, window, DAYS)
    assert meter.requests == len(servers.log()) == len(paths(servers, API_PATH))
    assert len(paths(servers, "/results")) >= len(found) / 2
    n_listed = len(servers.log())
    with ThreadPoolExecutor(4) as pool:
        pairs = [(one, tmp_path / one.granule_id) for one in found[:4]]
        list(pool.map(lambda pair: fetched(source, window, *pair), pairs))
    assert len(servers.log()) - n_listed == 8


API_PATH = "/subscriptions/v1"


@pytest.mark.parametrize("status", [403, 404, 410])
def test_an_expired_link_is_renewed_once(
    status: int, source: PlanetSource, servers: StandIn, window: GridWindow, tmp_path: Path
) -> None:
    servers.settings(planet_uses=1, planet_expired=status)
    (granule, *_) = source.granules(Product.SWC, window, DAYS)
    fetched(source, window, granule, tmp_path / "first")
    servers.clear()
    servers.settings(planet_uses=1, planet_expired=status)
    fetched(source, window, granule, tmp_path / "second")
    assert len(paths(servers, "delivered")) == 3
    servers.settings(planet_uses=0)
    with pytest.raises(SourceError) as caught:
        fetched(source, window, granule, tmp_path / "third")
    assert isinstance(caught.value, DeniedError) == (status == 403)
    assert "token" not in str(caught.value)


def test_regions_of_one_account_get_their_own_files(
    source: PlanetSource, tiny: Path, servers: StandIn, window: GridWindow, tmp_path: Path
) -> None:
    servers.settings(planet_is_plain=True)  # item ids without a region, as Planet's are
    other = archive_regions(tiny)["highland"]
    ours = {one.granule_id: one for one in source.granules(Product.SWC, window, DAYS)}
    theirs = {one.granule_id: one for one in source.granules(Product.SWC, other, DAYS)}
    name = min(ours.keys() & theirs.keys())
    for place, granule in ((window, ours[name]), (other, theirs[name])):
        folder = fetched(source, place, granule, tmp_path / str(place.affine.f))
        with rasterio.open(folder / granule.files[0]) as file:
            west, south, east, north = lonlat_bounds(place)
            assert west < (file.bounds.left + file.bounds.right) / 2 < east
            assert south < (file.bounds.top + file.bounds.bottom) / 2 < north


def test_a_source_without_memory_lists_the_links(
    source: PlanetSource, window: GridWindow, tmp_path: Path
) -> None:
    (granule, *_) = source.granules(Product.SWC, window, DAYS)
    fetched(replace(source), window, granule, tmp_path / "one")
    gone = replace(granule, granule_id="SWC-SMAP-L_V2.0_100_elsewhere-20250301T0130")
    (tmp_path / "two").mkdir()
    with pytest.raises(SourceError, match="among its results"):
        source.fetch(gone, window, tmp_path / "two")


def test_new_deliveries_since_a_moment(source: PlanetSource, window: GridWindow) -> None:
    since = datetime(2025, 4, 1, tzinfo=UTC)
    found = source.listed_since([Product.SWC, Product.NDVI], window, since, DAYS[0])
    assert found
    assert all(one.available_utc is not None and one.available_utc >= since for one in found)
    every = source.listed_since([Product.SWC], window, None, DAYS[0])
    assert {one.granule_id for one in found} < {one.granule_id for one in every}
    assert source.listed_since([Product.NDVI], window, since, DAYS[0]) == []


def test_what_is_lacking_is_told(
    source: PlanetSource, servers: StandIn, window: GridWindow
) -> None:
    def refused(used: PlanetSource) -> str:
        with pytest.raises(SourceError) as caught:
            used.granules(Product.SWC, window, DAYS)
        return str(caught.value)

    servers.settings(planet_only=["far-away", "never-began", "cancelled-1km", "in-features"])
    text = refused(source)
    assert "no subscription to soil water content of 100 m covers the region" in text
    assert "far-away (SWC-SMAP-L_V2.0_100, running), covers 0%" in text
    assert "a subscription costs money, so none is made here" in text
    # Named, one whose outline is kept elsewhere is believed.
    named = replace(source, subscriptions=("in-features",))
    assert named.granules(Product.SWC, window, DAYS) == []
    assert "has no subscription other" in refused(replace(source, subscriptions=("other",)))
    servers.settings(planet_only=None, planet_is_elsewhere=True)
    assert "no files to download here" in refused(source)


def test_keys_that_lack_or_are_wrong(source: PlanetSource, window: GridWindow) -> None:
    with pytest.raises(SourceError, match="PL_API_KEY is not set"):
        replace(source, key=None).granules(Product.SWC, window, DAYS)
    wrong = replace(source, key="wrong-key-9")
    with pytest.raises(DeniedError, match="PL_API_KEY") as caught:
        wrong.granules(Product.SWC, window, DAYS)
    assert "wrong-key-9" not in f"{caught.value}{wrong!r}"


@pytest.mark.parametrize("fault", ["too-many", "error", "html", "cut", "short"])
def test_faults_of_the_service_become_errors_of_ours(
    fault: str, source: PlanetSource, servers: StandIn, window: GridWindow
) -> None:
    servers.faults([fault], paths=API_PATH, retry_after="7")
    with pytest.raises(PassingError) as caught:
        source.granules(Product.SWC, window, DAYS)
    assert not isinstance(caught.value, DeniedError)
    assert caught.value.retry_after_s == (7 if fault == "too-many" else None)
    assert KEY not in str(caught.value)
    assert "Error" not in str(caught.value), "a name out of the client"
    assert len(servers.log()) == 1


def test_it_answers_inside_a_running_event_loop(source: PlanetSource, window: GridWindow) -> None:
    async def ask() -> list[Granule]:
        return source.granules(Product.SWC, window, DAYS[:3])

    assert asyncio.run(ask()) == source.granules(Product.SWC, window, DAYS[:3])


def test_the_probe_tells_key_subscriptions_and_terms(
    source: PlanetSource, servers: StandIn
) -> None:
    found = list(source.probe([Product.SWC]))
    assert [one.is_good for one in found] == [True, True, True]
    assert all(one.text.startswith("Planet: ") for one in found)
    assert f"{REGION} (SWC-SMAP-L_V2.0_100, completed)" in found[1].text
    servers.settings(planet_only=["never-began"])
    assert [one.is_good for one in source.probe([Product.SWC])] == [True, False, True]
    assert [one.is_good for one in replace(source, key=None).probe([Product.SWC])] == [False]
    assert [one.is_good for one in replace(source, key="wrong-key-9").probe([Product.SWC])] == [
        True,
        False,
    ]
