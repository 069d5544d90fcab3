import numpy as np
import pytest

from sm_platform.trust.anomalies import anomalies

START = np.datetime64("2025-01-01")


def of(values: list[float], days: list[int], sites: list[str] | None = None) -> list[float]:
    site_id = np.array(sites or ["a"] * len(days))
    day = START + np.array(days, dtype=np.int64)
    found = anomalies(np.array(values), site_id=site_id, day=day)
    return [float(one) for one in found]


def test_an_anomaly_is_the_distance_from_the_mean_of_35_days() -> None:
    """Day 17 is in the window of day 0, day 18 is not; day 18 sees 17 and 1, not 0."""
    found = of([0.1, 0.2, 0.6, 0.3], [0, 1, 17, 18])
    assert found == pytest.approx([0.1 - 0.3, 0.2 - 0.3, 0.6 - 0.3, 0.3 - 1.1 / 3])


def test_fewer_than_three_values_in_a_window_tell_no_anomaly() -> None:
    assert np.isnan(of([0.1, 0.2, 0.3], [0, 1, 40])).all()
    assert np.isnan(of([0.1, 0.2, 0.3, 0.4], [0, 12, 24, 36])).tolist() == [
        True,
        False,
        False,
        True,
    ]


def test_sites_do_not_see_each_other_and_order_does_not_matter() -> None:
    days = [5, 0, 9, 3, 7, 1]
    sites = ["b", "a", "a", "b", "b", "a"]
    found = of([0.1, 0.2, 0.3, 0.4, 0.5, 0.6], days, sites)
    mean_a, mean_b = (0.2 + 0.3 + 0.6) / 3, (0.1 + 0.4 + 0.5) / 3
    expected = [0.1 - mean_b, 0.2 - mean_a, 0.3 - mean_a, 0.4 - mean_b, 0.5 - mean_b, 0.6 - mean_a]
    assert found == pytest.approx(expected)


def test_several_values_of_one_day_all_count() -> None:
    assert of([0.1, 0.3, 0.5], [4, 4, 4]) == pytest.approx([-0.2, 0.0, 0.2])


def test_a_slow_season_is_taken_away() -> None:
    days = np.arange(0, 360, 3)
    season = 0.25 + 0.1 * np.sin(2 * np.pi * days / 365)
    found = np.array(of((season).tolist(), days.tolist()))
    assert np.nanmax(np.abs(found[6:-6])) < 0.006


def test_no_values_have_no_anomalies() -> None:
    assert of([], []) == []
