"""The STAC collection beside the maps, rebuilt from the index."""

from datetime import UTC

from sm_platform.defs.mapping import LICENCE
from sm_platform.lake.layout import Layout
from sm_platform.lake.maps import replace_text
from sm_platform.lake.views import connect
from sm_platform.maps.collection import stac_collection
from sm_platform.maps.render import json_bytes
from sm_platform.schema.model_tables import SM_MAPS
from sm_platform.schema.product import COLLECTION

BOXES = """
select min(lon_min), min(lat_min), max(lon_max), max(lat_max),
       min(pass_start_utc), max(pass_end_utc)
from sm_maps where is_latest group by region_id order by region_id
"""


def write_collection(layout: Layout) -> None:
    """Write `collection.json` for all current maps; nothing when there is none."""
    rows = connect(layout, [SM_MAPS]).execute(BOXES).fetchall()
    if not rows:
        return
    found = stac_collection(
        [row[:4] for row in rows],
        first_utc=min(row[4] for row in rows).astimezone(UTC),
        last_utc=max(row[5] for row in rows).astimezone(UTC),
        licence=LICENCE,
    )
    path = layout.maps / COLLECTION / "collection.json"
    replace_text(layout, path, json_bytes(found).decode())
