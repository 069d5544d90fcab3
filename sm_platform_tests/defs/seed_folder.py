"""A tiny folder of the seed system, whole and healthy, for tests that then damage it."""

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray

WEST, NORTH, SIDE_DEG = 106.3, 9.95, 0.0054
"""The region: 6 x 6 pixels of about 100 m, all other rasters cover just as much."""
FIRST_DAY = date(2024, 12, 18)
PASSES = tuple(date(2025, 1, day) for day in range(3, 7))
RADAR = {"VV": -11.0, "VH": -18.0, "angle": 38.0}
SOIL = {"sand_0-5cm_mean": 420.0, "clay_0-5cm_mean": 250.0, "bdod_0-5cm_mean": 130.0}
TERRAIN = {"elevation": 5.0, "slope": 1.0, "aspect": 90.0}


def write(
    path: Path,
    bands: Sequence[NDArray[np.float32]],
    names: Sequence[str],
    *,
    crs: str | None = "EPSG:4326",
    corner: tuple[float, float] = (WEST, NORTH),
    cell: float | None = None,
) -> Path:
    """Bands as one float32 GeoTIFF; without `cell` they cover the region's extent."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)  # GDAL opens what it is to replace, and a test may have damaged it
    rows, cols = bands[0].shape
    size = cell or SIDE_DEG / rows
    profile = {"driver": "GTiff", "dtype": "float32", "count": len(bands), "crs": crs}
    affine = Affine(size, 0, corner[0], 0, -size, corner[1])
    with rasterio.open(path, "w", height=rows, width=cols, transform=affine, **profile) as file:
        for number, (band, name) in enumerate(zip(bands, names, strict=True), start=1):
            file.write(band, number)
            file.set_band_description(number, name)
    return path


def around(value: float, size: int, seed: int) -> NDArray[np.float32]:
    """Values near `value`, none of them 0."""
    noise = np.random.default_rng(seed).uniform(0.98, 1.02, (size, size))
    return (value * noise).astype(np.float32)


def write_folder(root: Path, region: str, passes: Sequence[date] = PASSES) -> Path:
    """`<root>/<region>/data` with radar of `passes` and drivers from FIRST_DAY on; returns it."""
    data = root / region / "data"
    for day in passes:
        write_radar(data, day)
    days = [FIRST_DAY + timedelta(n) for n in range((passes[-1] - FIRST_DAY).days + 1)]
    for day in days:
        bands = [around(300.0, 2, day.day), around(0.003, 2, day.day)]
        names = ("temperature_2m", "total_precipitation_sum")
        write(data / f"weather_images/Weather_{day}.tif", bands, names)
    for day in (date(2024, 12, 18), date(2024, 12, 26), date(2025, 1, 1)):
        write(data / f"ndvi_images/NDVI_{day}.tif", [around(5200.0, 6, day.day)], ["NDVI"])
    soil = [around(value, 3, 1) for value in SOIL.values()]
    write(data / "soilgrid_images/SoilGrid_sand_clay_bdod.tif", soil, list(SOIL))
    terrain = [around(value, 20, 2) for value in TERRAIN.values()]
    write(data / "dem_images/DEM_elevation_slope_aspect_30m.tif", terrain, list(TERRAIN))
    return data


def write_radar(data: Path, day: date, names: Sequence[str] = tuple(RADAR)) -> Path:
    """One radar file of the region."""
    bands = [around(RADAR[name], 6, day.day) for name in names]
    return write(data / f"s1_images/S1_{day}.tif", bands, names)
