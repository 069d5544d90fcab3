"""The picture of a region for the UI and the command line."""

from sm_platform.grid.window import lonlat_bounds
from sm_platform.schema.region import Region


def region_figure(region: Region) -> bytes:
    """PNG of its outline in degrees."""
    from sm_platform.maps.place_figures import draw_region  # Matplotlib: only where it draws

    west, south, east, north = lonlat_bounds(region.window)
    rows, cols = region.window.shape
    lon = f"{_degrees(west, 'EW')} to {_degrees(east, 'EW')}"
    lat = f"{_degrees(south, 'NS')} to {_degrees(north, 'NS')}"
    title = f"{region.region_id}: {rows} x {cols} pixels, {lon}, {lat}"
    return draw_region(region.window, region.outline_wkt, title=title)


def _degrees(angle: float, sides: str) -> str:
    """An angle with the letter of its side: the first of a positive one."""
    return f"{abs(angle):.2f} {sides[0] if angle >= 0 else sides[1]}"
