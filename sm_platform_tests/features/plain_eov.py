"""Recipe eov-2025 once more: one pixel, one date, one value at a time, in plain Python."""

import math
from datetime import timedelta

from pyproj import Transformer

from sm_platform.features.drivers import Drivers, ScenePass
from sm_platform.grid.window import Raster

TO_EASE = Transformer.from_crs("EPSG:4326", "EPSG:6933", always_xy=True)
STATIC_RANGES = ((0, 1000), (0, 1000), (100, 180), (0, 5500), (0, 40)) + ((-1, 1),) * 5


def plain_row(drivers: Drivers, relief: Raster, scene: ScenePass, pixel: int) -> list[float]:
    """The 153 inputs of one flat pixel; all rasters in EPSG:4326, range codes given."""
    row, col = divmod(pixel, drivers.window.shape[1])
    lon, lat = drivers.window.affine @ (col + 0.5, row + 0.5)
    day = scene.start_utc.date()
    turn = 2 * math.pi * day.timetuple().tm_yday / 365
    radar = [_radar(scene, name, row, col) for name in ("vv_db", "vh_db", "angle_deg")]
    ranges = ((-30, 5), (-35, 0), (29.1, 46))
    values = [_map(v, *r) for v, r in zip(radar, ranges, strict=True)]
    values += [_map(math.sin(turn), -1, 1), _map(math.cos(turn), -1, 1)]
    static = _static(drivers, relief, lon, lat)
    values += [
        math.nan if v == 0 else _map(v, *r) for v, r in zip(static, STATIC_RANGES, strict=True)
    ]
    composites = {dated.day: dated.raster for dated in drivers.ndvi}
    last = max(d for d in composites if d <= day)
    dates = sorted(d for d in composites if last - timedelta(days=363) <= d <= last)
    skies = {dated.day: dated.raster for dated in drivers.weather}
    values += [_dynamic(composites[d], ("ndvi", "ndvi"), lon, lat, (-0.2, 1)) for d in dates]
    for name, limits in (("temperature", (273.15, 318.15)), ("precipitation", (0, 0.3))):
        band = "temperature_k" if name == "temperature" else "precipitation_m"
        values += [_dynamic(skies[d], (band, name), lon, lat, limits) for d in dates]
    return values


def _radar(scene: ScenePass, name: str, row: int, col: int) -> float:
    value = float(scene.backscatter.values[name][row, col])
    return math.nan if value == 0 else value


def _static(drivers: Drivers, relief: Raster, lon: float, lat: float) -> list[float]:
    soil = [
        _cell(drivers.soil, n, lon, lat) for n in ("sand_g_kg", "clay_g_kg", "bulk_density_cg_cm3")
    ]
    here = _ease(lon, lat)
    names = "elevation_m", "slope_deg", "aspect_deg"
    inside: dict[str, list[float]] = {name: [] for name in names}
    for row in range(relief.window.shape[0]):
        for col in range(relief.window.shape[1]):
            if _ease(*(relief.window.affine @ (col + 0.5, row + 0.5))) == here:
                for name in names:
                    inside[name].append(float(relief.values[name][row, col]))
    height, slope, aspect = (sum(v) / len(v) if v else math.nan for v in inside.values())
    around = 2 * math.pi * (here[1] / 90) / 3856
    place = [here[0] / 90 / 1624, math.sin(around), math.cos(around)]
    soil = [0.0 if v is None else v for v in soil]
    return [
        *soil,
        height,
        slope,
        math.sin(math.radians(aspect)),
        math.cos(math.radians(aspect)),
        *place,
    ]


def _dynamic(
    raster: Raster, names: tuple[str, str], lon: float, lat: float, limits: tuple[float, float]
) -> float:
    band, short = names
    value = _cell(raster, band, lon, lat)
    if value is None:
        return _map(0.0, *limits)
    code = _cell(raster, f"{short}_range_code", lon, lat)
    return {-1: 0.0, 1: 1.0}.get(int(code or 0), _map(value, *limits))


def _cell(raster: Raster, name: str, lon: float, lat: float) -> float | None:
    grid = raster.window
    col = math.floor((lon - grid.affine.c) / grid.affine.a)
    row = math.floor((lat - grid.affine.f) / grid.affine.e)
    inside = 0 <= row < grid.shape[0] and 0 <= col < grid.shape[1]
    return float(raster.values[name][row, col]) if inside else None


def _ease(lon: float, lat: float) -> tuple[int, int]:
    x, y = TO_EASE.transform(lon, lat)
    return math.ceil((y - 7314540.83) / -100.09), math.floor((x + 17367530.45) / 100.09)


def _map(value: float, low: float, high: float) -> float:
    if math.isnan(value):
        return math.nan
    return (min(max(value, low), high) - low) / (high - low)
