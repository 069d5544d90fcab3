"""Taking a region out of the lake: its row alone, or with all that is stored of it."""

import shutil
from pathlib import Path
from uuid import uuid4

from sm_platform.lake.atomic import explained
from sm_platform.lake.layout import Layout, safe
from sm_platform.schema.driver_tables import REGIONS


def forget_region(layout: Layout, region: str) -> None:
    """Remove the region's row; its granules, tables and maps stay where they are."""
    _discard(layout, layout.part(REGIONS.name, region, None).parent)


def stored_folders(layout: Layout, region: str) -> list[Path]:
    """Folders that hold something of the region, beside its row, in order."""
    name = safe(region)
    patterns = (
        f"tables/*/region={name}",
        f"granules/*/{name}",
        f"quarantine/*/{name}",
        f"superseded/*/{name}",
        f"maps/*/{name}",
        f"figures/{name}",
    )
    row = layout.part(REGIONS.name, region, None).parent
    found = (path for pattern in patterns for path in layout.root.glob(pattern))
    return sorted(path for path in found if path.is_dir() and path != row)


def size_of(folders: list[Path]) -> tuple[int, int]:
    """Number of files below the folders, and their bytes."""
    sizes = [path.stat().st_size for one in folders for path in one.rglob("*") if path.is_file()]
    return len(sizes), sum(sizes)


def delete_region_data(layout: Layout, region: str) -> None:
    """Delete all that is stored of the region but its row; it cannot be brought back."""
    for folder in stored_folders(layout, region):
        _discard(layout, folder)


def _discard(layout: Layout, folder: Path) -> None:
    """Out of sight in one step, then deleted: a kill leaves nothing half-deleted to be read."""
    if not folder.exists():
        return
    away = layout.root / ".discarded" / uuid4().hex
    with explained(folder):
        away.parent.mkdir(parents=True, exist_ok=True)
        folder.replace(away)
        shutil.rmtree(away.parent)
