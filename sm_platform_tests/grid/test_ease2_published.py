"""EASE-Grid 2.0 against its published definitions, and against formulas worked independently.

Published definitions at hand: 36, 9 and 3 km; 1 km and 100 m are the 36 km grid divided. The
formulas are those of the Lambert cylindrical equal-area projection of the ellipsoid (Snyder 1987,
USGS Professional Paper 1395, section 10), in 50 decimal digits and in long double.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import mpmath  # type: ignore[import-untyped]
import numpy as np
import pytest
from pyproj import Proj

from sm_platform.errors import GridError
from sm_platform.grid import ease2

Shared = Callable[..., Path]
PUBLISHED = {"36km": "EASE2_M36km.gpd", "9km": "EASE2_M09km.gpd", "3km": "EASE2_M03km.gpd"}
"""Levels with a published definition at hand."""
MAJOR_M, FLATTENING = "6378137", "298.257223563"
"""WGS 84: major semi-axis and inverse flattening."""
TRUE_LAT_DEG = 30
LEVELS = pytest.mark.parametrize("level", ease2.LEVELS, ids=lambda level: level.name)


@dataclass(frozen=True, slots=True)
class Definition:
    """Numbers of a grid parameter definition file."""

    left_m: float
    top_m: float
    cell_m: float
    rows: int
    cols: int
    true_lat_deg: float
    major_m: float
    eccentricity: float


def read_definition(path: Path) -> Definition:
    """The numbers of a file of `name: number ; comment` lines."""
    found = dict(re.findall(r"^([A-Z][\w ]+):\s+(\S+)", path.read_text(), re.MULTILINE))
    # The origin is a corner: half a cell before the centre of the first row and column.
    assert (found["Grid Map Origin Column"], found["Grid Map Origin Row"]) == ("-0.5", "-0.5")
    return Definition(
        left_m=float(found["Map Origin X"]),
        top_m=float(found["Map Origin Y"]),
        cell_m=float(found["Grid Map Units per Cell"]),
        rows=int(found["Grid Height"]),
        cols=int(found["Grid Width"]),
        true_lat_deg=float(found["Map Second Reference Latitude"]),
        major_m=float(found["Map Equatorial Radius"]),
        eccentricity=float(found["Map Eccentricity"]),
    )


def exact_position(lon: float, lat: float, level: ease2.Level) -> tuple[mpmath.mpf, mpmath.mpf]:
    """Fractional row and column of a place, in 50 digits from nothing but the ellipsoid.

    The globe is 964 cells of 36 km around; the equator lies on the edge of row 203 of them.
    """
    with mpmath.workdps(50):
        flat = 1 / mpmath.mpf(FLATTENING)
        square = flat * (2 - flat)
        e = mpmath.sqrt(square)

        def authalic(sine: mpmath.mpf) -> mpmath.mpf:
            return (1 - square) * (
                sine / (1 - square * sine**2)
                + mpmath.log((1 + e * sine) / (1 - e * sine)) / (2 * e)
            )

        true = mpmath.radians(TRUE_LAT_DEG)
        scale = mpmath.cos(true) / mpmath.sqrt(1 - square * mpmath.sin(true) ** 2)
        cell = 2 * mpmath.pi * mpmath.mpf(MAJOR_M) * scale / (964 * level.divisor)
        x = mpmath.mpf(MAJOR_M) * scale * mpmath.radians(mpmath.mpf(lon))
        q = authalic(mpmath.sin(mpmath.radians(mpmath.mpf(lat))))
        y = mpmath.mpf(MAJOR_M) * q / (2 * scale)
        return 203 * level.divisor - y / cell, 482 * level.divisor + x / cell


def long_position(
    lon: np.ndarray, lat: np.ndarray, level: ease2.Level
) -> tuple[np.ndarray, np.ndarray]:
    """As `exact_position`, in long double and for many places at once."""
    one = np.longdouble(1)
    flat = one / np.longdouble(FLATTENING)
    square = flat * (2 - flat)
    e = np.sqrt(square)
    pi = np.longdouble("3.14159265358979323846264338327950288")
    sine = np.sin(lat.astype(np.longdouble) * pi / 180)
    q = (one - square) * (sine / (one - square * sine**2) + np.arctanh(e * sine) / e)
    true = TRUE_LAT_DEG * pi / 180
    scale = np.cos(true) / np.sqrt(one - square * np.sin(true) ** 2)
    around = 964 * level.divisor
    col = around / np.longdouble(2) + lon.astype(np.longdouble) / 360 * around
    return 203 * level.divisor - q / (2 * scale) * around / (2 * pi * scale), col


def places(seed: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Longitudes and latitudes spread over the globe of the grid."""
    random = np.random.default_rng(seed)
    return random.uniform(-180, 180, count), random.uniform(-85.04, 85.04, count)


