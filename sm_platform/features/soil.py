"""Soil of every pixel: the cell at its centre, else the nearest valid one within 2 km."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from sm_platform.grid.window import GridWindow, Raster, cell_index, centres, reproject_points

BANDS = ("sand_g_kg", "clay_g_kg", "bulk_density_cg_cm3")
FILL_WITHIN_M = 2000.0
EARTH_RADIUS_M = 6371007.181
"""Radius of the sphere with the Earth's surface; distances to 2 km need no better."""

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PixelSoil:
    """Soil of `n` pixels; NaN where there is none."""

    values: Numbers
    """(3, n): sand, clay (g/kg), bulk density (cg/cm3)."""
    is_filled: NDArray[np.bool_]
    """(n,): taken from the nearest valid cell instead of the pixel's own."""


def soil_at(window: GridWindow, cells: NDArray[np.int64], soil: Raster) -> PixelSoil:
    """Soil cell at each pixel's centre; outside the raster or where a band is NaN: missing."""
    x, y = (np.asarray(part).ravel()[cells] for part in centres(window))
    index = cell_index(soil.window, *reproject_points(x, y, window.crs, soil.window.crs))
    values = np.where(index >= 0, _stacked(soil)[:, index], np.nan)
    return PixelSoil(values, np.zeros(cells.size, np.bool_))


def filled_soil_at(window: GridWindow, cells: NDArray[np.int64], soil: Raster) -> PixelSoil:
    """As `soil_at`, but a pixel whose cell lacks a band takes all three of the nearest cell.

    Nearest is by the distance of the centres, up to 2 km, among cells with all three bands;
    farther than that stays missing.
    """
    own = soil_at(window, cells, soil)
    lacking = np.flatnonzero(np.isnan(own.values).any(axis=0))
    bands = _stacked(soil)
    valid = np.flatnonzero(~np.isnan(bands).any(axis=0))
    if not lacking.size or not valid.size:
        return own
    tree = cKDTree(_on_sphere(soil.window, valid))
    points = _on_sphere(window, cells[lacking])
    away, found = tree.query(points, distance_upper_bound=FILL_WITHIN_M)
    near, nearest = np.isfinite(away), np.asarray(found)
    values, is_filled = own.values.copy(), own.is_filled.copy()
    values[:, lacking[near]] = bands[:, valid[nearest[near]]]
    is_filled[lacking[near]] = True
    return PixelSoil(values, is_filled)


def _stacked(soil: Raster) -> Numbers:
    return np.stack([np.asarray(soil.values[name], np.float64).ravel() for name in BANDS])


def _on_sphere(window: GridWindow, cells: NDArray[np.int64]) -> Numbers:
    """Centres of the cells as (n, 3) metres from the Earth's centre."""
    x, y = (np.asarray(part).ravel()[cells] for part in centres(window))
    lon, lat = np.radians(reproject_points(x, y, window.crs, "EPSG:4326"))
    along = np.cos(lat)
    return EARTH_RADIUS_M * np.stack([along * np.cos(lon), along * np.sin(lon), np.sin(lat)], 1)
