"""Live sources from a terminal: what is found, paid, refused, and gone on with; no secret told."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import IO

import pytest

from sm_platform.sources.archive_clock import Clock, end_of, write_clock
from sm_platform.sources.simulated.build import write_archive
from sm_platform.sources.simulated.fleet import Fleet
from sm_platform.sources.simulated.period import Period
from sm_platform.sources.simulated.places import RED_RIVER
from sm_platform_tests.desk import CHECKOUT, Answer, Desk
from sm_platform_tests.live_desk import REGION, LiveDesks, secrets_sent
from sm_platform_tests.live_findings import SERVICES, TOLD, asked_of_services
from sm_platform_tests.live_refusals import DAYS, EXPIRED, REFUSED, USUAL
from sm_platform_tests.servers import StandIn, standing_in
from sm_platform_tests.servers.climate_store import KEY as CDS_KEY
from sm_platform_tests.servers.earthdata import TOKEN as EARTHDATA_TOKEN
from sm_platform_tests.servers.google_token import TOKEN as GOOGLE_TOKEN
from sm_platform_tests.servers.planet import KEY as PLANET_KEY
from sm_platform_tests.servers.sentinel_hub import CLIENT_SECRET

PERIOD = Period(date(2025, 3, 6), date(2025, 3, 20), date(2025, 4, 8))
FLEET = Fleet(viirs_first=date(2025, 3, 1), imerg_first=date(2025, 3, 20))
LATER = date(2025, 12, 1)
CLOSED = "http://localhost:9"
FILES = "/cds/cache|/pc/blob|/soilgrids/|/dem/.*tif|/worldcover/v200|computePixels"
SPOILED = "/cds/cache|NDVI.tif|/dem/.*tif|/worldcover/v200|computePixels"
"""One file a granule, as each meets so many faults as it has tries otherwise."""
SEED = 2
"""With it each kind of fault is met by a file."""
FAULTS = ("too-many", "error", "unauthorized", "html", "cut")
WRONG = {
    "CDSAPI_KEY": "wrong-key-of-cds",
    "EARTHDATA_TOKEN": EXPIRED,
    "PL_API_KEY": "PLAK-wrong-key-of-planet",
}
SECRETS = (CDS_KEY, EARTHDATA_TOKEN, GOOGLE_TOKEN, PLANET_KEY, CLIENT_SECRET, *WRONG.values())


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A place whose providers have published everything long ago."""
    folder = tmp_path_factory.mktemp("published") / "archive"
    write_archive(
        folder, seed=2, size=48, places=(RED_RIVER,), period=PERIOD, fleet=FLEET, workers=1
    )
    write_clock(folder, Clock(end_of(LATER), LATER))
    return folder


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory: pytest.TempPathFactory, archive: Path) -> Iterator[StandIn]:
    with standing_in(archive, tmp_path_factory.mktemp("stand_in")) as running:
        yield running


@pytest.fixture(scope="module")
def desks(
    tmp_path_factory: pytest.TempPathFactory, server: IO[str], stand_in: StandIn
) -> LiveDesks:
    return LiveDesks(tmp_path_factory.mktemp("desks"), server, stand_in)


def pointed(desk: Desk, old: str, new: str) -> Desk:
    """The desk with something else in its configuration."""
    path = Path(desk.more["SM_SOURCES"])
    path.write_text(path.read_text().replace(old, new))
    return desk


@pytest.fixture(scope="module")
def looked(desks: LiveDesks) -> Mapping[str, str]:
    """What `doctor --live` says to four people: well, without accounts, refused, cut off."""
    none = dict.fromkeys(("GOOGLE_APPLICATION_CREDENTIALS", *WRONG), "")
    people = {
        "well": desks.new("well"),
        "none": desks.new("none", environment=none),
        "wrong": desks.new("wrong", environment=WRONG),
        "down": desks.new("down"),
    }
    pointed(people["down"], desks.stand_in.url, CLOSED)
    pointed(people["down"], desks.stand_in.tls_url, CLOSED.replace("http", "https"))
    started = {name: desk.start("doctor", "--live") for name, desk in people.items()}
    answers = {name: running.wait() for name, running in started.items()}
    assert {one.code for one in answers.values()} == {1}, answers
    assert not [one.err for one in answers.values() if "Traceback" in one.err + one.out]
    return {name: one.out for name, one in answers.items()}


