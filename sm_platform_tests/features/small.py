"""Small drivers for the tests: everything constant on the region's own grid, then changed."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
from affine import Affine
from numpy.typing import NDArray

from sm_platform.features.drivers import Drivers, ScenePass
from sm_platform.grid.calendar import composite_start, composites_ending
from sm_platform.grid.window import DatedRaster, GridWindow, Raster

PASS_UTC = datetime(2025, 3, 7, 22, 51, tzinfo=UTC)
PASS_DAY = PASS_UTC.date()
NEWEST = composite_start(PASS_DAY)
COMPOSITES = composites_ending(NEWEST)
WINDOW = GridWindow("EPSG:4326", Affine(0.001, 0, 106.4, 0, -0.001, 20.5), (3, 4))
N = WINDOW.size


def on(window: GridWindow, **values: float | NDArray[np.generic]) -> Raster:
    """A raster of constants (or of given arrays) on the window."""
    bands = {
        name: np.broadcast_to(np.asarray(value), window.shape).copy()
        for name, value in values.items()
    }
    return Raster(
        window, {n: b.astype(np.float32) if b.dtype == float else b for n, b in bands.items()}
    )


def composite(
    day: date,
    ndvi: float | NDArray[np.generic] = 0.5,
    *,
    reliability: int = 0,
    observed: date | None = None,
    code: int | NDArray[np.generic] = 0,
    available: datetime | None = None,
    window: GridWindow = WINDOW,
) -> DatedRaster:
    """A composite with the same reliability and day of observation everywhere."""
    raster = on(
        window,
        ndvi=ndvi,
        ndvi_range_code=code,
        reliability_code=reliability,
        observed_day=-1 if observed is None else observed.toordinal(),
    )
    return DatedRaster(day, available, raster)


def weather(
    day: date,
    temperature_k: float | NDArray[np.generic] = 290.0,
    precipitation_m: float | NDArray[np.generic] = 0.003,
    *,
    codes: tuple[int, int] = (0, 0),
    preliminary: bool = False,
    available: datetime | None = None,
    window: GridWindow = WINDOW,
) -> DatedRaster:
    """A day of weather, the same everywhere."""
    raster = on(
        window,
        temperature_k=temperature_k,
        precipitation_m=precipitation_m,
        temperature_range_code=codes[0],
        precipitation_range_code=codes[1],
        is_preliminary=preliminary,
    )
    return DatedRaster(day, available, raster)


def days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def soil(window: GridWindow = WINDOW) -> Raster:
    return on(window, sand_g_kg=400.0, clay_g_kg=300.0, bulk_density_cg_cm3=130.0)


def terrain(window: GridWindow = WINDOW) -> Raster:
    pixel = on(window, elevation_m=10.0, slope_deg=2.0, aspect_sin=0.6, aspect_cos=0.8)
    cell = on(window, cell_elevation_m=11.0, cell_slope_deg=3.0, cell_aspect_deg=120.0)
    return Raster(window, {**pixel.values, **cell.values})


def land_cover(window: GridWindow = WINDOW, **shares: float) -> Raster:
    names = "tree", "shrub", "grass", "crop", "built", "bare", "snow", "water", "wetland"
    return on(window, **{f"{name}_share": float(shares.get(name, 0.0)) for name in names})


def drivers() -> Drivers:
    """A year and more of unbroken drivers, all constant, without land cover."""
    first = COMPOSITES[0] - timedelta(days=20)
    return Drivers(
        window=WINDOW,
        ndvi=[composite(day) for day in composites_ending(NEWEST, 50)],
        weather=[weather(day) for day in days(first, PASS_DAY + timedelta(days=12))],
        soil=soil(),
        terrain=terrain(),
        land_cover=None,
    )


def with_ndvi(base: Drivers, *changed: DatedRaster) -> Drivers:
    """The drivers with these composites instead of those of their days."""
    return replace(base, ndvi=_instead(base.ndvi, changed))


def with_weather(base: Drivers, *changed: DatedRaster) -> Drivers:
    """The drivers with these days instead of those of the same date."""
    return replace(base, weather=_instead(base.weather, changed))


def _instead(old: object, new: tuple[DatedRaster, ...]) -> list[DatedRaster]:
    gone = {dated.day for dated in new}
    return [dated for dated in old if dated.day not in gone] + list(new)  # type: ignore[attr-defined]


def scene(window: GridWindow = WINDOW, **bands: float | NDArray[np.generic]) -> ScenePass:
    """A pass of VV -10 dB, VH -17 dB at 38 deg, or of the given bands."""
    values: Mapping[str, float | NDArray[np.generic]] = {
        "vv_db": -10.0,
        "vh_db": -17.0,
        "angle_deg": 38.0,
        **bands,
    }
    return ScenePass(PASS_UTC, "D", on(window, **values))


def planted(value: float, spot: float, at: tuple[int, int] = (1, 2)) -> NDArray[np.float64]:
    """An array of the window full of `value`, with `spot` at one pixel."""
    array = np.full(WINDOW.shape, value)
    array[at] = spot
    return array


SPOT = 1 * WINDOW.shape[1] + 2
"""Flat index of the pixel that `planted` changes by default."""
