"""VN-2000 lands where its published Helmert puts it; a guess is never taken.

The numbers are computed here from the parameters alone: EPSG:6960 (Decision 05/2007/QD-BTNMT)
and a transverse Mercator by Kruger's series, with no projection library.
"""

import math

import numpy as np
import pytest
import shapely
from pyproj import CRS

from sm_platform.errors import DataError, UsageError
from sm_platform.sites.area_crs import to_degrees

SEMI_MAJOR_M, FLATTENING = 6378137.0, 1 / 298.257223563
SQUARED_ECCENTRICITY = FLATTENING * (2 - FLATTENING)
SHIFT_M = np.array([-191.90441429, -39.30318279, -111.45032835])
TURN_ARCSEC = np.array([-0.00928836, 0.01975479, -0.00427372])
SCALE_PPM = 0.252906278
HANOI = (105.85, 21.03)
PLACES = (HANOI, (107.6, 16.46), (106.7, 10.8), (105.2, 9.2), (103.0, 21.4), (109.2, 13.8))
PROVINCES = {
    9205: 103.0, 9206: 104.0, 9207: 104.5, 9208: 104.75, 9209: 105.5, 9210: 105.75, 9211: 106.0,
    9212: 106.25, 9213: 106.5, 9214: 107.0, 9215: 107.25, 9216: 107.5, 9217: 108.25, 9218: 108.5,
}  # fmt: skip
"""Central meridians of the provincial zones (3 degrees wide, scale 0.9999)."""


