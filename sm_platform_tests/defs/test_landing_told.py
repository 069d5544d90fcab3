"""What is said while a service is waited for, and what is shown of what it brought."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

import pytest

from sm_platform.defs.fetching import Patience
from sm_platform.defs.known_services import TITLES, title_of
from sm_platform.defs.landing import Landing
from sm_platform.defs.landing_progress import (
    MOVES_BYTES,
    WAIT_EVERY_S,
    Progress,
    nothing_to_fetch,
    tallied,
    together,
)
from sm_platform.lake.layout import Layout
from sm_platform.schema.region import LIVE, Region
from sm_platform.sources.configuration import CHOICES
from sm_platform.sources.protocol import Granule
from sm_platform_tests.made_source import MadeSource
from sm_platform_tests.servers import StandIn, standing_in
from sm_platform_tests.sources.made_archive import WINDOW

SOON_S = 0.06
"""In the place of the seconds after which a waiting person is told."""
N = 8


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    with standing_in(None, tmp_path_factory.mktemp("stand_in")) as running:
        yield running


@pytest.fixture
def made(stand_in: StandIn) -> MadeSource:
    stand_in.clear()
    return MadeSource(stand_in.url, N)


def listed(source: MadeSource) -> list[Granule]:
    return source.granules(None, WINDOW, None)  # type: ignore[arg-type]


def landing_of(tmp_path: Path, source: MadeSource, said: list[str]) -> Landing:
    region = Region("delta", WINDOW, LIVE, "")
    return Landing(Layout(tmp_path / "lake"), region, source, Patience(1), said.append)


def waited(granules: list[Granule], n_bytes: int, *, soon_s: float = SOON_S) -> list[str]:
    """What is said during a while in which again and again so many bytes come, and no granule."""
    said: list[str] = []
    progress = Progress(granules, said.append, every_s=1e9, wait_every_s=soon_s)
    future: Future[str] = Future()

    def bring() -> None:
        for _ in range(int(soon_s * 100 + 40)):
            time.sleep(0.01)
            progress.came(n_bytes)
        future.set_result("it")

    thread = threading.Thread(target=bring)
    thread.start()
    assert progress.awaited(future) == "it"
    thread.join()
    return said


def test_who_waits_for_a_queue_is_told_for_whom_and_how_long(made: MadeSource) -> None:
    days = [replace(one, service="climate_store") for one in listed(made)]
    said = waited(days, 300)  # each look at the queue is an answer
    assert len(said) >= 3, said
    words = "waiting for Copernicus Climate Data Store since 0 s"
    assert all(text.startswith(f"0 of {N} granules, 0.0 of about") for text in said)
    assert all(text.endswith(words) for text in said)
    assert 10 <= WAIT_EVERY_S <= 20


def test_while_data_come_nobody_is_said_to_wait(made: MadeSource) -> None:
    said = waited(listed(made), MOVES_BYTES, soon_s=0.5)
    assert said
    assert not [text for text in said if "waiting" in text]


def test_an_error_of_what_was_waited_for_is_raised(made: MadeSource) -> None:
    """A time-out of its own is no sign that it is still on its way."""
    future: Future[None] = Future()
    future.set_exception(TimeoutError("its own"))
    with pytest.raises(TimeoutError, match="its own"):
        Progress(listed(made), None).awaited(future)


@pytest.mark.parametrize(("n", "at_once"), [(1, 8), (2, 1)])
def test_a_service_that_hangs_is_told_of_even_for_one_granule(
    tmp_path: Path, stand_in: StandIn, made: MadeSource, n: int, at_once: int
) -> None:
    """And where one comes after the other."""
    said: list[str] = []
    stand_in.settings(latency_s=0.3)
    landing = landing_of(tmp_path, replace(made, n=n, at_once=at_once), said)
    granules = listed(landing.source)  # type: ignore[arg-type]
    with landing.ahead(granules) as ahead:
        ahead.progress._wait_every_s = SOON_S
        ahead.report(granules)
    stand_in.settings(latency_s=0)
    assert said[0].startswith(f"delta spl4smgp: 0 of {n} granule")
    assert "waiting for made since" in said[0]


def test_a_report_names_services_and_requests(
    tmp_path: Path, stand_in: StandIn, made: MadeSource
) -> None:
    landing = landing_of(tmp_path, made, [])
    told = landing.land(listed(made)).metadata
    assert told["services"] == "made"
    assert told["requests"] == len(stand_in.log()) > N, "each was led to another host"
    again = landing.land(listed(made)).metadata
    assert (again["services"], again["fetched"]) == ("made", 0)
    assert "requests" not in again
    both = together([told, again, landing.land([]).metadata])
    assert both == {
        "fetched": N,
        "megabytes": told["megabytes"] + again["megabytes"],
        "services": "made",
        "requests": told["requests"],
    }


def test_a_tally_counts_a_granule_once(tmp_path: Path, made: MadeSource) -> None:
    """A step that is tried again finds what it fetched before."""
    landing, granules = landing_of(tmp_path, made, []), listed(made)
    landing.land(granules[:2])
    with tallied() as tally:
        landing.land(granules[:3])
        landing.land(granules[:3])
    assert tally.told == "Together: 1 granule fetched, 2 there before."
    with tallied() as tally:
        landing.land(granules[:1])
    assert tally.told == "Together: 1 granule, it is there: nothing to fetch."
    landing.land(granules)
    assert len(tally.there) == 1, "what comes after the block is not counted"
    assert "no granule is listed" in nothing_to_fetch(0)


def test_every_service_has_a_title() -> None:
    names = {one.partition(":")[0] for several in CHOICES.values() for one in several}
    assert names - set(TITLES) == {"archive", "folder"}
    assert title_of("archive") == "archive"
    assert title_of("earth_engine") == "Google Earth Engine"
