"""What features are made from: the drivers of a region and one radar pass over it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sm_platform.errors import GridError
from sm_platform.grid.window import DatedRaster, GridWindow, Raster


@dataclass(frozen=True, slots=True)
class Drivers:
    """Everything of a region but the radar, each driver on its native grid."""

    window: GridWindow
    """The region's pixels."""
    ndvi: Sequence[DatedRaster]
    """Composites by their first day: `ndvi` (1), `ndvi_range_code`, `reliability_code`,
    `observed_day`; grids may differ from day to day, tiles of one day are joined."""
    weather: Sequence[DatedRaster]
    """UTC days: `temperature_k`, `precipitation_m` (m/day), their range codes,
    `is_preliminary`."""
    soil: Raster
    """`sand_g_kg`, `clay_g_kg`, `bulk_density_cg_cm3`."""
    terrain: Raster
    """On `window`, the seven bands of `terrain.pixel_terrain`."""
    land_cover: Raster | None
    """On `window`, the shares of `land_cover.land_cover_shares`; None when not known."""
    late_rain: Sequence[DatedRaster] = ()
    """UTC days: `precipitation_m` (m/day) of a product that comes within a day; used by recipes
    that declare it."""

    def __post_init__(self) -> None:
        _check_window(self.window, self.terrain, "Terrain")
        if self.land_cover is not None:
            _check_window(self.window, self.land_cover, "Land cover")


@dataclass(frozen=True, slots=True)
class ScenePass:
    """One radar pass over the region, all its frames together."""

    start_utc: datetime
    orbit_state: Literal["A", "D"] | None
    """Ascending or descending; None when not known."""
    backscatter: Raster
    """On the region's window: `vv_db`, `vh_db`, `angle_deg` (ellipsoid); NaN missing."""
    history: Sequence[tuple[datetime, Raster]] = ()
    """Earlier passes of the same track, for the memory of flooded fields; any order."""

    def __post_init__(self) -> None:
        for _, earlier in self.history:
            _check_window(self.backscatter.window, earlier, "An earlier pass")


def _check_window(window: GridWindow, raster: Raster, name: str) -> None:
    if raster.window != window:
        raise GridError(
            f"{name} lies on {raster.window.shape} cells of {raster.window.crs}, the region on "
            f"{window.shape} of {window.crs}: extract it again for this region."
        )
