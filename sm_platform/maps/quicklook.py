"""The picture beside a map: always 0 to 0.5 m3/m3, with all one needs to know to read it."""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from sm_platform.grid.calendar import utc
from sm_platform.maps import drawing
from sm_platform.maps.invariants import Mask
from sm_platform.maps.palette import MASKED, MOISTURE, paint
from sm_platform.maps.product import MapPass, MapProduct, attribution
from sm_platform.maps.summary import MapSummary
from sm_platform.maps.tags import ORBIT_STATES
from sm_platform.schema.product import PRODUCT, QA, QA_OUTSIDE_REGION, SM, VERSION, Qa

MAP_PX = (984, 760)
"""Largest width and height of the map itself."""
LEAST_WIDTH_PX = 640
MARGIN_PX = 20
HEADER_PX = 92
FOOTER_PX = 152
HATCH = "////"
FINE_CELLS = 300
"""Least cells along a side of the mask that is hatched."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Sizes of one picture in pixels."""

    width: int
    map_width: int
    map_height: int
    px_per_m: float

    @property
    def height(self) -> int:
        """Height of the whole picture."""
        return HEADER_PX + self.map_height + FOOTER_PX


def quicklook(
    product: MapProduct, figures: MapSummary, *, utc_offset_h: float, region_name: str | None = None
) -> bytes:
    """PNG of at most 1024 pixels a side; the same map gives the same bytes.

    Masked cells are grey, those outside the region transparent, those outside the area of
    applicability hatched; cells are drawn in their proportions on the ground.

    Args:
        product: the map.
        figures: its summary.
        utc_offset_h: local time minus UTC in hours, for the title.
        region_name: name for people; None shows the id.
    """
    layout = _layout(product)
    figure = drawing.new_figure(layout.width, layout.height)
    footer_top = HEADER_PX + layout.map_height
    drawing.add_panel(figure, (0, 0, layout.width, HEADER_PX))
    drawing.add_panel(figure, (0, footer_top, layout.width, FOOTER_PX))
    _header(figure, product.seen, utc_offset_h, region_name)
    left = (layout.width - layout.map_width) // 2
    axes = drawing.add_axes(figure, (left, HEADER_PX, layout.map_width, layout.map_height))
    qa = product.layers[QA.name].astype(np.uint16)
    _draw(axes, product.layers[SM.name].astype(np.float32), qa)
    _footer(figure, product, figures, layout)
    return drawing.png_bytes(figure)


def pass_title(seen: MapPass, utc_offset_h: float) -> tuple[str, str]:
    """Two lines on a pass: its time in UTC and local time, its platform and orbit."""
    start = utc(seen.start_utc)
    when = f"{start:%Y-%m-%d} (UTC day; time of the pass not known)"
    if not seen.is_day_only:
        local = start + timedelta(hours=utc_offset_h)
        when = f"{start:%Y-%m-%d %H:%M:%S} UTC  =  {local:%Y-%m-%d %H:%M} UTC{utc_offset_h:+g}"
    letter = seen.platform[-1]
    craft = "Sentinel-1" if letter == "X" else f"Sentinel-1{letter}"
    state = "" if seen.orbit_state == "X" else f"{ORBIT_STATES[seen.orbit_state]} pass, "
    orbit = "not known" if seen.relative_orbit is None else str(seen.relative_orbit)
    return when, f"{craft}, {state}relative orbit {orbit}"


def _layout(product: MapProduct) -> Layout:
    width_m, height_m = drawing.ground_size_m(product.window)
    px_per_m = min(MAP_PX[0] / width_m, MAP_PX[1] / height_m)
    map_width, map_height = max(round(width_m * px_per_m), 1), max(round(height_m * px_per_m), 1)
    width = max(map_width + 2 * MARGIN_PX, LEAST_WIDTH_PX)
    return Layout(width, map_width, map_height, px_per_m)


def _header(figure: Figure, seen: MapPass, utc_offset_h: float, region_name: str | None) -> None:
    title = f"Soil moisture 0-5 cm, {region_name or seen.region_id}"
    drawing.add_text(figure, (MARGIN_PX, 22), title, size=14, is_bold=True)
    for number, line in enumerate(pass_title(seen, utc_offset_h)):
        drawing.add_text(figure, (MARGIN_PX, 48 + 22 * number), line, size=10.5)


def _draw(axes: Axes, sm: NDArray[np.float32], qa: NDArray[np.uint16]) -> None:
    outside = qa == QA_OUTSIDE_REGION
    axes.imshow(paint(sm, MOISTURE, outside), interpolation="nearest", aspect="auto")
    hatched = ~np.isnan(sm) & ((qa & int(Qa.OUTSIDE_APPLICABILITY)) != 0)
    if hatched.any():
        _hatch(axes, hatched)


def _hatch(axes: Axes, hatched: Mask) -> None:
    # contours run through centres: cut cells finely, so that the hatch ends at their edges
    fine = -(-FINE_CELLS // min(hatched.shape))
    mask = hatched.repeat(fine, axis=0).repeat(fine, axis=1).astype(float)
    row, col = ((np.arange(side) + 0.5) / fine - 0.5 for side in mask.shape)
    axes.contourf(col, row, mask, levels=[0.5, 1.5], colors="none", hatches=[HATCH])


def _footer(figure: Figure, product: MapProduct, figures: MapSummary, layout: Layout) -> None:
    top = HEADER_PX + layout.map_height
    bar_width = layout.width // 2 - 2 * MARGIN_PX
    drawing.add_color_bar(
        figure, (MARGIN_PX, top + 16, bar_width, 14), MOISTURE, label="soil moisture (m³/m³)"
    )
    _scale_bar(figure, layout, top + 22)
    _legend(figure, layout, top + 48)
    lines = (
        f"{figures.recommended_percent:g} % of {figures.n_cells} cells recommended; "
        f"inputs {product.lineage.inputs_status}",
        f"{PRODUCT} v{VERSION} r{product.revision:02d}, recipe {product.lineage.recipe_id}, "
        f"checkpoint {product.lineage.checkpoint_id}",
        attribution(product),
    )
    for number, line in enumerate(lines):
        drawing.add_text(figure, (MARGIN_PX, top + 92 + 20 * number), line, size=9)


def _scale_bar(figure: Figure, layout: Layout, top: float) -> None:
    length_m = drawing.scale_bar_m(layout.map_width / layout.px_per_m)
    length_px = length_m * layout.px_per_m
    left = layout.width // 2 + MARGIN_PX
    drawing.add_swatch(figure, (left, top - 3, length_px, 5), drawing.INK)
    text = drawing.length_text(length_m)
    drawing.add_text(figure, (left + length_px + 10, top), text, size=9)


def _legend(figure: Figure, layout: Layout, top: float) -> None:
    left = layout.width // 2 + MARGIN_PX
    drawing.add_swatch(figure, (left, top - 6, 18, 12), MASKED)
    drawing.add_text(figure, (left + 24, top), "no value", size=9)
    drawing.add_swatch(figure, (left + 96, top - 6, 18, 12), "white", hatch=HATCH)
    drawing.add_text(figure, (left + 120, top), "unlike training data", size=9)
