"""Land cover of every pixel: the share of each class among the 10 m cells of its footprint."""

import numpy as np
from numpy.typing import NDArray

from sm_platform.features.footprint import add_to, blocks, in_cells
from sm_platform.grid.window import GridWindow, Raster

CLASSES = {
    "tree": (10, 95),
    "shrub": (20,),
    "grass": (30,),
    "crop": (40,),
    "built": (50,),
    "bare": (60, 100),
    "snow": (70,),
    "water": (80,),
    "wetland": (90,),
}
"""WorldCover v200 codes of each share; mangrove counts as tree, moss and lichen as bare."""
CODES = tuple(codes[0] for codes in CLASSES.values())


def land_cover_shares(window: GridWindow, classes: Raster) -> Raster:
    """Shares 0..1 (float32) of the nine classes and the largest one's code (uint8) on `window`.

    Args:
        window: the region's pixels.
        classes: `land_cover_code` (WorldCover v200) on its own grid, 0 missing.

    Returns:
        `tree_share` ... `wetland_share`, NaN where no classified cell lies in the pixel, and
        `land_cover_code`, 0 there. Shares count classified cells only and sum to 1.
    """
    counts = _counts(window, np.asarray(classes.values["land_cover_code"]), classes.window)
    total = counts.sum(axis=0)
    with np.errstate(invalid="ignore"):  # 0 / 0 is a pixel without classified cells
        shares = (counts / total).astype(np.float32)
    bands: dict[str, NDArray[np.generic]] = {
        f"{name}_share": share.reshape(window.shape)
        for name, share in zip(CLASSES, shares, strict=True)
    }
    largest = np.array(CODES, np.uint8)[counts.argmax(axis=0)]
    bands["land_cover_code"] = np.where(total > 0, largest, np.uint8(0)).reshape(window.shape)
    return Raster(window, bands)


def _counts(
    window: GridWindow, codes: NDArray[np.generic], fine: GridWindow
) -> NDArray[np.float64]:
    """(9, pixels) classified cells of each class in each pixel."""
    place = np.full(256, len(CLASSES))
    for number, of_class in enumerate(CLASSES.values()):
        place[list(of_class)] = number
    total = np.zeros((len(CLASSES) + 1) * (window.size + 1))
    rule = in_cells(window)
    for block in blocks(fine, window.crs):
        group = place[codes[block.rows]] * (window.size + 1) + rule(block.x, block.y)
        add_to(total, group, None)
    return total.reshape(len(CLASSES) + 1, -1)[:-1, :-1]
