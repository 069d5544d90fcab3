"""A lake in which satellites follow each other: MODIS ends, VIIRS begins, S1D is too bright.

Made by plain calls: what is tested is what the days hold, not how Dagster walks over them.
"""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import dagster as dg

from sm_platform.defs.assets.drivers import extract_day
from sm_platform.defs.assets.scenes import write_backscatter, write_scenes
from sm_platform.defs.assets.static import land_cover_cells, soil_cells, static_drivers
from sm_platform.defs.lake_access import save_region
from sm_platform.defs.landing import Landing
from sm_platform.defs.resources import LakeResource
from sm_platform.grid.calendar import days_between
from sm_platform.lake.granules import landed
from sm_platform.lake.layout import Layout
from sm_platform.schema.driver_tables import NDVI, WEATHER
from sm_platform.schema.recipes import NdviSensor
from sm_platform.schema.region import Region
from sm_platform.sources.archive import ArchiveSource, archive_regions
from sm_platform.sources.protocol import Product
from sm_platform.sources.simulated.build import write_archive
from sm_platform.sources.simulated.fleet import Fleet
from sm_platform.sources.simulated.period import Period
from sm_platform.sources.simulated.places import HIGHLAND

NAME = HIGHLAND.region_id
FIRST, LAST = date(2025, 1, 1), date(2025, 6, 10)
RADAR_FIRST = date(2025, 4, 1)
VIIRS_FIRST, MODIS_LAST = date(2025, 1, 17), date(2025, 2, 18)
ALONE, BOTH, AFTER = date(2025, 1, 9), date(2025, 2, 10), date(2025, 3, 6)
"""First days of composites: MODIS only, MODIS and VIIRS, VIIRS only."""
BIAS_DB = 1.0
FLEET = Fleet(
    modis_last=MODIS_LAST,
    viirs_first=VIIRS_FIRST,
    s1d_first=RADAR_FIRST,
    s1d_bias_db=BIAS_DB,
)
DAYS = days_between(FIRST, LAST)


def write_world(root: Path) -> Path:
    """The archive of the succession, small."""
    period = Period(FIRST, RADAR_FIRST, LAST)
    folder = root / "archive"
    write_archive(
        folder, seed=7, places=(HIGHLAND,), size=48, period=period, fleet=FLEET, workers=1
    )
    return folder


def open_lake(root: Path, archive: Path) -> tuple[Layout, Region]:
    """An empty lake with the region of the archive."""
    layout = Layout(root / "lake")
    region = Region(NAME, archive_regions(archive)[NAME], "archive", str(archive))
    save_region(layout, region)
    return layout, region


def land(layout: Layout, region: Region, product: Product, days: Sequence[date] | None) -> None:
    """Land what the archive has of a product."""
    landing = Landing(layout, region, ArchiveSource(Path(region.source_path)))
    landing.land(landing.listed(product, days))


def extract_ndvi(
    layout: Layout, region: Region, days: Sequence[date], own: NdviSensor = NdviSensor.MODIS
) -> None:
    """Make the days of NDVI from what has landed."""
    for day in days:
        found = landed(layout, Product.NDVI.value, NAME, day)
        extract_day(layout, region, NDVI, found, day, own=own)


def extract_weather(layout: Layout, region: Region, days: Sequence[date]) -> None:
    """Make the days of weather from what has landed."""
    for day in days:
        extract_day(layout, region, WEATHER, landed(layout, "weather", NAME, day), day)


def extract_radar(layout: Layout, region: Region, days: Sequence[date]) -> None:
    """Make the passes of these days from what has landed."""
    for day in days:
        write_scenes(layout, region, day)
        write_backscatter(layout, region, day)


def make_static(layout: Layout, region: Region) -> None:
    """Soil, terrain and land cover."""
    for product in (Product.SOIL, Product.ELEVATION, Product.LAND_COVER):
        land(layout, region, product, None)
    lake = LakeResource(root=str(layout.root))
    for asset in (soil_cells, static_drivers, land_cover_cells):
        asset(dg.build_asset_context(partition_key=NAME), lake=lake)
