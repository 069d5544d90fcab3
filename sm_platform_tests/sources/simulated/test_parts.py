"""Soil, weather, vegetation and backscatter against numbers worked by hand or published."""

from datetime import date

import numpy as np
import pytest

from sm_platform.sources.simulated import backscatter, weather
from sm_platform.sources.simulated.fields import Streams
from sm_platform.sources.simulated.hydraulics import saxton_rawls
from sm_platform.sources.simulated.land import Texture, slope_aspect
from sm_platform.sources.simulated.places import HIGHLAND, RED_RIVER, Place


def _soil(sand: float, clay: float, density: float = 1.4) -> Texture:
    values = (np.array([v], np.float32) for v in (sand, clay, density, 2.5))
    return Texture(*values)


@pytest.mark.parametrize(
    ("sand", "clay", "wilting", "capacity"),
    [(0.88, 0.05, 0.05, 0.10), (0.40, 0.20, 0.14, 0.28), (0.25, 0.50, 0.30, 0.42)],
)
def test_table_3_of_saxton_and_rawls(
    sand: float, clay: float, wilting: float, capacity: float
) -> None:
    """Sand, loam and clay with 2.5 % of organic matter, printed in whole percent."""
    found = saxton_rawls(_soil(sand, clay))
    assert found.wilting_point[0] == pytest.approx(wilting, abs=0.006)
    assert found.field_capacity[0] == pytest.approx(capacity, abs=0.006)


def test_dense_soil_still_holds_more_than_field_capacity() -> None:
    found = saxton_rawls(_soil(0.25, 0.50, density=1.9))
    assert found.saturation[0] == pytest.approx(found.field_capacity[0] + 0.04)


def test_sun_above_the_atmosphere_fao_56_example_8() -> None:
    """3 September at 20 S: 32.2 MJ/m2/day."""
    assert weather.extraterrestrial_mj(-20.0, 246) == pytest.approx(32.2, abs=0.05)


def test_hargreaves_of_a_warm_day() -> None:
    """0.0023 x 0.408 x 40.6 x (20.35 + 17.8) x sqrt(11.5) = 4.93 mm/day."""
    warm = np.array([293.5], np.float32)
    assert weather.hargreaves_mm(40.6, warm, 11.5)[0] == pytest.approx(4.93, abs=0.01)


@pytest.mark.parametrize("place", [RED_RIVER, HIGHLAND])
def test_rain_of_many_years_meets_the_normals(place: Place) -> None:
    years = [
        weather.regional(place, date(2001, 1, 1), 365, Streams(seed, place.index))
        for seed in range(60)
    ]
    storm = np.mean([year.rain_m[year.is_typhoon].sum() for year in years])
    total = np.mean([year.rain_m.sum() for year in years]) - storm
    wet = np.mean([(year.rain_m > 0).sum() for year in years])
    assert total * 1000 == pytest.approx(sum(place.climate.rain_mm), rel=0.08)
    assert wet == pytest.approx(sum(place.climate.wet_days), rel=0.05)


def test_one_typhoon_a_september_in_the_delta_only() -> None:
    delta = weather.regional(RED_RIVER, date(2025, 1, 1), 365, Streams(1, 0))
    days = np.flatnonzero(delta.is_typhoon)
    assert len(days) == 2
    assert days[1] == days[0] + 1
    assert 243 <= days[0] <= 272
    assert delta.rain_m[days].sum() > 0.150
    assert not weather.regional(HIGHLAND, date(2025, 1, 1), 365, Streams(1, 1)).is_typhoon.any()


def test_showers_spare_some_and_keep_the_regional_amount() -> None:
    wet, none = np.full(200, 0.01, np.float32), np.zeros(200, np.bool_)
    summer = weather.Weather(date(2025, 4, 1), wet, wet, wet, none)
    rain = weather.local_rain(summer, (150, 150), Streams(2, 0))
    assert (rain == 0).mean() == pytest.approx(0.159, abs=0.03)  # P(g < -1)
    assert rain.mean() == pytest.approx(0.01, rel=0.15)
    depth = np.log(np.maximum(rain, 1e-4))
    near, far = (
        np.corrcoef(depth[:, :, 0].ravel(), depth[:, :, n].ravel())[0, 1] for n in (5, 100)
    )
    assert near > 0.8
    assert far < 0.4


def test_aspect_points_downhill_clockwise_from_north() -> None:
    row, col = np.indices((5, 5), dtype=np.float32)
    for elevation, aspect in ((col, 270), (-col, 90), (row, 0), (-row, 180)):
        slope, found = slope_aspect(elevation * 100.0895)
        assert np.allclose(slope, 45, atol=0.01)
        assert np.allclose(found, aspect, atol=0.01)


def test_oh_2004_of_rough_soil() -> None:
    """ks 1.3 at 35 degrees and .25 m3/m3, worked by hand: VH .01079, VV .01079 / .0686."""
    angle = np.radians(np.float32(35))
    vv, vh = backscatter.oh_2004(np.float32(1.3), angle, 0.25)
    assert 10 * np.log10(vh) == pytest.approx(-19.67, abs=0.02)
    assert 10 * np.log10(vv) == pytest.approx(-8.03, abs=0.02)


def test_moisture_counts_less_above_the_knee() -> None:
    felt = backscatter.moisture_response(np.array([0.15, 0.25, 0.34, 0.44], np.float32))
    assert np.allclose(felt, [-0.10, 0, 0.09, 0.135], atol=1e-6)
