"""SoilGrids 2.0, 0-5 cm: three int16 files at 250 m in the interrupted Goode homolosine."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, uniform_filter

from sm_platform.grid.window import (
    GridWindow,
    lonlat,
    lonlat_bounds,
)
from sm_platform.sources.protocol import Product
from sm_platform.sources.simulated.archive_index import Entry, granule_folder
from sm_platform.sources.simulated.fields import CELL_M, Streams
from sm_platform.sources.simulated.world import World
from sm_platform.sources.simulated.write_tiff import (
    Tiff,
    bounds_in,
    nearest_cells,
    snapped,
    write_tiff,
)

HOMOLOSINE = "+proj=igh +lat_0=0 +lon_0=0 +datum=WGS84 +units=m +no_defs"
GRID = Affine(250, 0, -19949750, 0, -250, 8361000)
"""The global 250 m grid of SoilGrids 2.0."""
NODATA = -32768
SMOOTH_M, ERROR_LENGTH_M, ERROR = 600.0, 4000.0, 0.05
"""The map smooths over 600 m and errs by 0.05 (50 g/kg, 5 cg/cm3) along 4 km."""
COAST_KM = 1.5
"""Legs of the corner towards the sea of a delta that is left out."""
WATER_SHARE = 0.5
"""Pixels with more open water than this have no soil."""
LICENCE = "CC-BY-4.0 (simulated)"
UNITS = {"sand": ("g/kg", 1000), "clay": ("g/kg", 1000), "bdod": ("cg/cm3", 100)}
KM_PER_DEGREE = 111.2


def write_soil(root: Path, world: World) -> list[Entry]:
    """Write sand, clay and bulk density as one granule of three files."""
    region = world.place.region_id
    name = f"soilgrids-2.0_0-5cm_{region}"
    folder = granule_folder(root, Product.SOIL, region, name)
    window = soil_window(world.window)
    missing = is_missing(world, window)
    files = []
    for band, estimate in soil_estimates(world).items():
        unit, scale = UNITS[band]
        value = np.round(estimate * scale)[nearest_cells(window, world.window)]
        digits = np.where(missing, NODATA, np.clip(value, 0, 32767)).astype(np.int16)
        files.append(f"{band}_0-5cm_mean.tif")
        how = Tiff(nodata=NODATA, tags={"units": unit, "subset": "cut to one region"})
        write_tiff(folder / files[-1], window, {f"{band}_0-5cm_mean": digits}, how)
    return [
        Entry(
            product=Product.SOIL,
            region_id=region,
            granule_id=name,
            day=None,
            files=tuple(files),
            format="soilgrids",
            available_utc=None,
            licence=LICENCE,
            bounds=lonlat_bounds(window),
        )
    ]


def soil_window(window: GridWindow) -> GridWindow:
    """The cells of the SoilGrids grid that cover the window, with a margin of 2 km."""
    return snapped(bounds_in(window, HOMOLOSINE), GRID, 8, HOMOLOSINE)


def soil_estimates(world: World) -> Mapping[str, NDArray[np.float32]]:
    """What the soil map believes, on the place's pixels: fractions, and density in g/cm3."""
    streams = Streams(world.seed, world.place.index)
    truth = {
        "sand": world.sand_fraction,
        "clay": world.clay_fraction,
        "bdod": world.bulk_density_g_cm3,
    }
    return {
        band: gaussian_filter(field, SMOOTH_M / CELL_M, mode="nearest")
        + ERROR * streams.grf(f"soilgrids_{band}", field.shape, ERROR_LENGTH_M)
        for band, field in truth.items()
    }


def is_missing(world: World, window: GridWindow) -> NDArray[np.bool_]:
    """Open water, and off a delta the south-east corner: the coast."""
    cells = nearest_cells(window, world.window)
    water = uniform_filter(world.fractions["water"], 3, mode="nearest")[cells] > WATER_SHARE
    if not world.place.is_delta:
        return np.asarray(water)
    _, south, east, _ = lonlat_bounds(world.window)
    lon, lat = lonlat(window)
    inland_km = (east - lon) * KM_PER_DEGREE * np.cos(np.radians(south)) + (
        lat - south
    ) * KM_PER_DEGREE
    return np.asarray(water | (inland_km < COAST_KM))
