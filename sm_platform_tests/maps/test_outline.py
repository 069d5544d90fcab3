"""The outline of what the radar measured."""

import numpy as np
import pytest

from sm_platform.errors import ProductError
from sm_platform.grid.window import lonlat_bounds
from sm_platform.maps.outline import measured_ring, ring_bounds
from sm_platform.maps.product import MapProduct
from sm_platform_tests.maps import cases


def with_radar(measured: np.ndarray) -> MapProduct:
    """A map without any value, with radar where told."""
    empty = np.full(cases.SEED_GRID.shape, np.nan, np.float32)
    layers = {
        "SM": empty,
        "SD": empty,
        "AGE": np.full(empty.shape, 65535, np.uint16),
        "QA": np.where(measured, 0, 1).astype(np.uint16),
    }
    return MapProduct(cases.SEED_GRID, layers, 0, cases.DAY, cases.PARITY)


def area(ring: list[list[float]]) -> float:
    """Signed area in square degrees, positive when counterclockwise."""
    lon, lat = np.array(ring).T
    return float(np.sum(lon[:-1] * lat[1:] - lon[1:] * lat[:-1]) / 2)


def test_a_measured_block_is_its_own_outline() -> None:
    measured = np.zeros((24, 24), bool)
    measured[2:5, 10:20] = True
    ring = measured_ring(with_radar(measured))
    step = 0.000898315290521004
    west, north = 106.3 + 10 * step, 9.95 - 2 * step
    wanted = [west, north - 3 * step, west + 10 * step, north]
    np.testing.assert_allclose(ring_bounds(ring), wanted, atol=1e-7)
    assert ring[0] == ring[-1]
    assert area(ring) == pytest.approx(30 * step**2, rel=1e-3)


def test_a_swath_edge_is_followed() -> None:
    row, col = np.mgrid[:24, :24]
    ring = measured_ring(with_radar(col < 12 + row / 4))
    share = area(ring) / (24 * 0.000898315290521004) ** 2
    assert share == pytest.approx((col < 12 + row / 4).mean(), abs=0.02)


def test_the_whole_window_spans_its_bounds() -> None:
    ring = measured_ring(with_radar(np.ones((24, 24), bool)))
    np.testing.assert_allclose(ring_bounds(ring), lonlat_bounds(cases.SEED_GRID), atol=1e-7)


def test_without_radar_there_is_no_map() -> None:
    with pytest.raises(ProductError, match="no_data"):
        measured_ring(with_radar(np.zeros((24, 24), bool)))
