"""Figures of a map, counted by hand on few cells, and its hashes."""

from dataclasses import replace

import numpy as np
import pytest

from sm_platform.grid.ease2 import LEVEL_100M, window_around
from sm_platform.maps.product import MapProduct
from sm_platform.maps.summary import statistics, summary
from sm_platform.schema.product import QA, SM, Qa
from sm_platform_tests.maps import cases

NAN = np.nan


def six() -> MapProduct:
    """Six cells: good, care, reject, water, no radar, outside the region."""
    grid = window_around(LEVEL_100M, 106.3, 20.5, (2, 3))
    qa = [0, int(Qa.NDVI_FILLED), int(Qa.BUILT_UP | Qa.OUTSIDE_APPLICABILITY),
          int(Qa.OPEN_WATER), 1, 65535]  # fmt: skip
    layers: dict[str, np.ndarray] = {
        "SM": np.array([[0.1, 0.2, 0.4], [NAN, NAN, NAN]], np.float32),
        "SD": np.array([[0.01, 0.02, 0.06], [NAN, NAN, NAN]], np.float32),
        "DI": np.array([[0.1, 0.2, 0.9], [NAN, NAN, NAN]], np.float32),
        "AGE": np.array([[4, 9, 8], [65535] * 3], np.uint16),
        "QA": np.array(qa, np.uint16).reshape(2, 3),
    }
    return MapProduct(grid, layers, 0, cases.SEEN, cases.LINEAGE)


def without_di(product: MapProduct) -> MapProduct:
    layers = {name: values for name, values in product.layers.items() if name != "DI"}
    return replace(product, layers=layers)


def test_cells_are_counted_by_what_may_be_done_with_them() -> None:
    found = summary(six())
    counts = found.n_cells, found.n_valid, found.n_recommended, found.n_outside_applicability
    assert counts == (5, 3, 2, 1)
    assert found.recommended_percent == 40.0
    assert summary(without_di(six())).n_outside_applicability is None


def test_figures_are_over_all_cells_with_a_value() -> None:
    found = summary(six())
    assert found.sm_mean_m3m3 == pytest.approx(0.7 / 3, abs=1e-7)
    assert (found.sm_p10_m3m3, found.sm_p50_m3m3, found.sm_p90_m3m3) == (0.12, 0.2, 0.36)
    assert found.sm_sd_mean_m3m3 == pytest.approx(0.03)
    assert found.ndvi_age_median_d == 8


def test_a_map_without_a_value_has_no_figures() -> None:
    made = six()
    empty = np.full((2, 3), NAN, np.float32)
    layers = {
        "SM": empty,
        "SD": empty,
        "AGE": np.full((2, 3), 65535, np.uint16),
        "QA": made.layers["QA"],
    }
    found = summary(replace(made, layers=layers))
    assert (found.n_valid, found.n_recommended, found.recommended_percent) == (0, 0, 0.0)
    assert found.sm_mean_m3m3 is found.sm_p50_m3m3 is found.ndvi_age_median_d is None


def test_the_pixel_hash_follows_pixels_and_grid_only() -> None:
    first = summary(cases.product())
    again = summary(cases.product(lineage=replace(cases.LINEAGE, code_version="0.2.0"), revision=3))
    assert again.pixel_sha256 == first.pixel_sha256
    other = summary(cases.product(seed=8))
    assert other.pixel_sha256 != first.pixel_sha256
    assert other.layer_sha256["SM"] != first.layer_sha256["SM"]
    assert other.layer_sha256["QA"] == first.layer_sha256["QA"]
    moved = replace(cases.product(), window=window_around(LEVEL_100M, 106.4, 20.5, (60, 80)))
    assert summary(moved).pixel_sha256 != first.pixel_sha256
    assert summary(moved).layer_sha256 == first.layer_sha256


def test_statistics_are_of_the_numbers_as_stored() -> None:
    numbers = np.array([[1000, 2000], [6000, 65535]], np.uint16)
    assert statistics(SM, numbers) == {
        "minimum": 1000, "maximum": 6000, "mean": 3000, "count": 3, "valid_percent": 75,
        "stddev": pytest.approx(2160.246899),
    }  # fmt: skip
    assert statistics(QA, numbers) == {"count": 3, "valid_percent": 75}
    assert statistics(SM, np.full((2, 2), 65535, np.uint16)) == {"count": 0, "valid_percent": 0}
