"""The newest pass and the newest map of a region."""

from collections.abc import Iterator
from datetime import date, timedelta

from sm_platform.defs.map_index import Row, read_index
from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.schema.driver_tables import S1_SCENES
from sm_platform.schema.model_tables import SM_MAPS
from sm_platform.schema.tables import Table

NEAR_DAYS = 60
"""Days looked at one by one before all that are stored are listed."""


def newest_map(layout: Layout, region: str, until: date) -> Row | None:
    """Row of the region's newest current map; None when it has none.

    Raises:
        LakeError: a day of the index is damaged.
    """
    for day in _days_back(layout, SM_MAPS, region, until):
        if (store.note_of(layout, SM_MAPS, region, day) or {}).get("status") != "mapped":
            continue
        current = [row for row in read_index(layout, region, day) if row["is_latest"]]
        if current:
            return max(current, key=lambda row: row["pass_start_utc"])
    return None


def newest_pass(layout: Layout, region: str, until: date) -> Row | None:
    """Scene id, platform and start (as in `sm_maps`) of the newest extracted pass; None without.

    Raises:
        LakeError: a day of the passes is damaged.
    """
    columns = ["scene_id", "platform", "start_utc"]
    for day in _days_back(layout, S1_SCENES, region, until):
        part = store.read(layout, S1_SCENES, region, day, columns=columns)
        rows = part.rows.to_pylist() if part else []
        if rows:
            last: Row = max(rows, key=lambda row: row["start_utc"])
            return last | {"pass_start_utc": last["start_utc"]}
    return None


def _days_back(layout: Layout, table: Table, region: str, until: date) -> Iterator[date]:
    """Days with a partition up to a day, newest first; listing years of them takes long."""
    nearest = until - timedelta(NEAR_DAYS)
    for back in range(NEAR_DAYS):
        day = until - timedelta(back)
        if layout.part(table.name, region, day).is_file():
            yield day
    made = store.days_made(layout, table, region)
    yield from (day for day in reversed(made) if day <= nearest)
