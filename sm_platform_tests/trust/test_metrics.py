import numpy as np
import pytest

from sm_platform.errors import DataError
from sm_platform.trust.metrics import agreement


def test_scores_of_a_table_worked_by_hand() -> None:
    found = agreement(np.array([0.1, 0.2, 0.3, np.nan]), np.array([0.2, 0.2, 0.2, 0.5]))
    assert found.n == 3
    assert found.bias == pytest.approx(0.0)
    assert found.rmse == pytest.approx(np.sqrt(0.02 / 3))
    assert np.isnan(found.r)


def test_a_shift_is_bias_alone() -> None:
    truth = np.array([0.1, 0.25, 0.4])
    found = agreement(truth + 0.05, truth)
    assert found.bias == pytest.approx(0.05)
    assert found.ubrmse == pytest.approx(0.0, abs=1e-12)
    assert found.rmse == pytest.approx(0.05)
    assert found.r == pytest.approx(1.0)


def test_one_pair_is_refused() -> None:
    with pytest.raises(DataError, match="1 pairs"):
        agreement(np.array([0.1, np.nan]), np.array([0.2, 0.3]))
