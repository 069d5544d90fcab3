"""Recipe densesm-2024: composites before the day, weather in steps of 8 days from the first."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from sm_platform.features.build import build
from sm_platform.features.drivers import Drivers, ScenePass
from sm_platform.schema.product import Qa
from sm_platform.schema.recipes import DENSESM_2024
from sm_platform.schema.rows import dense
from sm_platform_tests.features.small import (
    COMPOSITES,
    NEWEST,
    SPOT,
    WINDOW,
    composite,
    drivers,
    on,
    planted,
    scene,
    soil,
    weather,
    with_ndvi,
    with_weather,
)

NAN = float("nan")


def row_of(region: Drivers, radar: ScenePass | None = None) -> np.ndarray[tuple[int], np.dtype]:
    return dense(build(DENSESM_2024, region, radar or scene()).rows)[SPOT]


def test_the_newest_composite_lies_before_the_day() -> None:
    region = with_ndvi(drivers(), composite(NEWEST, 0.9), composite(COMPOSITES[-2], 0.1))
    assert row_of(region)[60] == pytest.approx(11000 / 12000)
    that_day = datetime(NEWEST.year, NEWEST.month, NEWEST.day, 22, tzinfo=UTC)
    assert row_of(region, replace(scene(), start_utc=that_day))[60] == pytest.approx(3000 / 12000)


def test_weather_steps_are_8_days_in_a_row_from_the_first_composite() -> None:
    first = COMPOSITES[0]
    changed = [weather(first + timedelta(days=8 * 45 + n), 280 + n, 0.01 * n) for n in range(8)]
    row = row_of(with_weather(drivers(), *changed))
    assert row[106] == pytest.approx((283.5 - 263.15) / 45)
    assert row[152] == pytest.approx(0.035 / 0.3)
    assert row[105] == pytest.approx((290 - 263.15) / 45)
    assert first + timedelta(days=367) > scene().start_utc.date(), "the last reaches past the pass"


def test_a_gap_of_a_pixel_holds_its_previous_composite() -> None:
    day = COMPOSITES[20]
    region = with_ndvi(drivers(), composite(day, planted(0.5, NAN)), composite(COMPOSITES[19], 0.3))
    found = build(DENSESM_2024, region, scene())
    assert dense(found.rows)[SPOT, 15 + 20] == pytest.approx(5000 / 12000)
    assert dense(found.rows)[0, 15 + 20] == pytest.approx(7000 / 12000)
    assert np.flatnonzero(found.qa & Qa.NDVI_FILLED).tolist() == [SPOT]


def test_zeros_are_kept_and_missing_soil_is_filled() -> None:
    bands = {**soil().values, "sand_g_kg": planted(0.0, NAN)}
    found = build(DENSESM_2024, replace(drivers(), soil=on(WINDOW, **bands)), scene())
    assert np.unique(dense(found.rows)[:, 5]).tolist() == [0.0]
    assert np.flatnonzero(found.qa & Qa.STATIC_FILLED).tolist() == [SPOT]
