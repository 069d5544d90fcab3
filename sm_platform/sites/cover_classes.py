"""Numbering of land cover classes: WorldCover codes or Dynamic World labels, by share band."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from sm_platform.errors import DataError, UsageError
from sm_platform.grid.window import Raster

SHARE = "_share"
CODE = "land_cover_code"
FIRST_WORLD_COVER_CODE = 10
"""WorldCover counts in tens from 10; Dynamic World labels end at 8."""


@dataclass(frozen=True, slots=True)
class Legend:
    """One numbering of the land cover classes."""

    name: str
    codes: Mapping[str, int]
    """Code of each share band, by the band's name without `_share`."""
    soil_classes: tuple[int, ...]
    """Codes kept when nobody asks for others: there C-band radar sees soil."""

    def names(self, classes: tuple[int, ...]) -> dict[int, str]:
        """Name of each wanted code; raises UsageError for one that the legend lacks."""
        named: dict[int, str] = {}
        for name, code in self.codes.items():
            named.setdefault(code, name)
        unknown = [code for code in classes if code not in named]
        if unknown:
            known = ", ".join(f"{code} {named[code]}" for code in sorted(named))
            raise UsageError(f"Land cover class {unknown[0]} is not in {self.name}: use {known}.")
        return {code: named[code] for code in sorted(set(classes))}


SOIL_CLASSES = (20, 30, 40, 60, 90)
"""WorldCover v200 codes of shrub, grass, crop, bare and wetland.

Wetland stays in because flooded paddies are often classified so; trees hide the soil.
"""
WORLD_COVER = Legend(
    "WorldCover v200",
    {
        "tree": 10,
        "shrub": 20,
        "grass": 30,
        "crop": 40,
        "built": 50,
        "bare": 60,
        "snow": 70,
        "water": 80,
        "wetland": 90,
    },
    SOIL_CLASSES,
)
"""ESA WorldCover 2021 v200 product user manual; mangrove is in tree, moss and lichen in bare."""
DYNAMIC_WORLD = Legend(
    "Dynamic World v1",
    {
        "tree": 1,
        "trees": 1,
        "grass": 2,
        "wetland": 3,
        "flooded_vegetation": 3,
        "crop": 4,
        "crops": 4,
        "shrub": 5,
        "shrub_and_scrub": 5,
        "built": 6,
        "bare": 7,
        "snow": 8,
        "snow_and_ice": 8,
        "water": 0,
    },
    (2, 3, 4, 5, 7),
)
"""Labels of Brown et al. 2022 (10.1038/s41597-022-01307-4); 3 is kept, it holds flooded paddies.

Water is label 0, the same number as a missing `land_cover_code`: the shares tell them apart.
"""


def legend_of(land_cover: Raster) -> Legend:
    """The numbering of the raster's `land_cover_code`: Dynamic World when all codes are 0..8.

    Raises:
        DataError: the band is absent, or holds codes of both numberings.
    """
    if CODE not in land_cover.values:
        raise DataError(f"The land cover has no band {CODE}: aggregate it again.")
    found = np.flatnonzero(np.bincount(land_cover.values[CODE].ravel().astype(np.uint8)))
    labels = [int(code) for code in found if 0 < code < FIRST_WORLD_COVER_CODE]
    if not labels:
        return WORLD_COVER
    if found.max() >= FIRST_WORLD_COVER_CODE:
        raise DataError(
            f"The land cover mixes code {labels[0]} of {DYNAMIC_WORLD.name} with {found.max()} "
            f"of {WORLD_COVER.name}: bring one of them."
        )
    return DYNAMIC_WORLD


def share_bands(land_cover: Raster, legend: Legend) -> dict[int, str]:
    """Band of each code in the land cover, by ascending code.

    Raises:
        DataError: there is no band `*_share`, one of no known class, or two of one class.
    """
    bands: dict[int, str] = {}
    for band in sorted(name for name in land_cover.values if name.endswith(SHARE)):
        code = legend.codes.get(band.removesuffix(SHARE))
        if code is None or code in bands:
            other = "a class that is not in" if code is None else f"the class of {bands[code]} in"
            raise DataError(f"Land cover band {band} holds {other} {legend.name}: rename it.")
        bands[code] = band
    if not bands:
        raise DataError(f"The land cover has no band '*{SHARE}': aggregate it again.")
    return dict(sorted(bands.items()))
