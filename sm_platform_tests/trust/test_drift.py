"""Drift: what training rows keep of an input, and what is counted against it."""

import numpy as np
import pytest

from sm_platform.errors import DataError
from sm_platform.trust.drift import (
    DRIFTED,
    LEVELS,
    InputRange,
    counts,
    is_outside,
    range_of,
    stability_index,
)

RNG = np.random.default_rng(3)
VV_DB = RNG.normal(-10.0, 1.8, 4000)
"""As on the samples of the embedded archive."""
SCALED = (VV_DB + 30) / 35


def known(values: np.ndarray) -> InputRange:
    found = range_of(values)
    assert found is not None
    return found


def index_of(values: np.ndarray, trained: np.ndarray = SCALED) -> float:
    return stability_index(counts(values, known(trained)), known(trained))


def test_a_range_is_the_quantiles_with_the_shares_between_them() -> None:
    found = known(np.arange(100.0))
    assert found.quantiles == pytest.approx([99 * level for level in LEVELS], abs=1e-4)
    assert found.shares == (0.01, 0.04, 0.2, 0.25, 0.25, 0.2, 0.04, 0.01)
    assert found.limits == (0.99, 98.01)


def test_the_training_rows_themselves_have_not_drifted() -> None:
    assert index_of(SCALED) == pytest.approx(0, abs=1e-9)
    assert index_of(SCALED[::7]) < 0.05


def test_a_rain_that_is_mostly_nothing_has_not_drifted_from_itself() -> None:
    """Several quantiles are 0; the shares know how many values are."""
    rain = np.where(np.arange(1000) % 10 < 6, 0.0, 0.3)
    assert known(rain).quantiles[:4] == (0, 0, 0, 0)
    assert known(rain).shares[0] == 0.6
    assert index_of(rain, rain) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("shift_db", [1.0, -1.0])
def test_a_decibel_has_drifted(shift_db: float) -> None:
    assert index_of(SCALED + shift_db / 35) > DRIFTED


def test_half_a_decibel_has_not() -> None:
    assert index_of(SCALED + 0.5 / 35) < DRIFTED


def test_the_index_is_the_sum_over_classes_worked_by_hand() -> None:
    even = InputRange((1, 2, 3, 4, 5, 6, 7), (0.125,) * 8)
    found = np.array([2.0, 0, 1, 1, 1, 1, 1, 1])
    by_hand = (0.25 - 0.125) * np.log(2) + (0.001 - 0.125) * np.log(0.001 / 0.125)
    assert stability_index(found, even) == pytest.approx(by_hand)
    assert np.isnan(stability_index(np.zeros(8), even))


def test_counts_leave_out_what_is_missing_and_weigh_the_rest() -> None:
    even = InputRange((1, 2, 3, 4, 5, 6, 7), (0.125,) * 8)
    values = np.array([[0.5, 1.0], [7.5, np.nan]])
    assert counts(values, even).tolist() == [2, 0, 0, 0, 0, 0, 0, 1]
    weight = np.array([[3.0, 3.0], [0.5, 0.5]])
    assert counts(values, even, weight).tolist() == [6, 0, 0, 0, 0, 0, 0, 0.5]


def test_outside_is_a_quarter_of_the_width_beyond_either_end() -> None:
    span = InputRange((0.2, 0.3, 0.4, 0.4, 0.5, 0.5, 0.6), (0.125,) * 8)
    values = np.array([0.09, 0.11, 0.4, 0.69, 0.71, np.nan])
    assert is_outside(values, span).tolist() == [True, False, False, False, True, False]


def test_a_constant_input_has_a_margin_all_the_same() -> None:
    flat = known(np.full(50, 0.3))
    values = np.array([0.289, 0.291, 0.309, 0.311])
    assert is_outside(values, flat).tolist() == [True, False, False, True]


def test_nothing_known_has_no_range() -> None:
    assert range_of(np.array([])) is None
    assert range_of(np.array([np.nan, np.nan])) is None


@pytest.mark.parametrize(
    ("quantiles", "shares"),
    [
        ((0.1, 0.2), (0.125,) * 8),
        ((1, 2, 3, 4, 5, 6, 7), (1.0,)),
        ((2, 1, 3, 4, 5, 6, 7), (0.125,) * 8),
        ((1, 2, 3, 4, 5, 6, float("nan")), (0.125,) * 8),
    ],
)
def test_what_is_no_range_is_refused(
    quantiles: tuple[float, ...], shares: tuple[float, ...]
) -> None:
    with pytest.raises(DataError, match="tell no range of an input"):
        InputRange(quantiles, shares)
