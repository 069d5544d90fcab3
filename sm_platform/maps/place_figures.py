"""Pictures of a place: the outline of a region, and where its sites lie on its land cover."""

from dataclasses import dataclass

import numpy as np
import shapely
from affine import Affine
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from numpy.typing import NDArray
from shapely.geometry.polygon import orient

from sm_platform.errors import DataError, ProductError
from sm_platform.grid.window import GridWindow, link
from sm_platform.maps.cover_palette import PALE, Codes, class_shares, colors_of, legend_of
from sm_platform.maps.drawing import INK, png_bytes
from sm_platform.maps.palette import MOISTURE
from sm_platform.maps.place_axes import Frame, add_legend, frame_of, new_map

MOST_PIXELS = 500
"""Pixels of the drawn land cover along its longer side."""
MARKS = {"cell": ("o", 10.0, "#111111"), "station": ("^", 60.0, "#D7301F")}
"""Marker, its size in square points, and colour of each kind of site."""
MANY, LEAST_SIZE = 1500, 0.4
"""More sites than so many are drawn smaller, so that the land cover stays in sight."""
FILL, LINE = MOISTURE.stops[-3], MOISTURE.stops[-1]


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


def draw_region(window: GridWindow, outline_wkt: str | None, *, title: str) -> bytes:
    """PNG: the outline (degrees, None: the whole window) within the window of its pixels.

    Raises:
        DataError: the outline is not the text of polygons.
    """
    frame = frame_of(window)
    figure, axes = new_map(frame, title, n_entries=2)
    whole = shapely.box(frame.west, frame.south, frame.east, frame.north)
    axes.plot(*whole.exterior.xy, color="0.55", lw=1, ls="--", label="window of its pixels")
    shape = _path(whole, frame) if outline_wkt is None else _outline(outline_wkt, frame)
    axes.add_patch(PathPatch(shape, facecolor=FILL, edgecolor=LINE, lw=1, label="region"))
    axes.margins(0.04)
    add_legend(axes)
    return png_bytes(figure)


def draw_sites(
    window: GridWindow,
    land_cover_code: Codes,
    sites: Sites,
    *,
    title: str,
    outline_wkt: str | None = None,
) -> bytes:
    """PNG: sites over the land cover of the window, within the outline of the region.

    Args:
        window: pixels of the land cover.
        land_cover_code: (rows, cols); WorldCover codes, or Dynamic World labels when all are
            below 10; codes of neither are drawn grey.
        sites: what to mark; those outside the window are not seen.
        title: above the picture.
        outline_wkt: of the region, in degrees; None: the whole window.

    Raises:
        DataError: the outline is not the text of polygons.
        ProductError: the land cover is not of the window's shape.
    """
    if land_cover_code.shape != window.shape:
        raise ProductError(f"Land cover {land_cover_code.shape} is not the window {window.shape}.")
    legend = legend_of(land_cover_code)
    frame, classes = frame_of(window), class_shares(land_cover_code, legend)
    figure, axes = new_map(frame, title, n_entries=len(MARKS) + len(classes) + 1)
    axes.imshow(
        _painted(window, land_cover_code, colors_of(legend), frame),
        extent=(frame.west, frame.east, frame.south, frame.north),
        aspect=frame.stretch,
        interpolation="nearest",
    )
    if outline_wkt is not None:
        shape = _outline(outline_wkt, frame)
        axes.add_patch(PathPatch(shape, fill=False, edgecolor=INK, lw=1.2, label="region"))
    _mark(axes, sites, frame)
    for name, color in classes:
        face = to_rgba(color, PALE)
        axes.scatter([], [], marker="s", s=60, color=face, edgecolor="0.4", lw=0.5, label=name)
    axes.set(xlim=(frame.west, frame.east), ylim=(frame.south, frame.north))
    add_legend(axes)
    return png_bytes(figure)


def _outline(wkt: str, frame: Frame) -> Path:
    return Path.make_compound_path(
        *(_path(part, frame) for part in shapely.get_parts(_polygons(wkt)))
    )


def _polygons(wkt: str) -> shapely.Geometry:
    try:
        shape = shapely.from_wkt(wkt)
    except shapely.errors.GEOSException:
        shape = None
    if not isinstance(shape, shapely.Polygon | shapely.MultiPolygon) or shape.is_empty:
        raise DataError(f"'{wkt[:60]}' is not the outline of a region: add the region again.")
    return shape


def _path(polygon: shapely.Polygon, frame: Frame) -> Path:
    """Its rings as one path whose holes stay open: they turn the other way."""
    turned = orient(polygon)
    rings = [np.array(ring.coords)[:, :2] for ring in (turned.exterior, *turned.interiors)]
    placed = [np.column_stack([frame.onto(ring[:, 0]), ring[:, 1]]) for ring in rings]
    return Path.make_compound_path(*(Path(ring, closed=True) for ring in placed))


def _painted(
    window: GridWindow, codes: Codes, colors: NDArray[np.float64], frame: Frame
) -> NDArray[np.float64]:
    """RGBA of the nearest land cover on rows and columns of degrees, clear outside the window."""
    width, height = frame.east - frame.west, frame.north - frame.south
    longest = max(width / frame.stretch, height)
    cols = max(1, round(MOST_PIXELS * width / frame.stretch / longest))
    rows = max(1, round(MOST_PIXELS * height / longest))
    steps = Affine(width / cols, 0, frame.west, 0, -height / rows, frame.north)
    place = link(GridWindow("EPSG:4326", steps, (rows, cols)), window)
    picture = np.asarray(colors[codes.ravel()[np.maximum(place, 0)]])
    picture[place < 0] = 0
    return picture


def _mark(axes: Axes, sites: Sites, frame: Frame) -> None:
    lon = frame.onto(sites.lon)
    for kind, (marker, size, color) in MARKS.items():
        own = sites.kind == kind
        if own.any():
            shrunk = min(1.0, MANY / own.sum())
            axes.scatter(
                lon[own],
                sites.lat[own],
                marker=marker,
                s=max(size * shrunk, LEAST_SIZE),
                color=color,
                edgecolor="white",
                lw=0.6 * shrunk,
                zorder=3,
                label=f"{own.sum()} {kind}{'s' * bool(own.sum() > 1)}",
            )
