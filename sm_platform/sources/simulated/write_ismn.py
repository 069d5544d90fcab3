"""Stations in the layout of the International Soil Moisture Network, one granule a month.

Files are `.stm` with a header line and a row for each hour. Some hours are absent, some written as
-9999 with the flag M, some bad and flagged; one sensor is stuck for a month without a flag, one
station is put up elsewhere under its old name.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sm_platform.grid.window import lonlat_bounds
from sm_platform.sources.protocol import Product
from sm_platform.sources.simulated.archive_index import Entry, after, granule_folder
from sm_platform.sources.simulated.fields import Streams
from sm_platform.sources.simulated.period import Period
from sm_platform.sources.simulated.station_network import (
    SENSOR_SD,
    STUCK,
    STUCK_DAYS,
    STUCK_FROM,
    Sensor,
    lon_lat,
    sensors,
)
from sm_platform.sources.simulated.world import TRUTH_DAY, World

NETWORK = "SIM"
END_OF_DAY_UTC_H = 17
"""The truth of a day is its state then, the end of the local day."""
DIURNAL_M3M3, DRIEST_UTC_H = 0.003, 8
ABSENT_SHARE, LOST_SHARE, SPIKE_SHARE = 0.03, 0.02, 0.004
"""Of the hours: without a row, with -9999 and M, with a spike that carries a flag."""
SPIKE_M3M3 = 0.2
SPIKE_FLAG, GOOD, LOST = "D06", "G", "M"
FILL = -9999.0
DELAY_DAYS = 5.0
LICENCE = "ISMN terms (simulated)"


def write_ismn(root: Path, world: World, period: Period) -> list[Entry]:
    """Write the stations' readings of the period's radar days, a granule a month."""
    network = [(one, _hourly(world, one)) for one in sensors(world)]
    months = groupby(period.radar_days, key=lambda day: (day.year, day.month))
    return [_write(root, world, network, list(days)) for _, days in months]


def _write(
    root: Path,
    world: World,
    network: list[tuple[Sensor, NDArray[np.float64]]],
    days: list[date],
) -> Entry:
    region = world.place.region_id
    name = f"ISMN_{NETWORK}_{region}_{days[0]:%Y%m}"
    folder = granule_folder(root, Product.ISMN, region, name)
    files = []
    for sensor, hourly in network:
        for part in _stays(world, sensor, days):
            file = _file_name(sensor, part)
            (folder / file).write_text("\n".join(_lines(world, sensor, hourly, part)) + "\n")
            files.append(file)
    return Entry(
        product=Product.ISMN,
        region_id=region,
        granule_id=name,
        day=None,
        files=tuple(files),
        format="ismn",
        available_utc=after(days[-1], DELAY_DAYS),
        licence=LICENCE,
        bounds=lonlat_bounds(world.window),
    )


def _stays(world: World, sensor: Sensor, days: list[date]) -> Iterator[list[date]]:
    """The days cut where the station was put up elsewhere: a file tells one place."""
    for _, part in groupby(days, key=lambda day: lon_lat(world, sensor, day)):
        yield list(part)


def _file_name(sensor: Sensor, days: list[date]) -> str:
    layer = f"{sensor.depth_from_m:.6f}_{sensor.depth_to_m:.6f}"
    span = f"{days[0]:%Y%m%d}_{days[-1]:%Y%m%d}"
    return f"{NETWORK}_{NETWORK}_{sensor.station}_sm_{layer}_{sensor.name}_{span}.stm"


def _hourly(world: World, sensor: Sensor) -> NDArray[np.float64]:
    """True readings at each full hour from 00 UTC of the first day of the truth (m3/m3)."""
    n = len(sensor.daily)
    hours = np.arange(24 * n)
    knots = 24 * np.arange(n) + END_OF_DAY_UTC_H
    wave = -DIURNAL_M3M3 * np.cos(2 * np.pi * (hours - DRIEST_UTC_H) / 24)
    streams = Streams(world.seed, world.place.index)
    rng = streams.rng(f"station_noise_{sensor.number}_{sensor.depth_to_m}")
    noise = SENSOR_SD * rng.standard_normal(len(hours))
    found = np.clip(np.interp(hours, knots, sensor.daily) + wave + noise, 0.01, 0.6)
    if sensor.number == STUCK:
        first = 24 * (STUCK_FROM - TRUTH_DAY).days
        found[first : first + 24 * STUCK_DAYS] = found[first]
    return found


def _lines(
    world: World, sensor: Sensor, hourly: NDArray[np.float64], days: list[date]
) -> Iterator[str]:
    """Header and rows of one file."""
    lon, lat = lon_lat(world, sensor, days[0])
    height = float(world.elevation_m[sensor.row, sensor.col])
    place = f"{lat:.5f} {lon:.5f} {height:.2f}"
    layer = f"{sensor.depth_from_m:.4f} {sensor.depth_to_m:.4f}"
    yield f"{NETWORK} {NETWORK} {sensor.station} {place} {layer} {sensor.name}"
    first = 24 * (days[0] - TRUTH_DAY).days
    count = 24 * len(days)
    streams = Streams(world.seed, world.place.index)
    rng = streams.rng(f"station_gaps_{sensor.number}_{sensor.depth_to_m}_{days[0]}")
    luck, sign = rng.random(count), rng.choice((-1.0, 1.0), count)
    start = datetime.combine(days[0], time(), UTC)
    for n in range(count):
        if luck[n] < ABSENT_SHARE:
            continue
        value, flag = hourly[first + n], GOOD
        if luck[n] < ABSENT_SHARE + LOST_SHARE:
            value, flag = FILL, LOST
        elif luck[n] < ABSENT_SHARE + LOST_SHARE + SPIKE_SHARE:
            value, flag = float(np.clip(value + sign[n] * SPIKE_M3M3, 0, 1)), SPIKE_FLAG
        yield f"{start + timedelta(hours=n):%Y/%m/%d %H:%M} {value:.4f} {flag} M"
