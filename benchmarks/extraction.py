"""Feature extraction: the platform's rows against a plain loop over pixels and dates."""

import argparse
import json
import math
import time
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from pyproj import Transformer

from benchmarks._memory import peak_in_subprocess, peak_mib
from sm_platform.features.build import build
from sm_platform.features.drivers import Drivers, ScenePass
from sm_platform.features.prepare import prepare
from sm_platform.grid import ease2
from sm_platform.grid.calendar import composites_ending, day_of_year, steps_before
from sm_platform.grid.window import (
    DatedRaster,
    GridWindow,
    Raster,
    centres,
    lonlat_bounds,
    reproject_points,
)
from sm_platform.schema.recipes import SM_100M_V1, Input
from sm_platform.schema.rows import dense

SIZE = 150
LARGE_SIZE = 1000
REFERENCE_PIXELS = 40
PASS_UTC = datetime(2025, 3, 7, 22, 51, tzinfo=UTC)
SINUSOIDAL = "+proj=sinu +lon_0=0 +x_0=0 +y_0=0 +R=6371007.181 +units=m +no_defs"
MODIS_M = 231.656358263958
GOOD, MARGINAL, CLOUD = 0, 1, 3


def run() -> dict[str, object]:
    """Pixels per second of both, their ratio, and the peak memory of 1000 x 1000 pixels."""
    drivers, scene = synthetic(SIZE, seed=1)
    started = time.perf_counter()
    rows = build(SM_100M_V1, drivers, scene).rows
    whole_s = time.perf_counter() - started
    prepared = prepare(SM_100M_V1, drivers)
    started = time.perf_counter()
    build(SM_100M_V1, prepared, scene)
    after_prepare_s = time.perf_counter() - started
    pixels = np.random.default_rng(2).choice(SIZE * SIZE, REFERENCE_PIXELS, replace=False)
    started = time.perf_counter()
    expected = np.array([plain_row(drivers, scene, int(pixel)) for pixel in pixels])
    plain_s = (time.perf_counter() - started) / REFERENCE_PIXELS
    np.testing.assert_allclose(dense(rows)[pixels], expected, atol=1e-5, equal_nan=True)
    ours, reference = SIZE * SIZE / whole_s, 1 / plain_s
    return {
        "name": "extraction",
        "unit": "pixels/s",
        "ours": round(ours),
        "reference": round(reference, 1),
        "ratio": round(ours / reference),
        "peak_mib": peak_in_subprocess("extraction"),
        "build_after_prepare_s": round(after_prepare_s, 3),
        "how": f"ours: prepare and build of {SIZE} x {SIZE} pixels; reference: plain loop, timed "
        f"on {REFERENCE_PIXELS} of these pixels, equal to 1e-5; peak_mib: whole process at "
        f"{LARGE_SIZE} x {LARGE_SIZE} pixels, drivers in memory",
    }


# --- the plain reference: one pixel at a time, one date at a time -------------------------------


@dataclass(frozen=True, slots=True)
class _Point:
    lon: float
    lat: float
    sinu: tuple[float, float]
    ease: tuple[float, float]


def plain_row(drivers: Drivers, scene: ScenePass, pixel: int) -> list[float]:
    """The 153 inputs of recipe sm-100m-v1 of one flat pixel, value by value."""
    rows, cols = divmod(pixel, drivers.window.shape[1])
    point = _point(drivers.window, rows, cols)
    day = scene.start_utc.date()
    issued = scene.start_utc + timedelta(hours=24)
    radar = [
        float(scene.backscatter.values[n][rows, cols]) for n in ("vv_db", "vh_db", "angle_deg")
    ]
    turn = 2 * math.pi * day_of_year(day) / 365
    soil = [_at(drivers.soil, n, point) for n in ("sand_g_kg", "clay_g_kg", "bulk_density_cg_cm3")]
    names = "elevation_m", "slope_deg", "aspect_sin", "aspect_cos"
    terrain = [float(drivers.terrain.values[n][rows, cols]) for n in names]
    row, col = (float(p) for p in ease2.position(ease2.LEVEL_9KM, *point.ease))
    around = 2 * math.pi * col / 3856
    place = [row / 1624, math.sin(around), math.cos(around)]
    scalars = [*radar, math.sin(turn), math.cos(turn), *soil, *terrain, *place]
    ndvi = _plain_ndvi(drivers, point, day, issued)
    warmth, rain = _plain_weather(drivers, point, day, issued)
    columns = [*SM_100M_V1.scalars, *(c for c in SM_100M_V1.series for _ in range(46))]
    values = [*scalars, *ndvi, *warmth, *rain]
    return [_scaled(v, c) for v, c in zip(values, columns, strict=True)]


