"""The two layers keep their water; tillage roughens the soil and rain wears it smooth."""

from datetime import date, timedelta

import numpy as np
import pytest

from sm_platform.sources.simulated.cover import Cover
from sm_platform.sources.simulated.fields import Field
from sm_platform.sources.simulated.hydraulics import Hydraulics
from sm_platform.sources.simulated.places import RED_RIVER
from sm_platform.sources.simulated.surface import roughness
from sm_platform.sources.simulated.water import Buckets, Forcing, Layers, next_day
from sm_platform.sources.simulated.world import World, simulate

SHAPE = (1, 1)


def _full(value: float) -> Field:
    return np.full(SHAPE, value, np.float32)


def _buckets(deep_rate: float = 0.0) -> Buckets:
    """Wilting .15, capacity .35, saturation .50; half of the surplus drains in a day."""
    return Buckets(
        soil=Hydraulics(_full(0.15), _full(0.35), _full(0.50)),
        drained_share=_full(0.5),
        evaporation_factor=_full(1),
        rain_factor=_full(1),
        runoff_factor=_full(0.1),
        exchange_mm=_full(1),
        deep_target=_full(0.30),
        deep_rate=deep_rate,
    )


def _day(rain_mm: float = 0, et0_mm: float = 0, *, is_flooded: bool = False) -> Forcing:
    wet = np.full(SHAPE, is_flooded)
    return Forcing(_full(rain_mm), _full(0), _full(et0_mm), _full(0.15), wet)


def _held_mm(layers: Layers) -> float:
    return float(layers.top[0, 0] * 50 + layers.deep[0, 0] * 450)


@pytest.mark.parametrize(("top", "deep"), [(0.20, 0.30), (0.30, 0.20), (0.42, 0.20)])
def test_a_day_without_weather_moves_water_and_loses_none(top: float, deep: float) -> None:
    before = Layers(_full(top), _full(deep))
    after = next_day(_buckets(), before, _day())
    assert _held_mm(after) == pytest.approx(_held_mm(before), abs=1e-3)
    assert (after.top[0, 0] > top) == (deep > top)


def test_dry_top_takes_up_half_a_millimetre() -> None:
    """Relative wetness .25 over .75: half of the exchange of 1 mm, .01 of 50 mm."""
    after = next_day(_buckets(), Layers(_full(0.20), _full(0.30)), _day())
    assert after.top[0, 0] == pytest.approx(0.21, abs=1e-6)
    assert after.deep[0, 0] == pytest.approx(0.30 - 0.5 / 450, abs=1e-6)


def test_rain_less_interception_stays_in_the_soil() -> None:
    before = Layers(_full(0.20), _full(0.20))
    after = next_day(_buckets(), before, _day(rain_mm=10.3))
    assert _held_mm(after) - _held_mm(before) == pytest.approx(10.0, abs=1e-3)


def test_little_of_a_cloudburst_runs_off_the_plain() -> None:
    """(55 - 25) / 60 would run off a steep slope, a tenth of that where it is flat."""
    before = Layers(_full(0.16), _full(0.16))
    after = next_day(_buckets(), before, _day(rain_mm=55.3))
    assert _held_mm(after) - _held_mm(before) == pytest.approx(55 * 0.95, abs=1e-2)


def test_bare_wet_soil_evaporates_as_the_reference_does() -> None:
    """Cover 0: 1.1 ET0 from the soil, .15 ET0 from weeds, a tenth of it out of the top."""
    before = Layers(_full(0.35), _full(0.35))
    after = next_day(_buckets(), before, _day(et0_mm=2))
    assert _held_mm(before) - _held_mm(after) == pytest.approx(2 * (1.1 + 0.15), abs=0.02)


def test_a_flooded_day_ends_just_below_saturation() -> None:
    after = next_day(_buckets(), Layers(_full(0.2), _full(0.2)), _day(is_flooded=True))
    assert after.top[0, 0] == pytest.approx(0.49)


def test_the_lower_layer_drifts_to_the_water_table() -> None:
    after = next_day(_buckets(deep_rate=0.02), Layers(_full(0.20), _full(0.20)), _day())
    assert after.deep[0, 0] == pytest.approx(0.20 + 0.02 * 0.10, abs=1e-6)


@pytest.fixture(scope="module")
def delta() -> World:
    return simulate(RED_RIVER, 3, size=48)


def _roughness(world: World, day: date) -> Field:
    return roughness(world.surface, world.rain_m, world.index(day))


def test_rain_smooths_lasting_fields_by_a_quarter_at_most(delta: World) -> None:
    village = delta.cover_code == Cover.VILLAGE
    fresh = delta.surface.tillages[0].ks[village]
    early, late = (_roughness(delta, day)[village] for day in (date(2023, 12, 5), date(2025, 6, 1)))
    assert np.all(early > late)
    assert np.allclose(late / fresh, 0.75, atol=0.01)


def test_a_day_of_tillage_brings_the_fresh_roughness(delta: World) -> None:
    tillage = delta.surface.tillages[3]  # the first season of 2025
    paddy = np.argwhere(delta.cover_code == Cover.PADDY)[100]
    row, col = paddy
    day = delta.first_day + timedelta(days=int(tillage.day[row, col]))
    before, after = (_roughness(delta, day + timedelta(days=n))[row, col] for n in (-1, 0))
    assert after != pytest.approx(before, rel=0.01)
    assert after == pytest.approx(tillage.ks[row, col], rel=0.02)
    assert _roughness(delta, day + timedelta(days=90))[row, col] < after


def test_accumulated_rain_does_not_depend_on_the_stride(delta: World) -> None:
    """Over day 32 x 20 the worn roughness goes on without a jump."""
    village = delta.cover_code == Cover.VILLAGE
    day = delta.first_day + timedelta(days=640)
    steps = [_roughness(delta, day + timedelta(days=n))[village] for n in (-1, 0, 1)]
    assert np.all(np.diff(steps, axis=0) <= 1e-6)
    assert np.abs(np.diff(steps, axis=0)).max() < 0.02
