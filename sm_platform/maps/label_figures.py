"""Pictures of labels: their distribution, what was rejected, where two sources meet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from sm_platform.errors import ProductError
from sm_platform.maps.drawing import FONT, png_bytes
from sm_platform.maps.palette import MOISTURE
from sm_platform.maps.panels import SMALL, in_lines, neat, new_panels, new_paper

UNIT = "m³/m³"
BLUE = MOISTURE.stops[-1]
MOST_M3M3 = 0.7
"""End of the axes: no good label is above."""
BINS = 35
MOST_POINTS = 5000
"""Of a scatter: more are thinned evenly, in their order."""
FEW_POINTS = 200
"""Up to so many are drawn large and dark."""


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

    def __post_init__(self) -> None:
        if self.x.shape != self.y.shape:
            raise ProductError(
                f"{self.first} has {self.x.size} labels and {self.second} {self.y.size}: "
                "give those of the same sites and passes."
            )


def draw_histograms(values: Mapping[str, NDArray[np.floating]]) -> bytes:
    """PNG: a histogram of good labels (m3/m3, NaN: none) for each source."""
    figure, panels = new_panels(len(values), "Good labels by source", empty="no good labels")
    for axes, (source, labels) in zip(panels, values.items(), strict=True):
        sm = labels[np.isfinite(labels)]
        axes.hist(np.clip(sm, 0, MOST_M3M3), bins=BINS, range=(0, MOST_M3M3), color=BLUE)
        counted = f"{sm.size} labels" if sm.size != 1 else "1 label"
        mean = f", mean {sm.mean(dtype=np.float64):.3f}" if sm.size else ""
        axes.set_title(f"{source}\n{counted}{mean}", **SMALL)
        axes.set(xlim=(0, MOST_M3M3), ylim=(0, max(axes.get_ylim()[1], 1)))
        axes.set_xlabel(f"soil moisture ({UNIT})", **SMALL)
        axes.set_ylabel("labels", **SMALL)
        axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    return png_bytes(figure)


def draw_rejections(reasons: Mapping[str, Mapping[str, int]]) -> bytes:
    """PNG: share of the passes at each source's sites without a good reading, by reason.

    Args:
        reasons: passes by source and reason; those that are `good` have one.
    """
    named = sorted({reason for counts in reasons.values() for reason in counts} - {"good"})
    height_in = max(0.9 + 0.45 * max(len(reasons), 1), 0.3 + 0.2 * len(named))
    figure = new_paper(
        8.0, height_in + 0.3, "Passes at the sites without a good reading, by reason"
    )
    axes = neat(figure.add_subplot())
    totals = np.array([sum(counts.values()) for counts in reasons.values()])
    rows, left = np.arange(len(reasons)), np.zeros(len(reasons))
    palette = matplotlib.colormaps["tab10" if len(named) <= 10 else "tab20"]
    for number, reason in enumerate(named):
        counts = np.array([one.get(reason, 0) for one in reasons.values()])
        shares = 100 * counts / np.maximum(totals, 1)
        axes.barh(rows, shares, left=left, height=0.65, label=reason, color=palette(number))
        left += shares
    for row, (share, total) in enumerate(zip(left, totals, strict=True)):
        axes.text(share, row, f"  {_rejected(share, total)}", va="center", **SMALL)
    if not reasons:
        axes.text(0.5, 0, "no readings", **SMALL)
    axes.set_yticks(rows, list(reasons))
    axes.set_ylim(max(len(reasons), 1) - 0.5, -0.5)  # the first on top
    axes.set_xlim(0, max(10.0, min(1.35 * left.max(initial=0.0), 118)))
    axes.set_xticks([tick for tick in axes.get_xticks() if tick <= 100])
    axes.set_xlabel("passes without a good reading (%)", **SMALL)
    if named:
        figure.legend(loc="outside right upper", prop={"family": FONT, "size": 8}, frameon=False)
    return png_bytes(figure)


def draw_meetings(meetings: Sequence[Meeting]) -> bytes:
    """PNG: a scatter for each two sources that meet."""
    title, nothing = "Labels where two sources meet", "no two sources meet"
    figure, panels = new_panels(len(meetings), title, empty=nothing)
    for axes, one in zip(panels, meetings, strict=True):
        _draw_meeting(axes, one)
    return png_bytes(figure)


def _draw_meeting(axes: Axes, one: Meeting) -> None:
    """Points and the line where both are equal."""
    ends = (0.0, MOST_M3M3)
    size, alpha = (14, 0.7) if one.x.size <= FEW_POINTS else (5, 0.35)
    shown = np.linspace(0, one.x.size - 1, min(one.x.size, MOST_POINTS)).astype(np.intp)
    axes.scatter(one.x[shown], one.y[shown], s=size, alpha=alpha, lw=0, color=BLUE)
    axes.plot(ends, ends, color="0.3", lw=1)
    axes.set(xlim=ends, ylim=ends, aspect="equal")
    axes.set_xticks(axes.get_yticks())
    axes.set(xlim=ends, ylim=ends)
    axes.set_xlabel(f"{one.first} ({UNIT})", **SMALL)
    axes.set_ylabel(f"{one.second} ({UNIT})", **SMALL)
    axes.set_title(in_lines(one.told), **SMALL)


def _rejected(share: float, total: int) -> str:
    """What stands beside a bar (`share` in percent)."""
    if not total:
        return "no readings"
    return f"< 1 % of {total}" if 0 < share < 1 else f"{share:.0f} % of {total}"
