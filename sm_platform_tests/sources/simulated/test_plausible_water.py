"""The soil of both full regions, against ranges published for real soils and drawn up before."""

import numpy as np
import pytest

from sm_platform.sources.simulated.cover import Cover
from sm_platform_tests.sources.simulated.full_worlds import (
    REGIONS,
    drydown_days,
    in_time,
    less_running_mean,
    semivariance,
    truth,
)

pytestmark = pytest.mark.parametrize("region_id", REGIONS)


def test_driest_and_wettest_month_lie_in_their_ranges(region_id: str) -> None:
    days = truth(region_id).drained
    months = np.array([np.nanmean(days[n : n + 30]) for n in range(0, 450, 30)])
    assert 0.18 < months.min() < 0.26
    assert 0.28 < months.max() < 0.36


def test_soil_is_never_bone_dry_nor_above_saturation(region_id: str) -> None:
    state = truth(region_id)
    low, high = np.nanpercentile(state.drained[::3], [1, 99])
    assert low > 0.05
    assert high < np.median(state.world.saturation)
    assert np.nanmax(state.drained - state.world.saturation) <= 1e-6


def test_a_day_varies_in_space_as_published(region_id: str) -> None:
    days = truth(region_id).drained[::5]
    spread = np.nanstd(days.reshape(len(days), -1), axis=1)
    assert 0.04 < np.median(spread) < 0.08


def test_the_variogram_rises_over_all_scales_and_levels_off(region_id: str) -> None:
    maps = truth(region_id).drained[3::20]
    assert 0.10 < semivariance(maps, 1) < 0.30
    assert 0.30 < semivariance(maps, 5) < 0.60
    assert 0.60 < semivariance(maps, 20) < 0.90
    sill = next(lag for lag in range(5, 100, 5) if semivariance(maps, lag) > 0.95)
    assert 20 <= sill <= 50


def test_soil_dries_in_four_to_twelve_days(region_id: str) -> None:
    times = drydown_days(truth(region_id))
    assert len(times) > 1000
    assert 4 < np.median(times) < 12


def test_anomalies_persist_for_days_not_weeks(region_id: str) -> None:
    anomaly = less_running_mean(truth(region_id).drained[:, ::3, ::3])
    next_day, third_day = (np.nanmedian(in_time(anomaly[:-lag], anomaly[lag:])) for lag in (1, 3))
    assert 0.45 < next_day < 0.85
    assert 0.05 < third_day < 0.60


def test_paddies_stand_under_water_half_of_the_year_and_together(region_id: str) -> None:
    state = truth(region_id)
    wet = state.is_flooded[:365, state.world.cover_code == Cover.PADDY]
    assert 0.35 < wet.mean() < 0.55
    assert wet.mean(axis=1).max() > 0.8


def test_date_and_greenness_do_not_tell_moisture(region_id: str) -> None:
    """A straight line in season and NDVI, per region: the best guess without rain or radar."""
    state = truth(region_id)
    first = state.world.n_days - len(state.drained)
    rows = []
    for n in range(0, len(state.drained), 10):
        turn = 2 * np.pi * n / 365
        sm, ndvi = state.drained[n, ::5, ::5].ravel(), state.world.ndvi[first + n, ::5, ::5].ravel()
        ones = np.ones_like(sm)
        rows.append(np.stack([sm, ndvi, ones, ones * np.sin(turn), ones * np.cos(turn)]))
    sm, *drivers = np.concatenate(rows, axis=1)
    known = np.isfinite(sm)
    drivers_known = np.stack(drivers)[:, known].T
    guess = drivers_known @ np.linalg.lstsq(drivers_known, sm[known], rcond=None)[0]
    assert np.corrcoef(guess, sm[known])[0, 1] < 0.7
