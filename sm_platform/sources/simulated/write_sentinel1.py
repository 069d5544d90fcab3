"""Sentinel-1 GRD as an Earth Engine export: a GeoTIFF of VV, VH (dB) and angle a slice, and JSON.

Planted besides what the pass list holds: an overflight cut by a slice border, a slice that was
made twice, and a pass whose whole view of the place lies in the border noise and comes masked.
"""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import numpy as np
from affine import Affine

from sm_platform.grid.window import GridWindow, Raster, lonlat_bounds
from sm_platform.sources.protocol import Product
from sm_platform.sources.simulated.archive_index import Entry, granule_folder
from sm_platform.sources.simulated.fields import Streams
from sm_platform.sources.simulated.fleet import USUAL_FLEET, Fleet
from sm_platform.sources.simulated.passes import CYCLE_ORBITS, Pass, passes
from sm_platform.sources.simulated.period import Period
from sm_platform.sources.simulated.radar import scene
from sm_platform.sources.simulated.slices import Slice, granule_id, properties, slices
from sm_platform.sources.simulated.world import World
from sm_platform.sources.simulated.write_tiff import Tiff, write_tiff

CLEAN_DEG = (30.64, 45.24)
"""Incidence angles free of border noise."""
TWICE_ORBIT, TWICE_CYCLES, TWICE_CYCLE = 55, 5, 2
"""Of this relative orbit one of five cycles of 175 orbits is listed twice."""
DELAY_HOURS = (3.0, 24.0)
LICENCE = "Copernicus Sentinel data terms (simulated)"
BANDS = {"VV": "vv_db", "VH": "vh_db", "angle": "angle_deg"}


def write_sentinel1(
    root: Path, world: World, period: Period, fleet: Fleet = USUAL_FLEET
) -> list[Entry]:
    """Write every slice of every pass of the period's radar days."""
    entries = []
    for pass_ in passes(world.place, period.radar_first, period.last, fleet):
        seen = without_border_noise(scene(world, pass_))
        for making in range(2 if is_made_twice(pass_) else 1):
            for part, raster in _parts(seen, pass_):
                name = granule_id(pass_, part, making)
                _write_files(root, pass_, (part, name), raster)
                entries.append(_entry(world, pass_, (part, name), raster.window))
    return entries


def is_made_twice(pass_: Pass) -> bool:
    """Whether a second granule of the same slices and pixels is listed under another id."""
    cycle = pass_.absolute_orbit // CYCLE_ORBITS % TWICE_CYCLES
    return pass_.relative_orbit == TWICE_ORBIT and cycle == TWICE_CYCLE


def without_border_noise(seen: Raster) -> Raster:
    """A scene that lies in the border noise as a whole comes masked in both polarisations."""
    angle = seen.values["angle_deg"].astype(np.float32)
    if np.any((angle > CLEAN_DEG[0]) & (angle < CLEAN_DEG[1])):
        return seen
    masked = np.full(angle.shape, np.nan, np.float32)
    return Raster(seen.window, {"vv_db": masked, "vh_db": masked, "angle_deg": angle})


def _parts(seen: Raster, pass_: Pass) -> Iterator[tuple[Slice, Raster]]:
    """Each slice with its own rows of the scene."""
    for part in slices(seen.window, pass_):
        rows = slice(part.first_row, part.stop_row)
        corner = seen.window.affine @ Affine.translation(0, part.first_row)
        shape = (part.stop_row - part.first_row, seen.window.shape[1])
        cut = {name: values[rows] for name, values in seen.values.items()}
        yield part, Raster(GridWindow(seen.window.crs, corner, shape), cut)


def _write_files(root: Path, pass_: Pass, named: tuple[Slice, str], raster: Raster) -> None:
    part, name = named
    folder = granule_folder(root, Product.S1_GRD, pass_.region_id, name)
    bands = {band: raster.values[key].astype(np.float32) for band, key in BANDS.items()}
    how = Tiff(nodata=float("nan"), is_compressed=True)
    write_tiff(folder / f"{name}.tif", raster.window, bands, how)
    content = json.dumps(properties(pass_, part, name), indent=1)
    (folder / f"{name}.json").write_text(content + "\n")


def _entry(world: World, pass_: Pass, named: tuple[Slice, str], window: GridWindow) -> Entry:
    part, name = named
    rng = Streams(world.seed, world.place.index).rng(f"s1_late_{name}")
    delay = timedelta(hours=float(rng.uniform(*DELAY_HOURS)))
    return Entry(
        product=Product.S1_GRD,
        region_id=pass_.region_id,
        granule_id=name,
        day=part.start_utc.date(),
        files=(f"{name}.tif", f"{name}.json"),
        format="s1_earth_engine",
        available_utc=(part.stop_utc + delay).replace(microsecond=0),
        licence=LICENCE,
        bounds=lonlat_bounds(window),
    )
