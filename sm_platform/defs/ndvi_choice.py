"""Which granules a day of a driver is made from; of NDVI, those of one satellite.

MODIS ends, VIIRS goes on, and for some years both are there. A day is made from one satellite
alone: a mean over two would be of neither, and its quality code would not say which one saw what.
"""

from collections.abc import Sequence

from sm_platform.defs.choice import choose_recipe
from sm_platform.defs.lake_access import SENSOR
from sm_platform.defs.service_choice import of_one_service
from sm_platform.errors import CheckpointError, UsageError
from sm_platform.lake.granules import LandedGranule
from sm_platform.lake.models import ModelStore
from sm_platform.schema.recipes import DEFAULT_RECIPE, NdviSensor
from sm_platform.schema.region import Region
from sm_platform.sources.ndvi_sensors import ndvi_sensor_of
from sm_platform.sources.protocol import Product

SATELLITES = ("VNP", "VJ1", "VJ2")
"""Beginnings of the ids of Suomi NPP, NOAA-20 and NOAA-21; the longest series is preferred."""


def own_sensor(region: Region, models: ModelStore) -> NdviSensor:
    """The sensor of the recipe that the region's features are built by."""
    try:
        return choose_recipe(region, None, models).ndvi_sensor
    except (
        CheckpointError,
        UsageError,
    ):  # told where the checkpoint is used; drivers do not wait for it
        return DEFAULT_RECIPE.ndvi_sensor


def used_of_day(
    granules: Sequence[LandedGranule], own: NdviSensor, service: str | None
) -> list[LandedGranule]:
    """The granules of one product and day that its table is made from; their order is no matter.

    Of NDVI those of the recipe's `own` sensor where there are some, because the rows of a
    checkpoint were made of it, else of the other one. Then those of the service that brings the
    product now, then of one satellite, the first of `SATELLITES`; last, as of all products, those
    of one service.
    """
    best = min((_place(one, own, service) for one in granules), default=None)
    return of_one_service([g for g in granules if _place(g, own, service) == best], service)


def sensor_note(used: Sequence[LandedGranule]) -> dict[str, object]:
    """What the note of a day of NDVI keeps of its sensor; of another product nothing."""
    sensors = [ndvi_sensor_of(one.format).value for one in used if _is_ndvi(one)]
    return {SENSOR: sensors[0]} if sensors else {}


def _place(granule: LandedGranule, own: NdviSensor, service: str | None) -> tuple[bool, bool, int]:
    """Where a granule comes when all of a day are ordered by sensor, service and satellite."""
    if not _is_ndvi(granule):
        return False, False, 0
    sensor, name = ndvi_sensor_of(granule.format), granule.granule_id[:3]
    is_known = sensor is NdviSensor.VIIRS and name in SATELLITES
    satellite = SATELLITES.index(name) if is_known else 0
    return sensor is not own, granule.source != service, satellite


def _is_ndvi(granule: LandedGranule) -> bool:
    return granule.product == Product.NDVI.value
