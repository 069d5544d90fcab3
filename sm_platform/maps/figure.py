"""A figure for the browser: mean, spread and quality of one map side by side."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from sm_platform.grid.window import GridWindow
from sm_platform.maps import drawing
from sm_platform.maps.palette import (
    GRADE_COLORS,
    GRADES,
    MOISTURE,
    SPREAD,
    Ramp,
    grade_index,
    paint,
)
from sm_platform.schema.product import QA, QA_OUTSIDE_REGION, SD, SM

PANEL_PX = 320
GAP_PX = 16
HEADER_PX = 64
FOOTER_PX = 64
LONGEST_PX = 880
"""Largest height of a panel; a tall window gets narrower panels."""


def overview(window: GridWindow, layers: Mapping[str, NDArray[np.generic]], *, title: str) -> bytes:
    """PNG of three panels: mean, standard deviation, classes of quality.

    Args:
        window: grid of the layers.
        layers: SM, SD and QA as in a map (float32 with NaN, uint16).
        title: one line above the panels.
    """
    width_m, height_m = drawing.ground_size_m(window)
    px_per_m = min(PANEL_PX / width_m, LONGEST_PX / height_m)
    width, height = max(width_m * px_per_m, 1.0), max(height_m * px_per_m, 1.0)
    figure = drawing.new_figure(3 * PANEL_PX + 4 * GAP_PX, HEADER_PX + height + FOOTER_PX)
    figure.patch.set(facecolor="white", alpha=1.0)
    drawing.add_text(figure, (GAP_PX, 20), title, size=11, is_bold=True)
    outside = layers[QA.name] == QA_OUTSIDE_REGION
    sm, sd = (layers[layer.name].astype(np.float32) for layer in (SM, SD))
    classes = _paint_grades(grade_index(sm, layers[QA.name]))
    pictures = (paint(sm, MOISTURE, outside), paint(sd, SPREAD, outside), classes)
    names = ("mean", "standard deviation of the members", "quality")
    for number, (name, picture) in enumerate(zip(names, pictures, strict=True)):
        left = GAP_PX + number * (PANEL_PX + GAP_PX)
        drawing.add_text(figure, (left, 48), name, size=10)
        axes = drawing.add_axes(figure, (left, HEADER_PX, width, height))
        axes.imshow(picture, interpolation="nearest", aspect="auto")
    _footer(figure, HEADER_PX + height)
    return drawing.png_bytes(figure)


def _paint_grades(index: NDArray[np.float64]) -> NDArray[np.uint8]:
    known = ~np.isnan(index)
    picture = np.zeros((*index.shape, 4), np.uint8)
    picture[known] = GRADE_COLORS(index[known].astype(int), bytes=True)
    return picture


def _footer(figure: Figure, top: float) -> None:
    for number, ramp in enumerate((MOISTURE, SPREAD)):
        _bar(figure, number, ramp, top)
    left = GAP_PX + 2 * (PANEL_PX + GAP_PX)
    for number, grade in enumerate(GRADES):
        x, y = left + 160 * (number % 2), top + 16 + 22 * (number // 2)
        drawing.add_swatch(figure, (x, y - 6, 16, 12), grade.color)
        drawing.add_text(figure, (x + 22, y), grade.title, size=8)


def _bar(figure: Figure, number: int, ramp: Ramp, top: float) -> None:
    left = GAP_PX + number * (PANEL_PX + GAP_PX)
    box = (left + 8, top + 10, PANEL_PX - 24, 10)
    drawing.add_color_bar(figure, box, ramp, label="m³/m³")
