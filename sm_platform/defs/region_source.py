"""Where a region's granules come from, and the landing of them."""

from collections.abc import Callable
from pathlib import Path

from sm_platform.defs.booked_source import BookedSource
from sm_platform.defs.budget import Purse
from sm_platform.defs.landing import Landing
from sm_platform.defs.live_sources import live_budget, live_source
from sm_platform.defs.resources import settings
from sm_platform.defs.talk import to_listener
from sm_platform.errors import UsageError
from sm_platform.lake.layout import Layout
from sm_platform.schema.region import ARCHIVE, LIVE, SEED_LAYOUT, Region
from sm_platform.sources.archive import ArchiveSource
from sm_platform.sources.protocol import Source
from sm_platform.sources.seed_layout import SeedLayoutSource


def open_source(region: Region) -> Source:
    """The source of a region's granules; raises UsageError when the region names one unknown."""
    root = Path(region.source_path)
    if region.source == ARCHIVE:
        return ArchiveSource(root)
    if region.source == SEED_LAYOUT:
        return SeedLayoutSource(root, region.region_id)
    if region.source == LIVE:
        purse = Purse(Layout(settings().data_lake), live_budget())
        return BookedSource(live_source(), purse, region.region_id)
    raise UsageError(f"Region {region.region_id} has the unknown source '{region.source}'.")


def open_landing(layout: Layout, region: Region, say: Callable[[str], None]) -> Landing:
    """The landing of a region's granules; who waits at a terminal is told how far it is."""
    return Landing(layout, region, open_source(region), say=to_listener(say))
