"""What lies in an archive folder besides the granules: its index, its clock, its regions.

    <root>/<product>/<region_id>/<granule_id>/<files>
    <root>/index.parquet   one row a granule (INDEX_SCHEMA)
    <root>/clock.json      {"last_day": ..., "now_utc": ...}; what came later is not shown
    <root>/regions.json    region_id -> name, crs, affine (six numbers), shape (rows, cols)

Whatever else lies in the folder is not part of the archive and is never listed.
"""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
from affine import Affine
from pyproj import CRS
from pyproj.exceptions import CRSError

from sm_platform.errors import GridError, SourceError
from sm_platform.grid.window import GridWindow
from sm_platform.sources.names import check_name

INDEX_NAME = "index.parquet"
CLOCK_NAME = "clock.json"
REGIONS_NAME = "regions.json"
INDEX_SCHEMA = pa.schema(
    [
        pa.field("product", pa.string(), nullable=False),
        pa.field("region_id", pa.string(), nullable=False),
        pa.field("granule_id", pa.string(), nullable=False),
        pa.field("day", pa.date32()),  # missing: static
        pa.field("files", pa.list_(pa.string()), nullable=False),
        pa.field("format", pa.string(), nullable=False),
        pa.field("available_utc", pa.timestamp("us", tz="UTC")),  # missing: always was there
        pa.field("licence", pa.string(), nullable=False),
        pa.field("west", pa.float64(), nullable=False),  # degrees, as the next three
        pa.field("south", pa.float64(), nullable=False),
        pa.field("east", pa.float64(), nullable=False),
        pa.field("north", pa.float64(), nullable=False),
        pa.field("size_bytes", pa.int64()),  # of its files; missing in older archives
        pa.field("sha256", pa.string()),  # of them in order of name; missing in older archives
    ]
)


def archive_regions(root: Path) -> dict[str, GridWindow]:
    """Region id -> window of every region of an archive.

    Raises:
        SourceError: there is no archive in the folder, or its list of regions is damaged.
    """
    content = read_json(root / REGIONS_NAME)
    try:
        return {
            check_name(region_id, "region id"): GridWindow(
                CRS.from_user_input(one["crs"]).srs,
                Affine(*one["affine"]),
                (one["shape"][0], one["shape"][1]),
            )
            for region_id, one in content.items()
        }
    except (KeyError, TypeError, IndexError, CRSError, GridError) as error:
        raise SourceError(
            f"{root / REGIONS_NAME}: crs, affine or shape of a region is missing or wrong "
            f"({error}): restore it."
        ) from error


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in a file of the archive.

    Raises:
        SourceError: there is no archive in the folder, or the file is damaged.
    """
    try:
        content = json.loads(path.read_text())
    except FileNotFoundError as error:
        raise SourceError(
            f"{path.parent} is no archive, {path.name} is missing: name another folder or write "
            "one with `sm-platform archive simulate`."
        ) from error
    except (OSError, ValueError) as error:
        raise SourceError(f"{path} cannot be read ({error}): restore it.") from error
    if not isinstance(content, dict):
        raise SourceError(f"{path} holds no JSON object: restore it.")
    return content
