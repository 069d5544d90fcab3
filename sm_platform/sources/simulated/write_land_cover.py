"""ESA WorldCover v200: 3 degree tiles of 10 m labels, each cut to what covers the place."""

from pathlib import Path

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from sm_platform.grid.window import GridWindow
from sm_platform.sources.protocol import Product
from sm_platform.sources.simulated.archive_index import Entry, granule_folder
from sm_platform.sources.simulated.cover import Cover
from sm_platform.sources.simulated.fields import Streams
from sm_platform.sources.simulated.world import World
from sm_platform.sources.simulated.write_elevation import corners, tile_part
from sm_platform.sources.simulated.write_tiff import Tiff, nearest_cells, write_tiff

PIXELS = 12000
"""Pixels of a degree."""
TILE_DEG = 3
MARGIN_CELLS = 24
CLUMP_CELLS = 4
"""Side of a clump of equal labels."""
CONFUSED_SHARE = 0.10
TREE, SHRUB, GRASS, CROP, BUILT, WATER, WETLAND = 10, 20, 30, 40, 50, 80, 90
LABELS = {
    "paddy": CROP,
    "dry_crop": CROP,
    "trees": TREE,
    "coffee": SHRUB,
    "village": BUILT,
    "water": WATER,
}
"""The right label of each kind of ground; coffee, woody and low, is shrubland by the legend."""
CONFUSIONS = {
    "paddy": (WETLAND, WATER),
    "dry_crop": (GRASS, SHRUB),
    "trees": (SHRUB, GRASS),
    "coffee": (TREE, TREE),
    "village": (CROP, TREE),
    "water": (WETLAND, CROP),
}
"""What each is taken for, either with the same chance."""
KINDS = tuple(CONFUSIONS)
LICENCE = "CC-BY-4.0 (simulated)"
SUBSET = "cut from the tile to one region"


def write_land_cover(root: Path, world: World) -> list[Entry]:
    """Write one granule for each tile that the place touches."""
    return [_write(root, world, corner) for corner in corners(world.window, TILE_DEG)]


def labels(world: World, part: GridWindow, tile: str) -> NDArray[np.uint8]:
    """Labels of 10 m pixels: drawn in clumps from the shares inside each 100 m pixel."""
    rng = Streams(world.seed, world.place.index).rng(f"worldcover_{tile}")
    cells, clump = nearest_cells(part, world.window), _clumps(part.shape, rng)
    kind = _kinds(world, cells, rng.random(clump.max() + 1)[clump])
    right = np.array([LABELS[name] for name in KINDS], np.uint8)[kind]
    wrong = np.array([CONFUSIONS[name] for name in KINDS], np.uint8)
    which = rng.integers(0, 2, clump.max() + 1)[clump]
    is_wrong = rng.random(clump.max() + 1)[clump] < CONFUSED_SHARE
    return np.where(is_wrong, wrong[kind, which], right)


def _kinds(
    world: World, cells: tuple[NDArray[np.intp], NDArray[np.intp]], draw: NDArray[np.float64]
) -> NDArray[np.intp]:
    """Index into KINDS: where the draw falls among the cumulated shares of the pixel."""
    is_coffee = world.cover_code == Cover.COFFEE
    shares = dict(world.fractions)
    shares["coffee"] = np.where(is_coffee, shares["trees"], 0)
    shares["trees"] = np.where(is_coffee, 0, shares["trees"])
    limit = np.cumsum([shares[name] for name in KINDS], axis=0)
    kind = np.zeros(draw.shape, np.intp)
    for upper in limit[:-1]:
        kind += draw >= upper[cells]
    return kind


def _clumps(shape: tuple[int, int], rng: np.random.Generator) -> NDArray[np.intp]:
    """Clump number of each pixel: squares whose borders are bent at random."""
    side = CLUMP_CELLS
    across = -(-shape[1] // side) + 2
    bent = []
    for axis, positions in enumerate(np.indices(shape, np.float32)):
        noise = gaussian_filter(rng.standard_normal(shape, np.float32), 1.5)
        limit = -(-shape[axis] // side) + 1
        moved = (positions + 6 * noise) // side + 1
        bent.append(np.clip(moved, 0, limit).astype(np.intp))
    return np.asarray(bent[0] * across + bent[1])


def tile_name(lon: int, lat: int) -> str:
    """File name of the tile, without `.tif`, after its south-west corner."""
    north = f"{'N' if lat >= 0 else 'S'}{abs(lat):02d}"
    east = f"{'E' if lon >= 0 else 'W'}{abs(lon):03d}"
    return f"ESA_WorldCover_10m_2021_v200_{north}{east}_Map"


def _write(root: Path, world: World, corner: tuple[int, int]) -> Entry:
    lon, lat = corner
    grid = Affine(1 / PIXELS, 0, lon, 0, -1 / PIXELS, lat + TILE_DEG)
    tile = GridWindow("EPSG:4326", grid, (TILE_DEG * PIXELS, TILE_DEG * PIXELS))
    part = tile_part(world.window, tile, MARGIN_CELLS)
    name, region = tile_name(lon, lat), world.place.region_id
    folder = granule_folder(root, Product.LAND_COVER, region, name)
    how = Tiff(nodata=0, tags={"algorithm_version": "V2.0.0 (simulated)", "subset": SUBSET})
    bands = {"Map": labels(world, part, name)}
    write_tiff(folder / f"{name}.tif", part, bands, how)
    west, south, east, north = part.bounds
    return Entry(
        product=Product.LAND_COVER,
        region_id=region,
        granule_id=name,
        day=None,
        files=(f"{name}.tif",),
        format="worldcover",
        available_utc=None,
        licence=LICENCE,
        bounds=(west, south, east, north),
    )
