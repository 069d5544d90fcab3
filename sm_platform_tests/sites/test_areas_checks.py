"""What a region of an area will be: window, cells, land, cost, warnings."""

import math
import tracemalloc

import numpy as np
import pytest
import shapely
from affine import Affine
from numpy.typing import NDArray
from pyproj import Geod

from sm_platform.errors import UsageError
from sm_platform.grid import ease2
from sm_platform.grid.window import GridWindow, centres, lonlat, reproject_points
from sm_platform.sites.area_cells import CELLS_AT_ONCE, cells_inside, window_of
from sm_platform.sites.area_checks import check_area
from sm_platform.sites.areas import MAX_VERTICES, Area, Outline, area_from_bbox, area_of
from sm_platform.sites.boundaries import area_from_country
from sm_platform.sites.map_sheets import area_from_sheet

Floats = NDArray[np.float64]
INLAND = area_from_bbox(105.5, 21.0, 105.8, 21.2)


def ease2_lonlat(points: Floats) -> tuple[Floats, Floats]:
    return reproject_points(points[:, 0], points[:, 1], ease2.CRS, "EPSG:4326")


def star(seed: int, size: float = 0.02) -> shapely.Polygon:
    """A jagged outline near Hanoi, with concave corners."""
    angle = np.linspace(0, 2 * math.pi, 13, endpoint=False)
    radius = size * np.random.default_rng(seed).uniform(0.3, 1, 13)
    return shapely.Polygon(
        np.column_stack([105.8 + radius * np.cos(angle), 21.0 + radius * np.sin(angle)])
    )


def test_a_report_of_an_inland_box() -> None:
    report = check_area(INLAND)
    ring = shapely.segmentize(INLAND.outline, 0.001)
    geodesic = abs(Geod(ellps="WGS84").geometry_area_perimeter(ring)[0]) / 1e6
    assert report.area_km2 == pytest.approx(geodesic, rel=1e-4)
    cell_km2 = (ease2.LEVEL_100M.cell_m / 1000) ** 2
    assert report.n_cells_inside * cell_km2 == pytest.approx(geodesic, rel=0.01)
    assert report.n_cells == report.window.size >= report.n_cells_inside
    assert report.land_share == 1.0
    assert report.warnings == ()
    assert report.map_bytes == report.n_cells * 14  # seven layers of 16 bits
    assert report.keys_for(365) == 365
    with pytest.raises(UsageError, match="0 days"):
        report.keys_for(0)


@pytest.mark.parametrize("level", ease2.LEVELS)
@pytest.mark.parametrize("seed", range(4))
def test_the_window_just_holds_the_outline_on_cells_of_the_grid(
    level: ease2.Level, seed: int
) -> None:
    outline = star(seed, size=0.4)
    window = window_of(level, outline)
    assert ease2.corner_cell(level, window) is not None
    lon, lat = shapely.get_coordinates(shapely.segmentize(outline, 0.001)).T
    x, y = ease2.project(lon, lat)
    left, bottom, right, top = window.bounds
    for gap in (x.min() - left, right - x.max(), y.min() - bottom, top - y.max()):
        assert -0.2 < gap < level.cell_m


def test_an_outline_on_edges_of_cells_takes_no_cell_more() -> None:
    grid = ease2.window_around(ease2.LEVEL_100M, 105.8, 21.0, (30, 40))
    left, bottom, right, top = grid.bounds
    corners = np.array([[left, bottom], [right, bottom], [right, top], [left, top]])
    lon, lat = ease2_lonlat(corners)
    window = window_of(ease2.LEVEL_100M, shapely.Polygon(np.column_stack([lon, lat])))
    assert window.shape == grid.shape
    assert tuple(window.affine) == pytest.approx(tuple(grid.affine))


def by_centres(window: GridWindow, outline: Outline) -> NDArray[np.bool_]:
    """The rule itself, cell by cell."""
    lon, lat = lonlat(window)
    shapely.prepare(outline)
    return np.asarray(shapely.contains_xy(outline, lon, lat))


@pytest.mark.parametrize("seed", range(12))
def test_a_cell_is_inside_when_its_centre_is(seed: int) -> None:
    outline = star(seed)
    hole = shapely.Point(105.8, 21.0).buffer(0.004)
    outline = outline.difference(hole)
    window = window_of(ease2.LEVEL_100M, outline)
    inside = cells_inside(window, outline)
    assert inside.dtype == np.bool_
    assert 0 < inside.sum() < window.size
    np.testing.assert_array_equal(inside, by_centres(window, outline))


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:32648"])
def test_windows_of_other_grids_work_alike(crs: str) -> None:
    cell, corner = (0.001, (105.78, 21.02)) if crs == "EPSG:4326" else (90.0, (580_500, 2_325_000))
    window = GridWindow(crs, Affine(cell, 0, corner[0], 0, -cell, corner[1]), (40, 50))
    inside = cells_inside(window, star(3))
    assert inside.any()
    np.testing.assert_array_equal(inside, by_centres(window, star(3)))


