"""NSIDC-0779: L-band soil moisture sharpened to 1 km, one GeoTIFF of two bands a day of overpass.

Band 1 is the 6 h pass, band 2 the 18 h one; the one that did not see the place is fill. Some files
carry a wrong CRS, as real ones do.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sm_platform.grid import ease2
from sm_platform.grid.window import GridWindow
from sm_platform.sources.protocol import Product
from sm_platform.sources.simulated.archive_index import Entry, after, granule_folder
from sm_platform.sources.simulated.fields import Field, Matern, Streams, matern
from sm_platform.sources.simulated.footprints import Footprints, footprints
from sm_platform.sources.simulated.l_band import Half, half_of, is_seen, l_band_estimate
from sm_platform.sources.simulated.label_errors import (
    Overpass,
    as_sensed,
    overpasses,
    planet_errors,
)
from sm_platform.sources.simulated.period import Period
from sm_platform.sources.simulated.world import World
from sm_platform.sources.simulated.write_tiff import Tiff, nearest_cells, write_tiff

FILL = np.float32(-9999)
SHARPNESS = 0.55
"""Share of the true contrast inside 9 km that the product shows."""
NOISE_SD, NOISE_LENGTH_M = 0.03, 500.0
CLOUD_LENGTH_M, CLEAR_ABOVE = 10_000.0, -0.8
"""Cells under cloud (about a fifth, in clusters) have no value."""
WRONG_CRS_SHARE = 0.05
WRONG_CRS = "EPSG:3410"
"""The older EASE-Grid, on a sphere."""
DELAY_DAYS = 21.0
LICENCE = "NASA Earthdata, no restrictions (simulated)"


@dataclass(frozen=True, slots=True)
class Levels:
    """The cells of the product and those of what it sharpens."""

    one_km: Footprints
    nine: Footprints

    @property
    def parents(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Row and column in `nine` of the cell that holds each 1 km cell."""
        rows, cols = np.indices(self.one_km.window.shape)
        row = (rows + self.one_km.row) // 9 - self.nine.row
        return row, (cols + self.one_km.col) // 9 - self.nine.col


def write_nsidc(root: Path, world: World, period: Period) -> list[Entry]:
    """Write every overpass of the period's radar days."""
    one_km, nine = footprints(world, ease2.LEVEL_1KM), footprints(world, ease2.LEVEL_9KM)
    levels = Levels(one_km, nine)
    static = one_km.means(planet_errors(world).static)
    noise = matern(world.window.shape, NOISE_LENGTH_M)
    clouds = matern(world.window.shape, CLOUD_LENGTH_M)
    found = []
    for overpass in overpasses(world):
        if period.radar_first <= overpass.day <= period.last:
            sharp = _sharpened(world, levels, overpass) + static
            sharp += _noise(world, one_km, noise, overpass)
            is_clear = ~_clouds(world, one_km, clouds, overpass) & (sharp > 0)
            is_clear &= is_seen(world, nine, overpass)[levels.parents]
            band = np.where(is_clear, sharp, FILL).astype(np.float32)
            found.append(_write(root, world, one_km, (overpass, band)))
    return found


def _sharpened(world: World, levels: Levels, overpass: Overpass) -> NDArray[np.float64]:
    """The 9 km value at each 1 km cell, and part of the contrast within (m3/m3)."""
    sensed = as_sensed(world, overpass.day)
    coarse = l_band_estimate(world, levels.nine, overpass)[levels.parents]
    contrast = levels.one_km.means(sensed) - levels.nine.means(sensed)[levels.parents]
    return np.asarray(coarse + SHARPNESS * contrast)


def _noise(
    world: World, one_km: Footprints, noise: Matern, overpass: Overpass
) -> NDArray[np.float64]:
    """The day's own error, as it is at the cells' centres."""
    rng = Streams(world.seed, world.place.index).rng(f"nsidc_noise_{overpass.day}")
    return NOISE_SD * _at_centres(one_km, noise.draw(rng), world.window)


def _clouds(
    world: World, one_km: Footprints, clouds: Matern, overpass: Overpass
) -> NDArray[np.bool_]:
    rng = Streams(world.seed, world.place.index).rng(f"nsidc_cloud_{overpass.day}")
    return _at_centres(one_km, clouds.draw(rng), world.window) < CLEAR_ABOVE


def _at_centres(one_km: Footprints, values: Field, window: GridWindow) -> NDArray[np.float64]:
    """Values of the pixels nearest to the cells' centres, of the cells' shape."""
    return np.asarray(values[nearest_cells(one_km.window, window)], np.float64)


def _write(
    root: Path, world: World, one_km: Footprints, made: tuple[Overpass, NDArray[np.float32]]
) -> Entry:
    overpass, band = made
    region = world.place.region_id
    name = f"NSIDC-0779_EASE2_G1km_SMAP_SM_DS_{overpass.day:%Y%m%d}"
    folder = granule_folder(root, Product.NSIDC_0779, region, f"{name}_{region}")
    rng = Streams(world.seed, world.place.index).rng(f"nsidc_crs_{overpass.day}")
    is_wrong = rng.random() < WRONG_CRS_SHARE
    crs = WRONG_CRS if is_wrong else one_km.window.crs
    window = GridWindow(crs, one_km.window.affine, one_km.window.shape)
    nothing = np.full_like(band, FILL)
    is_am = half_of(world, overpass) is Half.AM
    bands = {"AM": band if is_am else nothing, "PM": nothing if is_am else band}
    write_tiff(folder / f"{name}.tif", window, bands, Tiff(nodata=float(FILL)))
    return Entry(
        product=Product.NSIDC_0779,
        region_id=region,
        granule_id=f"{name}_{region}",
        day=overpass.day,
        files=(f"{name}.tif",),
        format="nsidc_0779",
        available_utc=after(overpass.day, DELAY_DAYS),
        licence=LICENCE,
        bounds=one_km.bounds,
    )
