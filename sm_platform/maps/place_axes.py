"""Axes of a map in degrees: to scale, with a title above and room for a legend at the right."""

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import NDArray

from sm_platform.grid.window import GridWindow, lonlat_bounds
from sm_platform.maps.drawing import DPI, FONT, INK, add_axes, add_panel, add_text, new_figure

MAP_IN, LEAST_MAP_IN = 5.6, 1.6
"""Longer and, at least, shorter side of a map in inches."""
LEFT_IN, BOTTOM_IN, TOP_IN = 0.85, 0.55, 0.45
"""Room around a map for what is written along its sides."""
LEGEND_IN, ENTRY_IN = 2.3, 0.2
"""Width of the legend right of the map, and height of one of its lines."""
TICK_STEPS = [1, 2, 2.5, 5, 10]
"""Distances of ticks, times a power of ten."""


@dataclass(frozen=True, slots=True)
class Frame:
    """Bounds of a map in degrees; east is above 180 where the window crosses that meridian."""

    west: float
    south: float
    east: float
    north: float

    @property
    def stretch(self) -> float:
        """Degrees of longitude that are as long as one of latitude, at the middle."""
        return float(1 / np.cos(np.radians((self.south + self.north) / 2)))

    def onto(self, lon: NDArray[np.float64]) -> NDArray[np.float64]:
        """Longitudes on the map's side of 180 degrees."""
        return np.where(lon < self.east - 360, lon + 360, lon)


def frame_of(window: GridWindow) -> Frame:
    """The bounds of a window."""
    west, south, east, north = lonlat_bounds(window)
    return Frame(west, south, east if east > west else east + 360, north)


def new_map(frame: Frame, title: str, *, n_entries: int) -> tuple[Figure, Axes]:
    """Axes with east and north to scale at the middle of the frame.

    Args:
        frame: what the map shows.
        title: above it.
        n_entries: lines of the legend that will stand at the right.
    """
    ratio = (frame.north - frame.south) / (frame.east - frame.west) * frame.stretch
    width = max(MAP_IN * min(1 / ratio, 1), LEAST_MAP_IN)
    height = max(MAP_IN * min(ratio, 1), LEAST_MAP_IN, ENTRY_IN * n_entries)
    size = DPI * (LEFT_IN + width + LEGEND_IN), DPI * (TOP_IN + height + BOTTOM_IN)
    figure = new_figure(*size)
    add_panel(figure, (0, 0, *size))
    add_text(figure, (LEFT_IN * DPI, TOP_IN * DPI / 2), title, size=10, is_bold=True)
    axes = add_axes(figure, (LEFT_IN * DPI, TOP_IN * DPI, width * DPI, height * DPI))
    axes.set_axis_on()
    axes.set_aspect(frame.stretch, anchor="NW")
    _label(axes, frame, (width, height))
    return figure, axes


def _label(axes: Axes, frame: Frame, size_in: tuple[float, float]) -> None:
    """Ticks and names of the axes of a map that is so wide and high."""
    width, height = size_in
    axes.tick_params(labelsize=8, labelfontfamily=FONT, colors=INK)
    axes.set_xlabel("longitude (deg)", fontsize=8, fontfamily=FONT, color=INK)
    axes.set_ylabel("latitude (deg)", fontsize=8, fontfamily=FONT, color=INK)
    axes.xaxis.set_major_locator(MaxNLocator(max(2, int(width)), steps=TICK_STEPS))
    axes.yaxis.set_major_locator(MaxNLocator(max(3, int(height * 1.5)), steps=TICK_STEPS))
    axes.ticklabel_format(useOffset=False)
    if frame.east > 180:
        axes.xaxis.set_major_formatter(FuncFormatter(_as_longitude))


def _as_longitude(lon: float, _: int | None = None) -> str:
    """The text of a tick, west of Greenwich negative also right of 180 degrees."""
    return f"{lon - 360 if lon > 180 else lon:.9g}".replace("-", "\N{MINUS SIGN}")


def add_legend(axes: Axes) -> None:
    """The legend, right of the map."""
    axes.legend(
        loc="upper left",
        bbox_to_anchor=(1.02, 1),
        borderaxespad=0,
        frameon=False,
        prop={"family": FONT, "size": 8},
        labelcolor=INK,
    )
