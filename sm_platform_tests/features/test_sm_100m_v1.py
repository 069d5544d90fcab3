"""Recipe sm-100m-v1: what was seen and available before the pass, quality applied, gaps closed."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from benchmarks.extraction import plain_row, synthetic
from sm_platform.errors import GridError, MissingInputError, RecipeError
from sm_platform.features.build import AGE_UNKNOWN_D, Features, build
from sm_platform.features.drivers import Drivers
from sm_platform.features.prepare import prepare
from sm_platform.grid.calendar import steps_before
from sm_platform.grid.window import DatedRaster, Raster, pad
from sm_platform.schema.product import Qa
from sm_platform.schema.recipes import EOV_2025, SM_100M_V1
from sm_platform.schema.rows import dense
from sm_platform_tests.features.small import (
    COMPOSITES,
    NEWEST,
    PASS_DAY,
    PASS_UTC,
    SPOT,
    WINDOW,
    composite,
    drivers,
    land_cover,
    planted,
    scene,
    soil,
    terrain,
    weather,
    with_ndvi,
    with_weather,
)

NAN = float("nan")
STEPS = steps_before(PASS_DAY)
ISSUED = PASS_UTC + timedelta(hours=24)
MINUTE = timedelta(minutes=1)
GOOD, MARGINAL, SNOW, CLOUD, FILL = 0, 1, 2, 3, -1


def only_ndvi(*seen: DatedRaster) -> Drivers:
    return replace(drivers(), ndvi=list(seen))


def made(region: Drivers) -> Features:
    return build(SM_100M_V1, region, scene(), min_lookback_share=0.0)


def ndvi_of(region: Drivers) -> NDArray[np.float64]:
    """The 46 NDVI values of the planted pixel, back in units of NDVI."""
    row = dense(made(region).rows)[SPOT].astype(float)
    return (row[15:61] * 12000 - 2000) / 10000


def sky_of(region: Drivers) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The 46 temperatures (K) and rains (m/day) of the planted pixel."""
    row = dense(made(region).rows)[SPOT].astype(float)
    return row[61:107] * 45 + 263.15, row[107:] * 0.3


def on_step(number: int, after: int = 0) -> date:
    """A day of one of the 46 steps."""
    return STEPS[number][0] + timedelta(days=after)


# Rows worked by hand.


def test_the_last_step_ends_the_day_before_the_pass() -> None:
    eve, own = (
        composite(PASS_DAY - timedelta(days=12 + n), v, observed=PASS_DAY - timedelta(days=n))
        for v, n in ((0.3, 1), (0.9, 0))
    )
    assert ndvi_of(only_ndvi(eve, own)) == pytest.approx(np.full(46, 0.3), abs=1e-5)
    assert made(only_ndvi(eve, own)).ndvi_age_d[SPOT] == 1
    with pytest.raises(MissingInputError):
        build(SM_100M_V1, only_ndvi(own), scene())
    assert np.isnan(ndvi_of(only_ndvi(own))).all()
    assert made(only_ndvi(own)).ndvi_age_d[SPOT] == AGE_UNKNOWN_D


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ([(GOOD, 1, 0.3), (GOOD, 5, 0.4)], 0.4),
        ([(GOOD, 5, 0.4), (GOOD, 1, 0.3)], 0.4),
        ([(GOOD, 1, 0.3), (MARGINAL, 5, 0.4)], 0.3),
        ([(MARGINAL, 1, 0.3), (MARGINAL, 5, 0.4)], 0.4),
        ([(MARGINAL, 1, 0.3), (CLOUD, 5, 0.4)], 0.3),
        ([(GOOD, 1, 0.3), (SNOW, 5, 0.4)], 0.3),
        ([(MARGINAL, 1, 0.3), (GOOD, 5, NAN)], 0.3),
        ([(FILL, 1, 0.3), (CLOUD, 5, 0.4)], 0.3),
        ([(FILL, 5, 0.3), (GOOD, 1, 0.4)], 0.4),
    ],
)
def test_in_a_step_good_before_marginal_then_the_newest(
    seen: Sequence[tuple[int, int, float]], expected: float
) -> None:
    composites = [
        composite(
            on_step(20) - timedelta(days=n), value, reliability=quality, observed=on_step(20, after)
        )
        for n, (quality, after, value) in enumerate(seen)
    ]
    assert ndvi_of(only_ndvi(*composites))[20] == pytest.approx(expected, abs=1e-5)


