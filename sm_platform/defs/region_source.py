"""Where a region's granules come from."""

from pathlib import Path

from sm_platform.errors import UsageError
from sm_platform.schema.region import Region
from sm_platform.sources.archive import ArchiveSource
from sm_platform.sources.protocol import Source
from sm_platform.sources.seed_layout import SeedLayoutSource


def open_source(region: Region) -> Source:
    """The source of a region's granules; raises UsageError when the region names one unknown."""
    root = Path(region.source_path)
    if region.source == "archive":
        return ArchiveSource(root)
    if region.source == "seed_layout":
        return SeedLayoutSource(root, region.region_id)
    raise UsageError(f"Region {region.region_id} has the unknown source '{region.source}'.")
