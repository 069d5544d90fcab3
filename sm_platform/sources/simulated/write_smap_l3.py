"""SPL3SMP_E: SMAP radiometer soil moisture on the 9 km grid, a subset file a UTC day of overpass.

Of the two half-orbits one saw the place; the other's fields are fill. Names of groups, fields and
attributes are those of the product's user guide (NSIDC, version 6).
"""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sm_platform.grid import ease2
from sm_platform.grid.window import lonlat
from sm_platform.sources.protocol import Product
from sm_platform.sources.simulated.archive_index import Entry, after, granule_folder
from sm_platform.sources.simulated.fields import Streams
from sm_platform.sources.simulated.footprints import Footprints, footprints
from sm_platform.sources.simulated.hdf5 import FILL, Attributes, write_hdf5
from sm_platform.sources.simulated.l_band import Half, half_of, l_band_estimate, sensed_utc
from sm_platform.sources.simulated.label_errors import Overpass, overpasses
from sm_platform.sources.simulated.period import Period
from sm_platform.sources.simulated.world import World

GROUPS = {
    Half.AM: ("Soil_Moisture_Retrieval_Data_AM", ""),
    Half.PM: ("Soil_Moisture_Retrieval_Data_PM", "_pm"),
}
MOISTURE: Attributes = {"units": "cm**3/cm**3", "valid_min": 0.02, "valid_max": 0.6}
NOON_2000 = datetime(2000, 1, 1, 12, tzinfo=UTC)
GOOD, NOT_RECOMMENDED = 0, 1
NOT_ATTEMPTED = 7
POOR_SHARE = 0.05
"""Cells whose retrieval is not recommended."""
DELAY_DAYS = 2.0
LICENCE = "NASA Earthdata, no restrictions (simulated)"


def write_smap_l3(root: Path, world: World, period: Period) -> list[Entry]:
    """Write every overpass of the period's radar days."""
    nine = footprints(world, ease2.LEVEL_9KM)
    return [
        _write(root, world, nine, one)
        for one in overpasses(world)
        if period.radar_first <= one.day <= period.last
    ]


def _write(root: Path, world: World, nine: Footprints, overpass: Overpass) -> Entry:
    region = world.place.region_id
    name = f"SMAP_L3_SM_P_E_{overpass.day:%Y%m%d}_R19240_001"
    granule_id = f"{name}_{region}"
    folder = granule_folder(root, Product.SPL3SMP_E, region, granule_id)
    fields: dict[str, NDArray[np.generic]] = {}
    attributes: dict[str, Attributes] = {}
    seen = half_of(world, overpass)
    for half, (group, end) in GROUPS.items():
        own = _fields(world, nine, overpass, half if half is seen else None)
        fields |= {f"{group}/{field}{end}": values for field, values in own.items()}
        attributes[f"{group}/soil_moisture{end}"] = MOISTURE
        attributes[f"{group}/tb_time_seconds{end}"] = {"units": "seconds"}
    write_hdf5(folder / f"{name}.h5", fields, attributes)
    return Entry(
        product=Product.SPL3SMP_E,
        region_id=region,
        granule_id=granule_id,
        day=overpass.day,
        files=(f"{name}.h5",),
        format="spl3smp_e",
        available_utc=after(overpass.day, DELAY_DAYS),
        licence=LICENCE,
        bounds=nine.bounds,
    )


def _fields(
    world: World, nine: Footprints, overpass: Overpass, half: Half | None
) -> dict[str, NDArray[np.generic]]:
    """Fields of a half-orbit; of one that did not see the place (None) without a value."""
    shape = nine.window.shape
    rows, cols = np.indices(shape)
    index: dict[str, NDArray[np.generic]] = {
        "EASE_row_index": (rows + nine.row).astype(np.uint16),
        "EASE_column_index": (cols + nine.col).astype(np.uint16),
    }
    if half is None:
        nothing = np.full(shape, FILL)
        return index | {
            "soil_moisture": nothing,
            "retrieval_qual_flag": np.full(shape, NOT_ATTEMPTED, np.uint16),
            "tb_time_seconds": np.full(shape, FILL, np.float64),
            "latitude": nothing,
            "longitude": nothing,
        }
    rng = Streams(world.seed, world.place.index).rng(f"l3_quality_{overpass.day}")
    is_poor = rng.random(shape) < POOR_SHARE
    lon, lat = lonlat(nine.window)
    seconds = (sensed_utc(world, overpass, half) - NOON_2000).total_seconds()
    return index | {
        "soil_moisture": l_band_estimate(world, nine, overpass).astype(np.float32),
        "retrieval_qual_flag": np.where(is_poor, NOT_RECOMMENDED, GOOD).astype(np.uint16),
        "tb_time_seconds": np.full(shape, seconds),
        "latitude": lat.astype(np.float32),
        "longitude": lon.astype(np.float32),
    }
