"""Whether an area can be a region, which cells it takes, and what a map of it costs."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import shapely
from affine import Affine
from numpy.typing import NDArray
from pyproj import Transformer
from rasterio.features import rasterize

from sm_platform.errors import UsageError
from sm_platform.grid import ease2
from sm_platform.grid.window import GridWindow
from sm_platform.schema.product import LAYERS
from sm_platform.sites.areas import Area, Outline, moved_m, stored_outline
from sm_platform.sites.boundaries import land_within

HIGHEST_LAT = 85.0445
"""Degrees where EASE-Grid 2.0 global ends, north and south (Brodzik et al. 2012)."""
LARGE_CELLS = 50_000_000
"""A window with more is warned of."""
COUNTED_CELLS = 200_000_000
"""Up to here the cells inside are counted one by one, above from the (equal) areas."""
COAST_DEG = 0.02
"""How far land may lie beside its place in the outlines of countries: about 2 km."""
LONGEST_EDGE_DEG = 0.02
"""Edges are split to this before projecting: they then bend less than 0.1 m from straight."""
EDGE_CELLS = 1e-3
"""An outline reaching less into a cell (0.1 m of 100 m) does not take it."""
CELLS_AT_ONCE = 4_000_000
BYTES_PER_VALUE = 2
"""Every layer of a map is stored in 16 bits."""


@dataclass(frozen=True, slots=True)
class AreaReport:
    """What a region of this area will be."""

    outline: Outline
    """As it will be stored: degrees (WGS 84), decimals cut, not more vertices than allowed."""
    area_km2: float
    """On the ellipsoid (EPSG:6933 keeps areas)."""
    window: GridWindow
    """The smallest window of the level's cells that holds the outline."""
    n_cells_inside: int
    """Cells whose centre lies inside the outline; from the area beyond `COUNTED_CELLS`."""
    land_share: float
    """Part of the area on land, 0..1, by outlines good to about 2 km; lakes count as land."""
    map_bytes: int
    """Bytes of one map before compression; files are smaller, the more so the more is outside."""
    warnings: tuple[str, ...]

    @property
    def n_cells(self) -> int:
        """Cells of the window."""
        return self.window.size

    def keys_for(self, days: int) -> int:
        """Day x region keys that this region adds to each dated asset.

        Raises:
            UsageError: there are no days.
        """
        if days < 1:
            raise UsageError(f"{days} days have no key: give 1 or more.")
        return days


def check_area(area: Area, *, level: str = "100m") -> AreaReport:
    """Everything to know before a region is made of the area.

    Raises:
        UsageError: no such level; or the area lies at sea or beyond the grid's last parallel.
    """
    levels = {entry.name: entry for entry in ease2.LEVELS}
    if level not in levels:
        raise UsageError(f"There are no cells of {level}: choose one of {', '.join(levels)}.")
    outline = stored_outline(area.outline)
    _check_on_grid(area, outline)
    land_share = _land_share(area, outline)
    window = window_of(levels[level], outline)
    area_km2 = _area_m2(outline) / 1e6
    return AreaReport(
        outline=outline,
        area_km2=area_km2,
        window=window,
        n_cells_inside=_n_inside(window, outline, area_km2),
        land_share=land_share,
        map_bytes=window.size * BYTES_PER_VALUE * len(LAYERS),
        warnings=(*area.notes, *_warnings(area, outline, window, land_share)),
    )


def window_of(level: ease2.Level, outline: Outline) -> GridWindow:
    """The smallest window of the level's cells that holds the outline (degrees)."""
    left, bottom, right, top = shapely.bounds(_projected(outline, ease2.CRS))
    first_row, first_col = ease2.position(level, left, top)
    last_row, last_col = ease2.position(level, right, bottom)
    row, col = (int(np.floor(value + EDGE_CELLS)) for value in (first_row, first_col))
    end_row, end_col = (int(np.ceil(value - EDGE_CELLS)) for value in (last_row, last_col))
    return ease2.window(level, row, col, (max(end_row - row, 1), max(end_col - col, 1)))


