"""Signatures and faults of the Planetary Computer: renewed, never told, all in words."""

import logging
import time
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import date
from pathlib import Path

import pytest

from sm_platform.errors import DeniedError, PassingError, SourceError
from sm_platform.sources.archive_folder import archive_regions
from sm_platform.sources.planetary_computer.sas_token import SasTokens
from sm_platform.sources.planetary_computer.source import PlanetaryComputerSource
from sm_platform.sources.protocol import Granule, Product
from sm_platform.sources.services import Service
from sm_platform.sources.transfer import Limits
from sm_platform_tests.servers import StandIn
from sm_platform_tests.servers.stac import KEY
from sm_platform_tests.sources.conftest import TINY
from sm_platform_tests.sources.planetary_desk import REGION, fetched, source_at

Found = Callable[[Product, str], list[tuple[Granule, Path]]]


@pytest.fixture
def source(servers: StandIn) -> PlanetaryComputerSource:
    return source_at(servers)


def test_one_token_for_many_files(
    servers: StandIn, source: PlanetaryComputerSource, tiny: Path, tmp_path: Path
) -> None:
    window = archive_regions(tiny)[REGION]
    found = source.granules(Product.NDVI, window, TINY.driver_days)[:4]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda one: fetched(source, one, tiny, tmp_path / one.granule_id), found))
    assert len([one for one in servers.log() if "/sas/" in one["path"]]) == 1


def test_a_token_is_renewed_before_it_expires(
    servers: StandIn, source: PlanetaryComputerSource, tiny: Path, tmp_path: Path
) -> None:
    servers.settings(token_life_s=600)  # shorter than a window may take
    (granule,) = source.granules(Product.NDVI, archive_regions(tiny)[REGION], [date(2025, 1, 1)])
    fetched(source, granule, tiny, tmp_path / "one")
    assert len([one for one in servers.log() if "/sas/" in one["path"]]) == 3


def test_a_token_that_is_no_longer_taken_is_replaced(
    servers: StandIn, source: PlanetaryComputerSource, tiny: Path, tmp_path: Path
) -> None:
    (granule,) = source.granules(Product.NDVI, archive_regions(tiny)[REGION], [date(2025, 1, 1)])
    fetched(source, granule, tiny, tmp_path / "one")
    (query,) = {one["query"] for one in servers.log() if "/blob/" in one["path"]}
    servers.settings(revoked=[query.rsplit("sig=", 1)[1]])
    with pytest.raises(DeniedError, match=r"the signature for MOD13Q1.* not taken: try again"):
        fetched(source, granule, tiny, tmp_path / "two")
    fetched(source, granule, tiny, tmp_path / "three")


def test_the_signature_is_never_told(
    servers: StandIn,
    tiny: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    servers.settings(needs_key=True)
    source = source_at(servers, subscription_key=KEY)
    (granule,) = source.granules(Product.NDVI, archive_regions(tiny)[REGION], [date(2025, 1, 1)])
    folder = fetched(source, granule, tiny, tmp_path / "right")
    told = [caplog.text, repr(source), str(asdict(granule))]
    told += [path.read_bytes().decode("latin-1") for path in folder.iterdir()]
    for seed, fault in enumerate(["forbidden", "error", "cut", "html", "short", "too-many"]):
        servers.faults([fault], paths="/blob/", share=0.5, seed=seed)
        with pytest.raises(SourceError) as caught:
            fetched(source, granule, tiny, tmp_path / fault)
        told.append("".join(traceback.format_exception(caught.value)))
    told.append(caplog.text)
    queries = {one["query"] for one in servers.log() if "sig=" in one["query"]}
    secrets = {query.rsplit("sig=", 1)[1] for query in queries} | {KEY}
    assert len(secrets) >= 2
    for text in told:
        assert not [secret for secret in secrets if secret in text]


def test_signatures_are_not_sent_to_strange_hosts(
    servers: StandIn, source: PlanetaryComputerSource, tiny: Path, tmp_path: Path
) -> None:
    servers.settings(moved_host=servers.other_url)
    (granule,) = source.granules(Product.NDVI, archive_regions(tiny)[REGION], [date(2025, 1, 1)])
    with pytest.raises(SourceError, match=r"127\.0\.0\.1, a host that is not known"):
        fetched(source, granule, tiny, tmp_path / "one")
    assert not [one for one in servers.log() if "/blob/" in one["path"]]


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("error", PassingError),
        ("too-many", PassingError),
        ("html", PassingError),
        ("cut", PassingError),
        ("short", PassingError),
        ("unauthorized", DeniedError),
        ("elsewhere", SourceError),
    ],
)
def test_faults_of_the_catalogue(
    servers: StandIn,
    source: PlanetaryComputerSource,
    tiny: Path,
    fault: str,
    expected: type[SourceError],
) -> None:
    window = archive_regions(tiny)[REGION]
    for paths in ("v1$", "search$"):
        servers.faults([fault], paths=paths, retry_after="9")
        with pytest.raises(expected, match="Planetary Computer") as caught:
            source.granules(Product.NDVI, window, [date(2025, 1, 1)])
        if fault == "too-many":
            assert caught.value.retry_after_s == 9
    servers.faults()
    assert source.granules(Product.NDVI, window, [date(2025, 1, 1)])


