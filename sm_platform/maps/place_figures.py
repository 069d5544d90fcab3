"""Pictures of a place: the outline of a region, and where its sites lie on its land cover."""

from dataclasses import dataclass

import numpy as np
import shapely
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import Figure
from numpy.typing import NDArray

from sm_platform.grid.window import GridWindow, lonlat_bounds
from sm_platform.maps.drawing import png_bytes

COVER = {
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
WIDTH_IN, DPI_SHARE = 6.4, 0.7
MOST_PIXELS = 400
"""Cells drawn along a side: a larger land cover is thinned."""
MARKS = {"cell": ("o", 9.0, "#111111"), "station": ("^", 42.0, "#D7301F")}


@dataclass(frozen=True, slots=True)
class Sites:
    """Places to draw, (n,) each."""

    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    kind: NDArray[np.str_]
    """`cell` or `station`."""


def draw_region(window: GridWindow, outline_wkt: str | None, *, title: str) -> bytes:
    """PNG: the outline in degrees within the window of its pixels."""
    figure, axes = _map(window, title)
    west, south, east, north = lonlat_bounds(window)
    axes.plot([west, east, east, west, west], [south, south, north, north, south], "0.6", lw=1)
    outline = shapely.from_wkt(outline_wkt) if outline_wkt else None
    for part in shapely.get_parts(outline) if outline is not None else ():
        axes.fill(*part.exterior.xy, facecolor="#A9CFE0", edgecolor="#12457E", lw=1.2)
        for hole in part.interiors:
            axes.fill(*hole.xy, facecolor="white", edgecolor="#12457E", lw=0.8)
    return png_bytes(figure)


def draw_sites(
    window: GridWindow, land_cover_code: NDArray[np.uint8], sites: Sites, *, title: str
) -> bytes:
    """PNG: sites over the land cover (rows, cols) of the window."""
    figure, axes = _map(window, title)
    west, south, east, north = lonlat_bounds(window)
    step = max(1, max(window.shape) // MOST_PIXELS)
    shown = land_cover_code[::step, ::step]
    known = np.array(sorted(COVER))
    places = np.clip(np.searchsorted(known, shown), 0, len(known) - 1)
    colors = ListedColormap([color for _, color in COVER.values()])
    edges = BoundaryNorm(np.arange(len(known) + 1) - 0.5, len(known))
    extent = (west, east, south, north)
    axes.imshow(
        places,
        cmap=colors,
        norm=edges,
        extent=extent,
        alpha=0.55,
        aspect="auto",
        interpolation="nearest",
    )
    for place in np.unique(places):
        name, color = COVER[int(known[place])]
        axes.scatter([], [], marker="s", color=color, alpha=0.55, label=name)
    for kind, (marker, size, color) in MARKS.items():
        own = sites.kind == kind
        if own.any():
            axes.scatter(
                sites.lon[own],
                sites.lat[own],
                marker=marker,
                s=size,
                color=color,
                edgecolor="white",
                lw=0.4,
                label=f"{own.sum()} sites ({kind})",
            )
    axes.set(xlim=(west, east), ylim=(south, north))
    axes.legend(fontsize=7, loc="upper left", bbox_to_anchor=(1.01, 1), frameon=False)
    return png_bytes(figure)


def _map(window: GridWindow, title: str) -> tuple[Figure, Axes]:
    """Axes in degrees, east and north to scale at the middle of the window."""
    west, south, east, north = lonlat_bounds(window)
    stretch = 1 / np.cos(np.radians((south + north) / 2))
    height = np.clip(WIDTH_IN * DPI_SHARE * (north - south) / (east - west) * stretch, 2.0, 9.0)
    figure = Figure(figsize=(WIDTH_IN, float(height) + 0.8), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.set_aspect(float(stretch))
    axes.set_title(title, fontsize=9)
    axes.tick_params(labelsize=7)
    axes.set_xlabel("longitude (deg)", fontsize=8)
    axes.set_ylabel("latitude (deg)", fontsize=8)
    return figure, axes
