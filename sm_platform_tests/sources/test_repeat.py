"""Laws of the repeat calendar, and the calendar of the simulated passes with their traps."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sm_platform.sources.repeat import CYCLE, SeenPass, due_passes, tracks
from sm_platform.sources.simulated.passes import passes
from sm_platform.sources.simulated.places import HIGHLAND, PLACES, RED_RIVER, Place

BEGIN = datetime(2026, 1, 3, 22, 45, tzinfo=UTC)
YEAR = timedelta(days=365)
times = st.datetimes(datetime(2026, 1, 1), datetime(2026, 4, 1), timezones=st.just(UTC))
platforms = st.sampled_from(("S1A", "S1C"))
seen_passes = st.lists(
    st.builds(SeenPass, platforms, st.just("A"), st.sampled_from((None, 91)), times), max_size=12
)
regular = st.lists(st.integers(0, 20), min_size=2, max_size=8, unique=True)
"""Cycles of one track that were seen."""


def at(cycle: float, *, minutes: float = 0.0, orbit: int | None = 91) -> SeenPass:
    start = BEGIN + cycle * CYCLE + timedelta(minutes=minutes)
    return SeenPass("S1A", "D", orbit, start)


def cycles_due(*seen: SeenPass) -> list[float]:
    """Unseen passes that are due, in cycles since the beginning."""
    found = due_passes(seen, BEGIN - YEAR, BEGIN + YEAR)
    return [(one.start_utc - BEGIN) / CYCLE for one in found if not one.is_seen]


def test_two_passes_a_cycle_apart_make_three_expected() -> None:
    assert cycles_due(at(0), at(1)) == [2, 3, 4]


def test_a_pass_seen_once_makes_none() -> None:
    assert due_passes([at(0)], BEGIN - YEAR, BEGIN + YEAR) == []
    assert tracks([at(0)]) == []


def test_a_missing_pass_in_the_middle_is_due() -> None:
    assert cycles_due(at(0), at(1), at(3)) == [2, 4, 5, 6]


@pytest.mark.parametrize(("minutes", "is_track"), [(15, True), (-15, True), (16, False)])
def test_whole_cycles_are_meant_to_the_quarter_of_an_hour(minutes: int, is_track: bool) -> None:
    assert bool(tracks([at(0), at(1, minutes=minutes)])) is is_track


def test_other_orbits_and_platforms_do_not_make_a_track() -> None:
    seen = [at(0), at(1, orbit=55), SeenPass("S1C", "D", 91, BEGIN + 2 * CYCLE)]
    assert tracks(seen) == []


def test_the_newest_phase_counts_after_a_move() -> None:
    moved = [at(n, minutes=3 * 24 * 60) for n in (2, 3)]
    assert cycles_due(at(0), at(1), *moved) == [2, 3, 4, 4.25, 5.25, 6.25]


def test_a_track_ends_when_it_was_missed_three_times() -> None:
    (track,) = tracks([at(0), at(1)])
    assert not track.has_ended(BEGIN + 4 * CYCLE)
    assert track.has_ended(BEGIN + 4 * CYCLE + timedelta(hours=1))
    (before,) = tracks([at(0), at(1), at(5)])
    assert before == track, "what comes back after its end has to be seen twice again"
    assert len(tracks([at(0), at(1), at(5), at(6)])) == 2


def test_frames_of_one_pass_count_once() -> None:
    assert tracks([at(0), at(0, minutes=0.4)]) == []
    assert cycles_due(at(0), at(0, minutes=0.4), at(1), at(1)) == [2, 3, 4]


@given(seen_passes, st.integers(-3, 30))
def test_shifted_by_whole_cycles_all_shift(seen: list[SeenPass], n: int) -> None:
    shift = n * CYCLE
    later = [
        SeenPass(one.platform, one.orbit_state, one.relative_orbit, one.start_utc + shift)
        for one in seen
    ]
    before = due_passes(seen, BEGIN, BEGIN + YEAR)
    after = due_passes(later, BEGIN + shift, BEGIN + YEAR + shift)
    assert [one.start_utc + shift for one in before] == [one.start_utc for one in after]
    assert [one.is_seen for one in before] == [one.is_seen for one in after]


@given(seen_passes, st.randoms(use_true_random=False))
def test_the_order_in_which_passes_were_seen_does_not_matter(
    seen: list[SeenPass], random: object
) -> None:
    mixed = list(seen)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    assert due_passes(mixed, BEGIN, BEGIN + YEAR) == due_passes(seen, BEGIN, BEGIN + YEAR)


@given(seen_passes)
def test_halves_of_a_period_make_the_whole(seen: list[SeenPass]) -> None:
    middle, instant = BEGIN + YEAR / 5, timedelta(microseconds=1)
    halves = due_passes(seen, BEGIN, middle) + due_passes(seen, middle + instant, BEGIN + YEAR)
    assert halves == due_passes(seen, BEGIN, BEGIN + YEAR)


@given(regular)
def test_what_is_due_lies_whole_cycles_after_what_was_seen(cycles: list[int]) -> None:
    due = cycles_due(*(at(n) for n in cycles))
    assert set(due) & set(cycles) == set()
    assert all(0 < min(n - c for c in cycles if c < n) <= 3 for n in due)


@given(regular, st.floats(0.01, 0.99))
def test_an_extra_pass_between_is_not_expected_again(cycles: list[int], phase: float) -> None:
    usual = [at(n) for n in cycles]
    extra = at(cycles[0] + phase)
    assert cycles_due(*usual, extra) == cycles_due(*usual)


@pytest.mark.parametrize("place", PLACES)
def test_the_simulated_calendar_is_foretold(place: Place) -> None:
    """From 90 days, the next 36: each regular pass to the second, the planted extra one never."""
    known = [
        SeenPass(one.platform, one.orbit_state, one.relative_orbit, one.start_utc)
        for one in passes(place, date(2025, 6, 1), date(2025, 8, 31))
    ]
    last = max(one.start_utc for one in known)
    foretold = due_passes(known, last + timedelta(seconds=1), last + timedelta(days=20))
    real = passes(place, last.date() + timedelta(days=1), (last + timedelta(days=20)).date())
    assert [(one.platform, one.relative_orbit, one.start_utc) for one in foretold] == [
        (one.platform, one.relative_orbit, one.start_utc)
        for one in real
        if one.start_utc <= last + timedelta(days=20)
    ]


def test_the_lost_pass_is_due_and_the_invented_one_is_not() -> None:
    found = passes(RED_RIVER, date(2025, 3, 1), date(2025, 12, 31))
    seen = [SeenPass(o.platform, o.orbit_state, o.relative_orbit, o.start_utc) for o in found]
    first, last = datetime(2025, 4, 1, tzinfo=UTC), datetime(2025, 12, 31, tzinfo=UTC)
    missed = [one for one in due_passes(seen, first, last) if not one.is_seen]
    assert [(one.platform, one.relative_orbit, one.start_utc.date()) for one in missed] == [
        ("S1A", 55, date(2025, 5, 8))
    ]
    (extra,) = [one for one in found if one.is_invented]
    assert all(one.relative_orbit != extra.relative_orbit for one in due_passes(seen, first, last))


def test_both_platforms_of_a_track_are_tracks_of_their_own() -> None:
    found = passes(HIGHLAND, date(2025, 3, 1), date(2025, 6, 30))
    seen = [SeenPass(o.platform, o.orbit_state, o.relative_orbit, o.start_utc) for o in found]
    told = {(one.platform, one.relative_orbit) for one in tracks(seen)}
    assert {("S1A", 120), ("S1C", 120)} <= told
