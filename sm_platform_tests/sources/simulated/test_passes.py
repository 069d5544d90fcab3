"""Orbit arithmetic against published facts, and the calendar with its planted traps."""

from datetime import UTC, date, datetime, timedelta

import pytest

from sm_platform.errors import UsageError
from sm_platform.sources.sentinel1_names import relative_orbit as known_orbit
from sm_platform.sources.simulated.fleet import Fleet
from sm_platform.sources.simulated.passes import (
    LOST,
    datatake_id,
    passes,
    relative_orbit,
    s1a_orbit,
    s1c_orbit,
)
from sm_platform.sources.simulated.places import HIGHLAND, PLACES, RED_RIVER, Place

FIRST, LAST = date(2025, 1, 1), date(2026, 3, 31)


def test_orbit_of_the_anchor() -> None:
    begun = datetime(2021, 1, 19, 2, 22, 28, tzinfo=UTC)
    assert s1a_orbit(begun) == 36201
    assert s1a_orbit(begun - timedelta(seconds=2)) == 36200
    assert relative_orbit("S1A", 36201) == 79


def test_relative_orbit_91_falls_on_the_day_used_publicly() -> None:
    assert relative_orbit("S1A", s1a_orbit(datetime(2018, 7, 22, 22, 51, tzinfo=UTC))) == 91


def test_sentinel_1c_counts_from_its_own_launch() -> None:
    """Absolute orbit 5676 began on 30 December 2025, six days after S1A on the same track."""
    begun = datetime(2025, 12, 30, 4, 1, 30, tzinfo=UTC)
    assert s1c_orbit(begun) == 5676
    six_days_before = s1a_orbit(begun - timedelta(days=6))
    assert relative_orbit("S1C", 5676) == relative_orbit("S1A", six_days_before)


def test_datatake_has_six_digits_and_grows() -> None:
    assert len(datatake_id(36201, "A")) == 6
    assert abs(int(datatake_id(36201, "A"), 16) - 0x043ED0) < 20
    assert int(datatake_id(57352, "A"), 16) < int(datatake_id(57352, "D"), 16)


@pytest.mark.parametrize("place", PLACES)
def test_every_regular_pass_lies_on_its_track(place: Place) -> None:
    tracks = {track.relative_orbit: track for track in place.tracks}
    for one in passes(place, FIRST, LAST):
        if not one.is_invented:
            track = tracks[one.relative_orbit]
            assert (one.orbit_state, one.start_utc.time()) == (track.orbit_state, track.utc)


def test_first_days_of_2025() -> None:
    found = passes(RED_RIVER, date(2025, 1, 1), date(2025, 1, 24))
    days = [(one.relative_orbit, one.day.day) for one in found]
    assert days == [(128, 1), (55, 8), (91, 10), (128, 13), (55, 20), (91, 22)]
    assert {one.platform for one in found} == {"S1A"}
    assert [one.absolute_orbit for one in found[:3]] == [57250, 57352, 57388]


def test_sentinel_1c_joins_six_days_after() -> None:
    found = [one for one in passes(HIGHLAND, FIRST, LAST) if one.relative_orbit == 120]
    first = next(one for one in found if one.platform == "S1C")
    assert first.day == date(2025, 3, 31)
    late = [one for one in found if one.day >= first.day]
    gaps = {(b.day - a.day).days for a, b in zip(late, late[1:], strict=False)}
    assert gaps == {6}
    assert all(a.platform != b.platform for a, b in zip(late, late[1:], strict=False))


def test_both_regions_share_a_datatake_minutes_apart() -> None:
    south, north = (
        next(one for one in passes(place, FIRST, LAST) if one.relative_orbit == 55)
        for place in (HIGHLAND, RED_RIVER)
    )
    assert south.datatake_id == north.datatake_id
    assert north.start_utc - south.start_utc == timedelta(seconds=128)


def test_one_pass_is_lost() -> None:
    days = {one.day for one in passes(RED_RIVER, FIRST, LAST) if one.relative_orbit == 55}
    assert date(2025, 4, 26) in days
    assert date(2025, 5, 8) not in days
    assert date(2025, 5, 20) in days


def test_one_invented_pass_precedes_a_regular_one_by_less_than_half_a_day() -> None:
    found = passes(RED_RIVER, FIRST, LAST)
    (extra,) = [one for one in found if one.is_invented]
    following = found[found.index(extra) + 1]
    assert timedelta(0) < following.start_utc - extra.start_utc < timedelta(hours=12)
    assert extra.relative_orbit not in {track.relative_orbit for track in RED_RIVER.tracks}
    assert extra.relative_orbit == relative_orbit("S1A", extra.absolute_orbit)


@pytest.mark.parametrize("place", PLACES)
def test_passes_are_unique_and_in_order(place: Place) -> None:
    found = passes(place, FIRST, LAST)
    times = [one.start_utc for one in found]
    assert times == sorted(times)
    assert len({one.pass_id for one in found}) == len(found)
    halves = passes(place, FIRST, date(2025, 8, 1)) + passes(place, date(2025, 8, 2), LAST)
    assert halves == found


def test_swapped_days_are_refused() -> None:
    with pytest.raises(UsageError, match="swap"):
        passes(RED_RIVER, LAST, FIRST)


@pytest.mark.parametrize("place", PLACES, ids=lambda one: one.region_id)
def test_sentinel_1d_flies_the_same_tracks_when_it_is_wanted(place: Place) -> None:
    """Three days after Sentinel-1A, with its own numbers; the others' passes stay."""
    begins = date(2025, 2, 1)
    found = passes(place, FIRST, LAST, Fleet(s1d_first=begins, s1d_bias_db=1.5))
    newcomer = [one for one in found if one.platform == "S1D"]
    assert [one for one in found if one.platform != "S1D"] == passes(place, FIRST, LAST)
    assert newcomer[0].day >= begins
    assert {one.relative_orbit for one in newcomer} == {t.relative_orbit for t in place.tracks}
    others = {(one.platform, one.relative_orbit, one.day) for one in found}
    for one in newcomer:
        assert one.bias_db == 1.5
        assert 0 < one.absolute_orbit < 100_000
        assert one.relative_orbit == known_orbit("S1D", one.absolute_orbit, one.day)
        before = one.day - timedelta(days=3)
        lost = (place.region_id, "S1A", one.relative_orbit, before) in LOST
        assert lost or before < FIRST or ("S1A", one.relative_orbit, before) in others
