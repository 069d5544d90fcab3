"""Recipe eov-2025 where the golden region has no cases: zeros, fills, NaN, smaller rasters."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from affine import Affine
from numpy.typing import NDArray

from sm_platform.errors import DataError, MissingInputError
from sm_platform.features.build import Features, build
from sm_platform.features.drivers import Drivers, ScenePass
from sm_platform.features.terrain import pixel_terrain_from
from sm_platform.grid.window import DatedRaster, GridWindow, Raster
from sm_platform.schema.product import Qa
from sm_platform.schema.recipes import EOV_2025
from sm_platform.schema.rows import dense
from sm_platform_tests.features import plain_eov
from sm_platform_tests.features.small import (
    COMPOSITES,
    NEWEST,
    PASS_UTC,
    SPOT,
    WINDOW,
    N,
    composite,
    drivers,
    on,
    planted,
    scene,
    soil,
    terrain,
    weather,
    with_ndvi,
    with_weather,
)

NAN = float("nan")
OUTSIDE_NDVI = 2000 / 12000
HALF = GridWindow(WINDOW.crs, WINDOW.affine, (3, 2))
"""The western two of the region's four columns."""
EAST = np.flatnonzero(np.arange(N) % 4 >= 2)
WEST = np.flatnonzero(np.arange(N) % 4 < 2)


def rows_of(region: Drivers, radar: ScenePass | None = None) -> NDArray[np.float32]:
    return dense(made(region, radar).rows)


def made(region: Drivers, radar: ScenePass | None = None) -> Features:
    return build(EOV_2025, region, radar or scene())


def step(values: NDArray[np.float32], series: int, number: int) -> NDArray[np.float32]:
    """One step of NDVI (0), temperature (1) or rain (2) of all rows."""
    return values[:, 15 + 46 * series + number]


def only_missing(values: NDArray[np.float32], columns: Sequence[int]) -> bool:
    expected = np.zeros(values.shape, bool)
    expected[SPOT, list(columns)] = True
    return np.array_equal(np.isnan(values), expected)


def test_constant_drivers_by_hand() -> None:
    row = rows_of(drivers())[0]
    assert row[0] == pytest.approx(20 / 35)
    assert row[1] == pytest.approx(18 / 35)
    assert row[2] == pytest.approx(8.9 / 16.9)
    assert row[3] == pytest.approx((np.sin(2 * np.pi * 66 / 365) + 1) / 2), "7 March is day 66"
    assert row[5:8] == pytest.approx([0.4, 0.3, 30 / 80])
    assert row[8:10] == pytest.approx([11 / 5500, 3 / 40])
    assert row[10:12] == pytest.approx([(np.sin(np.radians(120)) + 1) / 2, 0.25])
    assert row[15:61] == pytest.approx(7000 / 12000)
    assert row[61:107] == pytest.approx((290 - 273.15) / 45)
    assert row[107:] == pytest.approx(0.01)


@pytest.mark.parametrize(("band", "column"), [("vv_db", 0), ("vh_db", 1), ("angle_deg", 2)])
@pytest.mark.parametrize("spot", [0.0, NAN])
def test_radar_of_zero_or_nan_is_missing_in_its_band(band: str, column: int, spot: float) -> None:
    radar = scene(**{band: planted(-9.0 if band != "angle_deg" else 38.0, spot)})
    assert only_missing(rows_of(drivers(), radar), [column])


@pytest.mark.parametrize("spot", [0.0, NAN])
@pytest.mark.parametrize(
    ("band", "column"), [("sand_g_kg", 5), ("clay_g_kg", 6), ("bulk_density_cg_cm3", 7)]
)
def test_soil_of_zero_or_nan_is_missing(band: str, column: int, spot: float) -> None:
    bands = {**soil().values, band: planted(300.0, spot)}
    region = replace(drivers(), soil=Raster(WINDOW, bands))
    found = made(region)
    assert only_missing(dense(found.rows), [column])
    assert not np.any(found.qa & Qa.STATIC_FILLED), "this recipe fills nothing"


@pytest.mark.parametrize(
    ("band", "value", "columns"),
    [
        ("cell_elevation_m", 0.0, [8]),
        ("cell_slope_deg", 0.0, [9]),
        ("cell_aspect_deg", 0.0, [10]),
        ("cell_elevation_m", NAN, [8]),
        ("cell_aspect_deg", NAN, [10, 11]),
    ],
)
def test_terrain_of_zero_is_missing_and_so_is_a_sine_of_zero(
    band: str, value: float, columns: list[int]
) -> None:
    bands = {**terrain().values, band: planted(5.0, value)}
    region = replace(drivers(), terrain=Raster(WINDOW, bands))
    assert only_missing(rows_of(region), columns)


