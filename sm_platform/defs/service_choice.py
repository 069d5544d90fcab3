"""Whose granules a driver is made from, where several services have brought the same day.

A region that gets another service lists its look-back anew, mostly under other names: the granules
of both lie beside each other. A driver, and a day of radar, is made from one service alone: from
the one that brings it now, whenever a granule of that is there. Two cut the same field differently,
on other grids or from another version, and a mosaic of them would hide that.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from sm_platform.defs.lake_access import SENSOR
from sm_platform.defs.live_sources import configuration
from sm_platform.errors import UsageError
from sm_platform.lake import store
from sm_platform.lake.granules import LandedGranule, landed
from sm_platform.lake.layout import Layout
from sm_platform.schema import driver_tables as tables
from sm_platform.schema.region import LIVE, Region
from sm_platform.sources.ndvi_sensors import ndvi_sensor_of
from sm_platform.sources.protocol import Granule, Product

USED, PASSED_OVER = "granules", "passed_over"
"""Names in the note of a driver: ids of the granules that it is made from, and of the others."""
LONG_AGO = datetime.min.replace(tzinfo=UTC)
MADE_OF = {
    Product.NDVI: tables.NDVI,
    Product.WEATHER: tables.WEATHER,
    Product.LATE_RAIN: tables.LATE_RAIN,
    Product.SOIL: tables.SOIL,
    Product.ELEVATION: tables.STATIC_DRIVERS,
    Product.LAND_COVER: tables.LAND_COVER_CELLS,
}
"""The table that a product's granules are extracted to, whose note tells which ones are used."""


def chosen_service(region: Region, product: Product) -> str | None:
    """Who brings a region's product now, as landed granules name it; None when nobody is named.

    A configuration that cannot be read is told where granules are asked for.
    """
    if region.source != LIVE:
        return region.source
    try:
        chosen = configuration()
    except UsageError:
        return None
    choice = chosen.choices.get(product) if chosen else None
    return choice.service if choice else None


def of_one_service(
    granules: Sequence[LandedGranule], chosen: str | None = None
) -> list[LandedGranule]:
    """Those of the chosen service where there are some, else of the one that landed one last.

    The order of `granules` does not matter.
    """
    if not granules:
        return []
    came = [(one.retrieved_utc or LONG_AGO, one.source) for one in granules]
    source = one_service(came, chosen)
    return [one for one in granules if one.source == source]


def one_service(
    came: Sequence[tuple[datetime, str | None]], chosen: str | None = None
) -> str | None:
    """The chosen service where it brought something, else the one that brought something last.

    Args:
        came: when (UTC) each thing came, and who brought it; at least one.
        chosen: who is to bring it now.
    """
    if chosen in {service for _, service in came}:
        return chosen
    return max(came, key=lambda one: (one[0], one[1] or ""))[1]


def choice_note(
    granules: Sequence[LandedGranule], used: Sequence[LandedGranule]
) -> dict[str, object]:
    """What the driver's note keeps of the choice; of granules passed over only where there are."""
    names = [one.granule_id for one in used]
    over = sorted({one.granule_id for one in granules} - set(names))
    return {USED: names, **({PASSED_OVER: over} if over else {})}


def is_passed_over(layout: Layout, region_id: str, listed: Granule) -> bool:
    """Whether a driver's day is made from another service than the one that lists this granule.

    So it is after a change to another service and back: the first one's granules have been there
    all the time. Another sensor's are passed over for good: that is the recipe's choice. Of a
    granule without a service it cannot be told: no.

    Raises:
        LakeError: the day's note or a sidecar cannot be read.
    """
    table, day = MADE_OF.get(listed.product), listed.day
    if table is None or day is None or listed.service is None:
        return False
    folder = layout.granules(listed.product.value, region_id, day)
    if not folder.is_dir() or sum(1 for _ in folder.iterdir()) < 2:
        return False
    note = store.note_of(layout, table, region_id, day) or {}
    if listed.granule_id not in note.get(PASSED_OVER, ()):
        return False
    if SENSOR in note and note[SENSOR] != ndvi_sensor_of(listed.format).value:
        return False
    there = landed(layout, listed.product.value, region_id, day)
    return any(one.source != listed.service for one in there if one.granule_id in note[USED])
