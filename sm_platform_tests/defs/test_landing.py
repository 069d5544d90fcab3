"""Landing from a service over the network: several at a time, priced, stopped, under faults."""

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from sm_platform.defs.booked_source import BookedSource
from sm_platform.defs.budget import Purse
from sm_platform.defs.fetching import Patience
from sm_platform.defs.landing import Landing, is_there, joined
from sm_platform.errors import BudgetError, DataError, DeniedError, GranuleError, PassingError
from sm_platform.lake.granules import digest_of, landed, quarantined
from sm_platform.lake.layout import Layout
from sm_platform.lake.spending import spent_in
from sm_platform.schema.region import LIVE, Region
from sm_platform.sources.configuration import Budget
from sm_platform.sources.mixed import MixedSource
from sm_platform.sources.protocol import Product
from sm_platform_tests.made_source import DAY, SECRET, MadeSource
from sm_platform_tests.servers import StandIn, standing_in
from sm_platform_tests.sources.made_archive import WINDOW

NAME, PRODUCT = "delta", "spl4smgp"
PATIENCE = Patience(tries=4, first_wait_s=0.001, longest_wait_s=0.01)
FAULTS = ("too-many", "error", "unauthorized", "drip", "cut", "short", "html")


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    with standing_in(None, tmp_path_factory.mktemp("stand_in")) as running:
        yield running


@dataclass(frozen=True, slots=True)
class Desk:
    stand_in: StandIn
    layout: Layout
    said: list[str]

    def landing(self, n: int, *, budget: Budget | None = None, **more: object) -> Landing:
        source = MadeSource(self.stand_in.url, n, **more)  # type: ignore[arg-type]
        region = Region(NAME, WINDOW, LIVE, "")
        services = MixedSource({Product.SPL4SMGP: source})
        booked = BookedSource(services, Purse(self.layout, budget or Budget()), NAME)
        return Landing(self.layout, region, booked, PATIENCE, self.said.append)

    def whole(self) -> dict[str, str]:
        """Hash of the content of each landed granule, read from its file."""
        found = landed(self.layout, PRODUCT, NAME, DAY)
        return {g.granule_id: digest_of([g.folder / g.files[0]])[0] for g in found}


@pytest.fixture
def desk(stand_in: StandIn, tmp_path: Path) -> Desk:
    stand_in.clear()
    return Desk(stand_in, Layout(tmp_path / "lake"), [])


def made(landing: Landing) -> MadeSource:
    assert isinstance(landing.source, BookedSource)
    source = landing.source.services.by_product[Product.SPL4SMGP]
    assert isinstance(source, MadeSource)
    return source


def with_budget(landing: Landing, budget: Budget) -> Landing:
    """Another process of the same user, which reads the books anew."""
    assert isinstance(landing.source, BookedSource)
    return replace(landing, source=replace(landing.source, purse=Purse(landing.layout, budget)))


def test_200_transfers_under_all_faults_land_once_and_whole_or_are_reported(desk: Desk) -> None:
    landing = desk.landing(200, is_told=False)
    desk.stand_in.faults(FAULTS, share=0.4, seed=7)
    reported: set[str] = set()
    for _ in range(3):  # a run, and two more that go on from there
        try:
            landing.land(made(landing).granules(None, WINDOW, None))  # type: ignore[arg-type]
        except DataError as error:
            reported = {f"g{k:03d}" for k in range(200) if f"g{k:03d}" in str(error)}
    whole = desk.whole()
    assert len(whole) > 150
    assert whole == {name: made(landing).sha256(int(name[1:])) for name in whole}
    assert {f"g{k:03d}" for k in range(200)} - set(whole) <= reported
    aside = quarantined(desk.layout, PRODUCT, NAME, DAY)
    assert all((one.folder / "reason.json").is_file() for one in aside)
    assert not list(desk.layout.aside.glob("*/*"))
    assert {entry["fault"] for entry in desk.stand_in.log()} >= set(FAULTS)


def test_no_secret_lies_anywhere_after_faults(desk: Desk) -> None:
    landing = desk.landing(24, is_told=False)
    desk.stand_in.faults(FAULTS, share=0.6, seed=3)
    with pytest.raises(DataError) as error:
        landing.land(made(landing).granules(None, WINDOW, None))  # type: ignore[arg-type]
    texts = [str(error.value), *desk.said]
    texts += [
        path.read_text(errors="replace") for path in desk.layout.root.rglob("*") if path.is_file()
    ]
    assert any("g0" in text for text in texts)
    assert not [text for text in texts if SECRET in text]
    sent = {entry["headers"].get("authorization") for entry in desk.stand_in.log()}
    assert f"Bearer {SECRET}" in sent, "it was sent, so that it could have been told"


def test_never_more_in_flight_than_the_source_allows(desk: Desk) -> None:
    landing = desk.landing(40, at_once=5)
    desk.stand_in.settings(latency_s=0.02)
    report = landing.land(made(landing).granules(None, WINDOW, None))  # type: ignore[arg-type]
    assert report.metadata["fetched"] == 40
    assert 3 <= desk.stand_in.peak() <= 5


