from datetime import UTC, date, datetime, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sm_platform.errors import UsageError
from sm_platform.grid import calendar

DAYS = st.dates(date(2001, 1, 1), date(2060, 12, 31))


@pytest.mark.parametrize("year", [2023, 2024])
def test_year_has_46_composites_from_the_first_of_january(year: int) -> None:
    last = date(year, 12, 31)
    found = [day for day in calendar.days_between(date(year, 1, 1), last) if is_step(day)]
    assert len(found) == 46
    assert found[0] == date(year, 1, 1)
    assert [calendar.day_of_year(day) for day in found[:4]] == [1, 9, 17, 25]
    assert calendar.day_of_year(found[-1]) == 361


def is_step(day: date) -> bool:
    return calendar.is_composite(day)


@pytest.mark.parametrize(
    ("year", "last", "gap"), [(2023, date(2023, 12, 27), 5), (2024, date(2024, 12, 26), 6)]
)
def test_composites_restart_each_january(year: int, last: date, gap: int) -> None:
    first = date(year + 1, 1, 1)
    assert calendar.composites_ending(first, 2) == [last, first]
    assert (first - last).days == gap


@given(DAYS)
def test_composite_of_a_day_holds_it_and_does_not_leave_its_year(day: date) -> None:
    start = calendar.composite_start(day)
    assert timedelta(0) <= day - start < calendar.STEP
    assert start.year == day.year
    assert calendar.is_composite(start)


@given(DAYS)
def test_46_composites_are_the_46_newest(day: date) -> None:
    last = calendar.composite_start(day)
    found = calendar.composites_ending(last)
    assert len(found) == 46
    assert found[-1] == last
    between = calendar.days_between(found[0], last)
    assert found == [step for step in between if calendar.is_composite(step)]


@given(DAYS)
def test_steps_before_a_day_are_368_days_that_touch_and_end_the_day_before(day: date) -> None:
    steps = calendar.steps_before(day)
    assert len(steps) == 46
    assert steps[-1][1] == day - calendar.ONE_DAY
    assert steps[0][0] == day - timedelta(days=368)
    assert all((end - start).days == 7 for start, end in steps)
    assert all(one[1] + calendar.ONE_DAY == two[0] for one, two in pairwise(steps))


@given(DAYS, st.integers(0, 400))
def test_days_between_has_both_ends(start: date, n: int) -> None:
    days = calendar.days_between(start, start + timedelta(days=n))
    assert (days[0], days[-1], len(days)) == (start, start + timedelta(days=n), n + 1)


def test_end_before_start_is_refused() -> None:
    with pytest.raises(UsageError, match="swap them"):
        calendar.days_between(date(2025, 1, 2), date(2025, 1, 1))


def test_day_that_begins_no_composite_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="2025-01-09"):
        calendar.composites_ending(date(2025, 1, 10))


@pytest.mark.parametrize("text", ["2025-13-01", "2025-1-1", "yesterday", ""])
def test_text_that_is_no_day_is_refused_by_name(text: str) -> None:
    with pytest.raises(UsageError, match="YYYY-MM-DD"):
        calendar.parse_day(text)


@given(DAYS)
def test_day_returns_from_its_text(day: date) -> None:
    assert calendar.parse_day(day.isoformat()) == day


def test_times_are_utc_whether_naive_or_in_another_zone() -> None:
    hanoi = timezone(timedelta(hours=7))
    noon = datetime(2025, 6, 1, 12, tzinfo=UTC)
    assert calendar.utc(datetime(2025, 6, 1, 19, tzinfo=hanoi)) == noon
    assert calendar.utc(datetime(2025, 6, 1, 19, tzinfo=hanoi)).tzinfo is UTC
    assert calendar.utc(datetime(2025, 6, 1, 12)) == noon


def test_day_of_year_counts_the_leap_day() -> None:
    assert calendar.day_of_year(date(2024, 12, 31)) == 366
    assert calendar.day_of_year(date(2025, 3, 1)) == 60
