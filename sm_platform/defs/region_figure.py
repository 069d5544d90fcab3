"""The picture of a region for the UI and the command line."""

from sm_platform.grid.window import lonlat_bounds
from sm_platform.maps.place_figures import draw_region
from sm_platform.schema.region import Region


def region_figure(region: Region) -> bytes:
    """PNG of its outline in degrees."""
    west, south, east, north = lonlat_bounds(region.window)
    rows, cols = region.window.shape
    title = (
        f"{region.region_id}: {rows} x {cols} pixels, "
        f"{west:.2f} to {east:.2f} E, {south:.2f} to {north:.2f} N"
    )
    return draw_region(region.window, region.outline_wkt, title=title)
