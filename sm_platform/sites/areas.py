"""Area: the outline of a region in degrees (WGS 84), from a bounding box or as stored text."""

import math
import re
import unicodedata
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import shapely
from numpy.typing import NDArray

from sm_platform.errors import DataError, UsageError

Outline: TypeAlias = shapely.Polygon | shapely.MultiPolygon
"""In degrees (WGS 84), longitude first."""
DECIMALS = 7
"""Decimals of a degree that are stored: about a centimetre."""
FIRST_TOLERANCE_DEG = 1e-5
"""The least by which a too detailed outline is simplified: about 1 m."""
MAX_VERTICES = 20_000
"""An outline with more is stored simplified: its text is read with every map."""
LONGEST_NAME = 40
"""Letters of a `slug` at most."""


@dataclass(frozen=True, slots=True)
class Area:
    """What a user wants mapped, and where it was taken from."""

    outline: Outline
    """Valid, not empty, within -180..180 and -90..90 degrees."""
    came_from: str
    """For people: the file, sheet, country or box, and how its coordinates were turned."""
    notes: tuple[str, ...] = ()
    """What was changed on the way, one sentence each: repaired, left out, drawn otherwise."""


def area_from_bbox(west: float, south: float, east: float, north: float) -> Area:
    """The box between two meridians and two parallels, in degrees (WGS 84).

    Raises:
        UsageError: a value is no number or out of range, two are exchanged, or the box crosses
            180 degrees.
    """
    box = (west, south, east, north)
    given = "Bounding box W S E N = " + " ".join(f"{value:g}" for value in box)
    if not all(math.isfinite(value) for value in box):
        raise UsageError(f"{given} holds a value that is no number: give four degrees.")
    _check_range(given, box)
    if west > east:
        raise UsageError(
            f"{given}: west lies east of east. If the box crosses 180 degrees, add two regions: "
            f"{west:g} {south:g} 180 {north:g} and -180 {south:g} {east:g} {north:g}; "
            "if not, exchange the two."
        )
    if west == east or south >= north:
        raise UsageError(f"{given} is empty: west must lie west of east, south south of north.")
    return Area(shapely.box(*box), given)


def check_range(outline: Outline, where: str) -> Outline:
    """The outline itself, once its degrees are possible and it does not cross 180 degrees.

    Raises:
        UsageError: it lies outside the Earth, its axes look exchanged, or it crosses 180 degrees.
    """
    west, south, east, north = (float(value) for value in shapely.bounds(outline))
    _check_range(where, (west, south, east, north))
    return outline


def stored_outline(outline: Outline) -> Outline:
    """The outline as a region keeps it: decimals cut, at most `MAX_VERTICES`, valid.

    A larger one is simplified (Douglas-Peucker), where parts smaller than the tolerance vanish;
    `moved_m` tells by how much.
    """
    simple, tolerance = outline, FIRST_TOLERANCE_DEG
    while shapely.get_num_coordinates(simple) > MAX_VERTICES:
        simple = shapely.simplify(outline, tolerance, preserve_topology=False)
        tolerance *= 2
    valid = shapely.set_precision(shapely.make_valid(simple), 10.0**-DECIMALS)
    return shapely.normalize(only_areas(np.array([valid], object)))


def moved_m(outline: Outline, kept: Outline) -> float:
    """How far, at most, a vertex of the outline lies from the kept one's line, in metres.

    Counted at 111,320 m a degree: exact along a meridian, too much along a parallel.
    """
    rings = shapely.get_rings(shapely.get_parts(kept))
    corners, ring = shapely.get_coordinates(rings, return_index=True)
    edges = np.stack([corners[:-1], corners[1:]], axis=1)[np.diff(ring) == 0]
    places = shapely.points(shapely.get_coordinates(outline))
    line = shapely.STRtree(shapely.linestrings(edges))
    _, distance = line.query_nearest(places, return_distance=True, all_matches=False)
    return float(distance.max() * 111_320)


def outline_wkt(area: Area) -> str:
    """The stored outline as WKT in degrees, longitude first, `DECIMALS` decimals."""
    text: str = shapely.to_wkt(stored_outline(area.outline), rounding_precision=DECIMALS)
    return text


def area_of(wkt: str) -> Outline:
    """The outline that `outline_wkt` wrote.

    Raises:
        DataError: the text is not a valid polygon in degrees.
    """
    try:
        shape = shapely.from_wkt(wkt)
    except (shapely.errors.GEOSException, TypeError):
        shape = None
    if not isinstance(shape, Outline) or shape.is_empty or not shape.is_valid:
        raise DataError(f"'{str(wkt)[:60]}' is not the outline of a region: add the region again.")
    try:
        return check_range(shape, "The stored outline")
    except UsageError as error:
        raise DataError(str(error)) from None


def only_areas(shapes: NDArray[np.object_]) -> Outline:
    """All polygons among the shapes and their parts, as one valid outline; it may be empty."""
    parts = shapely.get_parts(shapely.get_parts(shapely.make_valid(shapes)))
    kept = parts[shapely.get_type_id(parts) == shapely.GeometryType.POLYGON]
    whole = shapely.union_all(kept)
    return whole if isinstance(whole, Outline) else shapely.MultiPolygon()


def slug(text: str) -> str:
    """Free text in small letters, digits and hyphens, Vietnamese letters too; may be empty."""
    plain = unicodedata.normalize("NFKD", text.casefold().replace("\u0111", "d"))
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:LONGEST_NAME].strip("-")


def _check_range(where: str, box: tuple[float, float, float, float]) -> None:
    """Raises UsageError when a box (degrees) reaches outside the Earth."""
    west, south, east, north = box
    is_lon, is_lat = max(-west, east) <= 180, max(-south, north) <= 90
    if is_lon and is_lat:
        if east - west > 180:
            raise UsageError(
                f"{where} spans longitudes {west:.2f} to {east:.2f}, more than half the globe, as "
                "an outline across 180 degrees does: add two regions, one on each side."
            )
        return
    if max(-south, north) <= 180 and max(-west, east) <= 90:
        raise UsageError(
            f"{where} has latitudes from {south:g} to {north:g} -- did you give lat before lon? "
            "Longitude comes first: west south east north."
        )
    if is_lat and west >= -360 and east <= 360:
        raise UsageError(
            f"{where} has longitudes from {west:g} to {east:g}, outside -180..180: beyond "
            "180 degrees count from the west (190 is -170); what crosses 180 is two regions."
        )
    raise UsageError(
        f"{where} spans {west:g}..{east:g} and {south:g}..{north:g}, which are no degrees "
        "but perhaps metres: give degrees, or a file that names its coordinate system."
    )