def test_an_observation_without_a_day_counts_on_the_first_day_of_its_composite() -> None:
    values = ndvi_of(only_ndvi(composite(on_step(10), 0.2), composite(on_step(11), 0.6)))
    assert values[[9, 10, 11, 12]] == pytest.approx([0.2, 0.2, 0.6, 0.6], abs=1e-5)


def test_gaps_lie_on_the_line_between_neighbours_and_ends_are_held() -> None:
    region = only_ndvi(
        composite(on_step(10), 0.2, observed=on_step(10, 3)),
        composite(on_step(14), 0.6, observed=on_step(14, 3)),
    )
    values, found = ndvi_of(region), made(region)
    assert values[8:17] == pytest.approx([0.2, 0.2, 0.2, 0.3, 0.4, 0.5, 0.6, 0.6, 0.6], abs=1e-5)
    assert np.all(found.qa & Qa.NDVI_FILLED)
    assert found.ndvi_share == pytest.approx(2 / 46)
    assert found.ndvi_age_d[SPOT] == (PASS_DAY - on_step(14, 3)).days


def test_what_was_not_available_a_day_after_the_pass_is_not_used() -> None:
    region = only_ndvi(
        composite(on_step(20), 0.2, available=ISSUED),
        composite(on_step(40), 0.8, available=ISSUED + MINUTE),
    )
    assert ndvi_of(region) == pytest.approx(np.full(46, 0.2), abs=1e-5)
    final = replace(SM_100M_V1, recipe_id="final", only_available=False)
    rows = dense(build(final, region, scene(), min_lookback_share=0.0).rows)
    assert rows[SPOT, 60] == pytest.approx((8000 + 2000) / 12000)


def test_a_step_of_weather_is_the_mean_of_its_known_days() -> None:
    changed = [weather(on_step(30, n), 280.0 + n, 0.001 * n) for n in range(8)]
    warmth, rain = sky_of(with_weather(drivers(), *changed))
    assert warmth[[29, 30, 31]] == pytest.approx([290, 283.5, 290], abs=1e-4)
    assert rain[[29, 30, 31]] == pytest.approx([0.003, 0.0035, 0.003], abs=1e-6)
    changed[7] = weather(on_step(30, 7), NAN, NAN)
    warmth, rain = sky_of(with_weather(drivers(), *changed))
    assert (warmth[30], rain[30]) == pytest.approx((283.0, 0.003), abs=1e-4)
    assert not np.any(made(with_weather(drivers(), *changed)).qa & Qa.WEATHER_FILLED)


def test_a_step_without_a_day_holds_the_previous_one_and_sets_bit_9() -> None:
    dry = [weather(on_step(30, n), 300.0, 0.02) for n in range(8)]
    gone = [weather(on_step(31, n), NAN, NAN, codes=(-1, -1)) for n in range(8)]
    region = with_weather(drivers(), *dry, *gone)
    warmth, rain = sky_of(region)
    assert warmth[[30, 31, 32]] == pytest.approx([300, 300, 290], abs=1e-4)
    assert rain[[30, 31, 32]] == pytest.approx([0.02, 0.02, 0.003], abs=1e-6)
    found = made(region)
    assert np.all(found.qa & Qa.WEATHER_FILLED)
    assert found.weather_share == pytest.approx(45 / 46)


def test_preliminary_weather_sets_bit_9_until_the_final_values_come() -> None:
    day = on_step(44)
    early = weather(day, 280.0, preliminary=True, available=PASS_UTC)
    final = weather(day, 298.0, available=PASS_UTC + timedelta(hours=1))
    region = with_weather(drivers(), early)
    assert np.all(made(region).qa & Qa.WEATHER_FILLED)
    assert sky_of(region)[0][44] == pytest.approx(290 - 10 / 8, abs=1e-4)
    region = with_weather(drivers(), early, final)
    assert not np.any(made(region).qa & Qa.WEATHER_FILLED)
    assert sky_of(region)[0][44] == pytest.approx(290 + 1, abs=1e-4)


