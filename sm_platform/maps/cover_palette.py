"""Land cover for people: names and colours of its classes, and how much there is of each."""

from collections.abc import Mapping

import numpy as np
from matplotlib.colors import to_rgba
from numpy.typing import NDArray

WORLD_COVER = {
    0: ("not known", "#FFFFFF"),
    10: ("trees", "#006400"),
    20: ("shrub", "#FFBB22"),
    30: ("grass", "#FFFF4C"),
    40: ("crops", "#F096FF"),
    50: ("built-up", "#FA0000"),
    60: ("bare", "#B4B4B4"),
    70: ("snow", "#F0F0F0"),
    80: ("water", "#0064C8"),
    90: ("wetland, flooded rice", "#0096A0"),
    95: ("mangrove", "#00CF75"),
    100: ("moss", "#FAE6A0"),
}
"""Classes of WorldCover v200 with the colours of its user manual."""
DYNAMIC_WORLD = {
    0: ("water or not known", "#419BDF"),
    1: ("trees", "#397D49"),
    2: ("grass", "#88B053"),
    3: ("flooded vegetation", "#7A87C6"),
    4: ("crops", "#E49635"),
    5: ("shrub", "#DFC35A"),
    6: ("built-up", "#C4281B"),
    7: ("bare", "#A59B8F"),
    8: ("snow", "#B39FE1"),
}
"""Labels of Dynamic World v1 with the colours of its catalog page."""
NAMELESS = "#7F7F7F"
"""Codes that the legend lacks."""
PALE = 0.55
"""Opacity of the land cover, so that sites stand out."""
MOST_NAMED = 2
"""Codes without a class that the legend names."""

Codes = NDArray[np.uint8]
Legend = Mapping[int, tuple[str, str]]
"""Name and colour of each code."""


def legend_of(codes: Codes) -> Legend:
    """Dynamic World when all codes are below 10 and one is above 0, else WorldCover."""
    is_labels = 0 < codes.max() < min(code for code in WORLD_COVER if code)
    return DYNAMIC_WORLD if is_labels else WORLD_COVER


def colors_of(legend: Legend) -> NDArray[np.float64]:
    """(256, 4): pale RGBA of each code, grey for those that the legend lacks."""
    colors = np.tile(to_rgba(NAMELESS, PALE), (256, 1))
    for code, (_, color) in legend.items():
        colors[code] = to_rgba(color, PALE)
    return colors


def class_shares(codes: Codes, legend: Legend) -> list[tuple[str, str]]:
    """Name with its share of the codes, and colour, of each class that is there."""
    counts = np.sum([np.bincount(row, minlength=256) for row in codes], axis=0)
    there = np.flatnonzero(counts).tolist()
    shown = [(*legend[code], counts[code]) for code in there if code in legend]
    nameless = [code for code in there if code not in legend]
    if nameless:
        listed = ", ".join(str(code) for code in nameless[:MOST_NAMED])
        more = ", ..." * (len(nameless) > MOST_NAMED)
        shown.append((f"no class: {listed}{more}", NAMELESS, counts[nameless].sum()))
    return [(f"{name}, {_percent(count / codes.size)}", color) for name, color, count in shown]


def _percent(share: float) -> str:
    return "< 1 %" if share < 0.01 else f"{100 * share:.0f} %"
