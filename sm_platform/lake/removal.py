"""Taking a region out of the lake: its row alone, or with all that is stored of it.

Nothing outside the lake is touched: of a symbolic link the link goes, what it points to stays. Of
locks the empty files stay: who took one away while it is held would let two in.
"""

import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from sm_platform.lake.atomic import explained
from sm_platform.lake.layout import Layout, safe
from sm_platform.schema.alert_tables import ALERTS
from sm_platform.schema.driver_tables import REGIONS
from sm_platform.schema.watch_tables import PASS_CALENDAR, SCENE_LOG

ABOVE = (
    ("tables/*", "region="),
    ("granules/*", ""),
    ("quarantine/*", ""),
    ("superseded/*", ""),
    ("maps/*", ""),
    ("figures", ""),
    ("failures", ""),
)
"""Folders of the lake with one folder a region, and what stands before the region's name there."""
WATCHED = frozenset({"failures", *(one.name for one in (ALERTS, PASS_CALENDAR, SCENE_LOG))})
"""Those whose content tells of passes and days and lies on no pixels."""


def forget_region(layout: Layout, region: str) -> None:
    """Remove the region's row; its granules, tables and maps stay where they are.

    Raises:
        LakeError: the lake cannot be written.
    """
    _discard(layout, layout.watched(region))
    _discard(layout, _row_folder(layout, region))


def stored_folders(layout: Layout, region: str) -> list[Path]:
    """Folders (or links to such) that hold something of the region, beside its row, in order."""
    row, name = _row_folder(layout, region), safe(region)
    found = (path / f"{front}{name}" for above, front in ABOVE for path in layout.root.glob(above))
    return sorted(path for path in found if path != row and (path.is_dir() or path.is_symlink()))


def pixel_folders(layout: Layout, region: str) -> list[Path]:
    """Those of the stored folders whose content belongs to the region's pixel grid, in order."""
    return [path for path in stored_folders(layout, region) if path.parent.name not in WATCHED]


def size_of(folders: Iterable[Path]) -> tuple[int, int]:
    """Number of files below the folders, and their bytes; links are not followed."""
    sizes = [size for folder in folders for size in _sizes(folder)]
    return len(sizes), sum(sizes)


def delete_region_data(layout: Layout, region: str) -> None:
    """Delete all that is stored of the region but its row; it cannot be brought back.

    What a kill leaves is out of sight already, and is deleted at the next start.

    Raises:
        LakeError: the lake cannot be written.
    """
    for folder in stored_folders(layout, region):
        _discard(layout, folder)


def _row_folder(layout: Layout, region: str) -> Path:
    return layout.part(REGIONS.name, region, None).parent


def _sizes(folder: Path) -> list[int]:
    """Bytes of each file below a folder; none of what is deleted meanwhile."""
    found: list[int] = []
    for above, _, names in os.walk(folder) if not folder.is_symlink() else ():
        for name in names:
            with suppress(FileNotFoundError):
                found.append((Path(above) / name).lstat().st_size)
    return found


def _discard(layout: Layout, folder: Path) -> None:
    """Out of sight in one step, then deleted, or left to `atomic.sweep` by a kill."""
    if not folder.exists() and not folder.is_symlink():
        return
    away = layout.aside / str(os.getpid()) / uuid4().hex
    with explained(folder):
        away.mkdir(parents=True)
        with suppress(FileNotFoundError):  # another process was quicker
            folder.replace(away / "discarded")
        shutil.rmtree(away)