@pytest.mark.parametrize(
    ("value", "code", "scaled"),
    [(0.0, 0, OUTSIDE_NDVI), (NAN, 0, NAN), (NAN, -1, 0.0), (NAN, 1, 1.0), (-0.2, 0, 0.0)],
)
def test_ndvi_only_nan_is_missing_and_fills_clip(value: float, code: int, scaled: float) -> None:
    day = COMPOSITES[30]
    codes = planted(0, code).astype(np.int8)
    values = rows_of(with_ndvi(drivers(), composite(day, planted(0.5, value), code=codes)))
    expected = np.full(N, 7000 / 12000)
    expected[SPOT] = scaled
    np.testing.assert_allclose(step(values, 0, 30), expected, atol=1e-6)
    assert np.isnan(values).sum() == (1 if np.isnan(scaled) else 0)


@pytest.mark.parametrize(
    ("temperature", "rain", "codes", "expected"),
    [
        (NAN, 0.003, (-1, 0), (0.0, 0.01)),
        (NAN, NAN, (1, 1), (1.0, 1.0)),
        (290.0, NAN, (0, -1), (0.3744444, 0.0)),
        (NAN, 0.0, (0, 0), (NAN, 0.0)),
        (320.0, 0.5, (0, 0), (1.0, 1.0)),
    ],
)
def test_weather_only_nan_is_missing_and_the_rest_clips(
    temperature: float, rain: float, codes: tuple[int, int], expected: tuple[float, float]
) -> None:
    day = weather(COMPOSITES[7], temperature, rain, codes=codes)
    values = rows_of(with_weather(drivers(), day))
    for series, scaled in zip((1, 2), expected, strict=True):
        np.testing.assert_allclose(step(values, series, 7), np.full(N, scaled), atol=1e-6)


def test_outside_smaller_rasters_ndvi_and_weather_are_zero_but_soil_is_missing() -> None:
    day = COMPOSITES[12]
    region = replace(drivers(), soil=soil(HALF))
    region = with_ndvi(region, composite(day, 0.8, window=HALF))
    region = with_weather(region, weather(day, 300.0, 0.03, window=HALF))
    found = made(region)
    values = dense(found.rows)
    assert np.isnan(values[EAST, 5:8]).all()
    assert not np.isnan(np.delete(values, [5, 6, 7], axis=1)).any()
    assert not np.isnan(values[WEST]).any()
    assert step(values, 0, 12)[EAST] == pytest.approx(OUTSIDE_NDVI)
    assert step(values, 0, 12)[WEST] == pytest.approx(10000 / 12000)
    assert step(values, 1, 12)[EAST] == pytest.approx(0)
    assert step(values, 2, 12)[EAST] == pytest.approx(0)
    assert step(values, 2, 12)[WEST] == pytest.approx(0.1)


def without(dated: Sequence[DatedRaster], *gone: date) -> list[DatedRaster]:
    return [one for one in dated if one.day not in gone]


def test_an_absent_composite_holds_the_previous_one_and_sets_bit_8() -> None:
    before = composite(COMPOSITES[19], planted(0.1, 0.4))
    region = with_ndvi(drivers(), before)
    region = replace(region, ndvi=without(region.ndvi, COMPOSITES[20], COMPOSITES[21]))
    found = made(region)
    values = dense(found.rows)
    for number in (20, 21):
        np.testing.assert_array_equal(step(values, 0, number), step(values, 0, 19))
    assert step(values, 0, 22) == pytest.approx(7000 / 12000)
    assert np.all(found.qa & Qa.NDVI_FILLED)
    assert found.ndvi_share == pytest.approx(44 / 46)
    assert not np.any(found.qa & Qa.WEATHER_FILLED)


def test_absent_leading_composites_take_the_next_one() -> None:
    region = with_ndvi(drivers(), composite(COMPOSITES[2], 0.25))
    region = replace(region, ndvi=without(region.ndvi, COMPOSITES[0], COMPOSITES[1]))
    values = rows_of(region)
    for number in (0, 1, 2):
        assert step(values, 0, number) == pytest.approx(4500 / 12000)


def test_an_absent_day_of_weather_holds_the_previous_date_and_sets_bit_9() -> None:
    region = with_weather(drivers(), weather(COMPOSITES[5], 300.0, 0.09))
    region = replace(region, weather=without(region.weather, COMPOSITES[6]))
    found = made(region)
    values = dense(found.rows)
    assert step(values, 1, 6) == pytest.approx((300 - 273.15) / 45)
    assert step(values, 2, 6) == pytest.approx(0.3)
    assert step(values, 2, 7) == pytest.approx(0.01)
    assert np.all(found.qa & Qa.WEATHER_FILLED)
    assert found.weather_share == pytest.approx(45 / 46)


