"""Pictures of a place: the outline of a region, and where its sites lie on its land cover."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import shapely
from affine import Affine
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray
from shapely.geometry.polygon import orient

from sm_platform.errors import DataError, ProductError
from sm_platform.grid.window import GridWindow, link, lonlat_bounds
from sm_platform.maps.drawing import (
    DPI,
    FONT,
    INK,
    add_axes,
    add_panel,
    add_text,
    new_figure,
    png_bytes,
)
from sm_platform.maps.palette import MOISTURE

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
MOST_PIXELS = 500
"""Pixels of the drawn land cover along its longer side."""
MAP_IN, LEAST_MAP_IN = 5.6, 1.6
"""Longer and, at least, shorter side of a map in inches."""
LEFT_IN, BOTTOM_IN, TOP_IN = 0.85, 0.55, 0.45
"""Room around a map for what is written along its sides."""
LEGEND_IN, ENTRY_IN = 2.1, 0.2
"""Width of the legend right of the map, and height of one of its lines."""
MARKS = {"cell": ("o", 10.0, "#111111"), "station": ("^", 60.0, "#D7301F")}
FILL, LINE = MOISTURE.stops[-3], MOISTURE.stops[-1]

Codes = NDArray[np.uint8]
Legend = Mapping[int, tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Sites:
    """Places to draw, (n,) each."""

    lon: NDArray[np.float64]
    """Degrees."""
    lat: NDArray[np.float64]
    kind: NDArray[np.str_]
    """`cell` or `station`."""

    def __post_init__(self) -> None:
        odd = sorted(set(self.kind.tolist()) - set(MARKS))
        if odd or not len(self.lon) == len(self.lat) == len(self.kind):
            raise ProductError(
                f"{len(self.lon)} longitudes, {len(self.lat)} latitudes and {len(self.kind)} kinds "
                f"{odd or ''} make no sites: give one of each, the kind one of {', '.join(MARKS)}."
            )


@dataclass(frozen=True, slots=True)
class _Frame:
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


def draw_region(window: GridWindow, outline_wkt: str | None, *, title: str) -> bytes:
    """PNG: the outline (degrees, None: the whole window) within the window of its pixels.

    Raises:
        DataError: the outline is not the text of polygons.
    """
    frame = _frame(window)
    figure, axes = _map(frame, title, n_entries=2)
    whole = shapely.box(frame.west, frame.south, frame.east, frame.north)
    outline = whole if outline_wkt is None else _polygons(outline_wkt)
    axes.plot(*whole.exterior.xy, color="0.55", lw=1, ls="--", label="window of its pixels")
    rings = [_path(part, frame) for part in shapely.get_parts(outline)]
    shape = Path.make_compound_path(*rings)
    axes.add_patch(PathPatch(shape, facecolor=FILL, edgecolor=LINE, lw=1, label="region"))
    axes.margins(0.04)
    _add_legend(axes)
    return png_bytes(figure)


def draw_sites(window: GridWindow, land_cover_code: Codes, sites: Sites, *, title: str) -> bytes:
    """PNG: sites over the land cover of the window.

    Args:
        window: pixels of the land cover.
        land_cover_code: (rows, cols); WorldCover codes, or Dynamic World labels when all are
            below 10; codes of neither are drawn grey.
        sites: what to mark; those outside the window are not seen.
        title: above the picture.

    Raises:
        ProductError: the land cover is not of the window's shape.
    """
    if land_cover_code.shape != window.shape:
        raise ProductError(f"Land cover {land_cover_code.shape} is not the window {window.shape}.")
    legend = _legend_of(land_cover_code)
    frame, classes = _frame(window), _shares(land_cover_code, legend)
    figure, axes = _map(frame, title, n_entries=len(MARKS) + len(classes))
    axes.imshow(
        _painted(window, land_cover_code, legend, frame),
        extent=(frame.west, frame.east, frame.south, frame.north),
        aspect=frame.stretch,
        interpolation="nearest",
    )
    _mark(axes, sites, frame)
    for name, color in classes:
        face = to_rgba(color, PALE)
        axes.scatter([], [], marker="s", s=60, color=face, edgecolor="0.4", lw=0.5, label=name)
    axes.set(xlim=(frame.west, frame.east), ylim=(frame.south, frame.north))
    _add_legend(axes)
    return png_bytes(figure)


def _frame(window: GridWindow) -> _Frame:
    west, south, east, north = lonlat_bounds(window)
    return _Frame(west, south, east if east > west else east + 360, north)


def _map(frame: _Frame, title: str, *, n_entries: int) -> tuple[Figure, Axes]:
    """Axes in degrees, east and north to scale at the middle of the frame; room for a legend."""
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
    axes.tick_params(labelsize=8, labelfontfamily=FONT, colors=INK)
    axes.set_xlabel("longitude (deg)", fontsize=8, fontfamily=FONT, color=INK)
    axes.set_ylabel("latitude (deg)", fontsize=8, fontfamily=FONT, color=INK)
    axes.xaxis.set_major_locator(MaxNLocator(max(2, int(width))))
    axes.yaxis.set_major_locator(MaxNLocator(max(3, int(height * 1.5))))
    axes.ticklabel_format(useOffset=False)
    return figure, axes


def _add_legend(axes: Axes) -> None:
    axes.legend(
        loc="upper left",
        bbox_to_anchor=(1.02, 1),
        borderaxespad=0,
        frameon=False,
        prop={"family": FONT, "size": 8},
        labelcolor=INK,
    )


def _polygons(wkt: str) -> shapely.Geometry:
    try:
        shape = shapely.from_wkt(wkt)
    except shapely.errors.GEOSException:
        shape = None
    if not isinstance(shape, shapely.Polygon | shapely.MultiPolygon) or shape.is_empty:
        raise DataError(f"'{wkt[:60]}' is not the outline of a region: add the region again.")
    return shape


def _path(polygon: shapely.Polygon, frame: _Frame) -> Path:
    """Its rings as one path whose holes stay open: they turn the other way."""
    turned = orient(polygon)
    rings = [np.array(ring.coords)[:, :2] for ring in (turned.exterior, *turned.interiors)]
    placed = [np.column_stack([frame.onto(ring[:, 0]), ring[:, 1]]) for ring in rings]
    return Path.make_compound_path(*(Path(ring, closed=True) for ring in placed))


def _legend_of(codes: Codes) -> Legend:
    is_labels = 0 < codes.max() < min(code for code in WORLD_COVER if code)
    return DYNAMIC_WORLD if is_labels else WORLD_COVER


def _painted(
    window: GridWindow, codes: Codes, legend: Legend, frame: _Frame
) -> NDArray[np.float64]:
    """RGBA of the nearest land cover on rows and columns of degrees, clear outside the window."""
    width, height = frame.east - frame.west, frame.north - frame.south
    longest = max(width / frame.stretch, height)
    cols = max(1, round(MOST_PIXELS * width / frame.stretch / longest))
    rows = max(1, round(MOST_PIXELS * height / longest))
    steps = Affine(width / cols, 0, frame.west, 0, -height / rows, frame.north)
    place = link(GridWindow("EPSG:4326", steps, (rows, cols)), window)
    colors = np.tile(to_rgba(NAMELESS, PALE), (256, 1))
    for code, (_, color) in legend.items():
        colors[code] = to_rgba(color, PALE)
    picture = np.asarray(colors[codes.ravel()[np.maximum(place, 0)]])
    picture[place < 0] = 0
    return picture


def _shares(codes: Codes, legend: Legend) -> list[tuple[str, str]]:
    """Name with its share of the window, and colour, of each class that is there."""
    counts = np.sum([np.bincount(row, minlength=256) for row in codes], axis=0)
    there = np.flatnonzero(counts).tolist()
    shown = [(*legend[code], counts[code]) for code in there if code in legend]
    nameless = [code for code in there if code not in legend]
    if nameless:
        listed = ", ".join(str(code) for code in nameless[:4]) + ", ..." * (len(nameless) > 4)
        shown.append((f"no class: {listed}", NAMELESS, counts[nameless].sum()))
    return [(f"{name}, {_percent(count / codes.size)}", color) for name, color, count in shown]


def _percent(share: float) -> str:
    return "< 1 %" if share < 0.01 else f"{100 * share:.0f} %"


def _mark(axes: Axes, sites: Sites, frame: _Frame) -> None:
    lon = frame.onto(sites.lon)
    for kind, (marker, size, color) in MARKS.items():
        own = sites.kind == kind
        if own.any():
            axes.scatter(
                lon[own],
                sites.lat[own],
                marker=marker,
                s=size,
                color=color,
                edgecolor="white",
                lw=0.6,
                zorder=3,
                label=f"{own.sum()} {kind}{'s' * bool(own.sum() > 1)}",
            )
