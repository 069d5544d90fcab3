"""Recipe eov-2025 against the rows that the seed system made of its own folder."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sm_platform.features.build import build
from sm_platform.features.prepare import prepare
from sm_platform.grid.window import lonlat
from sm_platform.schema.recipes import EOV_2025
from sm_platform.schema.rows import dense
from sm_platform_tests.features.golden import golden_region

DAYS = ("2025-01-03", "2025-01-27")


@pytest.mark.parametrize("day", DAYS)
def test_all_rows_agree(shared: Callable[..., Path], day: str) -> None:
    region, scene = golden_region(shared, day)
    expected = np.load(shared("golden", "roi_and_inference.npz"))[f"features_{day}"]
    found = build(EOV_2025, region, scene)
    rows = dense(found.rows)
    assert rows.shape == expected.shape == (576, 153)
    np.testing.assert_array_equal(np.isnan(rows), np.isnan(expected))
    np.testing.assert_allclose(rows, expected, rtol=0, atol=1e-6, equal_nan=True)
    assert found.ndvi_share == found.weather_share == 1.0
    assert not np.any(found.qa & 0b11100000000), "nothing was filled"


def test_rows_run_from_the_north_west_line_by_line(shared: Callable[..., Path]) -> None:
    region, _ = golden_region(shared, DAYS[0])
    expected = np.load(shared("golden", "roi_and_inference.npz"))["lonlat"]
    found = np.stack([part.ravel() for part in lonlat(region.window)], axis=1)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)


def test_sites_and_prepared_drivers_give_the_rows_of_the_map(shared: Callable[..., Path]) -> None:
    region, scene = golden_region(shared, DAYS[1])
    cells = np.array([575, 0, 100, 101, 100])
    whole = dense(build(EOV_2025, region, scene).rows)
    np.testing.assert_array_equal(
        dense(build(EOV_2025, region, scene, cells=cells).rows), whole[cells]
    )
    ready = prepare(EOV_2025, region)
    np.testing.assert_array_equal(
        dense(build(EOV_2025, ready, scene, cells=cells).rows), whole[cells]
    )


def test_order_of_files_is_irrelevant(shared: Callable[..., Path]) -> None:
    region, scene = golden_region(shared, DAYS[0])
    turned = replace(region, ndvi=region.ndvi[::-1], weather=region.weather[::-1])
    np.testing.assert_array_equal(
        dense(build(EOV_2025, turned, scene).rows), dense(build(EOV_2025, region, scene).rows)
    )
