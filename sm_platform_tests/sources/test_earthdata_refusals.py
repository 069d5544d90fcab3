"""NASA Earthdata: everything that goes wrong is said in words, and no secret goes astray."""

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from affine import Affine

from sm_platform.errors import DeniedError, PassingError, SourceError, UsageError
from sm_platform.grid.window import GridWindow
from sm_platform.sources.archive import archive_regions
from sm_platform.sources.earthdata.source import EarthdataSource
from sm_platform.sources.protocol import Product
from sm_platform_tests.servers import StandIn
from sm_platform_tests.servers.earthdata import PASSWORD, TOKEN, USER
from sm_platform_tests.sources.earthdata_desk import source_at, spl4

DAY = date(2025, 3, 2)


pytestmark = pytest.mark.usefixtures("servers")


@pytest.fixture
def source(servers: StandIn) -> EarthdataSource:
    return source_at(servers)


@pytest.fixture(scope="module")
def window(tiny: Path) -> GridWindow:
    return next(iter(archive_regions(tiny).values()))


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
        ("short", PassingError, "broke off|sent no answer that can be read"),
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


def test_a_way_to_the_login_page_is_a_refusal(
    source: EarthdataSource, servers: StandIn, window: GridWindow, tmp_path: Path
) -> None:
    (granule,) = source.granules(Product.SPL4SMGP, window, [DAY])
    servers.settings(earthdata_wants_login=True)
    with pytest.raises(DeniedError, match=r"wants a login for SMAP_L4.*\.h5: .* accepted"):
        replace(source, login_host="urs.earthdata.nasa.gov").fetch(granule, window, tmp_path)


def test_a_collection_without_a_granule_is_not_just_empty(
    source: EarthdataSource, servers: StandIn, window: GridWindow
) -> None:
    with pytest.raises(SourceError, match=r"no granule of MOD13Q1\.061 at all: a newer version"):
        source.granules(Product.NDVI, window, [DAY])
    servers.settings(earthdata_items=[spl4(servers, DAY, "223000")])
    assert source.granules(Product.SPL4SMGP, window, [DAY + timedelta(1)]) == []


def test_a_collection_that_lies_elsewhere_says_where(
    source: EarthdataSource, servers: StandIn, window: GridWindow
) -> None:
    servers.settings(earthdata_items=[])
    words = r"may hold only the description; the files lie at https://nsidc\.org/data/nsidc-0779"
    with pytest.raises(SourceError, match=words):
        source.granules(Product.NSIDC_0779, window, [DAY])
    _, found, _ = source.probe([Product.NSIDC_0779])
    assert not found.is_good
    assert "folder" in found.text


