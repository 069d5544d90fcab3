"""NASA Earthdata through the real client earthaccess, against a local stand-in."""

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from affine import Affine

from sm_platform.errors import DeniedError, PassingError, SourceError, UsageError
from sm_platform.grid.ease2 import LEVEL_100M, window_around
from sm_platform.grid.window import GridWindow
from sm_platform.sources.archive import ArchiveSource, archive_regions
from sm_platform.sources.earthdata import EarthdataSource
from sm_platform.sources.metering import metered
from sm_platform.sources.protocol import Granule, Product
from sm_platform.sources.transfer import Limits
from sm_platform_tests.servers import StandIn, guarded, standing_in
from sm_platform_tests.servers.earthdata import PASSWORD, TOKEN, USER, item_of
from sm_platform_tests.sources.conftest import TINY

LABELS = (Product.SPL4SMGP, Product.SPL3SMP_E, Product.NSIDC_0779)
DAY = date(2025, 3, 2)
SPL4_HOURS = [f"{hour:02d}3000" for hour in range(1, 24, 3)]


@pytest.fixture(scope="module")
def servers(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    with standing_in(tiny, tmp_path_factory.mktemp("earthdata")) as running:
        yield running


@pytest.fixture(autouse=True)
def _guarded(servers: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    servers.clear()
    for name, value in guarded(servers.ca, tmp_path).items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def source(servers: StandIn) -> EarthdataSource:
    return EarthdataSource(
        token=TOKEN,
        cmr_url=f"{servers.tls_url}/search/",
        login_host=urlsplit(servers.tls_url).netloc,
        trusted_hosts=("localhost",),
        download_hosts=("127.0.0.1",),
        patience_s=5.0,
        limits=Limits(connect_s=5, read_s=5, deadline_s=10, resumptions=1),
    )


@pytest.fixture(scope="module")
def window(tiny: Path) -> GridWindow:
    return next(iter(archive_regions(tiny).values()))


def spl4(servers: StandIn, day: date, hour: str, version: str = "Vv8011_001") -> dict[str, object]:
    name = f"SMAP_L4_SM_gph_{day:%Y%m%d}T{hour}_{version}.h5"
    return item_of(
        "SPL4SMGP.008", day, {f"{servers.tls_url}/earthdata/archive/{name}": 150_000_000}
    )


def burst(servers: StandIn, moment: datetime, made: str, *, number: int = 1) -> dict[str, object]:
    stem = f"OPERA_L2_RTC-S1_T055-11777{number}-IW2_{moment:%Y%m%dT%H%M%S}Z_{made}Z_S1A_30_v1.0"
    base = f"{servers.tls_url}/earthdata/archive/made/{stem}"
    sizes = {f"{base}_{end}": None for end in ("VV.tif", "VH.tif", "mask.tif", "BROWSE.png")}
    return item_of("OPERA_L2_RTC-S1_V1.1", moment.date(), sizes)


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


@pytest.mark.parametrize("host", ["https://example.org/a.h5", "http://localhost/a.h5"])
def test_the_token_goes_to_no_strange_host(
    source: EarthdataSource, servers: StandIn, window: GridWindow, tmp_path: Path, host: str
) -> None:
    (granule,) = source.granules(Product.SPL4SMGP, window, [DAY])
    servers.clear()
    with pytest.raises(SourceError, match="the token is not sent there"):
        source.fetch(replace(granule, hrefs=(host,)), window, tmp_path)
    assert not servers.log()


@pytest.mark.parametrize(
    ("kind", "error", "text"),
    [
        ("html", PassingError, "a web page in the place of"),
        ("elsewhere", SourceError, "leads to http://localhost.invalid, a host"),
        ("forbidden", DeniedError, "denied SMAP_L4.* terms are accepted"),
        ("short", PassingError, "broke off"),
    ],
)
def test_a_bad_download_is_told(
    source: EarthdataSource,
    servers: StandIn,
    window: GridWindow,
    tmp_path: Path,
    *,
    kind: str,
    error: type[Exception],
    text: str,
) -> None:
    (listed,) = source.granules(Product.SPL4SMGP, window, [DAY])
    granule = replace(listed, size_bytes=None) if kind == "html" else listed
    servers.faults([kind], paths="/earthdata/")
    with pytest.raises(error, match=text):
        source.fetch(granule, window, tmp_path)


@pytest.mark.parametrize(
    ("kind", "error", "text"),
    [
        ("html", PassingError, "sent no answer that can be read at the list of SPL4SMGP.008"),
        ("too-many", PassingError, "too many requests"),
        ("error", PassingError, r"did not answer as it should .*\(500: internal error\)"),
        ("cut", PassingError, "broke off"),
        ("elsewhere", SourceError, "leads to http://localhost.invalid/log-in: refused"),
        ("unauthorized", DeniedError, "EARTHDATA_TOKEN"),
    ],
)
def test_a_bad_search_is_told(
    source: EarthdataSource,
    servers: StandIn,
    window: GridWindow,
    *,
    kind: str,
    error: type[Exception],
    text: str,
) -> None:
    servers.faults([kind], paths="/search/", retry_after="7")
    with pytest.raises(error, match=text) as caught:
        source.granules(Product.SPL4SMGP, window, [DAY])
    if kind == "too-many":
        assert isinstance(caught.value, PassingError)
        assert caught.value.retry_after_s == 7
    assert TOKEN not in str(caught.value)


def test_a_search_that_drips_ends(
    source: EarthdataSource, servers: StandIn, window: GridWindow
) -> None:
    servers.faults(["drip"], paths="/search/")
    hasty = replace(source, patience_s=0.5)
    began = datetime.now(UTC)
    with pytest.raises(PassingError, match="did not answer in time"):
        hasty.granules(Product.SPL4SMGP, window, [DAY])
    assert datetime.now(UTC) - began < timedelta(seconds=5)


def test_without_credentials(source: EarthdataSource, window: GridWindow) -> None:
    with pytest.raises(SourceError, match="EARTHDATA_TOKEN or EARTHDATA_USERNAME and .* not set"):
        replace(source, token=None).granules(Product.SPL4SMGP, window, [DAY])


def token_until(moment: datetime) -> str:
    body = base64.urlsafe_b64encode(json.dumps({"exp": moment.timestamp()}).encode()).decode()
    return f"e30.{body.rstrip('=')}.c2ln"


def test_an_expired_token_is_not_sent(
    source: EarthdataSource, servers: StandIn, window: GridWindow
) -> None:
    old = token_until(datetime(2025, 1, 2, 3, 4, tzinfo=UTC))
    with pytest.raises(
        DeniedError, match="expired on 2025-01-02 03:04 UTC: make a new one"
    ) as told:
        replace(source, token=old).granules(Product.SPL4SMGP, window, [DAY])
    assert old not in str(told.value)
    assert not servers.log()


@pytest.mark.parametrize("way", ["pair", "netrc"])
def test_user_and_password_give_a_token_once(
    source: EarthdataSource, servers: StandIn, window: GridWindow, tmp_path: Path, way: str
) -> None:
    path = tmp_path / "netrc"
    path.write_text(f"machine {source.login_host} login {USER} password {PASSWORD}\n")
    pair = {"user": USER, "password": PASSWORD} if way == "pair" else {"netrc": path}
    other = replace(source, token=None, **pair)
    for _ in range(2):
        assert other.granules(Product.SPL4SMGP, window, [DAY])
    asked = [one["path"] for one in servers.log()]
    assert asked.count("/api/users/find_or_create_token") == 1
    assert PASSWORD not in repr(other)


def test_a_wrong_password_is_told(source: EarthdataSource, window: GridWindow) -> None:
    wrong = replace(source, token=None, user=USER, password="not-this-one")  # noqa: S106
    with pytest.raises(DeniedError, match="denied the login") as caught:
        wrong.granules(Product.SPL4SMGP, window, [DAY])
    assert "not-this-one" not in str(caught.value)


def test_what_cannot_be_is_said_without_asking(
    source: EarthdataSource, servers: StandIn, window: GridWindow
) -> None:
    with pytest.raises(SourceError, match=r"SPL4SMGP\.007 was withdrawn .* SPL4SMGP\.008"):
        replace(source, versions={"SPL4SMGP": "007"}).granules(Product.SPL4SMGP, window, [DAY])
    with pytest.raises(SourceError, match="begins on 2015-03-31, asked is 2014-01-01"):
        source.granules(Product.SPL4SMGP, window, [date(2014, 1, 1)])
    north = GridWindow("EPSG:4326", Affine(0.1, 0, 10, 0, -0.1, 89), (9, 9))
    with pytest.raises(SourceError, match=r"ends at 85\.04 degrees"):
        source.granules(Product.SPL4SMGP, north, [DAY])
    with pytest.raises(SourceError, match="no source of weather"):
        source.granules(Product.WEATHER, window, [DAY])
    with pytest.raises(UsageError, match="'AVHRR' is no vegetation sensor"):
        replace(source, ndvi="AVHRR").granules(Product.NDVI, window, [DAY])
    assert not servers.log()


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


def test_listed_since_drops_what_was_there_before(
    source: EarthdataSource, window: GridWindow
) -> None:
    whole = source.listed_since([Product.SPL3SMP_E], window, None, TINY.radar_first)
    middle = sorted(_came(one) for one in whole)[len(whole) // 2]
    late = source.listed_since([Product.SPL3SMP_E], window, middle, TINY.radar_first)
    assert 0 < len(late) < len(whole)
    assert {one.granule_id for one in late} == {
        one.granule_id for one in whole if _came(one) >= middle
    }


def _came(granule: Granule) -> datetime:
    assert granule.available_utc is not None
    return granule.available_utc


def test_the_probe_tells_login_and_collections(source: EarthdataSource, servers: StandIn) -> None:
    ends = datetime.now(UTC) + timedelta(days=3)
    texts = [one.text for one in source.probe()]
    assert any("SPL4SMGP.008: can be listed" in text for text in texts)
    bad = [one.text for one in source.probe() if not one.is_good]
    assert any("MOD13Q1.061: the catalogue has no granule" in text for text in bad)
    ending, *_ = replace(source, token=token_until(ends)).probe()
    assert not ending.is_good
    assert f"ends on {ends:%Y-%m-%d}" in ending.text
    servers.faults(["html"])
    assert any("sent no answer" in one.text for one in source.probe() if not one.is_good)
    (only,) = replace(source, token=None).probe()
    assert "not set" in only.text