def test_a_page_without_items_in_the_middle_is_noticed(
    servers: StandIn, source: PlanetaryComputerSource, tiny: Path
) -> None:
    servers.settings(page_size=3, empty_page=True)
    with pytest.raises(PassingError):
        source.granules(Product.NDVI, archive_regions(tiny)[REGION], TINY.driver_days)


@pytest.mark.parametrize("fault", ["error", "html", "too-many", "cut"])
def test_faults_of_the_token(
    servers: StandIn, source: PlanetaryComputerSource, tiny: Path, tmp_path: Path, fault: str
) -> None:
    (granule,) = source.granules(Product.NDVI, archive_regions(tiny)[REGION], [date(2025, 1, 1)])
    servers.faults([fault], paths="/sas/")
    with pytest.raises(PassingError, match="token for modis-13Q1-061"):
        fetched(source, granule, tiny, tmp_path / "one")
    servers.faults()
    fetched(source, granule, tiny, tmp_path / "two")


def test_no_key_is_asked_for_in_words(servers: StandIn, tiny: Path, tmp_path: Path) -> None:
    servers.settings(needs_key=True)
    source = source_at(servers)
    (granule,) = source.granules(Product.NDVI, archive_regions(tiny)[REGION], [date(2025, 1, 1)])
    words = r"signature for MOD13Q1.* not given .*: try again\. No key is needed"
    with pytest.raises(DeniedError, match=words):
        fetched(source, granule, tiny, tmp_path / "one")
    _, found = source.probe([Product.NDVI])
    assert "signature for modis-13Q1-061 was not given" in found.text


def test_a_slow_file_ends(servers: StandIn, tiny: Path, tmp_path: Path) -> None:
    source = source_at(servers, limits=Limits(2, 1, 3))
    (granule,) = source.granules(Product.NDVI, archive_regions(tiny)[REGION], [date(2025, 1, 1)])
    servers.faults(["drip"], paths="/blob/")
    began = time.monotonic()
    with pytest.raises(PassingError):
        fetched(source, granule, tiny, tmp_path / "one")
    assert time.monotonic() - began < 4


def test_tokens_hide_in_repr() -> None:
    tokens = SasTokens(Service("a", "A"), "https://there", "the-key")
    assert "the-key" not in repr(tokens)
    assert "the-key" not in repr(PlanetaryComputerSource(subscription_key="the-key"))


def test_a_collection_that_was_withdrawn(
    servers: StandIn, source: PlanetaryComputerSource, tiny: Path
) -> None:
    servers.settings(retired=True)
    with pytest.raises(SourceError, match="earthdata:VJ113A1") as caught:
        source.granules(Product.NDVI, archive_regions(tiny)[REGION], [date(2025, 1, 1)])
    assert not isinstance(caught.value, PassingError)
