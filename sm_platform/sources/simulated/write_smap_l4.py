"""SPL4SMGP: surface soil moisture of a land model on the 9 km grid, subset files.

The product has eight 3-hour means a day; the archive holds the one around 22:30 UTC, in whose
hours the morning passes of SMAP and of Sentinel-1 fall over Vietnam.
"""

from datetime import date, datetime, time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sm_platform.grid import ease2
from sm_platform.grid.calendar import utc
from sm_platform.grid.window import centres, lonlat
from sm_platform.sources.protocol import Product
from sm_platform.sources.simulated.archive_index import Entry, after, granule_folder
from sm_platform.sources.simulated.footprints import Footprints, footprints
from sm_platform.sources.simulated.hdf5 import Attributes, write_hdf5
from sm_platform.sources.simulated.land_model import LandModel, land_model
from sm_platform.sources.simulated.period import Period
from sm_platform.sources.simulated.world import World

STEP = time(22, 30)
"""Middle of the 3 hours."""
ROOT_ZONE_LAG_DAYS = 20
MOISTURE: Attributes = {"units": "m3 m-3", "valid_min": 0.0, "valid_max": 0.9}
ATTRIBUTES: dict[str, Attributes] = {
    "Geophysical_Data/sm_surface": MOISTURE,
    "Geophysical_Data/sm_rootzone": MOISTURE,
    "Geophysical_Data/surface_temp": {"units": "K", "valid_min": 180.0, "valid_max": 350.0},
    "cell_lat": {"units": "degrees_north"},
    "cell_lon": {"units": "degrees_east"},
    "x": {"units": "m"},
    "y": {"units": "m"},
}
DELAY_DAYS = 3.0
LICENCE = "NASA Earthdata, no restrictions (simulated)"


def write_smap_l4(root: Path, world: World, period: Period) -> list[Entry]:
    """Write one file for each of the period's radar days."""
    nine = footprints(world, ease2.LEVEL_9KM)
    model, place = land_model(world, nine), _place(nine)
    return [_write(root, world, (nine, model, place), day) for day in period.radar_days]


def _write(
    root: Path,
    world: World,
    made: tuple[Footprints, LandModel, dict[str, NDArray[np.generic]]],
    day: date,
) -> Entry:
    nine, model, place = made
    region, n = world.place.region_id, world.index(day)
    moment = utc(datetime.combine(day, STEP))
    name = f"SMAP_L4_SM_gph_{moment:%Y%m%dT%H%M%S}_Vv8011_001"
    folder = granule_folder(root, Product.SPL4SMGP, region, f"{name}_{region}")
    slow = model.sm_m3m3[max(n - ROOT_ZONE_LAG_DAYS, 0) : n + 1]
    fields = {
        "Geophysical_Data/sm_surface": model.sm_m3m3[n].astype(np.float32),
        "Geophysical_Data/sm_rootzone": np.nanmean(slow, axis=0).astype(np.float32),
        "Geophysical_Data/surface_temp": model.surface_k[n].astype(np.float32),
    }
    write_hdf5(folder / f"{name}.h5", {**fields, **place}, ATTRIBUTES)
    return Entry(
        product=Product.SPL4SMGP,
        region_id=region,
        granule_id=f"{name}_{region}",
        day=day,
        files=(f"{name}.h5",),
        format="spl4sm",
        available_utc=after(day, DELAY_DAYS),
        licence=LICENCE,
        bounds=nine.bounds,
    )


def _place(nine: Footprints) -> dict[str, NDArray[np.generic]]:
    """Where the subset lies on the globe."""
    rows, cols = np.indices(nine.window.shape)
    lon, lat = lonlat(nine.window)
    x, y = centres(nine.window)
    return {
        "cell_row": (rows + nine.row).astype(np.uint32),
        "cell_column": (cols + nine.col).astype(np.uint32),
        "cell_lon": lon.astype(np.float32),
        "cell_lat": lat.astype(np.float32),
        "x": np.asarray(x)[0].astype(np.float64),
        "y": np.asarray(y)[:, 0].astype(np.float64),
    }
