"""MOD13Q1 and MYD13Q1 granules: the real grid, digits and dates; values near the truth."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from pyproj import Transformer

from sm_platform.grid.ease2 import LEVEL_100M, window_around
from sm_platform.sources.protocol import Granule, Product
from sm_platform.sources.simulated.world import World
from sm_platform.sources.simulated.write_modis import SINUSOIDAL, tile_of
from sm_platform.sources.simulated.write_tiff import nearest_cells
from sm_platform_tests.sources.conftest import opened

Listed = Callable[[Product, str], list[tuple[Granule, Path]]]
BANDS = ("NDVI", "pixel_reliability", "composite_day_of_the_year")


def layers(granule: Granule, folder: Path) -> list[np.ndarray]:
    found = []
    for band in BANDS:
        with opened(folder / f"{granule.granule_id}_250m_16_days_{band}.tif") as file:
            found.append(file.read(1))
    return found


def test_composites_follow_the_calendar_of_both_satellites(listed: Listed) -> None:
    found = [(one.day, one.granule_id[:16]) for one, _ in listed(Product.NDVI, "red-river")]
    assert found[:4] == [
        (date(2024, 12, 18), "MOD13Q1.A2024353"),
        (date(2024, 12, 26), "MYD13Q1.A2024361"),
        (date(2025, 1, 1), "MOD13Q1.A2025001"),
        (date(2025, 1, 9), "MYD13Q1.A2025009"),
    ]
    # The next one is written, but not yet there on 12 April.
    assert found[-1][0] == date(2025, 3, 14)


@pytest.mark.parametrize(("region", "tile"), [("red-river", "h27v06"), ("highland", "h28v07")])
def test_ids_and_arrival_are_the_providers(listed: Listed, region: str, tile: str) -> None:
    for granule, _ in listed(Product.NDVI, region):
        match = re.fullmatch(
            rf"M[OY]D13Q1\.A(\d{{7}})\.{tile}\.061\.(\d{{13}})", granule.granule_id
        )
        assert match is not None
        assert granule.day is not None
        assert granule.available_utc is not None
        end = datetime.combine(granule.day + timedelta(days=16), datetime.min.time(), UTC)
        waited = granule.available_utc - end
        assert timedelta(days=8) <= waited <= timedelta(days=10)
        made = datetime.strptime(match[2], "%Y%j%H%M%S").replace(tzinfo=UTC)
        assert made < granule.available_utc


def test_the_grid_is_cut_from_the_tile(listed: Listed) -> None:
    granule, folder = listed(Product.NDVI, "red-river")[0]
    for band, dtype, fill in zip(BANDS, ("int16", "int8", "int16"), (-3000, -1, -1), strict=True):
        with opened(folder / f"{granule.granule_id}_250m_16_days_{band}.tif") as file:
            assert (file.dtypes[0], file.nodata) == (dtype, fill)
            assert file.transform.a == pytest.approx(231.65635826, abs=1e-6)
            # Tile h27 begins at 9 tiles east of Greenwich, v06 at 3 tiles north of the equator.
            col = (file.transform.c - 9 * 1111950.519667) / 231.65635826395825
            row = (3 * 1111950.519667 - file.transform.f) / 231.65635826395825
            assert abs(col - round(col)) < 1e-3
            assert abs(row - round(row)) < 1e-3
            assert 0 <= col < 4800
            assert 0 <= row < 4800
            x, y = Transformer.from_crs("EPSG:4326", SINUSOIDAL, always_xy=True).transform(
                106.43, 20.45
            )
            left, bottom, right, top = file.bounds
            assert left < x < right
            assert bottom < y < top


def test_values_are_digits_in_range_or_fill(listed: Listed) -> None:
    for granule, folder in listed(Product.NDVI, "highland"):
        ndvi, reliability, day = layers(granule, folder)
        is_fill = ndvi == -3000
        assert np.array_equal(is_fill, reliability == -1)
        assert np.array_equal(is_fill, day == -1)
        assert ndvi[~is_fill].min() >= -2000
        assert ndvi[~is_fill].max() <= 10000
        assert set(np.unique(reliability)) <= {-1, 0, 1, 3}


def test_observed_days_run_over_the_new_year(listed: Listed) -> None:
    granule, folder = listed(Product.NDVI, "red-river")[1]
    days = set(np.unique(layers(granule, folder)[2]).tolist()) - {-1}
    assert days <= {*range(361, 367), *range(1, 11)}
    assert any(day > 300 for day in days)
    assert any(day < 20 for day in days)


def test_clear_values_are_the_truth_of_their_day(listed: Listed, worlds: dict[str, World]) -> None:
    world = worlds["red-river"]
    rows, cols = nearest_cells(tile_of(world.window).window, world.window)
    inside = (rows > 0) & (rows < 47) & (cols > 0) & (cols < 47)
    clear, cloudy = [], []
    for granule, folder in listed(Product.NDVI, "red-river"):
        ndvi, reliability, day = layers(granule, folder)
        assert granule.day is not None
        for r, c in zip(*np.nonzero(inside & (reliability >= 0)), strict=True):
            shift = (int(day[r, c]) - granule.day.timetuple().tm_yday) % 366
            n = world.index(granule.day) + (shift if shift < 16 else shift - 1)
            box = world.ndvi[n, rows[r, c] - 1 : rows[r, c] + 2, cols[r, c] - 1 : cols[r, c] + 2]
            error = ndvi[r, c] / 10000 - box.mean()
            (cloudy if reliability[r, c] == 3 else clear).append(error)
    assert abs(np.median(clear)) < 0.01
    assert 0.015 < np.quantile(np.abs(clear), 0.68) < 0.06
    assert np.median(cloudy) < -0.03


def test_clouds_come_in_patches(listed: Listed) -> None:
    pairs = []
    for granule, folder in listed(Product.NDVI, "red-river"):
        cloudy = layers(granule, folder)[1] != 0
        if 0.1 < cloudy.mean() < 0.9:
            pairs.append(
                (cloudy[:, 1:] == cloudy[:, :-1]).mean()
                - (cloudy.mean() ** 2 + (1 - cloudy.mean()) ** 2)
            )
    assert pairs
    assert np.mean(pairs) > 0.1


def test_a_tile_serves_any_place() -> None:
    south_america = window_around(LEVEL_100M, -55.0, -12.0, (10, 10))
    assert tile_of(south_america).name == "h12v10"
