import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from sm_platform.errors import DataError, UsageError
from sm_platform.samples.periods import split_by_time
from sm_platform.samples.splits import SHARES, Role

FIRST = np.datetime64("2024-01-01")
ORDER = {name: place for place, name in enumerate(("train", "validation", "calibration", "test"))}
DAYS = st.lists(st.integers(0, 700), min_size=4, max_size=80)


def days(*numbers: int) -> NDArray[np.datetime64]:
    return FIRST + np.array(numbers, np.int64)


def test_a_revisit_of_twelve_days_loses_no_pass_to_a_gap_of_twelve() -> None:
    role = split_by_time(days(*range(0, 360, 12)))
    assert "buffer" not in role.tolist()
    names, counts = np.unique(role, return_counts=True)
    assert dict(zip(names.tolist(), counts.tolist(), strict=True)) == {
        "train": 15, "validation": 4, "calibration": 4, "test": 7,
    }  # fmt: skip


def test_daily_passes_lose_the_days_of_the_gaps() -> None:
    role = split_by_time(days(*range(136)), gap_days=12)
    # 136 days, 3 gaps of 11 days lost: 136 - 36 = 100 to share, the last takes the rest
    edges = [0, *np.flatnonzero(role[1:] != role[:-1]) + 1]
    assert role[edges].tolist() == [
        "train", "buffer", "validation", "buffer", "calibration", "buffer", "test",
    ]  # fmt: skip
    assert edges == [0, 55, 66, 81, 92, 107, 118]


@given(DAYS, st.integers(0, 30))
def test_periods_follow_each_other_and_keep_the_gap(found: list[int], gap_days: int) -> None:
    day = days(*found)
    try:
        role = split_by_time(day, gap_days=gap_days)
    except DataError as error:
        assume("cannot fill" not in str(error))
        raise
    used = np.flatnonzero(role != "buffer")
    order = used[np.argsort(day[used], kind="stable")]
    place = np.array([ORDER[name] for name in role[order].tolist()])
    assert (np.diff(place) >= 0).all()
    assert set(place.tolist()) == {0, 1, 2, 3}
    apart = np.diff(day[order]).astype(int)
    assert (apart[np.diff(place) > 0] >= max(gap_days, 1)).all()
    assert role[np.argmin(day)] == "train"
    assert role[np.argmax(day)] == "test"


def test_hours_of_a_day_do_not_part_it() -> None:
    hours = (FIRST + np.arange(0, 400, 10)).astype("datetime64[h]")
    role = split_by_time(np.concatenate([hours, hours + 23]))
    np.testing.assert_array_equal(role[: len(hours)], role[len(hours) :])


def test_other_shares_may_be_fewer() -> None:
    role = split_by_time(days(*range(0, 100, 10)), shares={Role.TRAIN: 0.5, Role.TEST: 0.5})
    assert set(role.tolist()) <= {"train", "test", "buffer"}


def test_what_cannot_be_split_is_refused() -> None:
    with pytest.raises(DataError, match="5 days over 41 days .* test is empty"):
        split_by_time(days(0, 10, 20, 30, 40), gap_days=12)
    with pytest.raises(DataError, match="0 days"):
        split_by_time(days())
    with pytest.raises(DataError, match="1 rows have no day"):
        split_by_time(np.array(["2024-01-01", "NaT"], "datetime64[D]"))
    with pytest.raises(UsageError, match="gap of -1"):
        split_by_time(days(0, 50), gap_days=-1)
    with pytest.raises(UsageError, match="add up to 1"):
        split_by_time(days(0, 50), shares=dict.fromkeys(SHARES, 0.3))
