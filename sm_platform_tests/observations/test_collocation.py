import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from sm_platform.errors import UsageError
from sm_platform.observations.collocation import collocate

# Minutes of one week; few enough for ties to happen.
MINUTES = st.lists(st.integers(0, 7 * 24), max_size=12).map(lambda n: [60 * i for i in n])
START = np.datetime64("2025-06-01T00:00", "us")


def moments(minutes: list[int]) -> NDArray[np.datetime64]:
    return START + np.array(minutes, "timedelta64[m]")


@given(MINUTES, MINUTES, st.integers(0, 48))
def test_pass_is_the_nearest_of_all(sensed: list[int], passes: list[int], hours: int) -> None:
    found = collocate(moments(sensed), moments(passes), max_hours=hours)
    for n, minute in enumerate(sensed):
        near = [abs(minute - other) for other in passes if abs(minute - other) <= 60 * hours]
        index = found.pass_index[n]
        if not near:
            assert index == -1
            assert np.isnan(found.time_difference_h[n])
        else:
            assert abs(minute - passes[index]) == min(near)
            assert found.time_difference_h[n] == pytest.approx((minute - passes[index]) / 60)


@given(MINUTES, st.lists(st.integers(0, 10_000), min_size=1, max_size=8, unique=True))
def test_order_of_the_passes_does_not_matter(sensed: list[int], passes: list[int]) -> None:
    forth = collocate(moments(sensed), moments(passes))
    back = collocate(moments(sensed), moments(passes[::-1]))
    mirrored = np.where(back.pass_index < 0, -1, len(passes) - 1 - back.pass_index)
    np.testing.assert_array_equal(forth.pass_index, mirrored)


def test_difference_is_reading_minus_pass_and_12_hours_is_near_enough() -> None:
    passes = moments([12 * 60])
    found = collocate(moments([0, 24 * 60, 24 * 60 + 1, 11 * 60]), passes)
    assert found.pass_index.tolist() == [0, 0, -1, 0]
    np.testing.assert_allclose(found.time_difference_h, [-12, 12, np.nan, -1])


def test_of_two_passes_as_near_the_earlier_is_taken() -> None:
    found = collocate(moments([120]), moments([180, 60]))
    assert found.pass_index.tolist() == [1]
    assert found.time_difference_h.tolist() == [1.0]


def test_reading_without_a_time_and_a_period_without_passes_have_none() -> None:
    nothing = np.array(["NaT"], "datetime64[us]")
    assert collocate(nothing, moments([0])).pass_index.tolist() == [-1]
    found = collocate(moments([1, 2]), moments([]))
    assert found.pass_index.tolist() == [-1, -1]
    assert np.isnan(found.time_difference_h).all()


def test_unit_of_the_times_does_not_matter() -> None:
    sensed = moments([90]).astype("datetime64[ns]")
    found = collocate(sensed, moments([0]).astype("datetime64[s]"))
    assert found.time_difference_h.tolist() == [1.5]


def test_passes_without_a_time_are_refused() -> None:
    with pytest.raises(UsageError, match="need times"):
        collocate(moments([0]), np.array(["NaT"], "datetime64[us]"))
    with pytest.raises(UsageError, match="negative"):
        collocate(moments([0]), moments([0]), max_hours=-1)
