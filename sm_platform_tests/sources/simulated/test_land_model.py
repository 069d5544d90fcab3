"""The land model behind SPL4SMGP: its own bucket, blind to what farmers and the truth do."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from sm_platform.grid import ease2
from sm_platform.sources.simulated.footprints import footprints
from sm_platform.sources.simulated.land_model import land_model, reference_et_mm
from sm_platform.sources.simulated.world import TRUTH_DAY, World


def of_truth_days(world: World) -> np.ndarray:
    nine = footprints(world, ease2.LEVEL_9KM)
    return land_model(world, nine).sm_m3m3[world.index(TRUTH_DAY) :]


def without_weather(world: World) -> World:
    """Neither rain nor evaporation: a bucket half full stays so."""
    return replace(
        world,
        rain_m=np.zeros_like(world.rain_m),
        rain_regional_m=np.zeros_like(world.rain_regional_m),
        temperature_k=np.zeros_like(world.temperature_k),
    )


@pytest.mark.parametrize("region", ["red-river", "highland"])
def test_its_mean_is_the_truths_and_a_wet_bias(worlds: dict[str, World], region: str) -> None:
    world = worlds[region]
    nine = footprints(world, ease2.LEVEL_9KM)
    first = world.index(TRUTH_DAY)
    truth = np.stack([nine.means(day) for day in world.sm_m3m3[first:]]).mean(axis=0)
    np.testing.assert_allclose(of_truth_days(world).mean(axis=0), truth + 0.015, atol=5e-4)


@pytest.mark.parametrize("region", ["red-river", "highland"])
def test_its_own_error_is_one_a_day_with_memory(worlds: dict[str, World], region: str) -> None:
    error = of_truth_days(without_weather(worlds[region]))
    error = error - error.mean(axis=0)
    np.testing.assert_allclose(error - error[:, :1, :1], 0, atol=1e-12)
    series = error[:, 0, 0]
    assert series.std() == pytest.approx(0.012, rel=0.25)
    assert np.corrcoef(series[1:], series[:-1])[0, 1] == pytest.approx(0.8, abs=0.08)


def test_it_knows_the_truth_by_its_mean_only(worlds: dict[str, World]) -> None:
    """Floods and irrigation come and go in the truth; with its days reversed, nothing changes."""
    world = worlds["red-river"]
    reversed_sm, first = world.sm_m3m3.copy(), world.index(TRUTH_DAY)
    reversed_sm[first:] = world.sm_m3m3[first:][::-1]
    other = replace(world, sm_m3m3=reversed_sm, is_flooded=world.is_flooded[::-1])
    np.testing.assert_allclose(of_truth_days(other), of_truth_days(world), atol=1e-6)


def test_rain_wets_it_and_sun_dries_it(worlds: dict[str, World]) -> None:
    world = without_weather(worlds["highland"])
    n = world.index(TRUTH_DAY) + 100
    rain_m = world.rain_m.copy()
    rain_m[n] = 0.010
    dry, wet = of_truth_days(world), of_truth_days(replace(world, rain_m=rain_m))
    # The shift to the truth's mean takes the same from every day.
    gain = (wet - dry) - (wet - dry)[0]
    assert (gain[99] == pytest.approx(0, abs=1e-12)) and gain[100].min() > 0.01
    assert (gain[130] < gain[101]).all()
    assert (gain[130] > 0).all()


def test_evaporation_follows_the_sun(worlds: dict[str, World]) -> None:
    """With the same warmth each day it is least at the winter solstice, whatever the year."""
    world = worlds["red-river"]
    steady = replace(
        world,
        temperature_k=np.full_like(world.temperature_k, 298.0),
        temperature_range_k=np.full_like(world.temperature_range_k, 8.0),
    )
    et_mm = reference_et_mm(steady)
    days = [world.first_day + timedelta(days=n) for n in range(world.n_days)]
    for year, is_least in ((2024, True), (2025, True), (2025, False)):
        own = [(et, day) for et, day in zip(et_mm, days, strict=True) if day.year == year]
        month = (min(own) if is_least else max(own))[1].month
        assert month in ((12,) if is_least else (5, 6, 7))
    assert 1.3 < et_mm.max() / et_mm.min() < 1.8
