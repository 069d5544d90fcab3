"""The incidence angle from the orbit: against annotations, and laws that hold without any."""

import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sm_platform.errors import GridError
from sm_platform.grid.ease2 import LEVEL_100M, window_around
from sm_platform.grid.ellipsoid_angle import (
    CYCLE_ORBITS,
    MEAN_RADIUS_M,
    SEMI_MAJOR_M,
    angle_on,
    ellipsoid_angle,
)
from sm_platform.grid.window import lonlat

NAME = "S1A_IW_GRDH_1SDV_20210119T031653_20210119T031718_036201_043ED0_8255.zip"
OTHER_ORBIT = np.array(
    [
        (1.731457811344368, 45.25516388642491, 418.9781, 30.46472126859284),
        (2.777512755228313, 45.20795166892135, 1200.9273, 35.86719600413981),
        (3.759193108305161, 45.32973293679401, 1048.9290, 40.62048378651382),
        (4.740109106991636, 45.44253061431456, 447.9668, 44.85958804139945),
        (5.067839601599555, 45.47824495427592, 377.9712, 46.18018676979460),
    ]
)
"""Longitude, latitude, height (m) and incidence angle (deg) at points of the annotation of
S1A_IW_GRDH_1SDV_20210809T173953_20210809T174018_039156_049F13_6FF8 (orbit 59, ascending)."""
ONE_STEP_DEG = 360 * 12 / CYCLE_ORBITS


def test_the_annotation_that_calibrates(shared: Callable[..., Path]) -> None:
    lon, lat, height, truth = _annotation(shared("realdata", "s1", NAME))
    exact = ellipsoid_angle(lon, lat, 79, "D", height_m=height)
    assert np.abs(exact - truth).max() < 0.002
    assert np.abs(ellipsoid_angle(lon, lat, 79, "D") - truth).max() < 0.1


def test_another_orbit_that_has_calibrated_nothing() -> None:
    lon, lat, height, truth = OTHER_ORBIT.T
    assert np.abs(ellipsoid_angle(lon, lat, 59, "A", height_m=height) - truth).max() < 0.006
    assert np.abs(ellipsoid_angle(lon, lat, 59, "A") - truth).max() < 0.06


def test_the_next_orbit_sees_the_same_a_step_further_west() -> None:
    lon, lat, _, _ = OTHER_ORBIT.T
    here = ellipsoid_angle(lon, lat, 59, "A")
    assert ellipsoid_angle(lon - ONE_STEP_DEG, lat, 60, "A") == pytest.approx(here, abs=1e-9)
    after_a_cycle = ellipsoid_angle(lon + 58 * ONE_STEP_DEG, lat, 1, "A")
    assert after_a_cycle == pytest.approx(here, abs=1e-9)


@pytest.mark.parametrize(("orbit", "state"), [(79, "D"), (79, "A")])
def test_it_looks_to_the_right_and_grows_across_the_swath(orbit: int, state: str) -> None:
    lon = np.linspace(-180, 179.9, 7200)
    angle = ellipsoid_angle(lon, np.zeros_like(lon), orbit, state)
    seen = ~np.isnan(angle)
    seam = np.flatnonzero(seen)[0]
    swath = np.roll(angle, -seam)[: seen.sum()]
    eastward = np.diff(swath[~np.isnan(swath)][:50])
    assert np.all(eastward > 0) if state == "A" else np.all(eastward < 0)


def test_at_the_equator_by_the_triangle_of_orbit_place_and_centre_of_the_earth() -> None:
    """Law of cosines: the ground distance from the track gives the angle, whatever the heading.

    The node of relative orbit 79 lies at 125.3383 deg W; there the radius is mean - 207 + 1,519 m.
    """
    radius = MEAN_RADIUS_M - 207 + 1519
    lon = -125.3383 + np.array([3.0, 4.0, 5.0])
    angle = ellipsoid_angle(lon, np.zeros(3), 79, "A")
    # The plane of closest approach is that of the heading over the turning Earth: across it a
    # degree of longitude counts as the cosine of the track's slant.
    slant = np.arctan2(np.cos(np.radians(98.188)) - 12 / CYCLE_ORBITS, np.sin(np.radians(98.188)))
    arc = np.arcsin(np.sin(np.radians(lon + 125.3383)) * np.cos(slant))
    sight = np.sqrt(radius**2 + SEMI_MAJOR_M**2 - 2 * radius * SEMI_MAJOR_M * np.cos(arc))
    expected = np.degrees(np.arcsin(radius * np.sin(arc) / sight))
    assert angle == pytest.approx(expected, abs=0.1)


def test_ascending_and_descending_mirror_each_other() -> None:
    """East and west of the place where the two tracks of an orbit would meet: the north."""
    lat = np.full(4001, 60.0)
    lon = np.linspace(-180, 180, 4001)
    rising, falling = (ellipsoid_angle(lon, lat, 79, state) for state in ("A", "D"))
    count = (~np.isnan(rising)).sum()
    assert count == pytest.approx((~np.isnan(falling)).sum(), abs=3)
    assert np.nanmax(rising) == pytest.approx(np.nanmax(falling), abs=0.2)
    widths = [np.diff(one[~np.isnan(one)]) for one in (rising, falling)]
    assert np.median(widths[0]) == pytest.approx(-np.median(widths[1]), rel=0.02)


def test_an_ascending_arc_over_the_equator_keeps_its_swath() -> None:
    """A frame that begins south of the equator bears the number of the orbit that ends there."""
    lat = np.linspace(-1, 1, 9)
    lon = -125.3383 - ONE_STEP_DEG + 4.0 + 0.2 * lat
    south = ellipsoid_angle(lon, lat, 79, "A")
    north = ellipsoid_angle(lon, lat, 80, "A")
    assert not np.isnan(south).any()
    assert south == pytest.approx(north, abs=1e-6)


def test_a_window_has_the_angles_of_its_cells() -> None:
    window = window_around(LEVEL_100M, 3.4, 45.3, (300, 700))
    found = angle_on(window, 59, "A")
    lon, lat = lonlat(window)
    assert found.dtype == np.float32
    assert found.shape == window.shape
    assert np.abs(found - ellipsoid_angle(lon, lat, 59, "A")).max() < 0.001
    assert np.isnan(angle_on(window, 59, "D")).all()


@pytest.mark.parametrize("orbit", [(0, "A"), (176, "D"), (79, "X")])
def test_no_such_orbit_is_refused(orbit: tuple[int, str]) -> None:
    with pytest.raises(GridError, match="no relative orbit"):
        ellipsoid_angle(np.zeros(1), np.zeros(1), *orbit)


def _annotation(path: Path) -> tuple[np.ndarray, ...]:
    with zipfile.ZipFile(path) as archive:
        name = next(one for one in archive.namelist() if "/annotation/s1" in one)
        root = ET.fromstring(archive.read(name))  # noqa: S314 - our own shared file
    points = list(root.iter("geolocationGridPoint"))
    fields = ("longitude", "latitude", "height", "incidenceAngle")
    return tuple(np.array([float(one.findtext(f, "nan")) for one in points]) for f in fields)