def test_weather_of_the_day_of_the_pass_stays_out_but_its_rain_is_a_bit() -> None:
    wet = with_weather(drivers(), weather(PASS_DAY, 265.0, 0.001))
    dry = with_weather(drivers(), weather(PASS_DAY, 305.0, 0.0009))
    np.testing.assert_array_equal(dense(made(wet).rows), dense(made(dry).rows))
    assert np.all(made(wet).qa & Qa.RAIN_ON_DAY)
    assert not np.any(made(dry).qa & Qa.RAIN_ON_DAY)
    unknown = with_weather(drivers(), weather(PASS_DAY, 290.0, 0.1, available=ISSUED + MINUTE))
    assert not np.any(made(unknown).qa & Qa.RAIN_ON_DAY)


def test_snow_and_frost_set_bit_6() -> None:
    for quality, is_set in ((SNOW, True), (CLOUD, False), (MARGINAL, False)):
        qa = made(with_ndvi(drivers(), composite(NEWEST, reliability=quality))).qa
        assert np.all((qa & Qa.FROZEN_SNOW > 0) == is_set)
    cold = weather(PASS_DAY - timedelta(days=1), planted(273.16, 273.14))
    frozen = made(with_weather(drivers(), cold)).qa & Qa.FROZEN_SNOW
    assert np.flatnonzero(frozen).tolist() == [SPOT]


def test_zeros_are_values_here() -> None:
    region = replace(
        drivers(),
        terrain=Raster(
            WINDOW,
            {**terrain().values, "elevation_m": planted(5.0, 0.0), "slope_deg": planted(5.0, 0.0)},
        ),
        soil=Raster(WINDOW, {**soil().values, "sand_g_kg": planted(5.0, 0.0)}),
    )
    row = dense(made(region).rows)[SPOT]
    assert row[[5, 8, 9]].tolist() == [0, 0, 0]
    assert not np.isnan(row).any()


def test_terrain_is_the_pixels_own_and_aspect_its_mean_vector() -> None:
    row = dense(made(drivers()).rows)[SPOT]
    assert row[8:12] == pytest.approx([10 / 5500, 2 / 40, 0.8, 0.9])


def test_missing_soil_comes_from_the_nearest_cell_and_sets_bit_10() -> None:
    sand = planted(400.0, NAN)
    sand[1, 1] = sand[1, 3] = 250.0
    found = made(replace(drivers(), soil=Raster(WINDOW, {**soil().values, "sand_g_kg": sand})))
    assert dense(found.rows)[SPOT, 5] == pytest.approx(0.25), "degrees shrink eastward"
    assert np.flatnonzero(found.qa & Qa.STATIC_FILLED).tolist() == [SPOT]


def test_land_cover_sets_its_bits_and_its_absence_none() -> None:
    region = with_weather(drivers(), weather(PASS_DAY, 290.0, 0.0))
    assert not np.any(made(region).qa)
    for name, bit in (
        ("water", Qa.OPEN_WATER),
        ("built", Qa.BUILT_UP),
        ("tree", Qa.DENSE_VEGETATION),
    ):
        for share, expected in ((0.5, bit), (0.49, 0)):
            covered = replace(region, land_cover=land_cover(**{name: share}))
            assert np.unique(made(covered).qa).tolist() == [expected]


# Laws.


def test_rows_agree_with_a_plain_loop_over_pixels_and_dates() -> None:
    region, radar = synthetic(24, seed=3)
    found = build(SM_100M_V1, region, radar)
    pixels = np.random.default_rng(4).choice(24 * 24, 40, replace=False)
    expected = np.array([plain_row(region, radar, int(pixel)) for pixel in pixels])
    np.testing.assert_allclose(dense(found.rows)[pixels], expected, atol=2e-6, equal_nan=True)
    assert len(found.rows.series) < 24 * 24 / 3, "a series is kept once per native cell"