@pytest.mark.parametrize("name", PUBLISHED)
def test_corner_cell_and_shape_are_the_published_ones(shared: Shared, name: str) -> None:
    level = next(level for level in ease2.LEVELS if level.name == name)
    found = read_definition(shared("realdata", "smap", PUBLISHED[name]))
    assert level.shape == (found.rows, found.cols)
    # Published to 1e-7 m (corner) and 1e-9 m (cell, 1e-10 m at 3 km).
    assert pytest.approx(found.left_m, abs=2e-7) == ease2.LEFT_M
    assert pytest.approx(found.top_m, abs=2e-7) == ease2.TOP_M
    assert level.cell_m == pytest.approx(found.cell_m, abs=1e-9)
    assert found.true_lat_deg == TRUE_LAT_DEG
    assert found.major_m == float(MAJOR_M)
    flat = 1 / float(FLATTENING)
    assert found.eccentricity**2 == pytest.approx(flat * (2 - flat), rel=1e-11)


@pytest.mark.parametrize("name", PUBLISHED)
def test_rows_and_columns_are_those_of_the_published_definition(shared: Shared, name: str) -> None:
    """Cells by the file's own numbers and PROJ's own operation, not by our constants."""
    level = next(level for level in ease2.LEVELS if level.name == name)
    found = read_definition(shared("realdata", "smap", PUBLISHED[name]))
    project = Proj(
        proj="cea", lat_ts=found.true_lat_deg, a=found.major_m, e=float(found.eccentricity)
    )
    lon, lat = places(11, 20_000)
    x, y = project(lon, lat)
    row, col = ease2.cells(level, *ease2.project(lon, lat))
    np.testing.assert_array_equal(row, np.floor((found.top_m - y) / found.cell_m))
    np.testing.assert_array_equal(col, np.floor((x - found.left_m) / found.cell_m))


def test_levels_without_a_definition_divide_one_that_has(shared: Shared) -> None:
    coarse = read_definition(shared("realdata", "smap", PUBLISHED["36km"]))
    for level, parts in ((ease2.LEVEL_1KM, 36), (ease2.LEVEL_100M, 360)):
        assert level.name not in PUBLISHED
        assert level.shape == (coarse.rows * parts, coarse.cols * parts)
        assert level.cell_m == pytest.approx(coarse.cell_m / parts, rel=1e-14)


