"""Another service brings the radar: its frames make the pass, it is mapped once more, and rests."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from sm_platform.defs.service_choice import of_one_service
from sm_platform.defs.watching.calendar import passes_of
from sm_platform.defs.watching.requests import ask_for_pass
from sm_platform.defs.watching.scene_log import ListedPass, listed_passes, read_log, register
from sm_platform.defs.watching.standing import State, standing, usual_frames
from sm_platform.lake.granules import landed
from sm_platform.lake.layout import Layout
from sm_platform_tests.defs.watching.frames import LISTED, START, frame
from sm_platform_tests.defs.watching.services import (
    DAY,
    ENGINE,
    HUB,
    LISTS,
    NAME,
    OPERA,
    PLANETARY,
    REGION,
    S1,
    SOURCES,
    bring,
    engine,
    extract,
    hub,
    map_day,
    name_of,
    opera,
)

SCENE = name_of(engine()[0]).scene_id
ORBIT = name_of(engine()[0]).relative_orbit
LATER = LISTED + timedelta(days=1)


@pytest.fixture
def choose(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    return lambda service: monkeypatch.setenv("SM_SOURCES", SOURCES[service])


def the_pass(layout: Layout, chosen: str | None) -> ListedPass:
    (one,) = listed_passes(NAME, read_log(layout, NAME), DAY, chosen)
    return one


def status(layout: Layout, days_later: float = 3) -> str:
    """Of the newest pass that was seen, in the region's calendar."""
    rows = passes_of(layout, REGION, START + timedelta(days_later), 30)
    return next(row.pass_status for row in reversed(rows) if row.seen_scene_id)


@pytest.mark.parametrize("other", [OPERA, PLANETARY, HUB])
def test_a_pass_is_mapped_anew_once_and_so_after_the_change_back(
    layout: Layout, choose: Callable[[str], None], other: str
) -> None:
    choose(ENGINE)
    register(layout, NAME, engine(), LISTED)
    assert status(layout) == "listed"
    bring(layout, engine())
    map_day(layout, ENGINE, SCENE)
    assert status(layout) == "mapped"
    choose(other)
    assert status(layout) == "mapped", "the other service has not been asked yet"
    register(layout, NAME, LISTS[other](), LATER)
    register(layout, NAME, engine(), LATER)  # a tick that began before the change
    assert status(layout) == "listed"
    for service in (other, ENGINE, other):
        choose(service)
        assert status(layout) == "listed"
        bring(layout, LISTS[service]())
        map_day(layout, service, SCENE)
        assert status(layout) == "mapped"


def test_the_frames_of_a_pass_are_those_that_its_day_is_made_of(layout: Layout) -> None:
    """Of a day with two passes as well, of which the chosen service has one."""
    beside = [replace(one, day=DAY) for one in engine(cycles=1)]
    for granules, moment in ((engine(), LISTED), (beside, LISTED), (opera(), LATER)):
        register(layout, NAME, granules, moment)
        bring(layout, granules)
    for chosen, n_passes in ((ENGINE, 2), (OPERA, 1)):
        found = listed_passes(NAME, read_log(layout, NAME), DAY, chosen)
        used = of_one_service(landed(layout, S1, NAME, DAY), chosen)
        names = {frame.frame_id for one in found for frame in one.frames}
        assert names == {one.granule_id for one in used}
        assert len(found) == n_passes
    for other in (HUB, None):
        assert the_pass(layout, other).service == OPERA, "it listed last"


def test_of_two_that_call_a_frame_the_same_the_landed_one_counts(layout: Layout) -> None:
    """Neither tells versions apart, and the content is the same."""
    ours, theirs = ([replace(one, stamp=None, service=by) for one in hub()] for by in (ENGINE, HUB))
    register(layout, NAME, ours, LISTED)
    assert len(register(layout, NAME, theirs, LATER)) == len(theirs)
    bring(layout, ours)
    map_day(layout, ENGINE, SCENE)
    assert standing(layout, the_pass(layout, ENGINE)).state is State.MAPPED
    assert standing(layout, the_pass(layout, HUB)).state is State.OPEN
    asks = {ask_for_pass(the_pass(layout, one)).granules_hash for one in (ENGINE, HUB)}
    assert len(asks) == 2, "attempts of the one service do not count for the other"


def made(layout: Layout, cycles: int, by: str, n: int) -> None:
    """An earlier pass of the track, landed and extracted."""
    granules = engine(cycles, n) if by == ENGINE else opera(cycles, n)
    bring(layout, granules)
    extract(layout, granules)


def test_a_whole_pass_of_the_new_service_does_not_wait(
    layout: Layout, choose: Callable[[str], None]
) -> None:
    choose(ENGINE)
    made(layout, 0, OPERA, 20)
    made(layout, 1, OPERA, 20)
    register(layout, NAME, engine(cycles=2), LISTED)
    assert status(layout, 26) == "listed"
    made(layout, 1, ENGINE, 3)
    assert status(layout, 26) == "waiting_for_frames"


def test_a_part_of_the_bursts_waits_for_the_others(
    layout: Layout, choose: Callable[[str], None]
) -> None:
    choose(OPERA)
    made(layout, 0, ENGINE, 2)
    register(layout, NAME, opera(cycles=1, n=5), LISTED)
    assert status(layout, 14) == "listed"
    made(layout, 0, OPERA, 6)
    assert status(layout, 14) == "waiting_for_frames"


def test_passes_are_compared_with_those_of_their_service(layout: Layout) -> None:
    day = DAY + timedelta(24)
    made(layout, 0, OPERA, 20)
    made(layout, 1, ENGINE, 2)
    assert usual_frames(layout, NAME, day, ORBIT, service=OPERA) == 20
    assert usual_frames(layout, NAME, day, ORBIT, service=ENGINE) == 2
    assert usual_frames(layout, NAME, day, ORBIT, service=HUB) == 0
    assert usual_frames(layout, NAME, day, ORBIT) == 20, "nothing is known of who brings it"
    made(layout, 2, ENGINE, 1)
    assert usual_frames(layout, NAME, day, ORBIT) == 2, "as its own stored pass"
    assert usual_frames(layout, NAME, day, 18, service=OPERA) == 0


def test_a_pass_whose_frames_are_gone_is_anybodys(layout: Layout) -> None:
    extract(layout, [frame(0), frame(1)])
    assert usual_frames(layout, NAME, DAY + timedelta(12), ORBIT, service=OPERA) == 2
