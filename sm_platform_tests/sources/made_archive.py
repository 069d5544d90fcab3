"""Archives of a few made-up granules: rows of an index, a clock, files of one word."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from sm_platform.grid.ease2 import LEVEL_100M, window_around
from sm_platform.lake.granules import digest_of
from sm_platform.sources.archive import ArchiveSource
from sm_platform.sources.archive_folder import INDEX_SCHEMA
from sm_platform.sources.protocol import Granule

WINDOW = window_around(LEVEL_100M, 106.43, 20.45, (48, 48))
DAY = date(2025, 3, 2)


def row(**changes: object) -> dict[str, object]:
    """A day of weather; changes replace columns."""
    usual: dict[str, object] = {
        "product": "weather",
        "region_id": "delta",
        "granule_id": "one",
        "day": DAY,
        "files": ["one.nc"],
        "format": "era5_land",
        "available_utc": datetime(2025, 3, 8, tzinfo=UTC),
        "licence": "none",
        "west": 106.0,
        "south": 20.0,
        "east": 107.0,
        "north": 21.0,
    }
    return usual | changes


def frame(start: datetime, came: datetime, *, datatake: str = "06F3A1") -> dict[str, object]:
    """A frame of 25 s of Sentinel-1A."""
    stop = start + timedelta(seconds=25)
    name = f"S1A_IW_GRDH_1SDV_{start:%Y%m%dT%H%M%S}_{stop:%Y%m%dT%H%M%S}_056789_{datatake}_1B2C"
    return row(product="s1_grd", granule_id=name, day=start.date(), available_utc=came)


def archive_of(
    folder: Path, *rows: dict[str, object], today: str = "2025-03-31", last: str = "2025-03-31"
) -> ArchiveSource:
    """The archive of these rows, its clock at the end of a day."""
    folder.mkdir(exist_ok=True)
    pq.write_table(pa.Table.from_pylist(list(rows), schema=INDEX_SCHEMA), folder / "index.parquet")
    (folder / "clock.json").write_text(json.dumps({"today": today, "last_day": last}))
    for one in rows:
        home = folder / f"{one['product']}/{one['region_id']}/{one['granule_id']}"
        if ".." not in str(home):
            home.mkdir(parents=True, exist_ok=True)
            (home / "one.nc").write_text("content")
    return ArchiveSource(folder)


def ids(found: list[Granule]) -> list[str]:
    """Ids in the order of the list."""
    return [one.granule_id for one in found]


def tell_anew(root: Path) -> None:
    """Let the index tell size and checksum of the files as they are now."""
    table = pq.read_table(root / "index.parquet")
    told = []
    for one in table.to_pylist():
        home = root / one["product"] / one["region_id"] / one["granule_id"]
        sha256, size_bytes = digest_of([home / name for name in sorted(one["files"])])
        told.append({**one, "sha256": sha256, "size_bytes": size_bytes})
    pq.write_table(pa.Table.from_pylist(told, schema=INDEX_SCHEMA), root / "index.parquet")
