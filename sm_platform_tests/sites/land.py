"""Small made-up regions for the tests of this room."""

import numpy as np
from numpy.typing import NDArray

from benchmarks.sites import CODES
from sm_platform.grid import ease2
from sm_platform.grid.window import GridWindow, Raster

REGION = ease2.window_around(ease2.LEVEL_100M, 106.43, 20.45, (90, 90))  # 9 km: about 9 blocks
NAMES = {code: name for name, code in CODES.items()}


def cover(
    code: NDArray[np.uint8], purity: NDArray[np.float32], window: GridWindow = REGION
) -> Raster:
    """Land cover whose class `code` has the share `purity`, the rest spread over the others.

    Code 0 or purity NaN is a pixel without land cover.
    """
    is_missing = (code == 0) | np.isnan(purity)
    rest = (1 - purity) / (len(NAMES) - 1)
    bands: dict[str, NDArray[np.generic]] = {
        f"{name}_share": np.where(is_missing, np.nan, np.where(code == c, purity, rest)).astype(
            np.float32
        )
        for c, name in NAMES.items()
    }
    bands["land_cover_code"] = np.where(is_missing, np.uint8(0), code)
    return Raster(window, bands)


def mixed(seed: int, window: GridWindow = REGION, codes: tuple[int, ...] = (10, 30, 40)) -> Raster:
    """Classes and purities (0.5..1) at random."""
    rng = np.random.default_rng(seed)
    code = rng.choice(np.array(codes, np.uint8), window.shape)
    return cover(code, rng.uniform(0.5, 1, window.shape).astype(np.float32), window)


def pure(code: int, window: GridWindow = REGION) -> Raster:
    """One class alone."""
    return cover(np.full(window.shape, code, np.uint8), np.ones(window.shape, np.float32), window)