def test_what_is_there_is_not_asked_for_again(desk: Desk) -> None:
    landing = desk.landing(6)
    granules = made(landing).granules(None, WINDOW, None)  # type: ignore[arg-type]
    landing.land(granules[:4])
    desk.stand_in.clear()
    assert landing.land(granules).metadata["fetched"] == 2
    assert {entry["path"][-6:-3] for entry in desk.stand_in.log()} == {"004", "005"}


def test_the_sidecar_of_what_is_there_is_read_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    landing, read = desk.landing(3), list[str]()
    granules = landing.listed(Product.SPL4SMGP, [DAY])
    landing.land(granules)
    really = Path.read_text

    def watched(path: Path, *args: str, **more: str) -> str:
        read.append(path.parent.name)
        return really(path, *args, **more)

    monkeypatch.setattr(Path, "read_text", watched)
    assert landing.land(granules).rows == 3
    assert sorted(one for one in read if one.startswith("g0")) == ["g000", "g001", "g002"]


def test_a_granule_of_another_service_is_not_there(desk: Desk) -> None:
    """Earth Engine and Sentinel Hub call a frame the same."""
    landing = desk.landing(2)
    first, second = landing.listed(Product.SPL4SMGP, [DAY])
    landing.land([first, second])
    other = replace(first, service="other")
    assert landing.landed_before(other) is None
    assert landing.land([other, second]).metadata["fetched"] == 1
    (now,) = [g for g in landed(desk.layout, PRODUCT, NAME, DAY) if g.granule_id == "g000"]
    assert now.source == "other"


def test_two_processings_at_once_leave_the_later_one(desk: Desk) -> None:
    """A granule listed under its old id in one run and under its new one in another."""
    landing = desk.landing(24, at_once=4)
    granules = landing.listed(Product.SPL4SMGP, [DAY])
    pairs = [
        replace(one, version_of=f"pair{n // 2}", processing=f"v{n % 2}")
        for n, one in enumerate(granules)
    ]
    later = [one.granule_id for one in pairs if one.processing == "v1"]
    desk.stand_in.settings(latency_s=0.02)
    landing.land(pairs)
    assert sorted(desk.whole()) == later
    desk.stand_in.clear()
    assert [landing.landed_before(one) is not None for one in pairs] == [True] * 24
    assert all(is_there(landing.layout, landing.region.region_id, one) for one in pairs)
    assert landing.land(pairs).metadata["fetched"] == 0
    assert desk.stand_in.log() == []


def test_the_price_stands_in_the_sidecar_and_in_the_books(desk: Desk) -> None:
    landing = desk.landing(3, size=5000)
    landing.land(made(landing).granules(None, WINDOW, None))  # type: ignore[arg-type]
    for one in landed(desk.layout, PRODUCT, NAME, DAY):
        told = json.loads((one.folder / "granule.json").read_text())
        assert (told["requests"], told["received_bytes"], told["eecu_s"]) == (2, 5000, None)
        assert told["source"] == "made"
        assert told["citation"].endswith("doi:10.0000/made")
        assert SECRET not in str(told)
    sums = spent_in(desk.layout)["made"]
    assert (sums.requests, sums.received_bytes) == (6, 15000)


def test_a_failed_try_is_paid_for_too(desk: Desk) -> None:
    landing = desk.landing(1, size=5000, is_told=False)
    desk.stand_in.faults(["error"], paths="^/made/", most=2)
    landing.land([made(landing).granule(0)])
    assert spent_in(desk.layout)["made"].requests == 6


def test_it_stops_at_the_cap_and_goes_on_with_a_larger_one(desk: Desk) -> None:
    small = Budget(megabytes_per_month=0.02)
    landing = desk.landing(10, size=5000, at_once=1, budget=small)
    granules = made(landing).granules(None, WINDOW, None)  # type: ignore[arg-type]
    with pytest.raises(BudgetError, match="0.02 of 0.02 megabytes") as error:
        landing.land(granules)
    assert error.value.retry_after_s
    assert len(desk.whole()) == 4, "20,000 bytes of 5,000 each"
    desk.stand_in.clear()
    with pytest.raises(BudgetError):
        with_budget(landing, small).land(granules)
    assert desk.stand_in.log() == []
    assert with_budget(landing, Budget()).land(granules).rows == 10


def test_landed_granules_need_no_budget(desk: Desk) -> None:
    landing = desk.landing(2, size=5000)
    granules = made(landing).granules(None, WINDOW, None)  # type: ignore[arg-type]
    landing.land(granules)
    spent = with_budget(landing, Budget(requests_per_month=1))
    assert spent.land(granules).metadata["fetched"] == 0


