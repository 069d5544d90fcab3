"""A network of soil sensors in a place: where they stand and what they tell, faults included."""

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from sm_platform.grid.window import lonlat
from sm_platform.sources.simulated.cover import Cover
from sm_platform.sources.simulated.fields import Streams
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
"""The second station stands beside the first: near-copies."""
COPY_SHIFT_PX = 1
MOVED = 4
"""This station was put up elsewhere after MOVE_DAY."""
MOVE_DAY = date(2025, 10, 1)
MOVE_PX = 20
STUCK = 6
STUCK_FROM, STUCK_DAYS = date(2025, 6, 10), 30
DRAINED = (Cover.GARDEN, Cover.UPLAND, Cover.COFFEE)
PORT_TOP, PORT_DEEP = "ThetaProbe-ML3", "TEROS12"


@dataclass(frozen=True, slots=True)
class Sensor:
    """One sensor; daily values (m3/m3) from the first day of the truth, before noise."""

    station: str
    row: int
    col: int
    moved_row: int
    moved_col: int
    """Where it stands after MOVE_DAY; the same for all others."""
    depth_from_m: float
    depth_to_m: float
    name: str
    daily: NDArray[np.float64]
    number: int


def sensors(world: World) -> list[Sensor]:
    """All sensors of the place's network."""
    streams = Streams(world.seed, world.place.index)
    places = _places(world, streams)
    rng = streams.rng("station_bias")
    biases = BIAS_SD * rng.standard_normal(len(NAMES))
    found = []
    for number, name in enumerate(NAMES):
        row, col = places[number]
        moved = _moved(world, (row, col)) if number == MOVED else (row, col)
        truth = _truth(world, (row, col), moved)
        series = truth + biases[number] + _daily_error(streams, number, len(truth))
        top = Sensor(name, row, col, *moved, 0.05, 0.05, PORT_TOP, series, number)
        found.append(top)
        if number < DEEP_STATIONS:
            kernel = np.ones(DEEP_SMOOTHING_DAYS) / DEEP_SMOOTHING_DAYS
            deep = np.convolve(series, kernel, mode="full")[: len(series)]
            deep[: DEEP_SMOOTHING_DAYS - 1] = series[: DEEP_SMOOTHING_DAYS - 1]
            found.append(Sensor(name, row, col, *moved, 0.2, 0.2, PORT_DEEP, deep, number))
    return found


def lon_lat(world: World, sensor: Sensor, day: date) -> tuple[float, float]:
    """Degrees of the sensor on a day: the centre of its pixel."""
    lon, lat = lonlat(world.window)
    is_moved = sensor.number == MOVED and day >= MOVE_DAY
    place = (sensor.moved_row, sensor.moved_col) if is_moved else (sensor.row, sensor.col)
    return float(lon[place]), float(lat[place])


def _places(world: World, streams: Streams) -> list[tuple[int, int]]:
    """Pixels of drained land without standing water, away from the border and apart."""
    rows, cols = world.window.shape
    is_dry = ~world.is_flooded[world.index(TRUTH_DAY) :].any(axis=0)
    is_fit = is_dry & np.isin(world.cover_code, [int(one) for one in DRAINED])
    is_fit |= is_dry & ~is_fit.any()
    margin = max(2, MOVE_PX // 4)
    is_fit[:margin] = is_fit[-margin:] = is_fit[:, :margin] = is_fit[:, -margin:] = False
    candidates = np.argwhere(is_fit)
    rng = streams.rng("station_places")
    order = rng.permutation(len(candidates))
    apart = min(rows, cols) / 6
    chosen: list[tuple[int, int]] = []
    while len(chosen) < len(NAMES):
        for n in order:
            place = (int(candidates[n][0]), int(candidates[n][1]))
            if len(chosen) in COPY_OF:
                row, col = chosen[COPY_OF[len(chosen)]]
                place = (row, min(col + COPY_SHIFT_PX, cols - 1))
            elif any(np.hypot(place[0] - r, place[1] - c) < apart for r, c in chosen):
                continue
            chosen.append(place)
            if len(chosen) == len(NAMES):
                break
        apart /= 1.5
    return chosen


def _moved(world: World, place: tuple[int, int]) -> tuple[int, int]:
    rows, _ = world.window.shape
    row, col = place
    step = min(MOVE_PX, rows // 3)
    return (row + step if row + step < rows else row - step), col


def _truth(world: World, place: tuple[int, int], moved: tuple[int, int]) -> NDArray[np.float64]:
    first = world.index(TRUTH_DAY)
    days = np.arange(first, world.n_days)
    is_moved = days >= (MOVE_DAY - world.first_day).days
    before = world.sm_m3m3[first:, place[0], place[1]].astype(float)
    later = world.sm_m3m3[first:, moved[0], moved[1]].astype(float)
    return np.where(is_moved, later, before)


def _daily_error(streams: Streams, number: int, n_days: int) -> NDArray[np.float64]:
    """Autoregressive; stations beside each other share theirs."""
    rng = streams.rng(f"station_days_{COPY_OF.get(number, number)}")
    steps = rng.standard_normal(n_days)
    error = DAY_SD * steps
    for n in range(1, n_days):
        error[n] = DAY_R * error[n - 1] + np.sqrt(1 - DAY_R**2) * error[n]
    return error
