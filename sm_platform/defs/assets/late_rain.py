"""Late rain per region and day: for recipes that declare it, on days before ERA5-Land comes.

A region whose source has none gets empty days (`status=none`); nobody waits for it but the regions
whose recipe declares it (`defs/late_rain.py`).
"""

from sm_platform.defs.assets.drivers import native_driver
from sm_platform.defs.assets.granules import dated_granules
from sm_platform.schema import driver_tables as tables
from sm_platform.sources.protocol import Product

late_rain_granules = dated_granules(
    Product.LATE_RAIN,
    "late_rain_granules",
    "GPM IMERG Late daily precipitation (mm/day) of the UTC day, there about 14 hours after it.",
)
late_rain = native_driver(
    tables.LATE_RAIN,
    Product.LATE_RAIN,
    late_rain_granules,
    "Daily rain (m/day) of GPM IMERG Late, at 0.1 degree cells: stands in where ERA5-Land is late.",
    source="imerg-late",
)
