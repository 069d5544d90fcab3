"""Frames are logged once each, in every version; passes are made of those that count."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from sm_platform.defs.watching.scene_log import listed_passes, read_log, register
from sm_platform.lake.layout import Layout
from sm_platform.sources.protocol import Granule
from sm_platform.sources.sentinel1_names import FrameName
from sm_platform_tests.defs.watching.frames import LISTED, START, frame

EARLY = date(2026, 1, 1)


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path)


def test_a_frame_listed_twice_is_logged_once(layout: Layout) -> None:
    assert len(register(layout, "delta", [frame(0), frame(1)], LISTED)) == 2
    assert register(layout, "delta", [frame(1), frame(0)], LISTED + timedelta(hours=1)) == []
    assert {one.listed_utc for one in read_log(layout, "delta")} == {LISTED}


def test_a_new_version_of_a_frame_is_logged(layout: Layout) -> None:
    register(layout, "delta", [frame(0)], LISTED)
    (new,) = register(layout, "delta", [frame(0, stamp="2")], LISTED)
    assert new.frame_stamp == "2"


def test_regions_have_logs_of_their_own(layout: Layout) -> None:
    register(layout, "delta", [frame(0)], LISTED)
    assert read_log(layout, "hills") == []


def test_many_who_register_at_once_lose_no_frame(layout: Layout) -> None:
    with ThreadPoolExecutor(8) as workers:
        list(workers.map(lambda n: register(layout, "delta", [frame(n)], LISTED), range(16)))
    assert len(read_log(layout, "delta")) == 16


def test_frames_of_a_datatake_are_one_pass(layout: Layout) -> None:
    register(layout, "delta", [frame(0), frame(1), frame(0, cycles=1)], LISTED)
    first, second = listed_passes("delta", read_log(layout, "delta"), EARLY)
    assert [one.frame_id for one in first.frames] == [frame(0).granule_id, frame(1).granule_id]
    assert (first.scene_id, first.start_utc) == ("S1A_06F3A1", START)
    assert second.day == START.date() + timedelta(days=12)
    assert listed_passes("delta", read_log(layout, "delta"), second.day) == [second]


def test_of_one_slice_the_making_that_came_last_counts(layout: Layout) -> None:
    again = frame(0, making="9F00", hours=30)
    register(layout, "delta", [again, frame(0), frame(1)], LISTED)
    (one,) = listed_passes("delta", read_log(layout, "delta"), EARLY)
    assert {f.frame_id for f in one.frames} == {again.granule_id, frame(1).granule_id}
    assert one.newest_utc == again.available_utc


def test_a_pass_is_asked_for_anew_only_when_its_frames_change(layout: Layout) -> None:
    def hashed() -> str:
        (one,) = listed_passes("delta", read_log(layout, "delta"), EARLY)
        return one.granules_hash

    register(layout, "delta", [frame(0)], LISTED)
    alone = hashed()
    register(layout, "delta", [frame(0)], LISTED)
    assert hashed() == alone
    register(layout, "delta", [frame(1)], LISTED)
    both = hashed()
    register(layout, "delta", [frame(0, stamp="2")], LISTED)
    assert len({alone, both, hashed()}) == 3


def burst(place: str, making: str = "20260321T012345Z") -> Granule:
    """A burst of OPERA, whose id does not say the datatake."""
    name = f"OPERA_L2_RTC-S1_T055-{place}_{START:%Y%m%dT%H%M%S}Z_{making}_S1A_30_v1.0"
    told = FrameName("S1A", START, START + timedelta(seconds=3), 56789, 55, "06F3A1")
    return replace(frame(0), granule_id=name, format="opera_rtc", frame=told)


def test_bursts_that_begin_together_are_parts_of_the_scene_that_is_told(layout: Layout) -> None:
    beside, old = burst("116871-IW3"), burst("116871-IW2")
    again = replace(
        burst("116871-IW2", "20260325T000000Z"), available_utc=LISTED + timedelta(days=4)
    )
    register(layout, "delta", [old, beside, again], LISTED)
    (one,) = listed_passes("delta", read_log(layout, "delta"), EARLY)
    assert (one.scene_id, one.relative_orbit, one.start_utc) == ("S1A_06F3A1", 55, START)
    assert {f.frame_id for f in one.frames} == {beside.granule_id, again.granule_id}


def test_a_frame_of_which_nothing_is_told_is_a_day_of_its_own(layout: Layout) -> None:
    register(layout, "delta", [replace(burst("116871-IW2"), frame=None)], LISTED)
    (one,) = listed_passes("delta", read_log(layout, "delta"), EARLY)
    assert one.scene_id == f"S1X_{START:%Y%m%d}"
