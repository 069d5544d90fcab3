"""Radar at training sites anywhere: the passes over each of them, many sites a request."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from math import floor

import pyarrow as pa
import pyarrow.compute as pc
from affine import Affine

from sm_platform.grid.ease2 import CRS as EASE2
from sm_platform.grid.ease2 import LEFT_M, LEVEL_100M, TOP_M
from sm_platform.grid.window import GridWindow
from sm_platform.sources.earth_engine.client import Access, connect
from sm_platform.sources.earth_engine.grids import NativeGrid
from sm_platform.sources.earth_engine.images import radar_db
from sm_platform.sources.earth_engine.sites import Reduction, Site, extract_sites
from sm_platform.sources.protocol import Granule, Product
from sm_platform.sources.sentinel1_names import parse_frame

BLOCK_DEG = 1.0
"""Sites within such a block are asked for together: a pass that sees one sees most of them."""
MARGIN_DEG = 0.01
PIXELS = NativeGrid(EASE2, Affine(LEVEL_100M.cell_m, 0, LEFT_M, 0, -LEVEL_100M.cell_m, TOP_M))
"""The platform's own."""
BANDS = {"VV": "vv_db", "VH": "vh_db", "angle": "angle_deg"}
List = Callable[[Product, GridWindow, Sequence[date] | None], list[Granule]]


def radar_at_sites(
    access: Access, granules: List, sites: Sequence[Site], days: Sequence[date]
) -> Iterator[pa.Table]:
    """A table for each block of sites: a row for each site and frame that saw it.

    Columns `site_id`, `granule_id`, `start_utc`, `vv_db`, `vh_db` (dB of the mean power in the
    pixel of 100 m) and `angle_deg`; rows by frame, then site.

    Raises:
        UsageError: a site is named twice.
        SourceError: the service does not answer, or refuses.
    """
    for block in _blocks(sites):
        frames = granules(Product.S1_GRD, _window(block), days)
        if not frames:
            continue
        ee = connect(access)
        images = {one.granule_id: radar_db(ee, one.granule_id) for one in frames}
        yield _seen(extract_sites(access, block, images, Reduction(tuple(BANDS), PIXELS)))


def _blocks(sites: Sequence[Site]) -> list[list[Site]]:
    blocks: dict[tuple[int, int], list[Site]] = defaultdict(list)
    for site in sites:
        blocks[floor(site.lat / BLOCK_DEG), floor(site.lon / BLOCK_DEG)].append(site)
    return [blocks[key] for key in sorted(blocks)]


def _window(block: Sequence[Site]) -> GridWindow:
    """The sites' surroundings in degrees, as one cell."""
    west, east = min(s.lon for s in block) - MARGIN_DEG, max(s.lon for s in block) + MARGIN_DEG
    south, north = min(s.lat for s in block) - MARGIN_DEG, max(s.lat for s in block) + MARGIN_DEG
    return GridWindow("EPSG:4326", Affine(east - west, 0, west, 0, south - north, north), (1, 1))


def _seen(table: pa.Table) -> pa.Table:
    """Rows with a measurement, with their time, under the platform's names."""
    kept = table.filter(pc.is_valid(table["VV"])).rename_columns(
        ["site_id", "granule_id", *BANDS.values()]
    )
    frames = (parse_frame(name) for name in kept["granule_id"].to_pylist())
    starts = [frame.start_utc if frame else None for frame in frames]
    return kept.add_column(2, "start_utc", pa.array(starts, pa.timestamp("s", tz="UTC")))