def test_a_large_window_is_drawn_in_bands_that_fit_together() -> None:
    outline = star(5, size=1.7)
    window = window_of(ease2.LEVEL_100M, outline)
    assert window.size > 1.2 * CELLS_AT_ONCE
    tracemalloc.start()
    inside = cells_inside(window, outline)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < window.size + 3 * CELLS_AT_ONCE
    x, y = centres(window)
    sample = np.random.default_rng(5).integers(0, window.size, 20_000)
    turned = ease2_lonlat(np.column_stack([x.ravel()[sample], y.ravel()[sample]]))
    np.testing.assert_array_equal(inside.ravel()[sample], shapely.contains_xy(outline, *turned))


def test_an_area_at_sea_is_refused_and_one_mostly_at_sea_is_warned_of() -> None:
    with pytest.raises(UsageError, match=r"110\.5 12 111\.5 13 .*entirely at sea"):
        check_area(area_from_bbox(110.5, 12, 111.5, 13))
    report = check_area(area_from_bbox(106.5, 20.0, 107.0, 20.4))
    assert 0 < report.land_share < 0.3
    assert "is land" in report.warnings[0]


def test_an_area_within_the_doubt_of_the_coast_is_not_refused() -> None:
    coast = area_from_country("VN").outline.buffer(0.01)
    shore = coast.difference(area_from_country("VN").outline)
    strip = shore.intersection(shapely.box(106.9, 20, 107.2, 20.8))
    part = max(shapely.get_parts(strip), key=lambda shape: shape.area)
    report = check_area(Area(part, "ao nu\u00f4i"))
    assert report.land_share < 0.2


def test_a_huge_area_is_warned_of() -> None:
    report = check_area(area_from_country("VN"))
    assert report.n_cells > 50_000_000
    assert report.map_bytes == report.n_cells * 14  # seven layers of 16 bits
    assert any("128 million pixels" in text and "1.8 GB" in text for text in report.warnings)
    assert report.area_km2 == pytest.approx(
        329_000, rel=0.02
    )  # land area 331,212 km2 by statistics
    assert report.n_cells_inside * ease2.LEVEL_100M.cell_m**2 / 1e6 == pytest.approx(
        report.area_km2, rel=1e-3
    )


def test_beyond_what_is_counted_the_cells_come_from_the_area() -> None:
    report = check_area(area_from_bbox(20.0, -10.0, 35.0, 10.0))
    assert report.n_cells > 200_000_000
    assert report.n_cells_inside == pytest.approx(report.n_cells, rel=1e-3)


def test_more_cells_than_can_be_numbered_are_refused() -> None:
    continent = area_from_bbox(-10.0, 0.0, 90.0, 60.0)
    with pytest.raises(
        UsageError, match=r"W S E N = -10 0 90 60 takes 6,\d\d\d million cells of 100 m.* 2,147 mil"
    ):
        check_area(continent)


def test_an_area_near_a_pole_is_refused() -> None:
    with pytest.raises(UsageError, match=r"reaches to 86\.00.*85\.0445"):
        check_area(area_from_bbox(-40, 80, -30, 86))
    with pytest.raises(UsageError, match=r"reaches to -86\.00"):
        check_area(area_from_bbox(20, -86, 30, -80))


def test_a_speck_is_warned_of_and_still_has_a_window() -> None:
    report = check_area(area_from_bbox(105.8, 21.0, 105.8001, 21.0001))
    assert 1 <= report.n_cells <= 4
    assert "only" in report.warnings[0]


def test_notes_and_simplification_are_among_the_warnings() -> None:
    angle = np.linspace(0, 2 * math.pi, 2 * MAX_VERTICES, endpoint=False)
    radius = 0.2 * (1 + 0.001 * np.random.default_rng(0).uniform(-1, 1, len(angle)))
    ring = np.column_stack([105.8 + radius * np.cos(angle), 21 + radius * np.sin(angle)])
    report = check_area(Area(shapely.Polygon(ring), "drawn", ("it was repaired",)))
    assert report.warnings[0] == "it was repaired"
    assert "40,001 vertices" in report.warnings[1]
    assert shapely.get_num_coordinates(report.outline) <= MAX_VERTICES


def test_a_map_sheet_is_a_region_of_75_thousand_cells() -> None:
    report = check_area(area_from_sheet("F-48-65-D"))
    assert report.window.shape[0] == pytest.approx(296, abs=8)
    assert report.n_cells == report.window.size == 241 * report.window.shape[0]
    assert area_of(report.outline.wkt).is_valid