@pytest.mark.parametrize(("who", "words"), TOLD)
def test_doctor_tells_of_each_service_how_it_is(
    looked: Mapping[str, str], who: str, words: str
) -> None:
    assert words in looked[who]


@pytest.mark.parametrize("who", ["well", "none", "wrong", "down"])
def test_each_finding_names_the_service_and_none_is_raw(
    looked: Mapping[str, str], who: str
) -> None:
    asked = asked_of_services(looked[who])
    assert len(asked) >= 10
    assert not [one for one in asked if not any(f": {name}" in one for name in SERVICES)]
    assert not re.findall(r"\w+Error|\b1 (?:tiles|requests|files|days)\b", looked[who])


def test_doctor_asks_only_for_what_comes_from_a_service(looked: Mapping[str, str]) -> None:
    """NASA brings no NDVI here, and is not said to lack it."""
    bad = [one for one in looked["well"].split("\n") if one.startswith("MISSING")]
    assert not [one for one in bad if "MOD13Q1" in one or "OPERA" in one], bad


def test_doctor_tells_no_secret(looked: Mapping[str, str]) -> None:
    assert not [one for one in SECRETS for text in looked.values() if one in text]


@pytest.fixture(scope="module")
def refusals(desks: LiveDesks) -> Mapping[str, Answer]:
    """The answers of all of them, asked at once of services that are in a bad way."""
    desks.stand_in.settings(retired=True, earthdata_wants_login=True)
    desks.stand_in.faults(["too-many"], paths="listAssets", retry_after="3600")
    started = {}
    for name, one in REFUSED.items():
        desk = desks.new(
            name.replace(" ", "-"),
            sources=USUAL | one.sources,
            environment=one.environment,
            place=one.place,
        )
        started[name] = desk.start(*one.command, *one.days)
    answers = {name: running.wait() for name, running in started.items()}
    desks.stand_in.settings(retired=False, earthdata_wants_login=False)
    desks.stand_in.faults()
    return answers


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_is_refused_in_words(refusals: Mapping[str, Answer], name: str) -> None:
    answer, wanted = refusals[name], REFUSED[name]
    assert answer.code in wanted.code, answer
    assert "Traceback" not in answer.err + answer.out
    for words in wanted.words:
        assert words in answer.err
    assert not [one for one in (EXPIRED, "wrong-secret-of-nobody") if one in answer.err]


@dataclass(frozen=True, slots=True)
class Story:
    """One person's downloads: up to the budget, with a larger one, stopped, gone on with, again."""

    desk: Desk
    plan: Answer
    capped: Answer
    stopped: Answer
    whole: Answer
    fetched: list[str]
    """Paths of files that were asked for by the run after all of it was there."""
    secrets: set[str]
    """What the stand-ins were sent by now, by this person and the others."""
    met: set[str]
    """Faults among the answers."""


def landed(desk: Desk) -> list[Path]:
    return [one for one in (desk.layout.root / "granules").rglob("*.json") if one.is_file()]


def interrupted(desk: Desk, *words: str) -> Answer:
    """A command that gets Ctrl-C as soon as something more has landed."""
    before, running = len(landed(desk)), desk.start(*words)
    until = time.monotonic() + 60
    while len(landed(desk)) <= before and not running.is_over and time.monotonic() < until:
        time.sleep(0.02)
    os.kill(int((running.folder / "pid").read_text()), signal.SIGINT)
    return running.wait()