def geocentric(lon: float, lat: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Metres of a place at height 0."""
    phi, lam = math.radians(lat), math.radians(lon)
    across = SEMI_MAJOR_M / math.sqrt(1 - SQUARED_ECCENTRICITY * math.sin(phi) ** 2)
    flat = across * math.cos(phi)
    polar = across * (1 - SQUARED_ECCENTRICITY) * math.sin(phi)
    return np.array([flat * math.cos(lam), flat * math.sin(lam), polar])


def vn2000_to_wgs84(lon: float, lat: float) -> tuple[float, float]:
    """Seven parameters in the coordinate frame convention (EPSG method 9607)."""
    rx, ry, rz = np.radians(TURN_ARCSEC / 3600)
    turn = np.array([[1, rz, -ry], [-rz, 1, rx], [ry, -rx, 1]])
    x, y, z = SHIFT_M + (1 + SCALE_PPM * 1e-6) * turn @ geocentric(lon, lat)
    flat, phi = math.hypot(x, y), math.radians(lat)
    for _ in range(6):
        across = SEMI_MAJOR_M / math.sqrt(1 - SQUARED_ECCENTRICITY * math.sin(phi) ** 2)
        phi = math.atan2(z + SQUARED_ECCENTRICITY * across * math.sin(phi), flat)
    return math.degrees(math.atan2(y, x)), math.degrees(phi)


def mercator(lon: float, lat: float, middle: float, scale: float) -> tuple[float, float]:
    """East and north in metres, false easting 500 km (Kruger's series to the third order)."""
    n = FLATTENING / (2 - FLATTENING)
    radius = SEMI_MAJOR_M / (1 + n) * (1 + n**2 / 4 + n**4 / 64)
    alpha = (
        n / 2 - 2 * n**2 / 3 + 5 * n**3 / 16,
        13 * n**2 / 48 - 3 * n**3 / 5,
        61 * n**3 / 240,
    )
    e = math.sqrt(SQUARED_ECCENTRICITY)
    sine = math.sin(math.radians(lat))
    t = math.sinh(math.atanh(sine) - e * math.atanh(e * sine))
    away = math.radians(lon - middle)
    xi, eta = (
        math.atan2(t, math.cos(away)),
        math.asinh(math.sin(away) / math.hypot(t, math.cos(away))),
    )
    east = eta + sum(
        a * math.cos(2 * j * xi) * math.sinh(2 * j * eta) for j, a in enumerate(alpha, 1)
    )
    north = xi + sum(
        a * math.sin(2 * j * xi) * math.cosh(2 * j * eta) for j, a in enumerate(alpha, 1)
    )
    return 500_000 + scale * radius * east, scale * radius * north


def apart_m(one: tuple[float, float], other: tuple[float, float]) -> float:
    east = (one[0] - other[0]) * math.cos(math.radians(one[1]))
    return math.hypot(east, one[1] - other[1]) * 111_320


def landed(corner: tuple[float, float], crs: str) -> tuple[float, float]:
    """Where the corner of a small square of the CRS comes to lie."""
    size = 0.01 if CRS(crs).is_geographic else 1000
    square = shapely.box(corner[0], corner[1], corner[0] + size, corner[1] + size)
    turned = to_degrees(square, CRS(crs), "v\u00f9ng.gpkg").outline
    points = shapely.get_coordinates(turned)
    lon, lat = points[np.argmin(points.sum(axis=1))]
    return float(lon), float(lat)


@pytest.mark.parametrize("place", PLACES)
def test_degrees_of_vn2000_land_within_a_decimetre(place: tuple[float, float]) -> None:
    right = vn2000_to_wgs84(*place)
    assert apart_m(landed(place, "EPSG:4756"), right) < 0.1
    assert 150 < apart_m(place, right) < 300  # taken for WGS 84 it would lie that far beside


@pytest.mark.parametrize(("code", "middle"), [(3405, 105.0), (3406, 111.0)])
def test_utm_zones_of_vn2000_land_within_a_decimetre(code: int, middle: float) -> None:
    for lon, lat in PLACES:
        if abs(lon - middle) < 3.5:
            corner = mercator(lon, lat, middle, 0.9996)
            assert apart_m(landed(corner, f"EPSG:{code}"), vn2000_to_wgs84(lon, lat)) < 0.1


@pytest.mark.parametrize(("code", "middle"), PROVINCES.items())
def test_provincial_zones_of_vn2000_land_within_a_decimetre(code: int, middle: float) -> None:
    lon, lat = middle + 0.7, 15.3
    corner = mercator(lon, lat, middle, 0.9999)
    assert apart_m(landed(corner, f"EPSG:{code}"), vn2000_to_wgs84(lon, lat)) < 0.1


def test_the_transformation_is_named_with_its_accuracy() -> None:
    square = shapely.box(105, 21, 105.1, 21.1)
    assert "VN-2000 to WGS 84 (2), 1 m" in to_degrees(square, CRS(4756), "a").way
    assert to_degrees(square, CRS(4326), "a").way == "EPSG:4326 WGS 84"
    old = to_degrees(square, CRS(4131), "a").way
    assert "Indian 1960" in old
    assert old.endswith(" m)")


def test_in_the_mekong_delta_too_the_national_transformation_is_taken() -> None:
    square = shapely.box(105.6, 9.9, 105.7, 10.0)
    assert "(2)" in to_degrees(square, CRS(4756), "a").way


def test_the_seven_parameters_of_a_file_are_honoured() -> None:
    own = "+proj=tmerc +lon_0=107.75 +k=0.9999 +x_0=500000 +ellps=WGS84 +units=m +type=crs"
    numbers = (*SHIFT_M, *TURN_ARCSEC, SCALE_PPM)
    # PROJ's order is position vector: its rotations have the other sign.
    signs = (1, 1, 1, -1, -1, -1, 1)
    helmert = ",".join(f"{sign * number:.8f}" for sign, number in zip(signs, numbers, strict=True))
    lon, lat = 108.2, 16.0
    corner = mercator(lon, lat, 107.75, 0.9999)
    right = vn2000_to_wgs84(lon, lat)
    assert apart_m(landed(corner, f"{own} +towgs84={helmert}"), right) < 0.1
    with pytest.raises(DataError, match=r"ballpark.*EPSG:3405"):
        landed(corner, own)


def test_wgs84_utm_is_not_shifted() -> None:
    corner = mercator(*HANOI, 105.0, 0.9996)
    assert apart_m(landed(corner, "EPSG:32648"), HANOI) < 0.1


def test_a_transformation_that_needs_an_absent_grid_is_passed_over() -> None:
    nevada = shapely.box(-116, 39, -115.9, 39.1)
    turned = to_degrees(nevada, CRS(4267), "nad27.shp")  # the best one is a grid
    west = float(shapely.bounds(turned.outline)[0])
    assert 50 < (-116 - west) * 86_400 < 110  # NAD27 lies 70 to 90 m east of WGS 84 there
    assert "NAD27" in turned.way


def test_a_place_off_the_projection_is_refused() -> None:
    far = shapely.box(1e9, 1e9, 1.1e9, 1.1e9)
    with pytest.raises(DataError, match=r"a\.shp"):
        to_degrees(shapely.segmentize(far, 1e8), CRS(3405), "a.shp")


def test_exchanged_degrees_of_vn2000_are_named() -> None:
    with pytest.raises(UsageError, match="lat before lon"):
        to_degrees(shapely.box(21, 105, 22, 106), CRS(4756), "a.shp")


def test_impossible_metres_are_refused_at_once() -> None:
    for far in (1e12, 1e300):
        with pytest.raises(DataError, match=r"a\.shp.*cannot place"):
            to_degrees(shapely.box(0, 0, far, far), CRS(3405), "a.shp")


def test_long_edges_bend_as_they_must() -> None:
    strip = shapely.box(200_000, 2_300_000, 800_000, 2_300_500)
    turned = to_degrees(strip, CRS(32648), "strip").outline
    _, middle = to_degrees(
        shapely.box(499_999, 2_299_999, 500_001, 2_300_000), CRS(32648), "a"
    ).outline.centroid.coords[0]
    at_middle = turned.intersection(shapely.LineString([(105, 20), (105, 22)])).bounds[1]
    assert at_middle == pytest.approx(middle, abs=1e-5)
    ends = shapely.get_coordinates(turned)[:, 1].min()
    assert at_middle - ends == pytest.approx(0, abs=0.2)
    assert abs(at_middle - ends) > 0.005
