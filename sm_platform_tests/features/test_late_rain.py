"""Late rain: on days that have no weather yet, under a recipe that declares it and under no other.

ERA5-Land comes six days after the begin of its day, the satellite's rain 38 hours after: the map of
7 March, issued on the 8th at 22:51, knows the weather of 2 March and the late rain of 7 March.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import numpy as np
import pytest
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from sm_platform.errors import DataError, MissingInputError
from sm_platform.features.build import Features, build
from sm_platform.features.drivers import Drivers
from sm_platform.features.prepare import only, prepare
from sm_platform.features.support import coarse_drivers, coarse_pass
from sm_platform.grid.ease2 import LEVEL_1KM, LEVEL_100M, window_around
from sm_platform.grid.window import DatedRaster, GridWindow
from sm_platform.schema.product import Qa
from sm_platform.schema.recipes import SM_100M_V1, SM_100M_V1_IMERG, Recipe
from sm_platform.schema.rows import dense
from sm_platform_tests.features.small import (
    PASS_DAY,
    SPOT,
    days,
    drivers,
    land_cover,
    on,
    scene,
    soil,
    terrain,
    weather,
)

NAN = float("nan")
NEWEST_WEATHER = date(2025, 3, 2)
LAST_STEP = days(PASS_DAY - timedelta(days=8), PASS_DAY - timedelta(days=1))
IMERG = GridWindow("EPSG:4326", Affine(0.002, 0, 106.4, 0, -0.1, 20.55), (1, 2))
"""Two columns of cells: pixels 0 and 1 of a row lie in the first, 2 and 3 in the second."""
WET, RAIN = 0.008, 0.003
"""Late rain and ERA5-Land's, m/day."""


def came(day: date, hours: float) -> datetime:
    """So many hours after the begin of the day."""
    return datetime.combine(day, time(), UTC) + timedelta(hours=hours)


def late(
    day: date, rain: float | Sequence[float] = WET, *, hours: float = 38, window: GridWindow = IMERG
) -> DatedRaster:
    """A day of late rain, the same everywhere or by column."""
    values = np.broadcast_to(np.asarray(rain, np.float64), window.shape)
    return DatedRaster(day, came(day, hours), on(window, precipitation_m=values))


def region(*rain: DatedRaster, newest: date | None = None) -> Drivers:
    """A year of weather that comes six days after; without any after `newest`."""
    base = drivers()
    sky = [
        replace(one, available_utc=came(one.day, 144))
        for one in base.weather
        if newest is None or one.day <= newest
    ]
    return replace(base, weather=sky, late_rain=rain or [late(day) for day in LAST_STEP])


def made(place: Drivers, recipe: Recipe = SM_100M_V1_IMERG) -> Features:
    return build(recipe, place, scene())


def rains(found: Features, pixel: int = SPOT) -> NDArray[np.float64]:
    """The 46 rains of a pixel, m/day."""
    return np.asarray(dense(found.rows)[pixel, 107:].astype(float) * 0.3)


def is_filled(found: Features, pixel: int = SPOT) -> bool:
    return bool(found.qa[pixel] & Qa.WEATHER_FILLED)


def test_the_last_step_is_four_days_of_weather_and_four_of_late_rain() -> None:
    with_it, without = made(region()), made(region(), SM_100M_V1)
    assert LAST_STEP[3] == NEWEST_WEATHER
    assert rains(with_it)[-1] == pytest.approx((4 * RAIN + 4 * WET) / 8, abs=1e-6)
    assert rains(without)[-1] == pytest.approx(RAIN, abs=1e-6)
    assert (is_filled(with_it), is_filled(without)) == (True, False)
    np.testing.assert_array_equal(
        dense(with_it.rows)[:, :152], dense(without.rows)[:, :152]
    )  # all but the last rain
    assert with_it.weather_share == without.weather_share


def test_a_pixel_reads_the_satellites_cell_that_it_lies_in() -> None:
    found = made(region(late(LAST_STEP[-1], [0.01, 0.02])))
    for pixel, rain in enumerate([0.01, 0.01, 0.02, 0.02]):
        assert rains(found, pixel)[-1] == pytest.approx((4 * RAIN + rain) / 5, abs=1e-6)


def test_a_cell_without_an_estimate_keeps_what_the_weather_says_and_no_mark() -> None:
    found = made(region(late(LAST_STEP[-1], [NAN, 0.02])))
    assert rains(found, 0)[-1] == pytest.approx(RAIN, abs=1e-6)
    assert [is_filled(found, pixel) for pixel in (0, 2)] == [False, True]


@pytest.mark.parametrize(("hours", "is_used"), [(70.84, True), (70.86, False)])
def test_only_late_rain_that_was_there_when_the_map_was_issued(hours: float, is_used: bool) -> None:
    eve = LAST_STEP[-1]  # the map is issued 70 h 51 min after its begin
    found = made(region(late(eve, hours=hours)))
    assert (rains(found)[-1] > RAIN + 1e-4, is_filled(found)) == (is_used, is_used)


def test_weather_that_was_there_wins_however_late_the_rain() -> None:
    found = made(region(late(NEWEST_WEATHER - timedelta(days=1), 0.2)))
    assert rains(found) == pytest.approx(np.full(46, RAIN), abs=1e-6)
    assert not is_filled(found)