def test_sites_give_the_rows_of_the_map() -> None:
    region, radar = synthetic(30, seed=6)
    region = replace(region, land_cover=land_cover(region.window, crop=0.9))
    cells = np.random.default_rng(7).permutation(900)[:60]
    whole = build(SM_100M_V1, region, radar)
    for ready in (region, prepare(SM_100M_V1, region), prepare(SM_100M_V1, region, cells=cells)):
        sites = build(SM_100M_V1, ready, radar, cells=cells)
        np.testing.assert_array_equal(dense(sites.rows), dense(whole.rows)[cells])
        np.testing.assert_array_equal(sites.qa, whole.qa[cells])
        np.testing.assert_array_equal(sites.ndvi_age_d, whole.ndvi_age_d[cells])
        np.testing.assert_array_equal(sites.cell_id, cells)


def test_order_of_drivers_is_irrelevant() -> None:
    region, radar = synthetic(12, seed=8)
    rng = np.random.default_rng(9)
    mixed = replace(
        region,
        ndvi=[region.ndvi[i] for i in rng.permutation(len(region.ndvi))],
        weather=[region.weather[i] for i in rng.permutation(len(region.weather))],
    )
    np.testing.assert_array_equal(
        dense(build(SM_100M_V1, mixed, radar).rows), dense(build(SM_100M_V1, region, radar).rows)
    )


@settings(max_examples=25, deadline=None)
@given(
    days=st.integers(0, 40),
    lag=st.integers(0, 15),
    value=st.floats(-0.2, 1),
    late=st.booleans(),
)
def test_nothing_later_than_the_pass_changes_a_row(
    days: int, lag: int, value: float, late: bool
) -> None:
    region = drivers()
    start = PASS_DAY - timedelta(days=lag)
    assume(start not in COMPOSITES)
    seen = composite(start, value, observed=PASS_DAY + timedelta(days=days))
    unavailable = composite(start, value, observed=start, available=ISSUED + MINUTE * (days + 1))
    sky = weather(PASS_DAY + timedelta(days=days), 263.0 + 20 * value, 0.1)
    issued_late = weather(start - timedelta(days=1), 270.0, 0.2, available=ISSUED + MINUTE)
    more = replace(
        region,
        ndvi=[*region.ndvi, unavailable if late else seen],
        weather=[*(w for w in region.weather if w.day != sky.day), sky, issued_late],
    )
    np.testing.assert_array_equal(dense(made(more).rows), dense(made(region).rows))


def test_inputs_lie_between_zero_and_one() -> None:
    region, radar = synthetic(12, seed=10)
    wild = {name: np.asarray(band) * 3 for name, band in radar.backscatter.values.items()}
    radar = replace(radar, backscatter=Raster(region.window, wild))
    rows = dense(build(SM_100M_V1, region, radar).rows)
    assert rows.min() == 0 and rows.max() == 1


# Refusals.


def test_a_pass_on_other_pixels_is_refused() -> None:
    with pytest.raises(GridError, match="join its frames"):
        build(SM_100M_V1, drivers(), scene(pad(WINDOW, 1)))


def test_drivers_prepared_for_another_recipe_are_refused() -> None:
    with pytest.raises(RecipeError, match="prepared for recipe eov-2025"):
        build(SM_100M_V1, prepare(EOV_2025, drivers()), scene())


@pytest.mark.parametrize("cell", [-1, WINDOW.size])
def test_a_cell_outside_the_region_is_refused_not_moved(cell: int) -> None:
    with pytest.raises(GridError, match="1 cells lie outside"):
        build(SM_100M_V1, drivers(), scene(), cells=np.array([0, cell]))
    with pytest.raises(GridError, match="not among the prepared"):
        build(SM_100M_V1, prepare(SM_100M_V1, drivers()), scene(), cells=np.array([0, cell]))


def test_a_short_weather_record_is_refused_with_its_dates() -> None:
    region = drivers()
    half = [dated for dated in region.weather if dated.day > STEPS[23][1]]
    message = rf"22 of 46 steps .* missing {STEPS[0][0]} to {STEPS[23][1]}\. .* {STEPS[0][0]}\."
    with pytest.raises(MissingInputError, match=message):
        build(SM_100M_V1, replace(region, weather=half), scene())
