"""Local days beside UTC days: a morning in Vietnam, the date line, summer time."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sm_platform.errors import UsageError
from sm_platform.grid.local_days import (
    both_times,
    check_time_zone,
    local_day,
    local_time,
    utc_days_of,
)

VIETNAM = "Asia/Ho_Chi_Minh"
ZONES = st.sampled_from(
    [
        VIETNAM,
        "UTC",
        "Pacific/Kiritimati",
        "Pacific/Pago_Pago",
        "Pacific/Chatham",
        "America/Havana",
        "Asia/Kathmandu",
        "Europe/Berlin",
    ]
)
DAYS = st.dates(date(2014, 10, 3), date(2030, 12, 31))
MOMENTS = st.datetimes(datetime(2014, 10, 3), datetime(2030, 12, 31), timezones=st.just(UTC))


def days(text: str) -> list[date]:
    """`20 21 March 2026` as days of that month."""
    *numbers, month, year = text.split()
    return [datetime.strptime(f"{n} {month} {year}", "%d %B %Y").date() for n in numbers]


def test_a_morning_pass_in_vietnam_lies_on_the_utc_day_before() -> None:
    seen = datetime(2026, 3, 20, 22, 45, 12, tzinfo=UTC)
    assert local_day(seen, VIETNAM) == date(2026, 3, 21)
    assert both_times(seen, VIETNAM) == "2026-03-20 22:45 UTC (21 March 05:45 local)"
    day = date(2026, 3, 21)
    assert utc_days_of(day, day, VIETNAM) == days("20 21 March 2026")


@pytest.mark.parametrize(
    ("zone", "first", "last", "touched"),
    [
        ("UTC", 21, 21, "21 March 2026"),
        (None, 21, 22, "21 22 March 2026"),
        (VIETNAM, 21, 23, "20 21 22 23 March 2026"),
        ("Pacific/Kiritimati", 21, 21, "20 21 March 2026"),  # 14 h ahead
        ("Pacific/Pago_Pago", 21, 21, "21 22 March 2026"),  # 11 h behind, beyond the date line
        ("Pacific/Auckland", 21, 21, "20 21 March 2026"),
        ("America/Los_Angeles", 8, 8, "8 9 March 2026"),  # 23 h long
        ("Europe/London", 29, 29, "29 March 2026"),  # from 00:00 UTC to 23:00 UTC
        ("Europe/London", 30, 30, "29 30 March 2026"),  # summer time
    ],
)
def test_the_utc_days_that_local_days_touch(
    zone: str | None, first: int, last: int, touched: str
) -> None:
    found = utc_days_of(date(2026, 3, first), date(2026, 3, last), zone)
    assert found == days(touched)


def test_the_same_moment_has_two_days_on_the_two_sides_of_the_date_line() -> None:
    seen = datetime(2026, 1, 1, 10, 30, tzinfo=UTC)
    told = {zone: both_times(seen, zone) for zone in ("Pacific/Apia", "Pacific/Pago_Pago")}
    assert told == {
        "Pacific/Apia": "2026-01-01 10:30 UTC (1 January 23:30 local)",
        "Pacific/Pago_Pago": "2026-01-01 10:30 UTC (31 December 2025 23:30 local)",
    }


def test_summer_time_moves_the_local_time_of_the_same_track() -> None:
    winter, summer = (datetime(2026, month, 20, 5, 45, tzinfo=UTC) for month in (3, 4))
    assert local_time(winter, "Europe/Berlin").hour == 6
    assert local_time(summer, "Europe/Berlin").hour == 7


def test_a_day_whose_midnight_the_clocks_left_out_begins_where_they_went_on() -> None:
    """In Cuba summer time begins at midnight: 8 March 2026 has no 00:30."""
    begin = datetime(2026, 3, 8, 5, tzinfo=UTC)
    assert local_day(begin, "America/Havana") == date(2026, 3, 8)
    assert local_day(begin - timedelta(microseconds=1), "America/Havana") == date(2026, 3, 7)
    day = date(2026, 3, 8)
    assert utc_days_of(day, day, "America/Havana") == days("8 9 March 2026")


def test_a_day_that_samoa_left_out_is_refused() -> None:
    gone = date(2011, 12, 30)
    with pytest.raises(UsageError, match="There was no 2011-12-30 in Pacific/Apia"):
        utc_days_of(gone, gone, "Pacific/Apia")


@given(MOMENTS, ZONES)
def test_the_utc_day_of_a_moment_is_among_those_of_its_local_day(
    moment: datetime, zone: str
) -> None:
    day = local_day(moment, zone)
    assert moment.date() in utc_days_of(day, day, zone)


@given(DAYS, st.integers(0, 40), ZONES)
def test_the_days_are_the_fewest_in_a_row(first: date, more: int, zone: str) -> None:
    last = first + timedelta(more)
    found = utc_days_of(first, last, zone)
    assert found == [found[0] + timedelta(n) for n in range(len(found))]
    assert more + 1 <= len(found) <= more + 2
    for edge in (found[0], found[-1]):
        hours = (datetime(edge.year, edge.month, edge.day, h, 59, tzinfo=UTC) for h in range(24))
        assert any(first <= local_day(hour, zone) <= last for hour in hours)


@pytest.mark.parametrize(
    ("first", "last", "zone", "said"),
    [
        (date(2026, 3, 2), date(2026, 3, 1), VIETNAM, "swap them"),
        (date(2026, 3, 1), date.max, VIETNAM, "beyond the calendar"),
        (date.min, date.min, VIETNAM, "beyond the calendar"),
        (date(2026, 3, 1), date(2026, 3, 1), "Asia/Hanoi", "not known on this machine"),
    ],
)
def test_what_cannot_be_is_refused(first: date, last: date, zone: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        utc_days_of(first, last, zone)


@pytest.mark.parametrize(
    ("typed", "hint"),
    [
        ("asia/bangkok", "Asia/Bangkok"),
        ("Asia/Hochiminh", "Asia/Ho_Chi_Minh"),
        ("+07:00", "Asia/Ho_Chi_Minh or UTC"),
        ("../etc/passwd", "write its IANA name"),
    ],
)
def test_a_zone_that_is_none_is_refused_with_what_is_like_it(typed: str, hint: str) -> None:
    with pytest.raises(UsageError, match=hint):
        check_time_zone(typed)
    assert check_time_zone(VIETNAM) == VIETNAM