def test_the_window_ends_with_the_last_stored_composite_up_to_the_day() -> None:
    region = with_ndvi(drivers(), composite(COMPOSITES[-2], 0.9))
    region = with_weather(region, weather(COMPOSITES[-2], 310.0))
    values = rows_of(replace(region, ndvi=without(region.ndvi, NEWEST)))
    assert step(values, 0, 45) == pytest.approx(11000 / 12000)
    assert step(values, 1, 45) == pytest.approx((310 - 273.15) / 45)
    later = composite(NEWEST + timedelta(days=8), 0.1)
    np.testing.assert_array_equal(rows_of(with_ndvi(drivers(), later)), rows_of(drivers()))


def test_a_composite_of_the_pass_day_itself_counts() -> None:
    on_day = replace(scene(), start_utc=PASS_UTC.replace(month=NEWEST.month, day=NEWEST.day))
    region = with_ndvi(drivers(), composite(NEWEST, 0.9))
    assert step(rows_of(region, on_day), 0, 45) == pytest.approx(11000 / 12000)


def test_a_name_off_the_modis_calendar_is_refused() -> None:
    region = with_ndvi(drivers(), composite(NEWEST - timedelta(days=3)))
    with pytest.raises(DataError, match="is no MODIS composite date"):
        made(region)


def test_too_short_a_look_back_is_refused_with_the_missing_dates() -> None:
    region = drivers()
    few = replace(region, ndvi=without(region.ndvi, *COMPOSITES[:20], *COMPOSITES[30:34]))
    message = (
        f"NDVI before the pass of 2025-03-07: 22 of 46 steps are there; missing {COMPOSITES[0]} "
        f"to {COMPOSITES[20] - timedelta(days=1)}, {COMPOSITES[30]} to "
        f"{COMPOSITES[34] - timedelta(days=1)}. Download and extract NDVI from {COMPOSITES[0]}."
    )
    with pytest.raises(MissingInputError) as refused:
        made(few)
    assert str(refused.value) == message
    assert build(EOV_2025, few, scene(), min_lookback_share=0.4).ndvi_share < 0.5
    with pytest.raises(MissingInputError, match="Weather .* 0 of 46 steps"):
        made(replace(region, weather=[]))


def test_planted_faults_agree_with_a_plain_loop_over_pixels() -> None:
    region, relief, radar = faulty_region(seed=5)
    found = dense(build(EOV_2025, region, radar).rows)
    expected = np.array([plain_eov.plain_row(region, relief, radar, p) for p in range(N)])
    np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6, equal_nan=True)
    assert 20 < np.isnan(found).sum() < found.size / 4


def faulty_region(seed: int) -> tuple[Drivers, Raster, ScenePass]:
    """Random drivers with zeros, NaN and fills, each on its own, partly smaller grid."""
    rng = np.random.default_rng(seed)

    def spoilt(window: GridWindow, low: float, high: float) -> NDArray[np.float32]:
        values = rng.uniform(low, high, window.shape).astype(np.float32)
        values[rng.random(window.shape) < 0.05] = np.nan
        values[rng.random(window.shape) < 0.05] = 0.0
        return values

    def grid(cell: float, rows: int, cols: int) -> GridWindow:
        return GridWindow("EPSG:4326", Affine(cell, 0, 106.4, 0, -cell, 20.5), (rows, cols))

    coarse, fine = grid(0.0023, 1, 2), grid(0.0003, 11, 14)
    relief = Raster(
        fine,
        {
            "elevation_m": rng.uniform(1, 90, fine.shape).astype(np.float32),
            "slope_deg": rng.uniform(0, 30, fine.shape).astype(np.float32),
            "aspect_deg": rng.uniform(0, 360, fine.shape).astype(np.float32),
        },
    )
    relief.values["slope_deg"][rng.random(fine.shape) < 0.01] = np.nan
    codes = rng.choice([-1, 0, 0, 0, 1], WINDOW.shape).astype(np.int8)
    ndvi = [
        composite(
            day,
            spoilt(w := (WINDOW if n % 3 else coarse), -0.2, 1),
            code=codes if w is WINDOW and n % 5 == 1 else 0,
            window=w,
        )
        for n, day in enumerate(COMPOSITES)
    ]
    sky = [
        weather(
            day,
            spoilt(coarse, 280, 310),
            spoilt(coarse, 0, 0.4),
            codes=(0, -1) if n == 9 else (0, 0),
            window=coarse,
        )
        for n, day in enumerate(COMPOSITES)
    ]
    ground = on(coarse, **{name: spoilt(coarse, 100, 500) for name in soil().values})
    region = Drivers(WINDOW, ndvi, sky, ground, pixel_terrain_from(WINDOW, relief), None)
    bands = {"vv_db": (-20, -4), "vh_db": (-27, -10), "angle_deg": (31, 45)}
    return region, relief, scene(**{n: spoilt(WINDOW, *limits) for n, limits in bands.items()})
