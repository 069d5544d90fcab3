"""Composites at the support: what a coarse cell shows, worked by hand, and nothing from later."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from affine import Affine
from numpy.typing import NDArray

from benchmarks.extraction import synthetic
from sm_platform.errors import DataError
from sm_platform.features.build import build
from sm_platform.features.drivers import Drivers
from sm_platform.features.prepare import prepare
from sm_platform.features.support import coarse_drivers, coarse_pass
from sm_platform.grid import ease2
from sm_platform.grid.ease2 import LEVEL_1KM, LEVEL_100M
from sm_platform.grid.window import DatedRaster, GridWindow, Raster
from sm_platform.schema.product import Qa
from sm_platform.schema.recipes import DENSESM_2024, SM_100M_V1
from sm_platform.schema.rows import dense
from sm_platform_tests.features import small
from sm_platform_tests.features.test_support import COL, REGION, ROW, SEED_REGION, constant

NAN = float("nan")
GOOD, MARGINAL, SNOW, CLOUD, FILL = 0, 1, 2, 3, -1
DAY = small.NEWEST - timedelta(days=24)
LATE = datetime(DAY.year, DAY.month, DAY.day, tzinfo=UTC) + timedelta(days=40)
"""Long after the composite's last day."""
NATIVE = GridWindow(REGION.crs, ease2.window(LEVEL_100M, ROW, COL, (1, 1)).affine, (2, 5))
NATIVE = replace(NATIVE, affine=NATIVE.affine @ Affine.scale(2, 5))
"""Ten native cells that make the first cell of 1 km."""


def seen(
    ndvi: list[float],
    quality: list[int],
    days: list[int] | None = None,
    *,
    code: list[int] | None = None,
    available: datetime | None = LATE,
) -> DatedRaster:
    """A composite of ten native cells; `days` after its first one, -1 not known."""
    after = days if days is not None else [3] * 10
    observed = [DAY.toordinal() + n if n >= 0 else -1 for n in after]
    bands: dict[str, NDArray[np.generic]] = {
        "ndvi": np.array(ndvi, np.float32),
        "ndvi_range_code": np.array(code or [0] * 10, np.int8),
        "reliability_code": np.array(quality, np.int8),
        "observed_day": np.array(observed, np.int32),
    }
    shaped = {name: band.reshape(NATIVE.shape) for name, band in bands.items()}
    return DatedRaster(DAY, available, Raster(NATIVE, shaped))


def reduced(*composites: DatedRaster) -> list[tuple[float, int, int, int]]:
    """NDVI, range code, reliability and days after the first of the first 1 km cell."""
    drivers = coarse_drivers(replace(constant(REGION), ndvi=composites), LEVEL_1KM)
    found = []
    for dated in drivers.ndvi:
        ndvi, code, quality, day = (
            dated.raster.values[name][0, 0]
            for name in ("ndvi", "ndvi_range_code", "reliability_code", "observed_day")
        )
        after = int(day) - DAY.toordinal() if day > 0 else -1
        found.append((float(ndvi), int(code), int(quality), after))
    return found


def test_a_cell_is_the_mean_of_its_clear_cells() -> None:
    ((ndvi, code, quality, _),) = reduced(
        seen([0.2] * 3 + [0.4] * 2 + [0.6, 0.0, 0.0, 0.0, 0.9], [GOOD] * 5 + [MARGINAL] + [3] * 4)
    )
    assert ndvi == pytest.approx((3 * 0.2 + 2 * 0.4 + 0.6) / 6)
    assert (code, quality) == (0, GOOD)


@pytest.mark.parametrize(
    ("quality", "expected"),
    [
        ([GOOD] * 5 + [CLOUD] * 5, GOOD),
        ([GOOD] * 4 + [CLOUD] * 6, CLOUD),
        ([GOOD] * 3 + [MARGINAL] * 3 + [CLOUD] * 4, GOOD),
        ([GOOD] * 2 + [MARGINAL] * 4 + [CLOUD] * 4, MARGINAL),
        ([FILL] * 10, FILL),
        ([SNOW] * 4 + [GOOD] * 3 + [CLOUD] * 3, SNOW),
        ([SNOW] * 3 + [GOOD] * 3 + [CLOUD] * 4, GOOD),
        ([SNOW] * 3 + [GOOD] * 1 + [CLOUD] * 6, CLOUD),
        ([SNOW] * 1 + [CLOUD] * 9, CLOUD),
    ],
)
def test_what_most_cells_show_decides(quality: list[int], expected: int) -> None:
    assert reduced(seen([0.5] * 10, quality))[0][2] == expected


