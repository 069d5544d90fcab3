"""The seed system's inputs straight from its files: one pixel, one date, one value at a time."""

import math
from collections import defaultdict
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray
from pyproj import Transformer

from sm_platform_tests.features.seed_region import STATIC

TO_EASE = Transformer.from_crs("EPSG:4326", "EPSG:6933", always_xy=True)
RADAR = (-30, 5), (-35, 0), (29.1, 46)
GROUND = (0, 1000), (0, 1000), (100, 180), (0, 5500), (0, 40), *[(-1, 1)] * 5

File = tuple[NDArray[np.float64], Affine]


def plain_rows(data: Path, day: date) -> list[list[float]]:
    """The 153 inputs of every pixel, row by row from the top; NaN missing."""
    radar, affine = _open(data / f"s1_images/S1_{day}.tif")
    soil, terrain = (
        _open(data / folder / name)
        for folder, name in zip(("soilgrid_images", "dem_images"), STATIC, strict=True)
    )
    heights = _by_cell(terrain)
    dates = _dates(data, day)
    green = [_open(data / f"ndvi_images/NDVI_{one}.tif") for one in dates]
    sky = [_open(data / f"weather_images/Weather_{one}.tif") for one in dates]
    turn = 2 * math.pi * day.timetuple().tm_yday / 365
    found = []
    for row, col in np.ndindex(radar.shape[1:]):
        lon, lat = affine.c + (col + 0.5) * affine.a, affine.f + (row + 0.5) * affine.e
        seen = [math.nan if v == 0 else v for v in np.float32(radar[:, row, col])]
        values = [_scaled(v, *ends) for v, ends in zip(seen, RADAR, strict=True)]
        values += [_scaled(math.sin(turn), -1, 1), _scaled(math.cos(turn), -1, 1)]
        fixed = [*_at(soil, lon, lat), *_terrain(heights, lon, lat), *_position(lon, lat)]
        fixed = [math.nan if v in (0.0, -32768.0) else v for v in fixed]
        values += [_scaled(v, *ends) for v, ends in zip(fixed, GROUND, strict=True)]
        values += [_scaled(_at(one, lon, lat)[0], -2000, 10000) for one in green]
        values += [_scaled(_at(one, lon, lat)[0], 273.15, 318.15) for one in sky]
        values += [_scaled(_at(one, lon, lat)[1], 0, 0.3) for one in sky]
        found.append(values)
    return found


def _open(path: Path) -> File:
    with rasterio.open(path) as file:
        return file.read().astype(np.float64), file.transform


def _dates(data: Path, day: date) -> list[date]:
    stored = [date.fromisoformat(p.stem[5:]) for p in (data / "ndvi_images").iterdir()]
    last = max(one for one in stored if one <= day)
    return sorted(one for one in stored if last - timedelta(363) <= one <= last)


def _at(file: File, lon: float, lat: float) -> list[float]:
    """Values of the cell that holds a point; 0.0 outside."""
    bands, affine = file
    inverse = ~affine
    row, col = math.floor(inverse.e * lat + inverse.f), math.floor(inverse.a * lon + inverse.c)
    if 0 <= row < bands.shape[1] and 0 <= col < bands.shape[2]:
        return [float(value) for value in bands[:, row, col]]
    return [0.0] * len(bands)


def _cell(lon: float, lat: float) -> tuple[int, int]:
    x, y = TO_EASE.transform(lon, lat)
    return math.ceil((7314540.83 - y) / 100.09), math.floor((x + 17367530.45) / 100.09)


def _by_cell(terrain: File) -> dict[tuple[int, int], list[NDArray[np.float64]]]:
    bands, affine = terrain
    found = defaultdict(list)
    for row, col in np.ndindex(bands.shape[1:]):
        centre = affine.c + (col + 0.5) * affine.a, affine.f + (row + 0.5) * affine.e
        found[_cell(*centre)].append(bands[:, row, col])
    return found


def _terrain(
    heights: dict[tuple[int, int], list[NDArray[np.float64]]], lon: float, lat: float
) -> list[float]:
    inside = heights.get(_cell(lon, lat))
    if inside is None:
        return [math.nan] * 4
    elevation, slope, aspect = (float(mean) for mean in np.mean(inside, axis=0))
    return [elevation, slope, math.sin(math.radians(aspect)), math.cos(math.radians(aspect))]


def _position(lon: float, lat: float) -> list[float]:
    row, col = _cell(lon, lat)
    around = 2 * math.pi * col / 90 / 3856
    return [row / 90 / 1624, math.sin(around), math.cos(around)]


def _scaled(value: float, low: float, high: float) -> float:
    if math.isnan(value):
        return math.nan
    return min(max((value - low) / (high - low), 0.0), 1.0)
