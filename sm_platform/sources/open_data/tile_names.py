"""Which tiles of a global lon/lat raster a place needs, and how their makers name them."""

from collections.abc import Iterator
from math import ceil, floor

from sm_platform.errors import SourceError
from sm_platform.sources.open_data.raster_excerpt import Bounds

EDGE_CELLS = 2
"""Cells beyond the bounds that a reader may want: its margin, and the half cell by which the
cells of GLO-30 lie beside whole degrees."""


def corners(
    bounds: Bounds, *, tile_degrees: int, cells_per_degree: int
) -> Iterator[tuple[int, int]]:
    """Longitude and latitude of the south-west corner of each tile that may hold cells wanted.

    Raises:
        SourceError: the bounds cross the date line or a pole.
    """
    west, south, east, north = bounds
    if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
        raise SourceError(
            f"{west:.2f}..{east:.2f} E, {south:.2f}..{north:.2f} N crosses the date line or a "
            "pole: divide the region there."
        )
    edge = EDGE_CELLS / cells_per_degree
    for lat in _starts(south - edge, north + edge, tile_degrees):
        for lon in _starts(west - edge, east + edge, tile_degrees):
            yield lon, lat


def glo30_tile(lon: int, lat: int) -> str:
    """Name of a Copernicus GLO-30 tile (its folder and, with `.tif`, its file)."""
    return f"Copernicus_DSM_COG_10_{_north(lat)}_00_{_east(lon)}_00_DEM"


def worldcover_tile(lon: int, lat: int) -> str:
    """Name of a WorldCover v200 tile, without `.tif`."""
    return f"ESA_WorldCover_10m_2021_v200_{_north(lat)}{_east(lon)}_Map"


def _starts(first: float, last: float, step: int) -> range:
    return range(floor(first / step) * step, ceil(last / step) * step, step)


def _north(lat: int) -> str:
    return f"{'N' if lat >= 0 else 'S'}{abs(lat):02d}"


def _east(lon: int) -> str:
    return f"{'E' if lon >= 0 else 'W'}{abs(lon):03d}"
