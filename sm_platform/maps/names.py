"""Names and folders of maps: `SM100_<region>_<start>_<platform>_<pass>_v1.0_r00`."""

from sm_platform.grid.calendar import utc
from sm_platform.maps.product import MapPass
from sm_platform.schema.product import COLLECTION, PRODUCT, VERSION


def map_id(seen: MapPass, revision: int) -> str:
    """Name of the map of a pass.

    The time is the start in UTC; of a pass of which only the day is known it is midnight.
    """
    start = utc(seen.first_start_utc or seen.start_utc)
    moment = start.strftime("%Y%m%dT000000Z" if seen.is_day_only else "%Y%m%dT%H%M%SZ")
    parts = PRODUCT, seen.region_id, moment, seen.platform, seen.pass_id, f"v{VERSION}"
    return "_".join((*parts, f"r{revision:02d}"))


def folder_parts(seen: MapPass, revision: int) -> tuple[str, str, str, str, str]:
    """Folders below the maps of a lake: collection, region, UTC year, UTC month, map."""
    start = utc(seen.first_start_utc or seen.start_utc)
    name = map_id(seen, revision)
    return COLLECTION, seen.region_id, f"{start:%Y}", f"{start:%m}", name


def layer_file(map_name: str, layer: str) -> str:
    """File of one layer."""
    return f"{map_name}_{layer}.tif"


def quicklook_file(map_name: str) -> str:
    """File of the picture."""
    return f"{map_name}_QL.png"


def item_file(map_name: str) -> str:
    """File of the STAC item."""
    return f"{map_name}.json"