@pytest.fixture(scope="module")
def story(desks: LiveDesks, looked: Mapping[str, str], refusals: Mapping[str, Answer]) -> Story:
    desk, stand_in = desks.new("story"), desks.stand_in
    words = ("download", "--region", REGION, *DAYS)
    path = Path(desk.more["SM_SOURCES"])
    text = path.read_text()
    stand_in.faults(FAULTS, paths=SPOILED, most=1, seed=SEED)
    path.write_text(text + "[budget]\nrequests_per_month = 30\n")
    plan = desk.run(*words, "--dry-run")
    capped = desk.run(*words)
    path.write_text(text + "[budget]\nrequests_per_month = 30000\n")
    stand_in.settings(latency_s=0.02)
    stopped = interrupted(desk, *words)
    whole = desk.run(*words)
    secrets = set(secrets_sent(stand_in))
    met = {one["fault"] for one in stand_in.log()} - {None}
    stand_in.clear()
    desk.done(*words)
    fetched = [one["path"] for one in stand_in.log() if re.search(FILES, one["path"])]
    return Story(desk, plan, capped, stopped, whole, fetched, secrets, met)


def test_the_budget_is_told_before_and_ends_a_download_that_goes_over_it(story: Story) -> None:
    assert story.plan.code == 0
    assert "of a budget of 30 requests" in story.plan.out
    assert "This goes over it" in story.plan.out
    assert story.capped.code == 1
    assert "Traceback" not in story.capped.err
    assert "The month's budget is used up" in story.capped.err
    assert "with a larger [budget] in the file that SM_SOURCES names" in story.capped.err


def test_a_stopped_download_goes_on_and_fetches_nothing_twice(story: Story) -> None:
    assert story.stopped.code not in (0, 99), story.stopped
    assert "the same command goes on from there" in story.stopped.err
    assert story.whole.code == 0, story.whole.err
    assert story.met >= {"too-many", "error", "unauthorized", "html", "cut"}
    assert len(landed(story.desk)) > 30
    assert story.fetched == []
    assert re.search(r"farm weather: \d+ granules?, [\d.]+ MB in \d+ s", story.whole.err)


def test_no_secret_is_left_anywhere(story: Story, desks: LiveDesks) -> None:
    """In files of the lake, of Dagster's home and its records, and in what was said."""
    key = json.loads((story.desk.root / "key.json").read_text())["private_key"].splitlines()
    secrets = {one.encode() for one in (*SECRETS, *story.secrets, *key[1:-1]) if len(one) >= 8}
    assert {EARTHDATA_TOKEN.encode(), CDS_KEY.encode(), GOOGLE_TOKEN.encode()} <= secrets
    assert any(len(one) >= 32 for one in story.secrets), "no signature was used"
    told = [
        f"{path.relative_to(desks.root)}: {one[:4]!r}"
        for path in desks.root.rglob("*")
        if path.is_file() and path.name != "key.json"
        for one in secrets
        if one in path.read_bytes()
    ]
    assert told == []
    assert list((story.desk.root / "dagster_home").rglob("*.db"))


ABSENT = (
    "sentinel1-earthdata-OPERA_RTC",
    "ndvi-earth_engine-VNP13A1",
    "ndvi-earthdata",
    "ndvi-earthdata-VJ113A1",
    "ndvi-earthdata-VJ213A1",
)
"""What the stand-ins have no files of: radar bursts, HDF4, and two of three VIIRS sensors."""


def test_the_cases_of_real_services_pass_with_the_stand_ins(desks: LiveDesks) -> None:
    """And without an account a case is skipped, naming the variable."""
    place = "sm_platform_tests/live/test_services.py"
    case = "test_the_smallest_granule_is_landed_and_holds_what_can_be"
    desk = desks.new("live", environment={"PL_API_KEY": "", "GOOGLE_CLOUD_PROJECT": "test-project"})
    away = [f"--deselect={place}::{case}[{one}]" for one in ABSENT]
    command = ["-m", "pytest", "-m", "live", "-rs", "-p", "no:cacheprovider", *away, place]
    done = subprocess.run(
        [sys.executable, *command],
        cwd=CHECKOUT,
        env={**os.environ, **desk.environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert re.search(r"26 passed, 2 skipped", done.stdout), done.stdout
    assert "PL_API_KEY is not set: get an account at https://www.planet.com" in done.stdout
