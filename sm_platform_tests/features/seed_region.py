"""A small folder of the seed system with planted oddities, written from a seed."""

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray

PIXEL = 0.000898315290521004
FINE = 0.0002729059110443556
"""About 100 m and 30 m, in degrees."""
STATIC = "SoilGrid_sand_clay_bdod.tif", "DEM_elevation_slope_aspect_30m.tif"

Bands = list[NDArray[np.float64]]
Fills = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """A region and how its files are written."""

    lon: float
    lat: float
    shape: tuple[int, int]
    day: date
    radar_type: str = "float32"
    radar_tag: float | None = None
    ndvi_type: str = "float32"
    ndvi_cell: float = PIXEL
    soil_type: str = "float32"
    soil_cell: float = 2.4 * PIXEL
    soil_tag: float | None = None
    weather_cell: float = 3 * PIXEL
    terrain_fill: float = float("nan")
    cover: float = 1.0
    """Share of the region that NDVI, soil, weather and terrain reach, from the north-west."""
    is_described: bool = False


def composites(first: date, last: date) -> list[date]:
    """Every 8 days, anew from each 1 January."""
    years = range(first.year, last.year + 1)
    named = [date(year, 1, 1) + timedelta(8 * n) for year in years for n in range(46)]
    return [day for day in named if first <= day <= last]


def write_region(data: Path, place: Place, seed: int) -> None:
    """The region's radar of one day, a year and more of drivers, and what does not change."""
    rng = np.random.default_rng(seed)
    _write_radar(data, place, rng)
    _write_static(data, place, rng)
    shape, sky = _covering(place, place.ndvi_cell), _covering(place, place.weather_cell)
    fills: Fills = 0.0, -3000, -32768, 12000, -2000
    if place.ndvi_type == "float32":
        fills += (np.nan,)
    for day in composites(place.day - timedelta(380), place.day + timedelta(9)):
        ndvi = _spoilt(rng, (-500, 9000), shape, fills, 0.003)
        path = data / f"ndvi_images/NDVI_{day}.tif"
        _write(path, [ndvi], place, ("NDVI",), place.ndvi_cell, place.ndvi_type)
        kelvin = _spoilt(rng, (265, 325), sky, (np.nan, 0.0, -32768), 0.001)
        rain = _spoilt(rng, (-0.02, 0.35), sky, (np.nan, -1e-6, 3.0), 0.001)
        names = "temperature_2m", "total_precipitation_sum"
        path = data / f"weather_images/Weather_{day}.tif"
        _write(path, [kelvin, rain], place, names, place.weather_cell)


def _write_radar(data: Path, place: Place, rng: np.random.Generator) -> None:
    odd: Fills = 0.0, -0.0, np.nan, -9999, -40, 9
    ranges = (-25, 2), (-33, -4), (30, 45)
    bands = [_spoilt(rng, ends, place.shape, odd, 0.02) for ends in ranges]
    path, names = data / f"s1_images/S1_{place.day}.tif", ("VV", "VH", "angle")
    _write(path, bands, place, names, PIXEL, place.radar_type, place.radar_tag)


def _write_static(data: Path, place: Place, rng: np.random.Generator) -> None:
    shape, fine = _covering(place, place.soil_cell), _covering(place, FINE)
    odd: Fills = 0.0, -32768
    if place.soil_type != "int16":
        odd += (np.nan,)
    ranges = (20, 900), (20, 900), (90, 190)
    soil = [_spoilt(rng, ends, shape, odd, 0.02) for ends in ranges]
    names = "sand_0-5cm_mean", "clay_0-5cm_mean", "bdod_0-5cm_mean"
    path = data / "soilgrid_images" / STATIC[0]
    _write(path, soil, place, names, place.soil_cell, place.soil_type, place.soil_tag)
    ranges = (-5, 5600), (0, 45), (0, 360)
    terrain = [_spoilt(rng, ends, fine, (0.0, place.terrain_fill), 0.003) for ends in ranges]
    for band in terrain:
        band[:8, :8] = 0.0
        band[-9:, -9:] = place.terrain_fill
    terrain[2][8:16, :8] = 180.0
    names = "elevation", "slope", "aspect"
    _write(data / "dem_images" / STATIC[1], terrain, place, names, FINE)


def _covering(place: Place, cell: float) -> tuple[int, int]:
    """Rows and columns of cells that cover the region's share."""
    rows, cols = (max(1, int(np.ceil(n * PIXEL * place.cover / cell))) for n in place.shape)
    return rows, cols


def _spoilt(
    rng: np.random.Generator,
    ends: tuple[float, float],
    shape: tuple[int, int],
    odd: Fills,
    share: float,
) -> NDArray[np.float64]:
    """Values between the ends, each odd number planted in about that share of them."""
    values = rng.uniform(*ends, shape)
    for one in odd:
        values[rng.random(shape) < share] = one
    return values


def _write(
    path: Path,
    bands: Bands,
    place: Place,
    names: tuple[str, ...],
    cell: float,
    dtype: str = "float32",
    tag: float | None = None,
) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows, cols = bands[0].shape
    affine = Affine(cell, 0, place.lon, 0, -cell, place.lat)
    profile = {"driver": "GTiff", "dtype": dtype, "count": len(bands), "crs": "EPSG:4326"}
    with rasterio.open(
        path, "w", height=rows, width=cols, transform=affine, nodata=tag, **profile
    ) as file:
        file.write(np.stack(bands).astype(dtype))
        for number, name in enumerate(names if place.is_described else (), start=1):
            file.set_band_description(number, name)
