"""Incidence angle of Sentinel-1 on the ellipsoid, from its reference orbit: no product is needed.

All Sentinel-1 satellites fly one frozen orbit within a tube of some 100 m (175 orbits in 12 days),
so that relative orbit, orbit state and place give the angle. Its other side is, as in ESA's
annotations, the direction from the Earth's centre and not the normal of the ellipsoid (up to
0.04 deg apart): with their state vectors `incidenceAngle` follows from it to 8 digits. The
catalogue of Earth Engine says that its band `angle` is interpolated from these.

Radius, inclination and node were fitted to the 17 state vectors in the annotation of
S1A_IW_GRDH_1SDV_20210119T031653_20210119T031718_036201_043ED0_8255 (relative orbit 79, descending),
carried around the Earth by the equations of motion with the zonal harmonics J2 to J6: all round,
the formulas give that orbit's angle to 0.003 deg. Measured against the angles of the annotation
(210 points, 30.2 to 46.0 deg): at most 0.0013 deg off when the points' heights are given, 0.09 deg
at height 0 (points up to 2,000 m: a kilometre makes some 0.04 deg).

It is one orbit that calibrates it. Five points of another one's annotation (relative orbit 59,
ascending, 45 deg N, seven months later) are off by at most 0.005 deg with heights, 0.05 deg
without. Angles of Earth Engine itself were at hand for one place only, known from the scaled inputs
of a training table: 38.218 and 34.132 deg there against 38.672 and 34.558 deg here. Such a
difference is what its band `angle` takes from a place when it is read as it is stored, without
regard to the fact that its 21 x 10 points lie on the corners of its pixels (see
sources/earth_engine/images.py): for the annotation above, 0.91 deg too little to 0.11 too much by
the nearest pixel, 0.29 to 0.46 too little (0.39 on average) between pixels.
"""

from math import cos, pi, radians, sin

import numpy as np
from numpy.typing import NDArray

from sm_platform.errors import GridError
from sm_platform.grid.window import GridWindow, centres, reproject_points

Floats = NDArray[np.float64]

CYCLE_DAYS, CYCLE_ORBITS = 12, 175
"""Repeat cycle of the reference orbit (Sentinel-1 user handbook)."""
STEP_RAD = 2 * pi * CYCLE_DAYS / CYCLE_ORBITS
"""By so much the Earth turns under the orbit's plane from one ascending node to the next: the orbit
is sun-synchronous, so 12 whole turns make a cycle."""
INCLINATION_RAD = radians(98.188)
MEAN_RADIUS_M = 7_075_339.0
FROZEN_M = (207.0, 8_391.0)
"""Eccentricity of the frozen orbit times its radius, towards the ascending node and towards the
northernmost point, near which the orbit is lowest (perigee at 88.6 deg)."""
OBLATE_M = 1_519.0
"""Twice an orbit the flattening of the Earth lifts and lowers the satellite by so much (J2)."""
NODE_ORBIT, NODE_LON_RAD = 79, radians(-125.3383)
"""Longitude of the ascending node at which this relative orbit begins."""
SEMI_MAJOR_M, FLATTENING = 6_378_137.0, 1 / 298.257223563
"""WGS 84."""
SEEN_DEG = (25.0, 50.0)
"""The swath of IW lies within 29 to 46 deg; beyond this it is not the orbit of the place."""
ITERATIONS = 9
"""Each leaves a tenth of the error in the moment of closest approach."""
NEAR_EQUATOR_RAD = radians(4)
FARTHEST_RAD = 0.5
"""Beyond this from the start it is another part of the orbit that has been found."""
KNOTS = 65
"""Per side of a window: between them the angle is linear to some 0.001 deg."""


def ellipsoid_angle(
    lon: Floats,
    lat: Floats,
    relative_orbit: int,
    orbit_state: str,
    *,
    height_m: Floats | float = 0.0,
) -> Floats:
    """Ellipsoid incidence angle (deg) at places, NaN where the satellite does not look.

    Args:
        lon: degrees east (WGS 84), any shape.
        lat: degrees north, of the same shape.
        relative_orbit: 1 to 175, as products name it at their start.
        orbit_state: `A` ascending, `D` descending.
        height_m: above the ellipsoid, of the same shape.

    Raises:
        GridError: there is no such orbit.
    """
    return _where_seen(_signed_angle(lon, lat, (relative_orbit, orbit_state), height_m))


def angle_on(window: GridWindow, relative_orbit: int, orbit_state: str) -> NDArray[np.float32]:
    """Ellipsoid incidence angle (deg, float32) of every cell of a window, at height 0.

    NaN where the satellite does not look. Raises GridError as `ellipsoid_angle`.
    """
    rows, cols = (_knots(count) for count in window.shape)
    x, y = centres(window)
    at = np.ix_(rows, cols)
    lon, lat = reproject_points(np.asarray(x[at]), np.asarray(y[at]), window.crs, "EPSG:4326")
    knots = _signed_angle(lon, lat, (relative_orbit, orbit_state), 0.0)
    found = _weights(rows, window.shape[0]) @ knots @ _weights(cols, window.shape[1]).T
    return _where_seen(found).astype(np.float32)