def _plain_ndvi(drivers: Drivers, point: _Point, day: date, issued: datetime) -> list[float]:
    first = steps_before(day)[0][0].toordinal()
    best: dict[int, tuple[bool, int, date]] = {}
    values: dict[int, float] = {}
    for dated in drivers.ndvi:
        if dated.available_utc is not None and dated.available_utc > issued:
            continue
        seen = _at(dated.raster, "ndvi", point)
        quality = int(_at(dated.raster, "reliability_code", point))
        observed = int(_at(dated.raster, "observed_day", point))
        observed = observed if observed > 0 else dated.day.toordinal()
        step = (observed - first) // 8
        if math.isnan(seen) or quality not in (-1, GOOD, MARGINAL) or not 0 <= step < 46:
            continue
        rank = quality == GOOD, observed, dated.day
        if step not in best or rank > best[step]:
            best[step], values[step] = rank, seen * 10000
    known = sorted(values)
    filled = np.interp(range(46), known, [values[n] for n in known]) if known else [math.nan] * 46
    return [float(value) for value in filled]


def _plain_weather(
    drivers: Drivers, point: _Point, day: date, issued: datetime
) -> tuple[list[float], list[float]]:
    by_day = {dated.day: dated for dated in drivers.weather}
    series: tuple[list[float], list[float]] = ([], [])
    for first, _ in steps_before(day):
        found: tuple[list[float], list[float]] = ([], [])
        for n in range(8):
            dated = by_day.get(first + timedelta(days=n))
            if dated is None or (dated.available_utc and dated.available_utc > issued):
                continue
            for name, values in zip(("temperature_k", "precipitation_m"), found, strict=True):
                values.append(_at(dated.raster, name, point))
        for values, whole in zip(found, series, strict=True):
            whole.append(sum(values) / len(values) if values else whole[-1])
    return series


def _at(raster: Raster, name: str, point: _Point) -> float:
    """The value of the raster's cell that holds the point."""
    grid = raster.window
    x, y = point.sinu if grid.crs == SINUSOIDAL else (point.lon, point.lat)
    col = math.floor((x - grid.affine.c) / grid.affine.a)
    row = math.floor((y - grid.affine.f) / grid.affine.e)
    inside = 0 <= row < grid.shape[0] and 0 <= col < grid.shape[1]
    return float(raster.values[name][row, col]) if inside else math.nan


def _point(window: GridWindow, row: int, col: int) -> _Point:
    x, y = window.affine @ (col + 0.5, row + 0.5)
    lon, lat = _transformer(window.crs, "EPSG:4326").transform(x, y)
    return _Point(lon, lat, _transformer(window.crs, SINUSOIDAL).transform(x, y), (x, y))


@cache
def _transformer(source: str, target: str) -> Transformer:
    return Transformer.from_crs(source, target, always_xy=True)


def _scaled(value: float, column: Input) -> float:
    if math.isnan(value):
        return math.nan
    return (min(max(value, column.low), column.high) - column.low) / (column.high - column.low)


# --- a synthetic region --------------------------------------------------------------------------


def synthetic(size: int, *, seed: int) -> tuple[Drivers, ScenePass]:
    """Drivers on the providers' own grids and one pass over size x size pixels of 100 m."""
    rng = np.random.default_rng(seed)
    window = ease2.window_around(ease2.LEVEL_100M, 106.43, 20.45, (size, size))
    drivers = Drivers(
        window=window,
        ndvi=[_composite(day, window, rng) for day in composites_ending(date(2025, 3, 6), 50)],
        weather=[_day(date(2024, 2, 25) + timedelta(days=n), window, rng) for n in range(385)],
        soil=Raster(
            soil := _degrees(window, 1 / 480),
            {
                "sand_g_kg": _uniform(rng, soil, 100, 700),
                "clay_g_kg": _uniform(rng, soil, 100, 600),
                "bulk_density_cg_cm3": _uniform(rng, soil, 90, 160),
            },
        ),
        terrain=_terrain(window, rng),
        land_cover=None,
    )
    bands = {"vv_db": (-20, -4), "vh_db": (-27, -10), "angle_deg": (31, 45)}
    radar = {name: _uniform(rng, window, *limits) for name, limits in bands.items()}
    return drivers, ScenePass(PASS_UTC, "D", Raster(window, radar))


