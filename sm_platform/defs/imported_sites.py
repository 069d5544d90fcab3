"""Sites that files bring: which of them a region's catalog lacks, and in which pixel they lie."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sm_platform.errors import DataError
from sm_platform.grid.window import GridWindow, cell_index, reproject_points
from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.samples.seed_export import SITES_FILE
from sm_platform.schema.label_tables import SITE_CATALOG
from sm_platform.schema.region import Region

_EDGE = 1e-3
"""Of a pixel: how far from it the rounding of degrees may put a place on its edge."""


def with_new_sites(layout: Layout, region: Region, sites: pa.Table) -> tuple[pa.Table, pa.Table]:
    """The catalog with the sites that it lacks, and those; outside the region's pixels is -1.

    Raises:
        DataError: a site of the catalog's has another place, or a value is out of its range.
    """
    stored = store.read(layout, SITE_CATALOG, region.region_id)
    known = stored.rows if stored else SITE_CATALOG.arrow_schema.empty_table()
    place = pc.index_in(sites["site_id"], value_set=known["site_id"].combine_chunks())
    is_known = pc.is_valid(place)
    _refuse_moved(sites.filter(is_known), known.take(pc.drop_null(place)))
    new = sites.filter(pc.invert(is_known))
    filled = {
        "cell_id": pa.array(_pixels(region.window, new), pa.int32()),
        "land_cover_code": pc.fill_null(new["land_cover_code"], 0),
    }
    for column, values in filled.items():
        new = new.set_column(new.column_names.index(column), column, values)
    new = store.check(SITE_CATALOG, new)
    return pa.concat_tables([known, new]), new


def _refuse_moved(sites: pa.Table, known: pa.Table) -> None:
    for name in ("level", "cell_row", "cell_col", "block_id"):
        differs = pc.not_equal(sites[name], known[name])
        moved = sites["site_id"].filter(differs)
        if len(moved):
            raise DataError(
                f"Site {moved[0]} of the files has another {name} than the region's site of that "
                f"name ({len(moved)} such): rename it in {SITES_FILE}, or import into a region of "
                "its own."
            )


def _pixels(window: GridWindow, sites: pa.Table) -> NDArray[np.int64]:
    """The region's pixel at each site, -1 outside.

    The pixel that the files name counts where the place lies in it or on its edge, as the centre
    of a coarse cell does; it may be that of another region.
    """
    lon, lat = (sites[name].to_numpy() for name in ("lon_deg", "lat_deg"))
    x, y = reproject_points(lon, lat, "EPSG:4326", window.crs)
    said = pc.fill_null(sites["cell_id"], -1).to_numpy()
    row, col = np.divmod(said, window.shape[1])
    inverse = ~window.affine
    below, along = inverse.e * y + inverse.f - row, inverse.a * x + inverse.c - col
    is_there = (said >= 0) & (said < window.size)
    for part in (below, along):
        is_there &= (part >= -_EDGE) & (part <= 1 + _EDGE)
    return np.where(is_there, said, cell_index(window, x, y))
