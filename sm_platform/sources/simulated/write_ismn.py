"""Stations in the layout of the International Soil Moisture Network, one granule a month.

Files are `.stm` with a header line and a row for each hour. Loggers fall silent for days; single
hours are absent, or written as -9999 with the flag M, or bad and flagged; one sensor is stuck for a
month without a flag, one station is put up elsewhere under its old name.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sm_platform.grid.window import lonlat_bounds
from sm_platform.sources.protocol import Product
from sm_platform.sources.simulated.archive_index import Entry, after, granule_folder
from sm_platform.sources.simulated.fields import Mask, Streams
from sm_platform.sources.simulated.period import Period
from sm_platform.sources.simulated.station_network import (
    SENSOR_SD,
    STUCK,
    STUCK_DAYS,
    STUCK_FROM,
    Sensor,
    sensors,
)
from sm_platform.sources.simulated.world import TRUTH_DAY, World

NETWORK = "SIM"
END_OF_DAY_UTC_H = 17
"""The truth of a day is its state then, the end of the local day."""
DIURNAL_M3M3, DRIEST_UTC_H = 0.003, 8
OUTAGES, OUTAGE_DAYS = 2, (3, 12)
"""Times that a station's logger is silent, and the range of their length."""
ABSENT_SHARE, LOST_SHARE, SPIKE_SHARE = 0.02, 0.02, 0.004
"""Of the hours: without a row, with -9999 and M, with a spike that carries a flag."""
SPIKE_M3M3 = 0.2
SPIKE_FLAGS, GOOD, LOST = ("D06", "C03,D06"), "G", "M"
FILL = -9999.0
DELAY_DAYS = 5.0
LICENCE = "ISMN terms (simulated)"


@dataclass(frozen=True, slots=True)
class Readings:
    """What a sensor's files tell of each hour from 00 UTC of the first day of the truth, (n,)."""

    sm_m3m3: NDArray[np.float64]
    flag: NDArray[np.object_]
    is_written: Mask


def write_ismn(root: Path, world: World, period: Period) -> list[Entry]:
    """Write the stations' readings of the period's radar days, a granule a month."""
    network = [(one, _readings(world, one)) for one in sensors(world)]
    months = groupby(period.radar_days, key=lambda day: (day.year, day.month))
    return [_write(root, world, network, list(days)) for _, days in months]


def _write(
    root: Path, world: World, network: list[tuple[Sensor, Readings]], days: list[date]
) -> Entry:
    region = world.place.region_id
    name = f"ISMN_{NETWORK}_{region}_{days[0]:%Y%m}"
    folder = granule_folder(root, Product.ISMN, region, name)
    files = []
    for sensor, readings in network:
        # Cut where the station was put up elsewhere: a file tells one place.
        for _, part in groupby(days, key=sensor.where):
            stay = list(part)
            files.append(_file_name(sensor, stay))
            lines = _lines(sensor, readings, stay)
            (folder / files[-1]).write_text("\n".join(lines) + "\n")
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


def _file_name(sensor: Sensor, days: list[date]) -> str:
    layer = f"{sensor.depth_m:.6f}_{sensor.depth_m:.6f}"
    span = f"{days[0]:%Y%m%d}_{days[-1]:%Y%m%d}"
    return f"{NETWORK}_{NETWORK}_{sensor.station}_sm_{layer}_{sensor.name}_{span}.stm"


def _readings(world: World, sensor: Sensor) -> Readings:
    """The hours with their faults; a period cuts out of them, but changes none."""
    true = _hourly(world, sensor)
    rng = Streams(world.seed, world.place.index).rng(
        f"station_faults_{sensor.number}_{sensor.depth_m}"
    )
    luck, sign = rng.random(len(true)), rng.choice((-1.0, 1.0), len(true))
    is_lost = luck < LOST_SHARE
    is_spike = ~is_lost & (luck < LOST_SHARE + SPIKE_SHARE)
    spiked = np.clip(true + SPIKE_M3M3 * sign, 0, 1)
    bad = rng.choice(np.array(SPIKE_FLAGS, object), len(true))
    return Readings(
        np.where(is_lost, FILL, np.where(is_spike, spiked, true)),
        np.where(is_lost, LOST, np.where(is_spike, bad, GOOD)),
        (rng.random(len(true)) >= ABSENT_SHARE) & ~_is_silent(world, sensor),
    )


def _is_silent(world: World, sensor: Sensor) -> Mask:
    """Hours of the logger's outages, the same for all sensors of a station."""
    n_days = len(sensor.daily)
    rng = Streams(world.seed, world.place.index).rng(f"station_outages_{sensor.number}")
    is_silent = np.zeros(n_days, np.bool_)
    for first in rng.integers(0, n_days, OUTAGES):
        is_silent[first : first + rng.integers(*OUTAGE_DAYS, endpoint=True)] = True
    return np.repeat(is_silent, 24)


def _hourly(world: World, sensor: Sensor) -> NDArray[np.float64]:
    """True readings at each full hour from 00 UTC of the first day of the truth (m3/m3)."""
    n = len(sensor.daily)
    hours = np.arange(24 * n)
    knots = 24 * np.arange(n) + END_OF_DAY_UTC_H
    wave = -DIURNAL_M3M3 * np.cos(2 * np.pi * (hours - DRIEST_UTC_H) / 24)
    streams = Streams(world.seed, world.place.index)
    rng = streams.rng(f"station_noise_{sensor.number}_{sensor.depth_m}")
    noise = SENSOR_SD * rng.standard_normal(len(hours))
    found = np.clip(np.interp(hours, knots, sensor.daily) + wave + noise, 0.01, 0.6)
    if sensor.number == STUCK:
        first = 24 * (STUCK_FROM - TRUTH_DAY).days
        found[first : first + 24 * STUCK_DAYS] = found[first]
    return found


def _lines(sensor: Sensor, readings: Readings, days: list[date]) -> Iterator[str]:
    """Header and rows of one file."""
    spot = sensor.where(days[0])
    place = f"{spot.lat:.5f} {spot.lon:.5f} {spot.elevation_m:.2f}"
    layer = f"{sensor.depth_m:.4f} {sensor.depth_m:.4f}"
    yield f"{NETWORK} {NETWORK} {sensor.station} {place} {layer} {sensor.name}"
    start = datetime.combine(TRUTH_DAY, time(), UTC)
    first = 24 * (days[0] - TRUTH_DAY).days
    hours = np.arange(first, first + 24 * len(days))
    for n in hours[readings.is_written[hours]].tolist():
        moment = start + timedelta(hours=n)
        yield f"{moment:%Y/%m/%d %H:%M} {readings.sm_m3m3[n]:.4f} {readings.flag[n]} M"