def _composite(day: date, window: GridWindow, rng: np.random.Generator) -> DatedRaster:
    grid = _sinusoidal(window)
    ndvi = _uniform(rng, grid, 0.1, 0.9)
    ndvi[rng.random(grid.shape) < 0.02] = np.nan
    quality = rng.choice([GOOD, MARGINAL, CLOUD], grid.shape, p=[0.5, 0.2, 0.3]).astype(np.int8)
    observed = (day.toordinal() + rng.integers(0, 16, grid.shape)).astype(np.int32)
    bands = {"ndvi": ndvi, "reliability_code": quality, "observed_day": observed}
    bands["ndvi_range_code"] = np.zeros(grid.shape, np.int8)
    available = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=25)
    return DatedRaster(day, available, Raster(grid, bands))


def _day(day: date, window: GridWindow, rng: np.random.Generator) -> DatedRaster:
    grid = _degrees(window, 0.1)
    code = np.zeros(grid.shape, np.int8)
    bands = {
        "temperature_k": _uniform(rng, grid, 280, 305),
        "precipitation_m": _uniform(rng, grid, 0, 0.05),
        "temperature_range_code": code,
        "precipitation_range_code": code,
        "is_preliminary": np.zeros(grid.shape, np.bool_),
    }
    available = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=5)
    return DatedRaster(day, available, Raster(grid, bands))


def _terrain(window: GridWindow, rng: np.random.Generator) -> Raster:
    turn = _uniform(rng, window, 0, 2 * np.pi)
    bands = {
        "elevation_m": _uniform(rng, window, 0, 900),
        "slope_deg": _uniform(rng, window, 0, 30),
        "aspect_sin": np.sin(turn),
        "aspect_cos": np.cos(turn),
    }
    return Raster(window, bands)


def _degrees(window: GridWindow, cell: float) -> GridWindow:
    west, south, east, north = lonlat_bounds(window)
    left, top = math.floor(west / cell) * cell, math.ceil(north / cell) * cell
    shape = math.ceil((top - south) / cell), math.ceil((east - left) / cell)
    return GridWindow("EPSG:4326", Affine(cell, 0, left, 0, -cell, top), shape)


def _sinusoidal(window: GridWindow) -> GridWindow:
    x, y = (np.asarray(part) for part in centres(window))
    edge = np.r_[0, -1]
    outline = reproject_points(
        np.r_[x[edge].ravel(), x[:, edge].ravel()],
        np.r_[y[edge].ravel(), y[:, edge].ravel()],
        window.crs,
        SINUSOIDAL,
    )
    left, top = outline[0].min() - MODIS_M, outline[1].max() + MODIS_M
    shape = (
        math.ceil((top - outline[1].min()) / MODIS_M) + 1,
        math.ceil((outline[0].max() - left) / MODIS_M) + 1,
    )
    return GridWindow(SINUSOIDAL, Affine(MODIS_M, 0, left, 0, -MODIS_M, top), shape)


def _uniform(
    rng: np.random.Generator, grid: GridWindow, low: float, high: float
) -> NDArray[np.float32]:
    return (low + (high - low) * rng.random(grid.shape, np.float32)).astype(np.float32)


# --- memory --------------------------------------------------------------------------------------


def _peak_mib() -> int:
    """Peak memory of this process after building rows of 1000 x 1000 pixels."""
    drivers, scene = synthetic(LARGE_SIZE, seed=1)
    assert len(build(SM_100M_V1, drivers, scene).rows) == LARGE_SIZE**2
    return peak_mib()


def main() -> None:
    """Print the result as one JSON line; with --peak only the memory of a large region."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peak", action="store_true", help="peak MiB of 1000 x 1000 pixels")
    print(_peak_mib() if parser.parse_args().peak else json.dumps(run()))


if __name__ == "__main__":
    main()
