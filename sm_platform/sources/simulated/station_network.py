"""A network of soil sensors in a place: where they stand and what they tell, faults included."""

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from sm_platform.errors import UsageError
from sm_platform.grid.window import lonlat
from sm_platform.sources.simulated.cover import Cover
from sm_platform.sources.simulated.fields import Mask, Streams
from sm_platform.sources.simulated.world import TRUTH_DAY, World

NAMES = (
    "An-Binh",
    "Bao-Loc",
    "Chau-Hung",
    "Dong-Phu",
    "Gia-Lap",
    "Hoa-Tien",
    "Khanh-Son",
    "Lac-Vien",
    "Minh-Tan",
    "Ninh-Xa",
)
BIAS_SD = 0.02
"""Of a station: a sensor's few centimetres are not the pixel."""
DAY_SD, DAY_R = 0.025, 0.7
SENSOR_SD = 0.012
DEEP_STATIONS = 3
"""Stations with a second sensor at 0.20 m."""
DEEP_SMOOTHING_DAYS = 6
COPY_OF = {1: 0}
"""The second station stands beside the first and shares its day errors: near-copies."""
MOVED = 4
"""This station was put up elsewhere after MOVE_DAY."""
MOVE_DAY = date(2025, 10, 1)
MOVE_PX = 20
"""At least; on a small place a third of it."""
STUCK = 6
STUCK_FROM, STUCK_DAYS = date(2025, 6, 10), 30
DRAINED = (Cover.GARDEN, Cover.UPLAND, Cover.COFFEE)
BORDER_PX = 5
TOP_M, DEEP_M = 0.05, 0.2
PORT_TOP, PORT_DEEP = "ThetaProbe-ML3", "TEROS12"
Pixel = tuple[int, int]
"""Row, column."""


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a station stands: a pixel of the place and its centre."""

    row: int
    col: int
    lon: float
    lat: float
    elevation_m: float


@dataclass(frozen=True, slots=True)
class Sensor:
    """One sensor; daily values (m3/m3) from the first day of the truth, before noise."""

    station: str
    number: int
    home: Spot
    later: Spot
    """Where it stands from MOVE_DAY on; the same for all but one."""
    depth_m: float
    name: str
    daily: NDArray[np.float64]
    """At the end of the local days."""

    def where(self, day: date) -> Spot:
        """Where it stands on a day."""
        return self.later if day >= MOVE_DAY else self.home


def sensors(world: World) -> list[Sensor]:
    """All sensors of the place's network.

    Raises:
        UsageError: the place has not enough drained land for the stations.
    """
    streams = Streams(world.seed, world.place.index)
    biases = BIAS_SD * streams.rng("station_bias").standard_normal(len(NAMES))
    found = []
    for number, (home, later) in enumerate(_spots(world, streams)):
        truth = _truth(world, home, later)
        top = truth + biases[number] + _daily_error(streams, number, len(truth))
        station = NAMES[number], number, home, later
        found.append(Sensor(*station, TOP_M, PORT_TOP, top))
        if number < DEEP_STATIONS:
            found.append(Sensor(*station, DEEP_M, PORT_DEEP, _smoothed(top)))
    return found


def _spots(world: World, streams: Streams) -> list[tuple[Spot, Spot]]:
    """First and later spot of each station."""
    lon, lat = lonlat(world.window)
    is_fit = _is_fit(world)
    chosen = _places(is_fit, streams)
    later = list(chosen)
    later[MOVED] = _nearest(is_fit, chosen[MOVED], min(MOVE_PX, world.window.shape[0] // 3))

    def spot(place: Pixel) -> Spot:
        return Spot(*place, *(float(one[place]) for one in (lon, lat, world.elevation_m)))

    return [(spot(first), spot(last)) for first, last in zip(chosen, later, strict=True)]


def _is_fit(world: World) -> Mask:
    """Drained land on which water never stands, away from the border."""
    is_dry = ~world.is_flooded[world.index(TRUTH_DAY) :].any(axis=0)
    is_fit = is_dry & np.isin(world.cover_code, [int(one) for one in DRAINED])
    inside = np.zeros_like(is_fit)
    inside[BORDER_PX:-BORDER_PX, BORDER_PX:-BORDER_PX] = True
    if (is_fit & inside).sum() < len(NAMES):
        raise UsageError(
            f"{world.place.region_id} of {world.window.shape} pixels has no room for "
            f"{len(NAMES)} stations on drained land: make it larger."
        )
    return np.asarray(is_fit & inside)


def _places(is_fit: Mask, streams: Streams) -> list[Pixel]:
    """Fit pixels apart from each other, but for the copy, which stands beside its station."""
    count, apart_px = len(NAMES) - len(COPY_OF), min(is_fit.shape) / 6
    candidates = streams.rng("station_places").permutation(np.argwhere(is_fit)).tolist()
    chosen = _apart(candidates, apart_px, count)
    while len(chosen) < count:
        apart_px /= 1.5
        chosen = _apart(candidates, apart_px, count)
    for copy, original in COPY_OF.items():
        chosen.insert(copy, _nearest(is_fit, chosen[original], 1))
    return chosen


def _apart(candidates: list[list[int]], least_px: float, count: int) -> list[Pixel]:
    """The first candidates, at most so many, of which none is too near to one before."""
    chosen: list[Pixel] = []
    for row, col in candidates:
        if len(chosen) < count and all(np.hypot(row - r, col - c) >= least_px for r, c in chosen):
            chosen.append((row, col))
    return chosen


def _nearest(is_fit: Mask, place: Pixel, least_px: float) -> Pixel:
    """The fit pixel nearest to a place, but not nearer than so many pixels."""
    found = np.argwhere(is_fit)
    distance = np.hypot(*(found - place).T)
    row, col = found[np.argmin(np.where(distance >= least_px, distance, np.inf))]
    return int(row), int(col)


def _truth(world: World, home: Spot, later: Spot) -> NDArray[np.float64]:
    first = world.index(TRUTH_DAY)
    is_moved = np.arange(first, world.n_days) >= (MOVE_DAY - world.first_day).days
    before, after = (world.sm_m3m3[first:, one.row, one.col].astype(float) for one in (home, later))
    return np.where(is_moved, after, before)


def _smoothed(top: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean of a day and those before it, as it is farther down."""
    mean = np.convolve(top, np.ones(DEEP_SMOOTHING_DAYS) / DEEP_SMOOTHING_DAYS)[: len(top)]
    mean[: DEEP_SMOOTHING_DAYS - 1] = top[: DEEP_SMOOTHING_DAYS - 1]
    return mean


def _daily_error(streams: Streams, number: int, n_days: int) -> NDArray[np.float64]:
    """Autoregressive; stations beside each other share theirs."""
    rng = streams.rng(f"station_days_{COPY_OF.get(number, number)}")
    steps = rng.standard_normal(n_days)
    error = DAY_SD * steps
    for n in range(1, n_days):
        error[n] = DAY_R * error[n - 1] + np.sqrt(1 - DAY_R**2) * error[n]
    return error
