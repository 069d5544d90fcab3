"""The field's own package as oracle; installed apart, without what it requires."""

import numpy as np
import pytest

from sm_platform.trust.anomalies import MIN_IN_WINDOW, WINDOW_DAYS, anomalies
from sm_platform.trust.metrics import agreement

TOLERANCE = 1e-9
SEEDS = range(20)


def series(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Days on which a site was seen, and two series that share a season."""
    rng = np.random.default_rng(seed)
    day = np.sort(rng.choice(700, size=rng.integers(30, 200), replace=False))
    season = 0.25 + 0.1 * np.sin(day / 58)
    x, y = (season + rng.normal(0, 0.04, len(day)) for _ in range(2))
    return day, x, y


@pytest.mark.parametrize("seed", SEEDS)
def test_bias_rmse_ubrmse_and_r_are_those_of_pytesmo(seed: int) -> None:
    oracle = pytest.importorskip("pytesmo.metrics", reason="pip install --no-deps pytesmo")
    _, x, y = series(seed)
    found = agreement(x, y)
    theirs = [oracle.bias, oracle.rmsd, oracle.ubrmsd, oracle.pearson_r]
    expected = [float(np.ravel(one(x, y))[0]) for one in theirs]
    assert [found.bias, found.rmse, found.ubrmse, found.r] == pytest.approx(expected, abs=TOLERANCE)


@pytest.mark.parametrize("seed", SEEDS)
def test_anomalies_and_their_correlation_are_those_of_pytesmo(seed: int) -> None:
    oracle = pytest.importorskip("pytesmo.metrics", reason="pip install --no-deps pytesmo")
    filters = pytest.importorskip("pytesmo.time_series.filters")
    day, x, y = series(seed)
    site = np.full(len(day), "a")
    ours, theirs = [], []
    for values in (x, y):
        moving = filters.boxcar_filter(
            values, day.astype(np.float64), window=WINDOW_DAYS, min_obs=MIN_IN_WINDOW
        )
        theirs.append(values - moving)
        when = np.datetime64("2024-01-01") + day
        ours.append(anomalies(values, site_id=site, day=when))
        np.testing.assert_allclose(ours[-1], theirs[-1], atol=TOLERANCE, rtol=0)
    known = np.isfinite(theirs[0])
    expected = float(np.ravel(oracle.pearson_r(theirs[0][known], theirs[1][known]))[0])
    assert agreement(*ours).r == pytest.approx(expected, abs=TOLERANCE)
