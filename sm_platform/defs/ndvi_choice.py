"""Whose NDVI a day of the lake holds, where composites of several satellites begin on it.

MODIS ends, VIIRS goes on, and for some years both are there. A day is made from one satellite
alone: a mean over two would be of neither, and its quality code would not say which one saw what.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sm_platform.defs.choice import choose_recipe
from sm_platform.defs.lake_access import SENSOR
from sm_platform.errors import CheckpointError, UsageError
from sm_platform.lake.granules import LandedGranule
from sm_platform.lake.models import ModelStore
from sm_platform.schema.recipes import DEFAULT_RECIPE, NdviSensor
from sm_platform.schema.region import Region
from sm_platform.sources.ndvi_sensors import ndvi_sensor_of

SATELLITES = ("VNP", "VJ1", "VJ2")
"""Beginnings of the ids of Suomi NPP, NOAA-20 and NOAA-21; the longest series is preferred."""


@dataclass(frozen=True, slots=True)
class OneSensor:
    """The granules of a day that are used."""

    granules: Sequence[LandedGranule]
    note: Mapping[str, object] = field(default_factory=dict)
    """What the day's partition keeps of it."""


def own_sensor(region: Region, models: ModelStore) -> NdviSensor:
    """The sensor of the recipe that the region's features are built by."""
    try:
        return choose_recipe(region, None, models).ndvi_sensor
    except (
        CheckpointError,
        UsageError,
    ):  # told where the checkpoint is used; drivers do not wait for it
        return DEFAULT_RECIPE.ndvi_sensor


def of_one_sensor(granules: Sequence[LandedGranule], own: NdviSensor) -> OneSensor:
    """The granules of the recipe's own sensor where there are some, else of the other one.

    The recipe's sensor wins because the rows of a checkpoint were made of it; of the satellites of
    VIIRS the first of `SATELLITES` does. The order of `granules` does not matter.
    """
    if not granules:
        return OneSensor(granules)
    best = min(_preference(one, own) for one in granules)
    used = [one for one in granules if _preference(one, own) == best]
    over = sorted(one.granule_id for one in granules if _preference(one, own) != best)
    note: dict[str, object] = {SENSOR: ndvi_sensor_of(used[0].format).value}
    return OneSensor(used, note | ({"passed_over": over} if over else {}))


def _preference(granule: LandedGranule, own: NdviSensor) -> tuple[bool, int]:
    sensor = ndvi_sensor_of(granule.format)
    name = granule.granule_id[:3]
    known = sensor is NdviSensor.VIIRS and name in SATELLITES
    return sensor is not own, SATELLITES.index(name) if known else 0
