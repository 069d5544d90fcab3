"""What a station's coordinates tell: outside the region, exchanged, or moved."""

import numpy as np
from numpy.typing import NDArray

from sm_platform.observations.groups import group_starts

Bounds = tuple[float, float, float, float]
"""West, south, east, north in degrees (WGS 84); west is above east across the antimeridian."""
MOVED_M = 100.0
"""Places of one station farther apart than this are two: a cell of the product."""
STEP_DEG = 1e-4
"""Places nearer than this (11 m) count as one when the place with most readings is found."""
DEGREE_M = 111_195.0
"""One degree of latitude on a sphere of 6371 km."""


def is_inside(
    lon: NDArray[np.float64], lat: NDArray[np.float64], bounds: Bounds
) -> NDArray[np.bool_]:
    """(n,): which places lie in the bounds, edges included; none with a coordinate NaN."""
    west, south, east, north = bounds
    in_band = (lat >= south) & (lat <= north)
    if west <= east:
        return in_band & (lon >= west) & (lon <= east)
    return in_band & ((lon >= west) | (lon <= east))


def is_moved(
    place: tuple[NDArray[np.float64], NDArray[np.float64]],
    station: NDArray[np.int64],
    moment: NDArray[np.int64],
    is_good: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """Which readings (n,) lie more than 100 m from the main place of their station.

    The main place is where most of the station's good readings are, of two with as many the one
    read first: one wrong line in a file never takes the others away, whichever comes first.

    Args:
        place: longitude and latitude in degrees, (n,) each.
        station: number of the station, 0 and up.
        moment: time, in any unit.
        is_good: readings that count for the main place; a station without any keeps them all.
    """
    lon, lat = place
    main_lon, main_lat = np.full((2, int(station.max(initial=0)) + 1), np.nan)
    chosen = _main_rows(place, station, moment, is_good)
    main_lon[station[chosen]], main_lat[station[chosen]] = lon[chosen], lat[chosen]
    east = (lon - main_lon[station] + 180) % 360 - 180
    north = lat - main_lat[station]
    metres = DEGREE_M * np.hypot(east * np.cos(np.radians(lat)), north)
    return np.asarray(metres > MOVED_M, np.bool_)


def _main_rows(
    place: tuple[NDArray[np.float64], NDArray[np.float64]],
    station: NDArray[np.int64],
    moment: NDArray[np.int64],
    is_good: NDArray[np.bool_],
) -> NDArray[np.int64]:
    """One row for each station with good readings: the earliest at its main place."""
    rows = np.flatnonzero(is_good)
    x, y = (np.round(part[rows] / STEP_DEG) for part in place)
    order = np.lexsort((moment[rows], y, x, station[rows]))
    rows = rows[order]
    starts = group_starts(station[rows], x[order], y[order])
    count = np.diff(np.r_[starts, len(rows)])
    first = rows[starts]
    best = first[np.lexsort((moment[first], -count, station[first]))]
    return best[group_starts(station[best])]