def test_after_a_no_to_the_credentials_nothing_more_is_asked(desk: Desk) -> None:
    landing = desk.landing(50, at_once=2)
    desk.stand_in.faults(["forbidden"])
    with pytest.raises(DeniedError, match="MADE_TOKEN") as error:
        landing.land(made(landing).granules(None, WINDOW, None))  # type: ignore[arg-type]
    assert len(desk.stand_in.log()) <= 10, "two tries each of three, and those on their way"
    assert str(error.value).count("denied") <= 5


def test_it_waits_as_long_as_it_is_asked_to(desk: Desk) -> None:
    landing = desk.landing(1)
    desk.stand_in.faults(["too-many"], most=1, retry_after="1", paths="^/made/")
    landing.land([made(landing).granule(0)])
    assert desk.whole()
    desk.stand_in.faults(["too-many"], retry_after="86400", paths="^/made/")
    with pytest.raises(PassingError, match="try again in 86400 s"):
        replace(landing, layout=Layout(desk.layout.root / "new")).land([made(landing).granule(0)])


def test_what_is_on_its_way_ends_when_the_run_is_stopped(desk: Desk) -> None:
    landing = desk.landing(30, size=3_000_000, at_once=3)
    granules = made(landing).granules(None, WINDOW, None)  # type: ignore[arg-type]
    desk.stand_in.settings(latency_s=0.05)
    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt), landing.ahead(granules) as ahead:
        ahead.report(granules[:1])
        raise KeyboardInterrupt
    assert threading.active_count() == before
    assert 1 <= len(desk.whole()) < 30
    assert not list(desk.layout.aside.glob("*/*"))
    assert landing.land(granules).rows == 30


def test_listings_are_booked_and_refused_like_granules(desk: Desk) -> None:
    landing = desk.landing(1, budget=Budget(requests_per_month=2))
    landing.land(landing.listed(Product.SPL4SMGP, [DAY]))
    with pytest.raises(BudgetError, match="2 of 2 requests"):
        landing.listed(Product.SPL4SMGP, [DAY])


def test_a_page_for_the_first_of_several_files_is_told_and_may_pass(desk: Desk) -> None:
    landing = desk.landing(1, is_told=False)
    desk.stand_in.faults(["html"], paths="^/made/")
    two = replace(made(landing).granule(0), files=("g000.h5", "other.h5"))
    with pytest.raises(PassingError, match="a web page"):
        landing.land([two])
    with pytest.raises(PassingError, match=r"g000\.h5 is a web page .* It lies in"):
        landing.land([made(landing).granule(0)])


def test_of_several_reasons_the_one_that_helps_least_decides() -> None:
    passing, denied, wrong = PassingError("a"), DeniedError("b"), GranuleError("c")
    assert type(joined([passing, passing])) is PassingError
    assert type(joined([passing, denied])) is DeniedError
    assert type(joined([denied, wrong])) is DataError
    assert str(joined([denied, wrong, denied])) == "b c"
    assert joined([wrong]) is wrong


def test_waiting_for_a_service_ends_when_the_run_is_stopped(desk: Desk) -> None:
    landing = desk.landing(4, at_once=2)
    desk.stand_in.faults(["too-many"], retry_after="30", paths="^/made/")
    slow = replace(landing, patience=Patience(tries=4, deadline_s=120))
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt), slow.ahead(landing.listed(Product.SPL4SMGP, [DAY])):
        time.sleep(0.3)
        raise KeyboardInterrupt
    assert time.monotonic() - began < 5


def test_two_at_once_fetch_a_granule_once(desk: Desk) -> None:
    landing = desk.landing(6)
    granules = landing.listed(Product.SPL4SMGP, [DAY])
    desk.stand_in.settings(latency_s=0.05)
    with ThreadPoolExecutor(2) as pool:
        reports = list(pool.map(lambda _: landing.land(granules), range(2)))
    assert sum(int(one.metadata["fetched"]) for one in reports) == 6
    assert len(desk.stand_in.log()) == 12, "each led to another host once"


def test_progress_tells_granules_megabytes_and_time(desk: Desk) -> None:
    landing = desk.landing(6, size=1_000_000, at_once=1)
    granules = made(landing).granules(None, WINDOW, None)  # type: ignore[arg-type]
    with landing.ahead(granules) as ahead:
        ahead.progress._every_s = 0.0
        ahead.report(granules)
    assert "6 of 6 granules, 6.0 of about 6.0 MB, about 0 s left (last: g005)" in desk.said[-2]
    assert desk.said[-1].startswith("delta spl4smgp: 6 granules, 6.0 MB in ")
    assert any("3 of 6 granules" in text and "left" in text for text in desk.said)


def test_progress_is_told_within_a_large_granule(desk: Desk) -> None:
    landing = desk.landing(1, size=2_000_000)
    granules = landing.listed(Product.SPL4SMGP, [DAY])
    with landing.ahead(granules) as ahead:
        ahead.progress._every_s = 0.0
        ahead.report(granules)
    on_its_way = [text for text in desk.said if "0 of 1 granule, 1." in text]
    assert len(on_its_way) > 5, desk.said
    assert all("of about 2.0 MB, about" in text for text in on_its_way)
