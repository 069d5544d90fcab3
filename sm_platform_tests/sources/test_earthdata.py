"""NASA Earthdata through the real client earthaccess: what is listed and what lands."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from sm_platform.errors import PassingError
from sm_platform.grid.ease2 import LEVEL_100M, window_around
from sm_platform.grid.window import GridWindow
from sm_platform.sources.archive import ArchiveSource, archive_regions
from sm_platform.sources.earthdata.source import DATA_HOSTS, DOWNLOAD_HOSTS, EarthdataSource
from sm_platform.sources.metering import metered
from sm_platform.sources.protocol import Granule, Product
from sm_platform.sources.transfer import Reach
from sm_platform_tests.servers import StandIn
from sm_platform_tests.servers.earthdata import TOKEN, item_of
from sm_platform_tests.sources.conftest import TINY
from sm_platform_tests.sources.earthdata_desk import burst, source_at, spl4

LABELS = (Product.SPL4SMGP, Product.SPL3SMP_E, Product.NSIDC_0779)
DAY = date(2025, 3, 2)
SPL4_HOURS = [f"{hour:02d}3000" for hour in range(1, 24, 3)]


pytestmark = pytest.mark.usefixtures("servers")


@pytest.fixture
def source(servers: StandIn) -> EarthdataSource:
    return source_at(servers)


@pytest.fixture(scope="module")
def window(tiny: Path) -> GridWindow:
    return next(iter(archive_regions(tiny).values()))


@pytest.mark.parametrize("product", LABELS)
def test_labels_are_those_of_the_archive(
    source: EarthdataSource, tiny: Path, window: GridWindow, tmp_path: Path, product: Product
) -> None:
    region = next(iter(archive_regions(tiny)))
    days = TINY.driver_days
    own = ArchiveSource(tiny).granules(product, window, days)
    found = source.granules(product, window, days)
    assert own
    assert [f"{one.granule_id}_{region}" for one in found] == [one.granule_id for one in own]
    for name in ("day", "files", "format", "available_utc", "size_bytes"):
        assert [getattr(one, name) for one in found] == [getattr(one, name) for one in own], name
    for number, (one, there) in enumerate(zip(found[:2], own[:2], strict=True)):
        folder = tmp_path / str(number)
        folder.mkdir()
        source.fetch(one, window, folder)
        home = tiny / product / region / there.granule_id
        assert {path.name for path in folder.iterdir()} == set(one.files)
        for name in one.files:
            assert (folder / name).read_bytes() == (home / name).read_bytes()


def test_a_granule_tells_its_licence_citation_and_address(
    source: EarthdataSource, window: GridWindow
) -> None:
    (found,) = source.granules(Product.SPL4SMGP, window, [DAY])
    assert found.service == "earthdata"
    assert "10.5067/T5RUATAQREF8" in (found.citation or "")
    assert "NASA" in found.licence
    assert found.hrefs[0].endswith(f"/{found.files[0]}")
    assert TOKEN not in str(found) + str(source)


def test_small_pages_are_refused_and_not_taken_for_everything(
    source: EarthdataSource, servers: StandIn, window: GridWindow
) -> None:
    servers.settings(earthdata_page=3)
    with pytest.raises(PassingError, match=r"SPL3SMP_E\.006 came with 3 of \d+ granules"):
        source.granules(Product.SPL3SMP_E, window, TINY.driver_days)


def test_the_search_goes_on_over_full_pages(
    source: EarthdataSource, servers: StandIn, window: GridWindow
) -> None:
    days = [DAY + timedelta(n) for n in range(300)]
    servers.settings(earthdata_items=[spl4(servers, d, hour) for d in days for hour in SPL4_HOURS])
    found = replace(source, all_l4_hours=True).granules(Product.SPL4SMGP, window, days)
    assert len({one.granule_id for one in found}) == 2400
    with metered() as meter:
        one_a_day = source.granules(Product.SPL4SMGP, window, days)
    assert [one.day for one in one_a_day] == days
    assert {one.granule_id[24:30] for one in one_a_day} == {"223000"}  # 6 h at 106 E
    assert meter.requests == 3
    assert meter.received_bytes > 100_000


def test_a_page_is_packed_and_may_take_longer_than_a_small_answer(
    source: EarthdataSource, servers: StandIn, window: GridWindow
) -> None:
    servers.settings(latency_s=0.9)
    hasty = replace(source, patience_s=0.6)
    assert hasty.granules(Product.SPL4SMGP, window, [DAY])
    told = {one["headers"]["accept-encoding"] for one in servers.log()}
    assert told == {"gzip"}
    _, small, *_ = hasty.probe([Product.SPL4SMGP])
    assert "did not answer in time" in small.text


def test_hosts_of_archives_and_of_their_buckets() -> None:
    reach = Reach(DOWNLOAD_HOSTS, DATA_HOSTS)
    for host in ("daacdata.apps.nsidc.org", "data.nsidc.earthdatacloud.nasa.gov"):
        assert reach.trusts(host)
    for host in ("s3.us-west-2.amazonaws.com", "a-bucket.s3.us-west-2.amazonaws.com"):
        assert reach.allows(host)
        assert not reach.trusts(host)
    assert not reach.allows("s3.us-west-2.amazonaws.com.example.org")


def test_the_token_does_not_reach_the_signed_address(
    source: EarthdataSource, servers: StandIn, window: GridWindow, tmp_path: Path
) -> None:
    (granule,) = source.granules(Product.SPL4SMGP, window, [DAY])
    servers.clear()
    source.fetch(granule, window, tmp_path)
    first, second = servers.log()
    assert first["headers"]["authorization"] == f"Bearer {TOKEN}"
    assert second["host"].startswith("127.0.0.1")
    assert "authorization" not in second["headers"]


def test_only_the_last_processing_is_listed(
    source: EarthdataSource, servers: StandIn, window: GridWindow
) -> None:
    versions = ("Vv8010_001", "Vv8011_002", "Vv8011_001")
    servers.settings(earthdata_items=[spl4(servers, DAY, "223000", one) for one in versions])
    found = source.granules(Product.SPL4SMGP, window, [DAY])
    assert [one.granule_id for one in found] == ["SMAP_L4_SM_gph_20250302T223000_Vv8011_002"]


def test_bursts_over_midnight_have_the_day_of_the_first(
    source: EarthdataSource, servers: StandIn, tmp_path: Path
) -> None:
    window = window_around(LEVEL_100M, 106.43, 20.45, (48, 48))
    before, after = datetime(2025, 3, 2, 23, 59, 58), datetime(2025, 3, 3, 0, 0, 3)
    items = [
        burst(servers, before, "20250304T000000"),
        burst(servers, after, "20250304T000000", number=2),
        burst(servers, after, "20250305T000000", number=2),
        burst(servers, after + timedelta(days=12), "20250317T000000", number=2),
    ]
    servers.settings(earthdata_items=items)
    first = source.granules(Product.S1_GRD, window, [DAY])
    assert [one.granule_id[16:50] for one in first] == [
        "T055-117771-IW2_20250302T235958Z_2",
        "T055-117772-IW2_20250303T000003Z_2",
    ]
    assert "20250305T000000Z" in first[1].granule_id
    assert source.granules(Product.S1_GRD, window, [DAY + timedelta(1)]) == []
    source.fetch(first[0], window, tmp_path)
    ends = ["_VV.tif", "_VH.tif", "_mask.tif"]
    assert list(first[0].files) == [first[0].granule_id + end for end in ends]
    assert {path.name for path in tmp_path.iterdir()} >= set(first[0].files)


def test_terra_and_aqua_together_and_one_viirs_alone(
    source: EarthdataSource, servers: StandIn, window: GridWindow, tmp_path: Path
) -> None:
    names = {
        "MOD13Q1.061": "MOD13Q1.A2025065.h27v06.061.2025082000000.hdf",
        "MYD13Q1.061": "MYD13Q1.A2025057.h27v06.061.2025074000000.hdf",
        "VNP13A1.002": "VNP13A1.A2025057.h27v06.002.2025074000000.h5",
    }
    base = f"{servers.tls_url}/earthdata/archive/made"
    days = [date(2025, 2, 26), date(2025, 3, 6)]
    items = [
        item_of(name, days[name == "MOD13Q1.061"], {f"{base}/{file}": None})
        for name, file in names.items()
    ]
    servers.settings(earthdata_items=items)
    found = source.granules(Product.NDVI, window, days)
    assert [(one.day, one.files[0]) for one in found] == [
        (days[0], names["MYD13Q1.061"]),
        (days[1], names["MOD13Q1.061"]),
    ]
    source.fetch(found[0], window, tmp_path)
    assert (tmp_path / names["MYD13Q1.061"]).read_bytes().startswith(b"\x0e\x03\x13\x01")
    (viirs,) = replace(source, ndvi="VNP13A1").granules(Product.NDVI, window, days)
    assert (viirs.granule_id, viirs.format) == (names["VNP13A1.002"][:-3], "vnp13a1")


def test_a_late_burst_keeps_the_day_of_the_first_that_came_before(
    source: EarthdataSource, servers: StandIn, window: GridWindow
) -> None:
    early = burst(servers, datetime(2025, 3, 2, 23, 59, 58), "20250303T060000")
    late = burst(servers, datetime(2025, 3, 3, 0, 0, 3), "20250304T060000", number=2)
    servers.settings(earthdata_items=[early, late])  # came at noon of their days
    found = source.listed_since(
        [Product.S1_GRD], window, datetime(2025, 3, 3, 6, tzinfo=UTC), date(2025, 3, 1)
    )
    assert [(one.granule_id[16:27], one.day) for one in found] == [("T055-117772", DAY)]


def test_listed_since_drops_what_was_there_before(
    source: EarthdataSource, servers: StandIn, window: GridWindow
) -> None:
    whole = source.listed_since([Product.SPL3SMP_E], window, None, TINY.radar_first)
    middle = sorted(_came(one) for one in whole)[len(whole) // 2]
    servers.clear()
    late = source.listed_since([Product.SPL3SMP_E], window, middle, TINY.radar_first)
    assert all("revision_date" in one["query"] for one in servers.log())
    assert 0 < len(late) < len(whole)
    assert {one.granule_id for one in late} == {
        one.granule_id for one in whole if _came(one) >= middle
    }


def _came(granule: Granule) -> datetime:
    assert granule.available_utc is not None
    return granule.available_utc
