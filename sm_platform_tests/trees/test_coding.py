import numpy as np
from numpy.typing import NDArray

from sm_platform.trees.coding import coded, steps_of


def column(*values: float) -> NDArray[np.float32]:
    return np.array([values], np.float32)


def test_few_values_are_parted_half_way() -> None:
    (steps,) = steps_of(column(5, 1, 2, 1, 5))
    np.testing.assert_array_equal(steps, [1.5, 3.5])
    found = coded(column(0, 1, 1.5, 1.75, 2, 3.5, 4, 9), (steps,))
    np.testing.assert_array_equal(found[:, 0], [0, 0, 0, 1, 1, 1, 2, 2])


def test_neighbouring_floats_are_parted_and_one_value_has_no_step() -> None:
    low = np.float32(0.3)
    high = np.nextafter(low, np.float32(1))
    (steps,) = steps_of(column(high, low))
    np.testing.assert_array_equal(coded(column(low, high), (steps,))[:, 0], [0, 1])
    (none,) = steps_of(column(7, 7))
    assert len(none) == 0
    assert not coded(column(6, 7, 8), (none,)).any()


def test_many_values_have_255_codes_about_equally_often_and_in_their_order() -> None:
    values = np.random.default_rng(0).exponential(size=(1, 5100)).astype(np.float32)
    codes = coded(values, steps_of(values))[:, 0]
    assert (np.diff(codes[np.argsort(values[0])]) >= 0).all()
    counts = np.bincount(codes.astype(int))
    assert len(counts) == 255
    assert counts.min() >= 19
    assert counts.max() <= 21


def test_a_value_that_is_most_of_a_column_takes_one_code() -> None:
    values = np.concatenate([np.zeros(900), np.arange(1, 301)]).astype(np.float32)[None]
    codes = coded(values, steps_of(values))[:, 0]
    assert not codes[:900].any()
    assert codes[900] == 1
    assert len(np.unique(codes)) > 60
