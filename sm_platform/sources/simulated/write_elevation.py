"""Copernicus GLO-30: 1 degree tiles of 1 arc-second, each cut to what covers the place."""

from collections.abc import Iterator
from math import floor
from pathlib import Path

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from sm_platform.grid.window import GridWindow, centres, lonlat_bounds, reproject_points
from sm_platform.sources.protocol import Product
from sm_platform.sources.simulated.archive_index import Bounds, Entry, granule_folder
from sm_platform.sources.simulated.fields import Field, Streams
from sm_platform.sources.simulated.world import World
from sm_platform.sources.simulated.write_tiff import Tiff, snapped, write_tiff

PIXELS = 3600
"""Pixels of a degree; a pixel's centre lies on the tile's north-west corner."""
MARGIN_CELLS = 30
CANOPY_M, NOISE_M, NOISE_LENGTH_M = 0.5, 0.3, 300.0
"""A surface model sees part of trees and houses, and errs a little."""
LICENCE = "Copernicus DEM licence (simulated)"
SUBSET = "cut from the tile to one region"


def write_elevation(root: Path, world: World) -> list[Entry]:
    """Write one granule for each tile that the place touches."""
    surface = surface_m(world)
    return [_write(root, world, surface, corner) for corner in corners(world.window, 1)]


def corners(window: GridWindow, step: int) -> Iterator[tuple[int, int]]:
    """Longitude and latitude of the south-west corner of each tile of `step` degrees touched."""
    west, south, east, north = lonlat_bounds(window)
    for lat in range(floor(south / step) * step, floor(north / step) * step + 1, step):
        for lon in range(floor(west / step) * step, floor(east / step) * step + 1, step):
            yield lon, lat


def surface_m(world: World) -> Field:
    """Height of the surface on the place's pixels, metres."""
    cover = world.fractions["trees"] + world.fractions["village"]
    noise = Streams(world.seed, world.place.index).grf(
        "glo30", world.elevation_m.shape, NOISE_LENGTH_M
    )
    return np.asarray(world.elevation_m + CANOPY_M * cover + NOISE_M * noise, np.float32)


def tile_part(window: GridWindow, tile: GridWindow, margin_cells: int) -> GridWindow:
    """What of a tile covers the window's outline in degrees, with a margin."""
    part = snapped(lonlat_bounds(window), tile.affine, margin_cells, tile.crs)
    col, row = (round(v) for v in ~tile.affine @ (part.affine.c, part.affine.f))
    first_row, first_col = max(row, 0), max(col, 0)
    stop_row = min(row + part.shape[0], tile.shape[0])
    stop_col = min(col + part.shape[1], tile.shape[1])
    corner = tile.affine @ Affine.translation(first_col, first_row)
    return GridWindow(tile.crs, corner, (stop_row - first_row, stop_col - first_col))


def interpolated(field: Field, source: GridWindow, target: GridWindow) -> NDArray[np.float32]:
    """The field at the target's cell centres by cubic splines; its border value outside."""
    x, y = centres(target)
    x, y = reproject_points(np.asarray(x), np.asarray(y), target.crs, source.crs)
    inverse = ~source.affine
    rows, cols = inverse.e * y + inverse.f - 0.5, inverse.a * x + inverse.c - 0.5
    values = map_coordinates(field, [rows, cols], order=3, mode="nearest")
    return np.asarray(values, np.float32)


def tile_name(lon: int, lat: int) -> str:
    """File name of the tile, without `.tif`, after its south-west corner."""
    north = f"{'N' if lat >= 0 else 'S'}{abs(lat):02d}_00"
    east = f"{'E' if lon >= 0 else 'W'}{abs(lon):03d}_00"
    return f"Copernicus_DSM_COG_10_{north}_{east}_DEM"


def _write(root: Path, world: World, surface: Field, corner: tuple[int, int]) -> Entry:
    lon, lat = corner
    step = 1 / PIXELS
    grid = Affine(step, 0, lon - step / 2, 0, -step, lat + 1 + step / 2)
    part = tile_part(world.window, GridWindow("EPSG:4326", grid, (PIXELS, PIXELS)), MARGIN_CELLS)
    name, region = tile_name(lon, lat), world.place.region_id
    folder = granule_folder(root, Product.ELEVATION, region, name)
    how = Tiff(tags={"AREA_OR_POINT": "Point", "subset": SUBSET})
    bands = {"elevation": interpolated(surface, world.window, part)}
    write_tiff(folder / f"{name}.tif", part, bands, how)
    bounds: Bounds = part.bounds
    return Entry(
        product=Product.ELEVATION,
        region_id=region,
        granule_id=name,
        day=None,
        files=(f"{name}.tif",),
        format="glo30",
        available_utc=None,
        licence=LICENCE,
        bounds=bounds,
    )
