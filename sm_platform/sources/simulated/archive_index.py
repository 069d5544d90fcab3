"""What every writer leaves behind besides its files: a row of the index; and the lists of all."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from sm_platform.grid.window import GridWindow
from sm_platform.sources.archive_folder import INDEX_NAME, INDEX_SCHEMA, REGIONS_NAME
from sm_platform.sources.names import check_name
from sm_platform.sources.protocol import Product
from sm_platform.sources.simulated.places import Place

Bounds = tuple[float, float, float, float]
"""West, south, east, north in degrees."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One granule that was written."""

    product: Product
    region_id: str
    granule_id: str
    day: date | None
    files: tuple[str, ...]
    format: str
    available_utc: datetime | None
    licence: str
    bounds: Bounds


def granule_folder(root: Path, product: Product, region_id: str, granule_id: str) -> Path:
    """The folder of a granule's files, made anew; its names are checked."""
    region, granule = check_name(region_id, "region id"), check_name(granule_id, "granule id")
    folder = root / product.value / region / granule
    folder.mkdir(parents=True)
    return folder


def after(day: date, days: float) -> datetime:
    """A moment so many days after the end of a UTC day, to the second."""
    start = datetime.combine(day + timedelta(days=1), time(), UTC)
    return start + timedelta(seconds=round(days * 86400))


def write_index(root: Path, entries: Iterable[Entry]) -> int:
    """Write the index, ordered by product, region, day and id; returns the number of granules."""
    rows = [_row(root, entry) for entry in entries]
    rows.sort(
        key=lambda row: tuple(
            str(row[key]) for key in ("product", "region_id", "day", "granule_id")
        )
    )
    table = pa.Table.from_pylist(rows, schema=INDEX_SCHEMA)
    pq.write_table(table, root / INDEX_NAME, compression="zstd")
    return len(rows)


def write_regions(root: Path, windows: Iterable[tuple[Place, GridWindow]]) -> None:
    """Write the list of regions: id -> name, crs, affine (six numbers) and shape."""
    content = {
        place.region_id: {
            "name": place.name,
            "crs": window.crs,
            "affine": list(window.affine)[:6],
            "shape": list(window.shape),
        }
        for place, window in windows
    }
    (root / REGIONS_NAME).write_text(json.dumps(content, indent=1) + "\n")


def _row(root: Path, entry: Entry) -> dict[str, object]:
    west, south, east, north = entry.bounds
    folder = root / entry.product.value / entry.region_id / entry.granule_id
    sha256, size_bytes = _digest([folder / name for name in sorted(entry.files)])
    return {
        "product": entry.product.value,
        "region_id": entry.region_id,
        "granule_id": entry.granule_id,
        "day": entry.day,
        "files": list(entry.files),
        "format": entry.format,
        "available_utc": entry.available_utc,
        "licence": entry.licence,
        "west": west,
        "south": south,
        "east": east,
        "north": north,
        "size_bytes": size_bytes,
        "sha256": sha256,
    }


def _digest(files: Sequence[Path]) -> tuple[str, int]:
    """SHA-256 of the files' content one after another, and their size together in bytes."""
    digest, size = hashlib.sha256(), 0
    for path in files:
        content = path.read_bytes()
        digest.update(content)
        size += len(content)
    return digest.hexdigest(), size
