"""The small region of the seed system, opened with rasterio alone."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import rasterio

from sm_platform.features.drivers import Drivers, ScenePass
from sm_platform.features.terrain import pixel_terrain_from
from sm_platform.grid.window import DatedRaster, GridWindow, Raster

SOIL = "sand_g_kg", "clay_g_kg", "bulk_density_cg_cm3"
RELIEF = "elevation_m", "slope_deg", "aspect_deg"
WEATHER = "temperature_k", "precipitation_m"
RADAR = "vv_db", "vh_db", "angle_deg"


def golden_region(shared: Callable[..., Path], day: str) -> tuple[Drivers, ScenePass]:
    """Drivers and the pass of one day."""
    data = shared("golden", "roi", "goldroi", "data")
    radar = _open(data / "s1_images" / f"S1_{day}.tif", RADAR)
    relief = _open(data / "dem_images" / "DEM_elevation_slope_aspect_30m.tif", RELIEF)
    region = Drivers(
        window=radar.window,
        ndvi=[_ndvi(path) for path in (data / "ndvi_images").glob("*.tif")],
        weather=[
            DatedRaster(_day(path), None, _open(path, WEATHER))
            for path in (data / "weather_images").glob("*.tif")
        ],
        soil=_open(data / "soilgrid_images" / "SoilGrid_sand_clay_bdod.tif", SOIL),
        terrain=pixel_terrain_from(radar.window, relief),
        land_cover=None,
    )
    start = datetime.fromisoformat(day).replace(tzinfo=UTC)
    return region, ScenePass(start, None, radar)


def _ndvi(path: Path) -> DatedRaster:
    raster = _open(path, ("ndvi",))
    scaled = np.asarray(raster.values["ndvi"], np.float32) / np.float32(10000)
    return DatedRaster(_day(path), None, Raster(raster.window, {"ndvi": scaled}))


def _open(path: Path, names: tuple[str, ...]) -> Raster:
    with rasterio.open(path) as file:
        window = GridWindow(file.crs.to_string(), file.transform, file.shape)
        return Raster(window, dict(zip(names, file.read(), strict=True)))


def _day(path: Path) -> date:
    return date.fromisoformat(path.stem[-10:])
