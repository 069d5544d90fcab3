"""Region: an area with its pixel grid, where its granules come from, and its chosen network."""

import re
from dataclasses import dataclass

from sm_platform.errors import UsageError
from sm_platform.grid.window import GridWindow

ARCHIVE, SEED_LAYOUT, LIVE = "archive", "seed_layout", "live"
"""Kinds of source: provider files in a folder, the seed system's folder, services."""
REGION_NAME = re.compile(r"[a-z0-9][a-z0-9-]{1,39}")


@dataclass(frozen=True, slots=True)
class Region:
    """One region of the platform; its id is part of paths and of map names."""

    region_id: str
    window: GridWindow
    """The pixels of its maps."""
    source: str
    """`archive` (provider files in an archive folder), `seed_layout` (the seed system's one) or
    `live` (the services that SM_SOURCES names)."""
    source_path: str
    """Folder of that source; empty for services."""
    recipe_id: str | None = None
    """Recipe of its maps; None takes the checkpoint's."""
    checkpoint_id: str | None = None
    """Checkpoint of its maps; None takes the newest of the region."""
    outline_wkt: str | None = None
    """Outline in degrees (WGS 84, longitude first) as WKT; None: every pixel of the window."""
    time_zone: str | None = None
    """IANA name, for example `Asia/Ho_Chi_Minh`, of its local days; None: that of its middle."""

    def __post_init__(self) -> None:
        check_region_name(self.region_id)


def check_region_name(name: str) -> str:
    """The name itself; raises UsageError unless it is 2 to 40 of a-z, 0-9 and, later, hyphens."""
    if not REGION_NAME.fullmatch(name):
        raise UsageError(
            f"'{name}' cannot name a region: use 2 to 40 small letters, digits and hyphens, "
            "a hyphen not first."
        )
    return name
