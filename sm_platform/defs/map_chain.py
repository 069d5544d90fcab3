"""The assets from granules to figures by name, as runs, backfills and sensors ask for them."""

from sm_platform.schema.driver_tables import LAND_COVER_CELLS, SOIL, STATIC_DRIVERS

STATIC = ("static_granules", "soil_cells", "static_drivers", "land_cover_cells")
"""What has one partition a region."""
STATIC_TABLES = (SOIL, STATIC_DRIVERS, LAND_COVER_CELLS)
DRIVERS = ("ndvi_granules", "ndvi", "weather_granules", "weather")
LATE_RAIN = ("late_rain_granules", "late_rain")
"""Drivers of the regions whose recipe declares late rain, and of no others."""
PASSES = ("s1_granules", "s1_scenes", "s1_backscatter")
FEATURES, MAPS, FIGURES = "scene_features", "sm_maps", "map_figures"
PASS_TO_MAP = (*PASSES, FEATURES, MAPS)
"""Assets of which none may fail on a day for its passes to be mapped, in order."""
CHAIN = (*PASSES, *DRIVERS, *LATE_RAIN, FEATURES, MAPS, FIGURES)
"""What has a partition a region and day, in order."""