def test_fill_hides_nothing() -> None:
    found = reduced(seen([0.3] * 2 + [NAN] * 8, [GOOD] * 2 + [FILL] * 8))
    assert found == [(pytest.approx(0.3), 0, GOOD, 3)]


def test_without_a_clear_cell_it_is_the_mean_under_cloud() -> None:
    ((ndvi, _, quality, day),) = reduced(seen([0.1] * 5 + [0.3] * 5, [CLOUD] * 10))
    assert (ndvi, quality, day) == (pytest.approx(0.2), CLOUD, 3)


def test_snow_is_averaged_over_snow() -> None:
    found = reduced(seen([0.0] * 6 + [0.8] * 4, [SNOW] * 6 + [GOOD] * 4, [9] * 6 + [2] * 4))
    assert found == [(pytest.approx(0.0), 0, SNOW, 9)]


def test_the_day_is_the_median_when_all_days_had_passed_at_its_release() -> None:
    days = [0, 0, 1, 4, 5, 14, 14, 15, -1, 15]
    quality = [GOOD] * 9 + [CLOUD]
    assert reduced(seen([0.5] * 10, quality, days))[0][3] == 4
    assert reduced(seen([0.5] * 10, quality, [-1] * 10))[0][3] == -1


@pytest.mark.parametrize(
    ("hours", "expected"),
    [(16 * 24 + 24, 2), (16 * 24 + 23, 15), (8 * 24, 15)],
)
def test_released_early_it_counts_from_its_newest_day(hours: int, expected: int) -> None:
    first = datetime(DAY.year, DAY.month, DAY.day, tzinfo=UTC)
    days = [2] * 9 + [15]
    early = seen([0.5] * 10, [GOOD] * 10, days, available=first + timedelta(hours=hours))
    assert reduced(early)[0][3] == expected
    assert reduced(seen([0.5] * 10, [GOOD] * 10, days, available=None))[0][3] == 15


def test_out_of_range_stays_out_and_alone_keeps_its_code() -> None:
    mixed = seen([0.5] * 4 + [NAN] * 6, [GOOD] * 10, code=[0] * 4 + [1] * 6)
    assert reduced(mixed)[0][:2] == (pytest.approx(0.5), 0)
    ((ndvi, code, _, _),) = reduced(seen([NAN] * 10, [GOOD] * 10, code=[-1] * 6 + [1] * 4))
    assert np.isnan(ndvi) and code == -1


def test_tiles_of_a_day_meet_in_a_cell() -> None:
    whole = seen([0.1 * n for n in range(10)], [GOOD] * 10, list(range(10)))
    affine, tiles = NATIVE.affine, []
    for first, last in ((0, 2), (2, 5)):
        window = GridWindow(NATIVE.crs, affine @ Affine.translation(first, 0), (2, last - first))
        bands = {name: band[:, first:last] for name, band in whole.raster.values.items()}
        tiles.append(replace(whole, raster=Raster(window, bands)))
    assert reduced(*tiles) == reduced(*tiles[::-1]) == reduced(whole)
    later = replace(tiles[1], available_utc=LATE + timedelta(days=1))
    found = reduced(later, tiles[0])
    assert len(found) == 2 and found[1] == reduced(whole)[0]
    assert found[0][0] == pytest.approx(np.mean([0, 0.1, 0.5, 0.6]))


def test_contradictions_are_still_found_and_repetitions_forgiven() -> None:
    one, other = (seen([value] * 10, [GOOD] * 10) for value in (0.4, 0.6))
    region = constant(REGION)
    twice = replace(region, ndvi=[one, replace(one)])
    assert prepare(SM_100M_V1, coarse_drivers(twice, LEVEL_1KM)).ndvi.layers
    both = coarse_drivers(replace(region, ndvi=[one, other]), LEVEL_1KM)
    with pytest.raises(DataError, match="hold different"):
        prepare(SM_100M_V1, both)


def test_a_later_revision_stays_apart() -> None:
    first = seen([0.4] * 10, [GOOD] * 10)
    again = seen([0.6] * 10, [GOOD] * 10, available=LATE + timedelta(days=30))
    assert [one[0] for one in reduced(again, first)] == pytest.approx([0.4, 0.6])


