"""Figures without global state: sizes in pixels, ground distances, PNG bytes that repeat."""

from io import BytesIO

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from pyproj import Geod

from sm_platform.errors import ProductError
from sm_platform.grid.window import GridWindow, reproject_points
from sm_platform.maps.palette import Ramp

DPI = 100
MAX_SIDE_PX = 1024
FONT = "DejaVu Sans"
"""Comes with matplotlib, so that pictures are the same on every machine."""
INK = "#222222"
MARGIN_PX = 12
"""Kept free at the right of every text."""
Box = tuple[float, float, float, float]
"""Left, top, width, height in pixels from the upper left corner."""


def new_figure(width: float, height: float) -> Figure:
    """An empty transparent figure of whole pixels.

    Raises:
        ProductError: a side is longer than pictures may be.
    """
    if max(width, height) > MAX_SIDE_PX:
        raise ProductError(f"A picture of {width:g} x {height:g} pixels is above {MAX_SIDE_PX}.")
    figure = Figure(figsize=(round(width) / DPI, round(height) / DPI), dpi=DPI)
    FigureCanvasAgg(figure)
    figure.patch.set_alpha(0.0)
    return figure


def png_bytes(figure: Figure) -> bytes:
    """The figure as PNG; the same figure gives the same bytes."""
    out = BytesIO()
    figure.savefig(out, format="png", dpi=DPI, facecolor="none", metadata={"Software": None})
    return out.getvalue()


def add_axes(figure: Figure, box: Box) -> Axes:
    """Axes in a box, without ticks or frame."""
    left, top, width, height = box
    all_width, all_height = figure.get_size_inches() * DPI
    bottom = all_height - top - height
    axes = figure.add_axes(
        (left / all_width, bottom / all_height, width / all_width, height / all_height)
    )
    axes.set_axis_off()
    return axes


def add_panel(figure: Figure, box: Box) -> None:
    """A white ground for text."""
    axes = add_axes(figure, box)
    axes.add_patch(Rectangle((0, 0), 1, 1, transform=axes.transAxes, color="white", linewidth=0))


def add_text(
    figure: Figure,
    at: tuple[float, float],
    text: str,
    *,
    size: float,
    is_bold: bool = False,
) -> None:
    """Text from x rightwards, its middle at y pixels below the top; smaller when it is too long."""
    width, height = figure.get_size_inches() * DPI
    drawn = figure.text(
        at[0] / width,
        1 - at[1] / height,
        text,
        fontsize=size,
        fontfamily=FONT,
        fontweight="bold" if is_bold else "normal",
        color=INK,
        va="center",
    )
    room = width - at[0] - MARGIN_PX
    drawn.set_fontsize(size * min(1.0, room / drawn.get_window_extent().width))


def add_swatch(figure: Figure, box: Box, color: str, *, hatch: str | None = None) -> None:
    """A sample of a colour or hatch for a legend."""
    axes = add_axes(figure, box)
    axes.add_patch(
        Rectangle(
            (0, 0),
            1,
            1,
            transform=axes.transAxes,
            facecolor=color,
            edgecolor=INK,
            linewidth=0.8,
            hatch=hatch,
        )
    )


def add_color_bar(figure: Figure, box: Box, ramp: Ramp, *, label: str) -> None:
    """A horizontal bar of a ramp; its arrow says that larger values share the last colour."""
    axes = add_axes(figure, box)
    axes.set_axis_on()
    source = ScalarMappable(Normalize(ramp.low, ramp.high), ramp.colormap)
    ticks = np.linspace(ramp.low, ramp.high, 6)
    bar = figure.colorbar(source, cax=axes, orientation="horizontal", extend="max", ticks=ticks)
    bar.ax.tick_params(labelsize=9, labelfontfamily=FONT, colors=INK)
    bar.set_label(label, fontsize=9, fontfamily=FONT, color=INK)


def ground_size_m(window: GridWindow) -> tuple[float, float]:
    """Width and height of the window on the ground in metres, by its central cell.

    Cells of EPSG:6933 are equal in area, not in shape: pictures are drawn in these metres.
    """
    rows, cols = window.shape
    half_x, half_y = window.affine.a / 2, window.affine.e / 2
    centre_x, centre_y = window.affine.c + cols * half_x, window.affine.f + rows * half_y
    x = np.array([centre_x - half_x, centre_x + half_x, centre_x, centre_x], dtype=np.float64)
    y = np.array([centre_y, centre_y, centre_y - half_y, centre_y + half_y], dtype=np.float64)
    lon, lat = reproject_points(x, y, window.crs, "EPSG:4326")
    _, _, side = Geod(ellps="WGS84").inv(lon[::2], lat[::2], lon[1::2], lat[1::2])
    return float(side[0]) * cols, float(side[1]) * rows


def scale_bar_m(width_m: float) -> float:
    """A round length (1, 2 or 5 times a power of ten, metres) of at most a fourth of the width."""
    power = 10.0 ** np.floor(np.log10(width_m / 4))
    return float(max(step * power for step in (1, 2, 5) if step * power <= width_m / 4))


def length_text(metres: float) -> str:
    """A length for people: `500 m`, `2 km`."""
    return f"{metres / 1000:g} km" if metres >= 1000 else f"{metres:g} m"
