"""The map of a region's sites for the UI."""

import numpy as np

from sm_platform.defs.site_choice import ChosenSites
from sm_platform.schema.region import Region


def site_figure(region: Region, chosen: ChosenSites) -> bytes:
    """PNG: sites over the land cover."""
    from sm_platform.maps.place_figures import Sites, draw_sites  # Matplotlib: only where it draws

    rows = chosen.rows
    sites = Sites(
        rows["lon_deg"].to_numpy(),
        rows["lat_deg"].to_numpy(),
        np.array(rows["site_kind"].to_pylist(), dtype=np.str_),
    )
    counted = f"{rows.num_rows} sites" if rows.num_rows != 1 else "1 site"
    return draw_sites(
        region.window,
        chosen.land_cover_code,
        sites,
        title=f"{region.region_id}: {counted}",
        outline_wkt=region.outline_wkt,
    )