def cells_inside(window: GridWindow, outline: Outline) -> NDArray[np.bool_]:
    """Which cells of the window have their centre inside the outline (degrees); its shape.

    Beside the result, memory is bounded: the cells are drawn a few rows at a time.
    """
    inside = np.zeros(window.shape, np.bool_)
    for first, band in _bands(window, outline):
        inside[first : first + len(band)] = band
    return inside


def _bands(window: GridWindow, outline: Outline) -> Iterator[tuple[int, NDArray[np.bool_]]]:
    """First row and cells inside, some rows at a time."""
    drawn = _projected(outline, window.crs)
    rows, cols = window.shape
    step = max(1, CELLS_AT_ONCE // cols)
    for first in range(0, rows, step):
        corner = window.affine * Affine.translation(0, first)
        shape = min(step, rows - first), cols
        yield first, rasterize([drawn], shape, transform=corner, dtype=np.uint8).astype(np.bool_)


def _n_inside(window: GridWindow, outline: Outline, area_km2: float) -> int:
    """Cells inside, without holding them all."""
    if window.size > COUNTED_CELLS:
        return round(area_km2 * 1e6 / window.affine.a**2)
    return sum(int(band.sum()) for _, band in _bands(window, outline))


def _projected(outline: Outline, crs: str) -> Outline:
    """The outline in a CRS, x first, edges split so that they stay in place."""
    turn = Transformer.from_crs("EPSG:4326", crs, always_xy=True)

    def apply(points: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.column_stack(turn.transform(points[:, 0], points[:, 1]))

    return shapely.transform(shapely.segmentize(outline, LONGEST_EDGE_DEG), apply)


def _area_m2(outline: Outline) -> float:
    """Area in square metres; 0 of nothing."""
    return 0.0 if outline.is_empty else float(shapely.area(_projected(outline, ease2.CRS)))


def _check_on_grid(area: Area, outline: Outline) -> None:
    """Raises UsageError when nothing is left of the area, or it lies too near a pole."""
    if outline.is_empty:
        raise UsageError(
            f"{area.came_from} leaves no area (all parts too small): draw it larger and simpler."
        )
    _, south, _, north = shapely.bounds(outline)
    if max(-south, north) > HIGHEST_LAT:
        raise UsageError(
            f"{area.came_from} reaches to {south if -south > north else north:.2f} degrees; "
            f"the grid ends at {HIGHEST_LAT} north and south: cut it there."
        )


def _land_share(area: Area, outline: Outline) -> float:
    """Part on land; raises UsageError when there is none within the coast's uncertainty."""
    land = land_within(outline)
    if land.is_empty and land_within(outline, margin_deg=COAST_DEG).is_empty:
        west, south, east, north = shapely.bounds(outline)
        raise UsageError(
            f"{area.came_from} ({west:.2f} {south:.2f} {east:.2f} {north:.2f}) lies entirely at "
            "sea: check its coordinates; longitude comes first."
        )
    return min(1.0, _area_m2(land) / _area_m2(outline))


def _warnings(area: Area, outline: Outline, window: GridWindow, land_share: float) -> Iterator[str]:
    """What a person should know before adding the region."""
    if window.size > LARGE_CELLS:
        yield (
            f"The region has {window.size / 1e6:,.0f} million pixels, more than "
            f"{LARGE_CELLS / 1e6:.0f}: a map takes long and much memory; provinces are easier."
        )
    if land_share < 0.5:
        yield f"Only {land_share:.0%} of the area is land; the sea has no soil moisture."
    before, after = (shapely.get_num_coordinates(shape) for shape in (area.outline, outline))
    if after < before and (moved := moved_m(area.outline, outline)) > 0.1:
        yield (
            f"The outline has {before:,} vertices and is stored with {after:,}: "
            f"its line moves by up to {moved:.0f} m."
        )
    if window.size < 100:
        yield f"The region has only {window.size} pixels: check its coordinates."
