"""Whether an area can be a region, and what a map of it costs."""

from collections.abc import Iterator
from dataclasses import dataclass

import shapely

from sm_platform.errors import UsageError
from sm_platform.grid import ease2
from sm_platform.grid.window import GridWindow
from sm_platform.schema.product import LAYERS
from sm_platform.sites.area_cells import area_m2, n_inside, window_of
from sm_platform.sites.areas import Area, Outline, moved_m, stored_outline
from sm_platform.sites.boundaries import land_within

HIGHEST_LAT = 85.0445
"""Degrees where EASE-Grid 2.0 global ends, north and south (Brodzik et al. 2012)."""
LARGE_CELLS = 50_000_000
"""A window with more is warned of."""
MOST_CELLS = 2**31 - 1
"""Cells of a region are numbered in 32 bits, so a window has no more."""
COAST_DEG = 0.02
"""How far land may lie beside its place in the outlines of countries: about 2 km."""
BYTES_PER_VALUE = 2
"""Every layer of a map is stored in 16 bits."""


@dataclass(frozen=True, slots=True)
class AreaReport:
    """What a region of this area will be."""

    came_from: str
    """For people: where the area was taken from and how its coordinates were turned."""
    outline: Outline
    """As it will be stored: degrees (WGS 84), decimals cut, not more vertices than allowed."""
    area_km2: float
    """On the ellipsoid (EPSG:6933 keeps areas)."""
    window: GridWindow
    """The smallest window of 100 m cells that holds the outline."""
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


def check_area(area: Area) -> AreaReport:
    """Everything to know before a region of 100 m pixels is made of the area.

    Raises:
        UsageError: the area lies at sea or beyond the grid's last parallel, or takes more cells
            than can be numbered.
    """
    outline = stored_outline(area.outline)
    _check_on_grid(area, outline)
    window = window_of(ease2.LEVEL_100M, outline)
    _check_size(area, window)
    land_share = _land_share(area, outline)
    area_km2 = area_m2(outline) / 1e6
    return AreaReport(
        came_from=area.came_from,
        outline=outline,
        area_km2=area_km2,
        window=window,
        n_cells_inside=n_inside(window, outline, area_km2),
        land_share=land_share,
        map_bytes=map_bytes(window),
        warnings=(*area.notes, *_warnings(area, outline, window, land_share)),
    )


def map_bytes(window: GridWindow) -> int:
    """Bytes of all layers of one map of the window before compression."""
    return window.size * BYTES_PER_VALUE * len(LAYERS)


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


def _check_size(area: Area, window: GridWindow) -> None:
    """Raises UsageError when the cells of the window cannot be numbered."""
    if window.size > MOST_CELLS:
        raise UsageError(
            f"{area.came_from} takes {window.size / 1e6:,.0f} million cells of 100 m, more than "
            f"the {MOST_CELLS / 1e6:,.0f} million that a region can have: cut it into several."
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
    return min(1.0, area_m2(land) / area_m2(outline))


def _warnings(area: Area, outline: Outline, window: GridWindow, land_share: float) -> Iterator[str]:
    """What a person should know before adding the region."""
    if window.size > LARGE_CELLS:
        yield (
            f"The region has {window.size / 1e6:,.0f} million pixels, more than "
            f"{LARGE_CELLS / 1e6:.0f}: a map takes long and much memory "
            f"({map_bytes(window) / 1e9:.1f} GB before compression); provinces are easier."
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
