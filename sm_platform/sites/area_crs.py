"""Turning outlines of any CRS to degrees (WGS 84), by a published transformation or not at all."""

import math
import warnings
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError, ProjError
from pyproj.transformer import TransformerGroup

from sm_platform.errors import DataError
from sm_platform.sites.areas import Outline, check_range

WGS84 = "EPSG:4326"
LONGEST_EDGE_M = 5000.0
"""Edges of a projected outline are split to this: a straight line on its map bends in degrees.

The bend of an edge of length L is L^2 / (8 R) tan(lat): 0.2 m here at 20 degrees.
"""

FARTHEST_M = 2e8
"""No projection of the Earth has coordinates beyond: zone numbers before the easting included."""


@dataclass(frozen=True, slots=True)
class Turned:
    """An outline in degrees and how it came there."""

    outline: Outline
    way: str
    """For people: the CRS and the transformation with its accuracy in metres."""


@dataclass(frozen=True, slots=True)
class _Way:
    """What turns points of a CRS (x first) to degrees: transformers, one after the other."""

    steps: tuple[Transformer, ...]
    name: str
    accuracy_m: float = math.inf
    """Infinite where it is not known."""
    bounds: tuple[float, float, float, float] | None = None
    """West, south, east, north of the area of use; west is above east across 180 degrees."""

    def apply(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Points (n, 2) turned to lon, lat; infinite where the CRS does not reach."""
        for step in self.steps:
            points = np.column_stack(step.transform(points[:, 0], points[:, 1]))
        return points

    def holds(self, place: NDArray[np.float64]) -> bool:
        """Whether a place (lon, lat) lies in the area of use."""
        if self.bounds is None:
            return True
        lon, lat = place
        west, south, east, north = self.bounds
        is_between = west <= lon <= east if west <= east else lon >= west or lon <= east
        return bool(is_between and south <= lat <= north)


def to_degrees(outline: Outline, crs: CRS, where: str) -> Turned:
    """The outline (x or longitude first, in `crs`) in degrees of WGS 84.

    The transformation is the most accurate published one whose area of use holds the outline and
    that needs no file beyond the library's own. VN-2000 goes by EPSG:6960 (7-parameter Helmert,
    1 m); taken for WGS 84 it would lie about 220 m beside its place, so a datum without a
    published transformation is refused, never guessed. Parameters that the CRS itself carries
    (TOWGS84, position vector convention) come first, whatever its datum is called.

    Raises:
        DataError: there is no such transformation, or a vertex falls outside the CRS.
        UsageError: degrees are impossible or exchanged.
    """
    way = _own_way(crs) or _published_way(outline, crs, where)
    turned = None
    if crs.is_geographic:
        check_range(outline, where)
        turned = shapely.transform(outline, way.apply)
    else:
        unit_m = crs.axis_info[0].unit_conversion_factor or 1.0
        if np.abs(shapely.bounds(outline)).max() * unit_m < FARTHEST_M:
            split = shapely.segmentize(outline, LONGEST_EDGE_M / unit_m)
            turned = shapely.transform(split, way.apply)
    if turned is None or not np.isfinite(shapely.get_coordinates(turned)).all():
        raise DataError(
            f"{where} has vertices that {crs.name} cannot place on the Earth: "
            "check that its coordinates are in that CRS."
        )
    code = crs.to_epsg()
    name = f"EPSG:{code} {crs.name}" if code else crs.name
    return Turned(turned, f"{name} (by {way.name})" if way.name else name)


def _own_way(crs: CRS) -> _Way | None:
    """The way by the 3 or 7 parameters that the CRS carries, None when it carries none.

    The library drops them silently where the datum is called WGS 84 or unknown, which is how
    VN-2000 is often written.
    """
    operation = crs.coordinate_operation
    numbers = list(operation.towgs84) if crs.is_bound and operation is not None else []
    drawn = crs.source_crs
    body = crs.ellipsoid
    if not numbers or drawn is None or drawn.geodetic_crs is None or body is None:
        return None
    x, y, z, rx, ry, rz, scale = [*numbers, 0, 0, 0, 0][:7]
    turn = Transformer.from_pipeline(
        "+proj=pipeline +step +proj=unitconvert +xy_in=deg +xy_out=rad "
        f"+step +proj=cart +a={body.semi_major_metre!r} +b={body.semi_minor_metre!r} "
        f"+step +proj=helmert +x={x} +y={y} +z={z} +rx={rx} +ry={ry} +rz={rz} +s={scale} "
        "+convention=position_vector +step +inv +proj=cart +ellps=WGS84 "
        "+step +proj=unitconvert +xy_in=rad +xy_out=deg"
    )
    flat = Transformer.from_crs(drawn, drawn.geodetic_crs, always_xy=True)
    return _Way((flat, turn), f"its own {len(numbers)} parameters")


def _published_way(outline: Outline, crs: CRS, where: str) -> _Way:
    """The published way to use; raises DataError when only a guess is left."""
    known = _published_ways(crs)
    if not known:
        raise DataError(
            f"{where} is in '{crs.name}', from which no published transformation leads to "
            "WGS 84 (only a ballpark one, wrong by up to hundreds of metres): save it in a CRS "
            "with an EPSG number, for example EPSG:4326, or VN-2000 as EPSG:3405 or 3406."
        )
    left, bottom, right, top = shapely.bounds(outline)
    middle = np.array([[(left + right) / 2, (bottom + top) / 2]])
    holding = [way for way in known if way.holds(way.apply(middle)[0])] or known
    return min(holding, key=lambda way: way.accuracy_m)


def _published_ways(crs: CRS) -> list[_Way]:
    """All ways without a guess or a grid that is not on this machine, recommended ones first."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # says that a grid is not on this machine
        try:
            group = TransformerGroup(crs, WGS84, always_xy=True, allow_ballpark=False)
        except (ProjError, CRSError):
            return []
    return [_way(turn) for turn in group.transformers if _is_whole(turn)]


def _is_whole(turn: Transformer) -> bool:
    """Whether all grids of a transformation are on this machine, and no step is a guess."""
    grids = [grid for step in turn.operations or () for grid in step.grids]
    return all(grid.full_name for grid in grids) and "ballpark" not in turn.description.casefold()


def _way(turn: Transformer) -> _Way:
    """A published transformation, named by its change of datum; nameless when there is none."""
    steps = [step.name for step in turn.operations or () if step.type_name == "Transformation"]
    accuracy = turn.accuracy if turn.accuracy >= 0 else math.inf
    name = "" if accuracy == 0 else " and ".join(steps)
    if name and math.isfinite(accuracy):
        name += f", {accuracy:g} m"
    used = turn.area_of_use
    return _Way((turn,), name, accuracy, used.bounds if used else None)
