"""What `doctor --live` is told of the Climate Data Store, well and cut off."""

from dataclasses import replace
from pathlib import Path

import pytest

from sm_platform.sources.climate_store.source import ClimateStoreSource
from sm_platform.sources.protocol import Product
from sm_platform_tests.servers import StandIn
from sm_platform_tests.servers.climate_store import KEY

CLOSED = "http://localhost:9"


@pytest.fixture
def source(servers: StandIn, tmp_path: Path) -> ClimateStoreSource:
    return ClimateStoreSource(tmp_path / "work", KEY, f"{servers.url}/cds/api")


def test_the_probe_tells_key_reach_and_licence(
    source: ClimateStoreSource, servers: StandIn
) -> None:
    found = list(source.probe([Product.WEATHER]))
    assert all(one.is_good for one in found)
    assert "2025-04-06" in found[1].text
    assert "cc-by" in found[2].text
    assert KEY not in " ".join(one.text for one in found)
    (lacking,) = replace(source, key=None).probe([Product.WEATHER])
    assert not lacking.is_good
    servers.faults(["error"], paths="account")
    assert [one.is_good for one in source.probe([Product.WEATHER])] == [True, True, False, True]
    assert all("Copernicus Climate Data Store" in one.text for one in found)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("cut", "broke off at the catalogue entry"),
        ("html", "sent no answer that can be read at the catalogue entry"),
        ("closed", "broke off at the catalogue entry"),
    ],
)
def test_an_outage_is_told_in_words_with_a_next_step(
    fault: str,
    words: str,
    source: ClimateStoreSource,
    servers: StandIn,
    recwarn: pytest.WarningsRecorder,
) -> None:
    if fault != "closed":
        servers.faults([fault])
    used = replace(source, url=f"{CLOSED}/api") if fault == "closed" else source
    _, reach, account, _ = used.probe([Product.WEATHER])
    assert not reach.is_good
    assert not account.is_good
    assert f"Copernicus Climate Data Store {words}" in reach.text
    assert f"{used.url}): try again later; when that stays so, see https://status" in reach.text
    for raw in ("Error", "HTTPConnectionPool", "Expecting value"):
        assert raw not in reach.text + account.text
    assert not recwarn.list, "the client's own words"