def _where_seen(angle: Floats) -> Floats:
    lowest, highest = SEEN_DEG
    return np.where((angle > lowest) & (angle < highest), angle, np.nan)


def _signed_angle(
    lon: Floats, lat: Floats, orbit: tuple[int, str], height_m: Floats | float
) -> Floats:
    """The angle, negative on the left of the satellite.

    South of the equator an ascending arc belongs to the relative orbit that ends at its node, north
    of it to the one that begins there; near it a frame may have begun on the other side.
    """
    number, state = orbit
    if not 1 <= number <= CYCLE_ORBITS or state not in ("A", "D"):
        raise GridError(
            f"Sentinel-1 has no relative orbit {number} {state}: name 1 to {CYCLE_ORBITS}, A or D."
        )
    node = NODE_LON_RAD - (number - NODE_ORBIT) * STEP_RAD
    place = _place(np.radians(lon), np.radians(lat), height_m)
    north = np.arcsin(np.clip(_unit(place)[..., 2] / sin(INCLINATION_RAD), -1, 1))
    if state == "D":
        return _angle_from(pi - north, node, place)
    first, last = (_angle_from(north + turn, node, place) for turn in (0, 2 * pi))
    is_near = np.abs(north) < NEAR_EQUATOR_RAD
    is_last = np.where(is_near, (last > 0) & ((first <= 0) | (last < first)), north < 0)
    return np.where(is_last, last, first)


def _angle_from(start: Floats, node: float, place: Floats) -> Floats:
    """Angle at the places when the satellite passes closest, near argument of latitude `start`."""
    u = start
    for _ in range(ITERATIONS):
        satellite, along = _track(u, node)
        u = u + _dot(place - satellite, along) / _dot(along, along)
    satellite, along = _track(u, node)
    sight = satellite - place
    angle = np.degrees(np.arccos(np.clip(_dot(_unit(sight), _unit(place)), -1, 1)))
    is_right = _dot(sight, np.cross(along, satellite)) < 0
    return np.where(is_right & (np.abs(u - start) < FARTHEST_RAD), angle, -angle)


def _track(u: Floats, node: float) -> tuple[Floats, Floats]:
    """Earth-fixed position (..., 3) in metres at argument of latitude `u`, and its change."""
    ahead = 1e-4
    here, there = _position(u - ahead, node), _position(u + ahead, node)
    return _position(u, node), (there - here) / (2 * ahead)


def _position(u: Floats, node: float) -> Floats:
    to_node, to_north = FROZEN_M
    radius = MEAN_RADIUS_M - to_node * np.cos(u) - to_north * np.sin(u) + OBLATE_M * np.cos(2 * u)
    late = 2 / MEAN_RADIUS_M * (to_north * (np.cos(u) - 1) - to_node * np.sin(u))  # Kepler's law
    lon = node - STEP_RAD * (u + late) / (2 * pi)
    x, y = np.cos(u), np.sin(u) * cos(INCLINATION_RAD)
    east = x * np.cos(lon) - y * np.sin(lon)
    north = x * np.sin(lon) + y * np.cos(lon)
    up = np.sin(u) * sin(INCLINATION_RAD)
    return np.asarray(radius[..., None] * np.stack([east, north, up], axis=-1))


def _place(lon: Floats, lat: Floats, height_m: Floats | float) -> Floats:
    """Earth-fixed position (..., 3) in metres of places on or above the ellipsoid."""
    squared = FLATTENING * (2 - FLATTENING)
    normal = np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=-1)
    curvature = SEMI_MAJOR_M / np.sqrt(1 - squared * np.sin(lat) ** 2)
    flat = np.stack([curvature, curvature, curvature * (1 - squared)], axis=-1)
    return np.asarray(normal * (flat + np.broadcast_to(height_m, lat.shape)[..., None]))


def _knots(count: int) -> NDArray[np.int64]:
    return np.unique(np.linspace(0, count - 1, min(count, KNOTS)).round().astype(np.int64))


def _weights(knots: NDArray[np.int64], count: int) -> Floats:
    """(count, knots): what each knot counts at each cell, linear between neighbours."""
    cells = np.arange(count)
    return np.stack([np.interp(cells, knots, one) for one in np.eye(len(knots))], axis=1)


def _unit(vector: Floats) -> Floats:
    return vector / np.sqrt(_dot(vector, vector))[..., None]


def _dot(a: Floats, b: Floats) -> Floats:
    return np.asarray((a * b).sum(axis=-1))
