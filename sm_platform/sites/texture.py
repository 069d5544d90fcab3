"""Soil texture in three classes, as strata of sites."""

from enum import IntEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

COARSE_CLAY_BELOW_G_KG = 180.0
COARSE_SAND_ABOVE_G_KG = 650.0
FINE_CLAY_ABOVE_G_KG = 350.0
WHOLE_G_KG = 1000.0


class Texture(IntEnum):
    """Texture classes of the FAO-Unesco Soil Map of the World, used by HWSD as well."""

    UNKNOWN = 0
    COARSE = 1
    MEDIUM = 2
    FINE = 3


def texture_codes(sand_g_kg: ArrayLike, clay_g_kg: ArrayLike) -> NDArray[np.int8]:
    """Texture class of each place; any shape, both broadcast.

    Coarse: less than 18 % clay and more than 65 % sand. Fine: more than 35 % clay. Medium: all
    else. Limits of FAO-Unesco, Soil Map of the World, volume I: Legend (1974).

    Args:
        sand_g_kg: sand in the fine earth, g/kg; NaN where not known.
        clay_g_kg: clay in the fine earth, g/kg; NaN where not known.

    Returns:
        Codes of `Texture`; 0 where either is NaN or lies outside 0..1000 g/kg.
    """
    sand, clay = np.broadcast_arrays(np.asarray(sand_g_kg, float), np.asarray(clay_g_kg, float))
    is_known = (sand >= 0) & (sand <= WHOLE_G_KG) & (clay >= 0) & (clay <= WHOLE_G_KG)
    is_coarse = (clay < COARSE_CLAY_BELOW_G_KG) & (sand > COARSE_SAND_ABOVE_G_KG)
    conditions = [~is_known, is_coarse, clay > FINE_CLAY_ABOVE_G_KG]
    codes = np.select(conditions, [Texture.UNKNOWN, Texture.COARSE, Texture.FINE], Texture.MEDIUM)
    return codes.astype(np.int8)
