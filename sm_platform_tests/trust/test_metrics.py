import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as nps
from numpy.typing import NDArray

from sm_platform.errors import DataError
from sm_platform.trust.metrics import agreement, kge

VOLUMES = st.floats(0, 0.75, width=32)
SERIES = st.integers(2, 40).flatmap(
    lambda n: st.tuples(*[nps.arrays(np.float64, n, elements=VOLUMES)] * 2)
)


def test_scores_of_a_table_worked_by_hand() -> None:
    found = agreement(np.array([0.1, 0.2, 0.3, np.nan]), np.array([0.2, 0.2, 0.2, 0.5]))
    assert found.n == 3
    assert found.bias == pytest.approx(0.0)
    assert found.rmse == pytest.approx(np.sqrt(0.02 / 3))
    assert np.isnan(found.r)


def test_bias_is_prediction_minus_reference() -> None:
    found = agreement(np.array([0.3, 0.5]), np.array([0.2, 0.2]))
    assert found.bias == pytest.approx(0.2)
    assert found.ubrmse == pytest.approx(0.1)


def test_a_shift_is_bias_alone() -> None:
    truth = np.array([0.1, 0.25, 0.4])
    found = agreement(truth + 0.05, truth)
    assert found.bias == pytest.approx(0.05)
    assert found.ubrmse == pytest.approx(0.0, abs=1e-12)
    assert found.rmse == pytest.approx(0.05)
    assert found.r == pytest.approx(1.0)


def test_one_pair_is_refused() -> None:
    for score in (agreement, kge):
        with pytest.raises(DataError, match="1 pairs"):
            score(np.array([0.1, np.nan]), np.array([0.2, 0.3]))


def test_correlation_has_the_sign_of_the_slope() -> None:
    rising = np.array([0.1, 0.2, 0.4])
    assert agreement(rising, rising).r == 1.0
    assert agreement(-rising, rising).r == -1.0
    assert agreement(np.array([1.0, 2.0, 3.0]), np.array([1.0, 3.0, 2.0])).r == pytest.approx(0.5)


def test_a_constant_of_float32_has_no_correlation() -> None:
    flat = np.full(7, np.float32(0.1), dtype=np.float32)
    assert np.isnan(agreement(flat, np.linspace(0, 1, 7)).r)
    assert np.isnan(agreement(np.linspace(0, 1, 7), flat).r)


def test_efficiency_and_its_parts_worked_by_hand() -> None:
    """Means .4 and .2, sd .2 s and .05 s: twice the mean, twice the coefficient of variation."""
    reference = np.array([0.15, 0.25, 0.15, 0.25])
    found = kge(np.array([0.2, 0.6, 0.2, 0.6]), reference)
    assert found.bias_ratio[0] == pytest.approx(2.0)
    assert found.variability_ratio[0] == pytest.approx(2.0)
    assert found.r[0] == pytest.approx(1.0)
    assert found.kge[0] == pytest.approx(1 - np.sqrt(2))


def test_efficiency_of_the_perfect_and_of_the_opposite() -> None:
    reference = np.array([0.1, 0.2, 0.3])
    assert kge(reference, reference).kge[0] == pytest.approx(1.0)
    assert kge(reference[::-1], reference).kge[0] == pytest.approx(1 - 2)  # r is -1, the rest 1
    assert np.isnan(kge(np.full(3, 0.2), reference).kge[0])
    assert np.isnan(kge(reference, np.array([-1.0, 0.0, 1.0])).kge[0])


@given(SERIES)
def test_squares_add_up(series: tuple[NDArray[np.float64], NDArray[np.float64]]) -> None:
    found = agreement(*series)
    assert found.rmse**2 == pytest.approx(found.bias**2 + found.ubrmse**2, abs=1e-15)
    assert found.rmse == pytest.approx(np.sqrt(np.mean((series[0] - series[1]) ** 2)), abs=1e-12)


@given(SERIES, st.floats(-0.5, 0.5))
def test_a_shift_moves_the_bias_and_nothing_else(
    series: tuple[NDArray[np.float64], NDArray[np.float64]], shift: float
) -> None:
    x, y = series
    before, after = agreement(x, y), agreement(x + shift, y)
    assert after.bias - before.bias == pytest.approx(shift, abs=1e-12)
    assert after.ubrmse == pytest.approx(before.ubrmse, abs=1e-9)
    assert after.r == pytest.approx(before.r, abs=1e-6, nan_ok=True)


@given(SERIES)
def test_exchange_of_the_sides_turns_the_bias_alone(
    series: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> None:
    one, other = agreement(*series), agreement(*series[::-1])
    assert other.bias == -one.bias
    assert (other.rmse, other.ubrmse) == (one.rmse, one.ubrmse)
    assert other.r == pytest.approx(one.r, abs=1e-12, nan_ok=True)
