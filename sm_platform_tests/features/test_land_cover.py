"""Land cover shares: counted by hand, summing to one, missing cells left out."""

import numpy as np
import pytest
from affine import Affine

from sm_platform.features.land_cover import CLASSES, land_cover_shares
from sm_platform.grid.window import GridWindow, Raster
from sm_platform_tests.features.small import WINDOW

FINE = GridWindow(WINDOW.crs, WINDOW.affine @ Affine.scale(0.1), (30, 40))
"""Ten by ten cells in each of the region's pixels."""


def shares(codes: np.ndarray[tuple[int, int], np.dtype[np.uint8]]) -> Raster:
    return land_cover_shares(WINDOW, Raster(FINE, {"land_cover_code": codes}))


def test_shares_by_hand() -> None:
    codes = np.full(FINE.shape, 40, np.uint8)
    codes[0:10, 0:10] = 0
    codes[0:3, 0:10], codes[3, 0:10] = 80, 95
    codes[20:30, 30:40] = 0
    found = shares(codes).values
    corner = {name: float(found[f"{name}_share"][0, 0]) for name in CLASSES}
    assert corner == pytest.approx({**dict.fromkeys(CLASSES, 0), "water": 0.75, "tree": 0.25})
    assert found["crop_share"][1, 1] == 1
    assert np.isnan(found["crop_share"][2, 3]), "no classified cell"
    assert found["land_cover_code"].tolist() == [[80, 40, 40, 40], [40] * 4, [40, 40, 40, 0]]
    assert found["land_cover_code"].dtype == np.uint8


def test_shares_of_any_classes_sum_to_one() -> None:
    codes = (
        np.random.default_rng(1)
        .choice([code for codes in CLASSES.values() for code in codes], FINE.shape)
        .astype(np.uint8)
    )
    found = shares(codes).values
    total = sum(np.asarray(found[f"{name}_share"]) for name in CLASSES)
    np.testing.assert_allclose(total, 1, atol=1e-6)
