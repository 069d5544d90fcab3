"""Planet Soil Water Content at 100 m: value and quality flags, two GeoTIFF files an overpass.

Names carry the local solar time of the overpass, 01:30: in Vietnam the UTC day is the one before.
Which bit means what is this archive's own choice, made so that the mask by which users reject
(0xFFA0) hits what should be rejected.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import numpy as np
from affine import Affine
from numpy.typing import NDArray

from sm_platform.grid.window import GridWindow, lonlat_bounds
from sm_platform.sources.protocol import Product
from sm_platform.sources.simulated.archive_index import Entry, after, granule_folder
from sm_platform.sources.simulated.fields import Field, Streams
from sm_platform.sources.simulated.label_errors import (
    Overpass,
    overpasses,
    planet_errors,
    planet_estimate,
)
from sm_platform.sources.simulated.period import Period
from sm_platform.sources.simulated.shown import Labels, independent_estimate
from sm_platform.sources.simulated.world import World
from sm_platform.sources.simulated.write_tiff import (
    Cells,
    Tiff,
    nearest_cells,
    snapped,
    write_tiff,
)

SERIES = "SWC-SMAP-L_V2.0_100"
GRID = Affine(0.001, 0, -180, 0, -0.001, 90)
SCALE, NODATA = 0.001, 65535
LOCAL_SOLAR = timedelta(hours=1, minutes=30)
RAIN, BUILT_UP = 1 << 3, 1 << 6
"""To be taken with care: rain on the day, settlement."""
OPEN_WATER, OUTSIDE_SWATH = 1 << 5, 1 << 15
"""To be rejected: without a value."""
RAIN_M, BUILT_SHARE, WATER_SHARE = 0.010, 0.5, 0.5
PARTIAL_SHARE = 0.10
"""Of the overpasses end inside the place."""
DELAY_DAYS = 1.0
LICENCE = "Planet terms (simulated)"


@dataclass(frozen=True, slots=True)
class Target:
    """The grid of the files over a place, and what is estimated on the place's pixels."""

    window: GridWindow
    cells: Cells
    estimate: Callable[[Overpass], Field]
    """(rows, cols) of the place, m3/m3; NaN where there is no value."""


@dataclass(frozen=True, slots=True)
class Swc:
    """One overpass as stored, (rows, cols) uint16."""

    value: NDArray[np.uint16]
    before_flags: NDArray[np.uint16]
    flags: NDArray[np.uint16]


def write_swc(
    root: Path, world: World, period: Period, labels: Labels = Labels.PUBLISHED
) -> list[Entry]:
    """Write every overpass of the period's radar days."""
    target = _published(world) if labels is Labels.PUBLISHED else _independent(world)
    return [
        _write(root, world, target, (one, stored(world, target, one)))
        for one in overpasses(world)
        if period.radar_first <= one.day <= period.last
    ]


def _published(world: World) -> Target:
    window = snapped(lonlat_bounds(world.window), GRID, 1, "EPSG:4326")
    errors = planet_errors(world)
    return Target(
        window,
        nearest_cells(window, world.window),
        lambda overpass: planet_estimate(world, errors, overpass),
    )


def _independent(world: World) -> Target:
    """On the place's own grid: a nearest neighbour of another grid would add an error."""
    return Target(
        world.window,
        nearest_cells(world.window, world.window),
        lambda overpass: independent_estimate(world, overpass),
    )


def stored(world: World, target: Target, overpass: Overpass) -> Swc:
    """Value, value before flags and flags of an overpass on the target's grid."""
    estimate = target.estimate(overpass)[target.cells]
    is_absent = np.isnan(estimate)
    flags = _flags(world, overpass)[target.cells] | OPEN_WATER * is_absent
    is_outside = _is_outside(world, target.window, overpass)
    flags = np.where(is_outside, flags | OUTSIDE_SWATH, flags).astype(np.uint16)
    digits = np.where(is_absent, NODATA, np.round(estimate / SCALE))
    is_rejected = (flags & (OPEN_WATER | OUTSIDE_SWATH)) > 0
    return Swc(
        np.where(is_rejected, NODATA, digits).astype(np.uint16),
        np.where(is_outside, NODATA, digits).astype(np.uint16),
        flags,
    )


def _flags(world: World, overpass: Overpass) -> NDArray[np.uint16]:
    """Flags of what lies on the ground, on the place's pixels."""
    rain = RAIN * (world.rain_m[world.index(overpass.day)] > RAIN_M)
    built = BUILT_UP * (world.fractions["village"] > BUILT_SHARE)
    water = OPEN_WATER * (world.fractions["water"] > WATER_SHARE)
    return np.asarray(rain | built | water, np.uint16)


def _is_outside(world: World, window: GridWindow, overpass: Overpass) -> NDArray[np.bool_]:
    """Now and then the swath ends inside the place, along a slanting line."""
    rng = Streams(world.seed, world.place.index).rng(f"planet_swath_{overpass.day}")
    is_partial = rng.random() < PARTIAL_SHARE
    edge, slant, side = rng.uniform(0.2, 0.8), rng.uniform(-0.2, 0.2), rng.choice((-1.0, 1.0))
    rows, cols = (np.linspace(0, 1, count) for count in window.shape)
    distance = side * (cols[None, :] - edge + slant * (rows[:, None] - 0.5))
    return np.asarray((distance > 0) & is_partial)


def _write(root: Path, world: World, target: Target, made: tuple[Overpass, Swc]) -> Entry:
    overpass, content = made
    region = world.place.region_id
    # The night of the UTC day of sensing is the small hours of the next local day.
    local = local_solar(overpass, world.place.lon)
    name = f"{SERIES}_{region}-{local:%Y%m%dT%H%M}"
    folder = granule_folder(root, Product.SWC, region, name)
    bands = {"swc": content.value, "swc_before_flags": content.before_flags}
    write_tiff(folder / f"{name}_swc.tiff", target.window, bands, Tiff(nodata=NODATA))
    write_tiff(folder / f"{name}_swc-qf.tiff", target.window, {"swc-qf": content.flags}, Tiff())
    west, south, east, north = lonlat_bounds(target.window)
    return Entry(
        product=Product.SWC,
        region_id=region,
        granule_id=name,
        day=overpass.day,
        files=(f"{name}_swc.tiff", f"{name}_swc-qf.tiff"),
        format="planet_swc",
        available_utc=after(overpass.day, DELAY_DAYS),
        licence=LICENCE,
        bounds=(west, south, east, north),
    )


def local_solar(overpass: Overpass, lon: float) -> datetime:
    """Local solar moment (01:30) of an overpass whose UTC day is given."""
    is_next_day = timedelta(hours=lon / 15) > LOCAL_SOLAR
    day = overpass.day + timedelta(days=int(is_next_day))
    return datetime.combine(day, time(), UTC) + LOCAL_SOLAR
