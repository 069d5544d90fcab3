"""Pictures of labels: their distribution, what was rejected, where two sources meet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from sm_platform.maps.drawing import png_bytes

UNIT = "m³/m³"
EDGES = np.linspace(0.0, 0.7, 36)
COLUMNS = 3
INK = "#12457E"


@dataclass(frozen=True, slots=True)
class Meeting:
    """Labels of two sources at the same site and pass."""

    first: str
    second: str
    x: NDArray[np.floating]
    """(n,) m3/m3 of the first."""
    y: NDArray[np.floating]
    told: str
    """What to say of them in one line, for example n and R."""


def draw_histograms(values: Mapping[str, NDArray[np.floating]]) -> bytes:
    """PNG: a histogram of good labels (m3/m3) for each source."""
    figure, panels = _panels(len(values))
    for axes, (source, sm) in zip(panels, values.items(), strict=False):
        axes.hist(sm, bins=EDGES, color=INK)
        axes.set_title(f"{source}: {len(sm)} labels, mean {np.mean(sm):.3f}", fontsize=8)
        axes.set_xlabel(UNIT, fontsize=7)
    return png_bytes(figure)


def draw_rejections(reasons: Mapping[str, Mapping[str, int]]) -> bytes:
    """PNG: share of the readings of each source that was rejected, by reason."""
    named = sorted({reason for counts in reasons.values() for reason in counts} - {"good"})
    figure = _figure(1.2 + 0.45 * len(reasons))
    axes = figure.add_subplot()
    left = np.zeros(len(reasons))
    totals = np.array([max(sum(counts.values()), 1) for counts in reasons.values()])
    for reason in named:
        shares = 100 * np.array([counts.get(reason, 0) for counts in reasons.values()]) / totals
        axes.barh(list(reasons), shares, left=left, label=reason)
        left += shares
    axes.set_xlabel("rejected readings (%)", fontsize=8)
    axes.set_xlim(0, max(100 * 1e-3, float(left.max()) * 1.05))
    axes.tick_params(labelsize=8)
    if named:
        axes.legend(fontsize=7, loc="upper left", bbox_to_anchor=(1.01, 1), frameon=False)
    return png_bytes(figure)


def draw_meetings(meetings: Sequence[Meeting]) -> bytes:
    """PNG: a scatter for each two sources that meet."""
    figure, panels = _panels(len(meetings))
    for axes, one in zip(panels, meetings, strict=False):
        axes.plot([0, 0.6], [0, 0.6], color="0.6", lw=1)
        axes.scatter(one.x, one.y, s=4, alpha=0.4, color=INK)
        axes.set(xlim=(0, 0.6), ylim=(0, 0.6))
        axes.set_xlabel(f"{one.first} ({UNIT})", fontsize=7)
        axes.set_ylabel(f"{one.second} ({UNIT})", fontsize=7)
        axes.set_title(one.told, fontsize=8)
    return png_bytes(figure)


def _panels(count: int) -> tuple[Figure, list[Axes]]:
    rows = max(-(-count // COLUMNS), 1)
    figure = _figure(2.4 * rows)
    panels = figure.subplots(rows, COLUMNS, squeeze=False).ravel().tolist()
    for axes in panels:
        axes.tick_params(labelsize=7)
    for axes in panels[count:]:
        axes.set_visible(False)
    return figure, panels


def _figure(height_in: float) -> Figure:
    figure = Figure(figsize=(8.0, height_in), dpi=90, layout="constrained")
    FigureCanvasAgg(figure)
    return figure