def test_a_netrc_entry_does_not_take_the_place_of_the_token(
    source: EarthdataSource,
    servers: StandIn,
    window: GridWindow,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / "other.netrc"
    path.write_text(f"machine localhost login {USER} password {PASSWORD}\n")
    path.chmod(0o600)
    monkeypatch.setenv("NETRC", str(path))
    (granule,) = source.granules(Product.SPL4SMGP, window, [DAY])
    (tmp_path / "granule").mkdir()
    source.fetch(granule, window, tmp_path / "granule")
    told = {one["headers"].get("authorization") for one in servers.log()}
    assert told == {f"Bearer {TOKEN}", None}


def test_a_granule_of_somebody_else_is_refused(
    source: EarthdataSource, window: GridWindow, tmp_path: Path
) -> None:
    (granule,) = source.granules(Product.SPL4SMGP, window, [DAY])
    with pytest.raises(SourceError, match="is not of NASA Earthdata"):
        source.fetch(replace(granule, format="era5_land"), window, tmp_path)


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
    with ThreadPoolExecutor(4) as threads:
        found = threads.map(lambda _: other.granules(Product.SPL4SMGP, window, [DAY]), range(4))
        assert [len(one) for one in found] == [1, 1, 1, 1]
    asked = [one["path"] for one in servers.log()]
    assert asked.count("/api/users/find_or_create_token") == 1
    assert PASSWORD not in repr(other)


def test_a_refused_token_is_asked_for_anew(
    source: EarthdataSource, servers: StandIn, window: GridWindow, tmp_path: Path
) -> None:
    other = replace(source, token=None, user=USER, password=PASSWORD)
    (granule,) = other.granules(Product.SPL4SMGP, window, [DAY])
    servers.faults(["unauthorized"], paths="/earthdata/")
    with pytest.raises(DeniedError):
        other.fetch(granule, window, tmp_path)
    assert other.granules(Product.SPL4SMGP, window, [DAY])
    assert [one["path"] for one in servers.log()].count("/api/users/find_or_create_token") == 2


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
    assert source.granules(Product.SPL4SMGP, window, [date(2014, 1, 1), DAY])
    servers.clear()
    north = GridWindow("EPSG:4326", Affine(0.1, 0, 10, 0, -0.1, 89), (9, 9))
    with pytest.raises(SourceError, match=r"ends at 85\.04 degrees"):
        source.granules(Product.SPL4SMGP, north, [DAY])
    with pytest.raises(SourceError, match="no source of weather"):
        source.granules(Product.WEATHER, window, [DAY])
    with pytest.raises(UsageError, match="'AVHRR' is no vegetation sensor"):
        replace(source, ndvi="AVHRR").granules(Product.NDVI, window, [DAY])
    assert not servers.log()


def test_the_probe_tells_login_and_collections(source: EarthdataSource, servers: StandIn) -> None:
    ends = datetime.now(UTC) + timedelta(days=3)
    both = (Product.NDVI, Product.SPL4SMGP)
    found = list(source.probe(both))
    assert all("NASA Earthdata" in one.text for one in found)
    good = [one for one in found if "SPL4SMGP.008 can be listed" in one.text]
    assert [(one.is_good, one.products) for one in good] == [(True, (Product.SPL4SMGP,))]
    bad = [one for one in found if not one.is_good]
    assert any("no granule of MOD13Q1.061" in one.text for one in bad)
    assert {one.products for one in bad} == {(Product.NDVI,)}
    ending, *_ = replace(source, token=token_until(ends)).probe(both)
    assert not ending.is_good
    assert f"ends on {ends:%Y-%m-%d}" in ending.text
    servers.faults(["html"])
    login, stopped = source.probe(both)
    assert login.is_good
    assert not stopped.is_good
    assert "sent no answer" in stopped.text
    assert "Not looked at: MYD13Q1.061, SPL4SMGP.008" in stopped.text
    *_, wrong = replace(source, ndvi="AVHRR").probe(both)
    assert "'AVHRR' is no vegetation sensor" in wrong.text
    (only,) = replace(source, token=None).probe(both)
    assert "not set" in only.text


def test_the_probe_asks_for_nothing_that_is_not_used(
    source: EarthdataSource, servers: StandIn
) -> None:
    login, found, terms = source.probe([Product.SPL4SMGP])
    assert login.is_good
    assert found.is_good
    asked = [one["query"] for one in servers.log() if "/search/" in one["path"]]
    assert asked
    assert all("SPL4SMGP" in one for one in asked)
    assert "ASF" not in terms.text + found.text
    *_, radar = source.probe([Product.S1_GRD])
    assert "what ASF asks" in radar.text


@pytest.mark.parametrize("host", ["https://example.org/a.h5", "http://localhost/a.h5"])
def test_the_token_goes_to_no_strange_host(
    source: EarthdataSource, servers: StandIn, window: GridWindow, tmp_path: Path, host: str
) -> None:
    (granule,) = source.granules(Product.SPL4SMGP, window, [DAY])
    servers.clear()
    with pytest.raises(SourceError, match="the token is not sent there"):
        source.fetch(replace(granule, hrefs=(host,)), window, tmp_path)
    assert not servers.log()
