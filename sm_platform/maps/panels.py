"""Figures of several panels, small letters, and one title over all of them."""

import textwrap
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from sm_platform.maps.drawing import DPI, FONT, INK, add_panel

COLUMNS = 3
PANEL_IN = (2.9, 2.6)
TITLE_IN = 0.3
"""Height of the title above the panels."""
TITLE_LETTERS = 30
"""Of a panel's title in a line."""
SMALL: dict[str, Any] = {"fontsize": 8, "fontfamily": FONT, "color": INK}


def new_paper(width_in: float, height_in: float, title: str) -> Figure:
    """A white figure with its title that makes room for what is written in it."""
    figure = Figure(figsize=(width_in, height_in), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    add_panel(figure, (0, 0, width_in * DPI, height_in * DPI))
    figure.suptitle(title, fontsize=10, fontfamily=FONT, fontweight="bold", color=INK)
    return figure


def new_panels(count: int, title: str, *, empty: str) -> tuple[Figure, list[Axes]]:
    """A figure with so many axes, three a row; with none it says `empty`."""
    cols = min(max(count, 1), COLUMNS)
    rows = max(-(-count // COLUMNS), 1)
    figure = new_paper(PANEL_IN[0] * cols, TITLE_IN + PANEL_IN[1] * rows, title)
    if not count:
        axes = figure.add_subplot()
        axes.set_axis_off()
        axes.text(0.5, 0.5, empty, ha="center", va="center", **SMALL)
    return figure, [neat(figure.add_subplot(rows, cols, n + 1)) for n in range(count)]


def neat(axes: Axes) -> Axes:
    """Small letters of our font, and no frame where nothing is read off."""
    axes.tick_params(labelsize=8, labelfontfamily=FONT)
    axes.spines[["top", "right"]].set_visible(False)
    return axes


def in_lines(told: str) -> str:
    """A panel's title, its lines ending after commas."""
    kept = told.replace(" ", "\N{NO-BREAK SPACE}").replace(",\N{NO-BREAK SPACE}", ", ")
    return textwrap.fill(kept, TITLE_LETTERS)
