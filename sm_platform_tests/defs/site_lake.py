"""A lake from which sites can be chosen: land cover, soil, labels and stations, by hand."""

from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import shapely
from affine import Affine
from numpy.typing import NDArray

from sm_platform.defs.lake_access import save_region
from sm_platform.grid.window import GridWindow, Raster, centres, lonlat
from sm_platform.lake import granules, store
from sm_platform.lake.layout import Layout
from sm_platform.lake.rasters import raster_rows, window_note
from sm_platform.schema.driver_tables import LAND_COVER_CELLS, SOIL
from sm_platform.schema.region import Region
from sm_platform_tests.formats.provider_files import write_tiff
from sm_platform_tests.sites.land import REGION

NAME = "delta"
LON, LAT = lonlat(REGION)
WEST, EAST, SOUTH, NORTH = LON.min() - 0.01, LON.max() + 0.01, LAT.min() - 0.01, LAT.max() + 0.01
NORTHERN_HALF = shapely.box(WEST, LAT[45].mean() + 0.0004, EAST, NORTH)
SOIL_WINDOW = GridWindow("EPSG:4326", Affine(0.0025, 0, WEST, 0, -0.0025, NORTH), (50, 50))


def fill(layout: Layout, land_cover: Raster, outline: shapely.Polygon | None = None) -> None:
    """The region, its land cover, and soil that is coarse in the west and fine in the east."""
    wkt = None if outline is None else outline.wkt
    save_region(layout, Region(NAME, REGION, "archive", "somewhere", outline_wkt=wkt))
    is_west = np.broadcast_to(centres(SOIL_WINDOW)[0] < (WEST + EAST) / 2, (50, 50))
    soil: dict[str, NDArray[np.generic]] = {
        "sand_g_kg": np.where(is_west, np.float32(700), np.float32(200)),
        "clay_g_kg": np.where(is_west, np.float32(100), np.float32(500)),
        "bulk_density_cg_cm3": np.full((50, 50), np.float32(130)),
    }
    for table, raster in ((LAND_COVER_CELLS, land_cover), (SOIL, Raster(SOIL_WINDOW, soil))):
        note = {"grid": window_note(raster.window), "inputs": table.name, "status": "made"}
        store.write(layout, table, raster_rows(raster), region=NAME, note=note)


def land_swc(layout: Layout, day: date, digits: NDArray[np.uint16], flags: int = 0) -> Path:
    """A landed Planet granule over the region, in columns of equal moisture."""
    name = f"SWC-SMAP-L_V2.0_100-{day:%Y%m%d}T0130"
    files = [f"{name}_swc.tiff", f"{name}_swc-qf.tiff"]
    step = (EAST - WEST) / digits.shape[1]
    affine = Affine(step, 0, WEST, 0, -(NORTH - SOUTH) / digits.shape[0], NORTH)

    def fetch(folder: Path) -> None:
        write_tiff(folder / files[0], [digits], affine=affine, nodata=65535)
        write_tiff(folder / files[1], [np.full_like(digits, flags)], affine=affine)

    sidecar = {
        "product": "planet_swc",
        "granule_id": name,
        "day": str(day),
        "format": "planet_swc",
        "files": files,
        "available_utc": None,
        "licence": "",
        "source": "test",
    }
    return granules.land(layout, NAME, sidecar, fetch)[0].folder


def reading(station: str, lon: float, lat: float, reason: str | None = None) -> dict[str, object]:
    """A reading of a station, judged."""
    return {
        "granule_id": "ismn",
        "reading_no": sum(station.encode()),
        "source": "ismn",
        "label_type": "in_situ",
        "is_simulated": False,
        "station_id": station,
        "lon_deg": lon,
        "lat_deg": lat,
        "depth_from_m": 0.0,
        "depth_to_m": 0.05,
        "sensed_utc": datetime(2025, 3, 7, tzinfo=UTC),
        "sm_m3m3": 0.2,
        "reason": reason,
    }
