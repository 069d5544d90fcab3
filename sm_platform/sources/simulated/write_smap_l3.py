"""SPL3SMP_E: SMAP radiometer soil moisture on the 9 km grid, a subset file a UTC day of overpass.

Of the two half-orbits one saw the place; the other's fields are fill. Names of groups, fields and
attributes are those of the product's user guide (NSIDC, version 6).
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sm_platform.grid import ease2
from sm_platform.grid.window import lonlat
from sm_platform.sources.protocol import Product
from sm_platform.sources.simulated.archive_index import Entry, after, granule_folder
from sm_platform.sources.simulated.fields import Streams
from sm_platform.sources.simulated.footprints import Footprints, footprints
from sm_platform.sources.simulated.hdf5 import FILL, Attributes, write_hdf5
from sm_platform.sources.simulated.l_band import Half, half_of, is_seen, l_band_estimate, sensed_utc
from sm_platform.sources.simulated.label_errors import Overpass, overpasses
from sm_platform.sources.simulated.period import Period
from sm_platform.sources.simulated.world import World

GROUPS = {
    Half.AM: ("Soil_Moisture_Retrieval_Data_AM", ""),
    Half.PM: ("Soil_Moisture_Retrieval_Data_PM", "_pm"),
}
MOISTURE: Attributes = {"units": "cm**3/cm**3", "valid_min": 0.02, "valid_max": 0.6}
NOON_2000 = datetime(2000, 1, 1, 12, tzinfo=UTC)
GOOD, NOT_RECOMMENDED, NO_FREEZE_THAW, NOT_ATTEMPTED = 0, 1, 8, 7
"""The third is as good as the first, the last stands where nothing was seen."""
POOR_SHARE, NO_FREEZE_THAW_SHARE = 0.05, 0.03
"""Of the cells."""
NO_INDEX = 65534
"""Row and column of a cell outside the swath: its place on the grid must come from the others."""
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
    """Fields of a half-orbit, fill outside its swath; it did not see the place if None."""
    shape = nine.window.shape
    seen, moment = np.zeros(shape, np.bool_), NOON_2000
    if half is not None:
        seen, moment = is_seen(world, nine, overpass), sensed_utc(world, overpass, half)
    rows, cols = np.indices(shape)
    lon, lat = lonlat(nine.window)
    nothing = float(FILL)
    stored: dict[str, tuple[NDArray[Any], type[np.generic], float]] = {
        "EASE_row_index": (rows + nine.row, np.uint16, NO_INDEX),
        "EASE_column_index": (cols + nine.col, np.uint16, NO_INDEX),
        "soil_moisture": (l_band_estimate(world, nine, overpass), np.float32, nothing),
        "retrieval_qual_flag": (_quality(world, shape, overpass), np.uint16, NOT_ATTEMPTED),
        "tb_time_seconds": (
            np.full(shape, (moment - NOON_2000).total_seconds()),
            np.float64,
            nothing,
        ),
        "latitude": (lat, np.float32, nothing),
        "longitude": (lon, np.float32, nothing),
    }
    return {
        name: np.where(seen, values, fill).astype(dtype)
        for name, (values, dtype, fill) in stored.items()
    }


def _quality(world: World, shape: tuple[int, int], overpass: Overpass) -> NDArray[np.int64]:
    luck = Streams(world.seed, world.place.index).rng(f"l3_quality_{overpass.day}").random(shape)
    kinds = [luck < POOR_SHARE, luck < POOR_SHARE + NO_FREEZE_THAW_SHARE]
    return np.asarray(np.select(kinds, [NOT_RECOMMENDED, NO_FREEZE_THAW], GOOD))