def test_native_cells_no_finer_than_the_support_are_left() -> None:
    composite = seen([0.5] * 10, [GOOD] * 10)
    region = replace(constant(SEED_REGION), ndvi=[composite])
    assert coarse_drivers(region, LEVEL_100M).ndvi[0] is composite
    (found,) = coarse_drivers(region, LEVEL_1KM).ndvi
    assert ease2.corner_cell(LEVEL_1KM, found.raster.window) is not None


def rows_of(region: Drivers) -> NDArray[np.float32]:
    scene = coarse_pass(small.scene(region.window), region.window, LEVEL_1KM).scene
    return dense(build(SM_100M_V1, coarse_drivers(region, LEVEL_1KM), scene).rows)


@pytest.mark.parametrize("is_known", [True, False])
def test_nothing_seen_after_the_pass_changes_a_row(is_known: bool) -> None:
    region, _ = synthetic(30, seed=6)
    region = replace(region, ndvi=[_released(one, is_known) for one in region.ndvi])
    limit = small.PASS_DAY.toordinal()
    changed, count = [], 0
    for dated in region.ndvi:
        bands = dict(dated.raster.values)
        is_later = np.asarray(bands["observed_day"]) >= limit
        count += int(is_later.sum())
        bands["ndvi"] = np.where(is_later, np.float32(-0.2), bands["ndvi"])
        changed.append(replace(dated, raster=Raster(dated.raster.window, bands)))
    assert count > 100
    np.testing.assert_array_equal(rows_of(replace(region, ndvi=changed)), rows_of(region))


def _released(dated: DatedRaster, is_known: bool) -> DatedRaster:
    """Available right after its sixteen days, or at a moment that nobody knows."""
    after = datetime(dated.day.year, dated.day.month, dated.day.day, tzinfo=UTC)
    return replace(dated, available_utc=after + timedelta(days=16) if is_known else None)


def test_a_season_is_that_of_the_pixels() -> None:
    """A year with clouds in a tenth of the cells: the cell's curve is the pixels' mean curve."""
    region, rng = constant(REGION), np.random.default_rng(3)
    composites = [_green(one.day, rng) for one in region.ndvi]
    region = replace(region, ndvi=composites)
    scene = small.scene(REGION)
    pixels = dense(build(SM_100M_V1, region, scene).rows)[:, 15:61].reshape(20, 30, 46)
    expected = pixels.reshape(2, 10, 3, 10, 46).mean(axis=(1, 3)).reshape(-1, 46)
    found = rows_of(region)[:, 15:61]
    assert np.abs(found - expected).max() < 0.04
    assert np.corrcoef(found.ravel(), expected.ravel())[0, 1] > 0.995


def _green(day: date, rng: np.random.Generator) -> DatedRaster:
    season = 0.5 + 0.3 * np.sin(2 * np.pi * day.toordinal() / 180)
    ndvi = season + rng.uniform(-0.05, 0.05, REGION.shape)
    quality = rng.choice([GOOD, CLOUD], REGION.shape, p=[0.9, 0.1])
    dated = small.composite(day, np.where(quality == CLOUD, 0.05, ndvi), window=REGION)
    bands = {**dated.raster.values, "reliability_code": quality.astype(np.int8)}
    return replace(dated, raster=Raster(REGION, bands))


def test_composites_as_they_are_and_snow_reach_their_recipes() -> None:
    scene = coarse_pass(small.scene(REGION), REGION, LEVEL_1KM).scene
    base = constant(REGION)
    snowy = small.composite(small.NEWEST, 0.1, reliability=SNOW, window=REGION)
    cloudy = small.composite(small.NEWEST, 0.1, reliability=CLOUD, window=REGION)
    for newest, published, ours, is_snow in ((snowy, 0.1, 0.5, True), (cloudy, 0.1, 0.5, False)):
        region = small.with_ndvi(base, newest)
        drivers = coarse_drivers(region, LEVEL_1KM)
        for recipe, expected in ((DENSESM_2024, published), (SM_100M_V1, ours)):
            found = build(recipe, drivers, scene)
            ndvi = dense(found.rows)[0, 60] * 1.2 - 0.2
            assert ndvi == pytest.approx(expected, abs=1e-5)
            assert bool(found.qa[0] & Qa.FROZEN_SNOW) is is_snow