def test_of_two_revisions_the_later_wins_where_it_says_anything() -> None:
    eve = LAST_STEP[-1]
    first, second = late(eve, 0.01, hours=20), late(eve, [NAN, 0.02], hours=30)
    found = made(region(second, first))
    assert rains(found, 0)[-1] == pytest.approx((4 * RAIN + 0.01) / 5, abs=1e-6)
    assert rains(found, 2)[-1] == pytest.approx((4 * RAIN + 0.02) / 5, abs=1e-6)


def test_late_rain_of_the_passs_own_day_tells_rain_and_is_marked() -> None:
    found = made(region(late(PASS_DAY, 0.02)))
    assert found.qa[SPOT] & Qa.RAIN_ON_DAY
    assert is_filled(found)
    assert rains(found)[-1] == pytest.approx(RAIN, abs=1e-6)
    assert not made(region(late(PASS_DAY, 0.0))).qa[SPOT] & Qa.RAIN_ON_DAY


def test_rain_alone_is_no_weather() -> None:
    first = PASS_DAY - timedelta(days=368)
    everywhere = [late(day) for day in days(first, PASS_DAY)]
    with pytest.raises(MissingInputError, match="Weather before the pass"):
        made(region(*everywhere, newest=PASS_DAY - timedelta(days=300)))


def test_other_recipes_do_not_look_at_it() -> None:
    bare = replace(region(), late_rain=())
    for place in (region(), bare):
        ready = prepare(SM_100M_V1, place)
        assert ready.weather.late_rain == ()
        np.testing.assert_array_equal(
            dense(made(place, SM_100M_V1).rows), dense(made(bare, SM_100M_V1).rows)
        )
    np.testing.assert_array_equal(dense(made(bare).rows), dense(made(bare, SM_100M_V1).rows))


def test_sites_hold_the_same_numbers_as_the_map() -> None:
    place = region(late(LAST_STEP[-1], [0.01, 0.02]))
    whole, cells = made(place), np.array([7, 0, SPOT])
    chosen = only(prepare(SM_100M_V1_IMERG, place), cells)
    found = build(SM_100M_V1_IMERG, chosen, scene())
    np.testing.assert_array_equal(dense(found.rows), dense(whole.rows)[cells])
    np.testing.assert_array_equal(found.qa, whole.qa[cells])


def test_two_late_rains_of_one_moment_must_not_contradict_each_other() -> None:
    eve = LAST_STEP[-1]
    with pytest.raises(DataError, match="Two rasters of 2025-03-06"):
        made(region(late(eve, 0.01), late(eve, 0.02)))


def test_a_coarse_site_reads_it_at_its_centre_or_as_a_mean() -> None:
    grid = window_around(LEVEL_100M, 106.43, 20.45, (20, 20))
    fine, wide = grid, GridWindow("EPSG:4326", Affine(0.1, 0, 106.4, 0, -0.1, 20.5), (1, 1))
    striped = np.tile([0.01, 0.03], 10)
    for window, rain in ((fine, striped), (wide, 0.02)):
        base = region(late(LAST_STEP[-1], rain, window=window))  # type: ignore[arg-type]
        sky = [
            replace(weather(one.day, window=grid), available_utc=one.available_utc)
            for one in base.weather
        ]
        ndvi = [replace(one, raster=on(grid, **_constants(one))) for one in base.ndvi]
        own = Drivers(grid, ndvi, sky, soil(grid), terrain(grid), land_cover(grid), base.late_rain)
        coarse = coarse_drivers(own, LEVEL_1KM)
        seen = coarse_pass(scene(grid), grid, LEVEL_1KM).scene
        found = build(SM_100M_V1_IMERG, coarse, seen)
        inner = [n for n in range(len(found.rows)) if rains(found, n)[-1] > RAIN + 1e-4]
        assert inner
        for n in inner:
            assert rains(found, n)[-1] == pytest.approx((4 * RAIN + 0.02) / 5, abs=2e-4)


def _constants(dated: DatedRaster) -> dict[str, NDArray[np.generic]]:
    return {name: np.asarray(band).ravel()[0] for name, band in dated.raster.values.items()}


def _known_on(place: Drivers, moment: datetime) -> Drivers:
    """What a lake of that moment holds."""

    def there(some: Sequence[DatedRaster]) -> Iterator[DatedRaster]:
        return (one for one in some if one.available_utc is None or one.available_utc <= moment)

    return replace(
        place, weather=list(there(place.weather)), late_rain=list(there(place.late_rain))
    )


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1000), hours=st.floats(6, 60), gap=st.integers(0, 7))
def test_a_past_day_has_the_features_of_its_own_day(seed: int, hours: float, gap: int) -> None:
    """Built a fortnight later, when all has come, they are what was built when it was issued."""
    rng = np.random.default_rng(seed)
    span = days(PASS_DAY - timedelta(days=20), PASS_DAY + timedelta(days=12))
    drawn = [late(day, rng.random(2) * 0.05, hours=hours) for day in span]
    whole = region(*drawn)
    whole = replace(whole, weather=[w for w in whole.weather if w.day != LAST_STEP[gap]])
    then = _known_on(whole, came(PASS_DAY, 24 + 22.85))
    assert len(then.weather) < len(whole.weather)
    assert len(then.late_rain) < len(whole.late_rain)
    now, before = made(whole), made(then)
    np.testing.assert_array_equal(dense(now.rows), dense(before.rows))
    np.testing.assert_array_equal(now.qa, before.qa)
