import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sm_platform.errors import GridError
from sm_platform.grid import ease2
from sm_platform.grid.window import centres, lonlat, pad, reproject_points

Shared = Callable[..., Path]

LONS = st.floats(-180, 179.999999)
LATS = st.floats(-85, 85)
LEVELS = st.sampled_from(ease2.LEVELS)
# x or y on the edge of a cell of some level: the hard case of nesting.
EDGES = st.builds(
    lambda level, n: (level, n % level.shape[1]), LEVELS, st.integers(0, 964 * 360 - 1)
)


def parameter(gpd: Path, name: str) -> float:
    """A number of an NSIDC grid parameter definition."""
    found = re.search(rf"^{name}:\s*(\S+)", gpd.read_text(), re.MULTILINE)
    assert found is not None
    return float(found[1])


def assert_nested(x: float, y: float) -> None:
    for coarse, fine in pairwise(ease2.LEVELS):
        ratio = fine.divisor // coarse.divisor
        parent = ease2.cells(coarse, x, y)
        child = ease2.cells(fine, x, y)
        assert (child[0] // ratio, child[1] // ratio) == parent


@given(LONS, LATS)
def test_each_cell_lies_in_one_cell_of_the_next_coarser_level(lon: float, lat: float) -> None:
    x, y = ease2.project(lon, lat)
    assert_nested(float(x), float(y))


@given(EDGES)
def test_cells_nest_on_the_very_edges(edge: tuple[ease2.Level, int]) -> None:
    level, n = edge
    assert_nested(
        ease2.LEFT_M + n * level.cell_m, ease2.TOP_M - (n % level.shape[0]) * level.cell_m
    )


@given(LEVELS, st.floats(0, 1, exclude_max=True), st.floats(0, 1, exclude_max=True))
def test_centre_of_a_cell_is_in_that_cell(level: ease2.Level, down: float, right: float) -> None:
    row, col = int(down * level.shape[0]), int(right * level.shape[1])
    x, y = centres(ease2.window(level, row, col, (1, 1)))
    found = ease2.cells(level, x, y)
    assert (found[0].item(), found[1].item()) == (row, col)


@given(LEVELS, LONS, st.floats(-84, 84))
def test_window_around_a_place_holds_it_and_knows_its_corner(
    level: ease2.Level, lon: float, lat: float
) -> None:
    grid = ease2.window_around(level, lon, lat, (3, 3))
    row, col = ease2.cells(level, *ease2.project(lon, lat))
    assert ease2.corner_cell(level, grid) == (int(row) - 1, int(col) - 1)


def test_position_counts_from_the_north_west_corner() -> None:
    cell = ease2.LEVEL_9KM.cell_m
    row, col = ease2.position(ease2.LEVEL_9KM, ease2.LEFT_M + 2.25 * cell, ease2.TOP_M - cell / 2)
    assert (float(row), float(col)) == pytest.approx((0.5, 2.25), abs=1e-9)


@pytest.mark.parametrize(
    ("level", "cell_m"),
    [
        (ease2.LEVEL_36KM, 36032.220840584),
        (ease2.LEVEL_9KM, 9008.055210146),
        (ease2.LEVEL_1KM, 1000.895023349556),
        (ease2.LEVEL_100M, 100.0895023349556),
    ],
)
def test_cell_sizes_are_the_published_ones(level: ease2.Level, cell_m: float) -> None:
    assert level.cell_m == pytest.approx(cell_m, abs=1e-12 * cell_m)


@pytest.mark.parametrize(
    ("level", "name"),
    [(ease2.LEVEL_36KM, "M36km"), (ease2.LEVEL_9KM, "M09km"), (ease2.LEVEL_3KM, "M03km")],
)
def test_grid_is_the_published_definition(shared: Shared, level: ease2.Level, name: str) -> None:
    gpd = shared("realdata", "smap", f"EASE2_{name}.gpd")
    assert level.cell_m == pytest.approx(parameter(gpd, "Grid Map Units per Cell"), abs=1e-8)
    assert pytest.approx(parameter(gpd, "Map Origin X"), abs=1e-6) == ease2.LEFT_M
    assert pytest.approx(parameter(gpd, "Map Origin Y"), abs=1e-6) == ease2.TOP_M
    assert level.shape == (parameter(gpd, "Grid Height"), parameter(gpd, "Grid Width"))


def test_rows_and_columns_of_a_real_granule_are_ours(shared: Shared) -> None:
    with h5py.File(shared("realdata", "smap", "SMAP_L4_SM_aup_comparison.h5")) as file:
        x, y, published = (file[name][()] for name in ("x", "y", "cell_column"))
    grid_x, grid_y = np.meshgrid(x, y)
    lon, lat = reproject_points(grid_x, grid_y, ease2.CRS, "EPSG:4326")
    row, col = ease2.cells(ease2.LEVEL_9KM, *ease2.project(lon, lat))
    np.testing.assert_array_equal(col, published)
    assert (row[0, 0], row[-1, 0]) == (289, 344)
    # Its coordinates are cell centres, but from a corner rounded to whole metres.
    found = ease2.position(ease2.LEVEL_9KM, grid_x, grid_y)
    np.testing.assert_allclose(found, (row + 0.5, col + 0.5), atol=1 / 9008)


@pytest.mark.parametrize(
    ("lon", "lat"), [(0, 86), (0, 91), (181, 0), (float("nan"), 0), (0, float("inf"))]
)
def test_point_outside_the_globe_of_the_grid_is_refused(lon: float, lat: float) -> None:
    with pytest.raises(GridError, match="outside EASE-Grid 2.0 9km"):
        ease2.cells(ease2.LEVEL_9KM, *(part * 1.2 for part in ease2.project(lon, lat)))


def test_windows_of_other_grids_have_no_corner_cell() -> None:
    grid = ease2.window(ease2.LEVEL_1KM, 3000, 20000, (4, 5))
    assert ease2.corner_cell(ease2.LEVEL_1KM, pad(grid, 2)) == (2998, 19998)
    assert ease2.corner_cell(ease2.LEVEL_100M, grid) is None


def test_centres_of_the_100_m_grid_do_not_drift_along_a_row() -> None:
    grid = ease2.window(ease2.LEVEL_100M, 50000, 0, (1, ease2.LEVEL_100M.shape[1]))
    lon, _ = lonlat(grid)
    exact = (np.arange(grid.shape[1]) + 0.5) / grid.shape[1] * 360 - 180
    np.testing.assert_allclose(lon[0], exact, atol=1e-8)