@pytest.mark.parametrize(("coarse", "fine"), list(combinations(ease2.LEVELS, 2)))
def test_each_level_nests_in_every_coarser_one(coarse: ease2.Level, fine: ease2.Level) -> None:
    step, rest = divmod(fine.divisor, coarse.divisor)
    assert rest == 0
    x, y = ease2.project(*places(12, 20_000))
    outer, inner = ease2.cells(coarse, x, y), ease2.cells(fine, x, y)
    np.testing.assert_array_equal(inner[0] // step, outer[0])
    np.testing.assert_array_equal(inner[1] // step, outer[1])


@LEVELS
def test_cells_of_100_000_places_are_those_of_plain_proj(level: ease2.Level) -> None:
    lon, lat = places(13, 100_000)
    x, y = Proj("EPSG:6933")(lon, lat)
    row, col = ease2.cells(level, *ease2.project(lon, lat))
    np.testing.assert_array_equal(row, np.floor((ease2.TOP_M - y) / level.cell_m))
    np.testing.assert_array_equal(col, np.floor((x - ease2.LEFT_M) / level.cell_m))


@LEVELS
def test_cells_of_100_000_places_are_those_of_the_formulas(level: ease2.Level) -> None:
    lon, lat = places(14, 100_000)
    row, col = ease2.cells(level, *ease2.project(lon, lat))
    exact_row, exact_col = long_position(lon, lat, level)
    np.testing.assert_array_equal(row, np.floor(exact_row))
    np.testing.assert_array_equal(col, np.floor(exact_col))


@LEVELS
def test_places_in_50_digits(level: ease2.Level) -> None:
    lon, lat = places(15, 300)
    row, col = ease2.cells(level, *ease2.project(lon, lat))
    fraction = np.transpose(ease2.position(level, *ease2.project(lon, lat)))
    for index, found in enumerate(fraction):
        exact = exact_position(float(lon[index]), float(lat[index]), level)
        cell = tuple(int(mpmath.floor(part)) for part in exact)
        assert cell == (row[index], col[index])
        # A thousandth of a millimetre, whatever the cell.
        off = [abs(float(one - part)) for one, part in zip(exact, found, strict=True)]
        assert max(off) * level.cell_m < 1e-6


def test_long_double_is_50_digits_cut_short() -> None:
    """The two independent computations agree far below a cell, so each checks the other."""
    lon, lat = places(16, 200)
    found = np.transpose(long_position(lon, lat, ease2.LEVEL_100M))
    for one, other, place in zip(lon, lat, found, strict=True):
        exact = exact_position(float(one), float(other), ease2.LEVEL_100M)
        assert max(abs(float(e) - float(f)) for e, f in zip(exact, place, strict=True)) < 1e-9


def test_the_corner_is_the_one_of_the_ellipsoid() -> None:
    with mpmath.workdps(50):
        row, col = exact_position(-180, 0, ease2.LEVEL_36KM)
        assert abs(col) < mpmath.mpf(10) ** -40
        assert row == 203
    flat = 1 / mpmath.mpf(FLATTENING)
    square = flat * (2 - flat)
    true = mpmath.radians(TRUE_LAT_DEG)
    scale = mpmath.cos(true) / mpmath.sqrt(1 - square * mpmath.sin(true) ** 2)
    left = -mpmath.pi * mpmath.mpf(MAJOR_M) * scale
    assert float(left) == pytest.approx(ease2.LEFT_M, abs=2e-7)


@LEVELS
def test_centres_go_back_to_their_cells(level: ease2.Level) -> None:
    random = np.random.default_rng(17)
    row = random.integers(0, level.shape[0], 20_000)
    col = random.integers(0, level.shape[1], 20_000)
    lon, lat = ease2.centre_lonlat(level, row, col)
    back = ease2.position(level, *ease2.project(lon, lat))
    # PROJ's series for the latitude is good to 2 mm, far from any edge.
    np.testing.assert_allclose(back[0], row + 0.5, rtol=0, atol=2e-3 / level.cell_m)
    np.testing.assert_allclose(back[1], col + 0.5, rtol=0, atol=2e-3 / level.cell_m)
    np.testing.assert_array_equal(ease2.cells(level, *ease2.project(lon, lat)), (row, col))


def test_known_centres() -> None:
    """Columns divide 360 degrees evenly; the grid is symmetric about the equator."""
    lon, lat = ease2.centre_lonlat(ease2.LEVEL_36KM, [202, 203, 0], [0, 963, 482])
    np.testing.assert_allclose(lon, [-180 + 180 / 964, 180 - 180 / 964, 180 / 964], atol=1e-9)
    assert lat[0] == pytest.approx(-lat[1], abs=1e-12)
    assert 0 < lat[0] < 0.2
    # The first row: the published top edge is 85.0445664 N.
    assert 83 < lat[2] < 85.0445664


@pytest.mark.parametrize(("row", "col"), [(-1, 0), (406, 0), (0, -1), (0, 964)])
def test_a_cell_outside_the_level_has_no_centre(row: int, col: int) -> None:
    with pytest.raises(GridError, match="outside EASE-Grid 2.0 36km"):
        ease2.centre_lonlat(ease2.LEVEL_36KM, row, col)
