"""Drivers of Earth Engine without a date: soil, elevation and land cover as granules."""

from collections.abc import Iterator, Mapping
from math import floor
from typing import Any

from sm_platform.errors import SourceError
from sm_platform.grid.window import GridWindow, lonlat_bounds
from sm_platform.sources import terms
from sm_platform.sources.earth_engine.client import LISTING, asking
from sm_platform.sources.earth_engine.grids import (
    GLO30,
    WORLDCOVER,
    NativeGrid,
    cells,
    common,
    covering,
    grid_told,
)
from sm_platform.sources.earth_engine.images import (
    ELEVATION,
    LAND_COVER,
    SOIL_PROPERTIES,
    soil_asset,
    soil_bands,
)
from sm_platform.sources.earth_engine.images import GLO30 as ELEVATION_ASSET
from sm_platform.sources.earth_engine.images import WORLDCOVER as LAND_COVER_ASSET
from sm_platform.sources.earth_engine.listing import Place, region_of
from sm_platform.sources.earth_engine.pixels import tiles
from sm_platform.sources.open_data.tile_names import glo30_tile, worldcover_tile
from sm_platform.sources.protocol import Granule, Product

PUBLIC = "projects/earthengine-public/assets/"
LEGACY = "projects/earthengine-legacy/assets/"
"""Where the service keeps assets of the old spelling `projects/...` without `assets`."""
SOIL_ID = "soilgrids-2.0_0-5cm"
SOIL_CELL_M = 250
WIDEST_LAT = 50
"""Degrees; nearer to the poles the cells of GLO-30 are wider than an arc second."""
Corner = tuple[int, int]
"""Longitude and latitude of a tile's south-west corner."""


def static_granules(ee: Any, product: Product, place: Place) -> list[Granule]:  # noqa: ANN401
    """Granules of a product without days that touch the window; none for dated products.

    Raises:
        SourceError: the region lies outside what the product covers, or the service refuses.
    """
    if product is Product.SOIL:
        return [_soil(place)]
    if product is Product.LAND_COVER:
        return [_land_cover(place, one) for one in corners(WORLDCOVER, place.window, 3)]
    if product is Product.ELEVATION:
        return [_elevation(place, one) for one in _land_tiles(ee, place)]
    return []


def tile_window(product: Product, granule_id: str, window: GridWindow) -> GridWindow:
    """The cells of a tile, by its granule's id, that cover the window with the margins.

    Raises:
        SourceError: the tile does not touch the window.
    """
    is_elevation = product is Product.ELEVATION
    grid, step = (GLO30, 1) if is_elevation else (WORLDCOVER, 3)
    name = glo30_tile if is_elevation else worldcover_tile
    for corner in corners(grid, window, step):
        part = _part(grid, window, corner, step)
        if name(*corner) == granule_id and part is not None:
            return part
    raise SourceError(f"{granule_id} does not touch the region: list the granules again.")


def corners(grid: NativeGrid, window: GridWindow, step: int) -> Iterator[Corner]:
    """Tiles of `step` degrees that hold cells of the window with its margins."""
    west, south, east, north = lonlat_bounds(covering(grid, window))
    for lat in range(floor(south / step) * step, floor(north / step) * step + 1, step):
        for lon in range(floor(west / step) * step, floor(east / step) * step + 1, step):
            if _part(grid, window, (lon, lat), step) is not None:
                yield lon, lat


def _part(grid: NativeGrid, window: GridWindow, corner: Corner, step: int) -> GridWindow | None:
    """What of a tile covers the window with its margins."""
    lon, lat = corner
    per_degree = round(1 / grid.affine.a)
    row, col, size = (90 - lat - step) * per_degree, (lon + 180) * per_degree, step * per_degree
    tile = cells(grid, (row, row + size), (col, col + size))
    return common(tile, covering(grid, window))


def _land_tiles(ee: Any, place: Place) -> list[Corner]:  # noqa: ANN401
    """Tiles of the elevation that exist: those of open sea do not."""
    _, south, _, north = lonlat_bounds(place.window)
    if max(-south, north) > WIDEST_LAT:
        raise SourceError(
            f"Google Earth Engine: elevation beyond {WIDEST_LAT} degrees of latitude has wider "
            "cells and is not read: choose a region nearer to the equator."
        )
    question = {"parent": ELEVATION_ASSET, "region": region_of(covering(GLO30, place.window))}
    with asking(f"{LISTING}{ELEVATION_ASSET}"):
        images = ee.data.listImages(question)["images"]
    boxes = [_box(image) for image in images]
    return [
        (lon, lat)
        for lon, lat in corners(GLO30, place.window, 1)
        if any(w < lon + 0.5 < e and s < lat + 0.5 < n for w, s, e, n in boxes)
    ]


def _box(image: Mapping[str, Any]) -> tuple[float, float, float, float]:
    """West, south, east, north of an image in degrees, from the grid of its band."""
    bands = image.get("bands") or [{}]
    affine = grid_told(bands[0], str(image.get("name"))).affine
    size = bands[0]["grid"].get("dimensions", {})
    east, south = affine @ (size.get("width", 0), size.get("height", 0))
    return affine.c, south, east, affine.f


def _elevation(place: Place, corner: Corner) -> Granule:
    return _tile(Product.ELEVATION, place, corner, told=terms.GLO30)


def _land_cover(place: Place, corner: Corner) -> Granule:
    return _tile(Product.LAND_COVER, place, corner, told=terms.WORLDCOVER)


def _tile(product: Product, place: Place, corner: Corner, *, told: terms.Terms) -> Granule:
    is_elevation = product is Product.ELEVATION
    name = (glo30_tile if is_elevation else worldcover_tile)(*corner)
    grid, step = (GLO30, 1) if is_elevation else (WORLDCOVER, 3)
    asset = ELEVATION_ASSET if is_elevation else LAND_COVER_ASSET
    size = (ELEVATION if is_elevation else LAND_COVER).bytes_per_pixel
    window = _part(grid, place.window, corner, step) or place.window
    own = told.through(terms.EARTH_ENGINE)
    return Granule(
        product=product,
        granule_id=name,
        day=None,
        files=(f"{name}.tif",),
        format="glo30" if is_elevation else "worldcover",
        available_utc=None,
        licence=own.licence,
        hrefs=(f"{place.url}/v1/{PUBLIC}{asset}",),
        service="earth_engine",
        citation=own.citation,
        n_requests=len(tiles(window, size, place.tile_bytes)),
        estimated_bytes=window.size * size,
    )


def _soil(place: Place) -> Granule:
    """Its grid is known only once it is fetched: the size is that of 250 m cells."""
    cells_there = place.window.size * (place.window.affine.a / SOIL_CELL_M) ** 2
    is_metric = place.window.affine.a > 1
    size = sum(soil_bands(name).bytes_per_pixel for name in SOIL_PROPERTIES)
    return Granule(
        product=Product.SOIL,
        granule_id=SOIL_ID,
        day=None,
        files=tuple(f"{name}_0-5cm_mean.tif" for name in SOIL_PROPERTIES),
        format="soilgrids",
        available_utc=None,
        licence=terms.SOILGRIDS.licence,
        hrefs=tuple(f"{place.url}/v1/{LEGACY}{soil_asset(name)}" for name in SOIL_PROPERTIES),
        service="earth_engine",
        citation=terms.SOILGRIDS.through(terms.EARTH_ENGINE).citation,
        n_requests=2 * len(SOIL_PROPERTIES),
        estimated_bytes=int(cells_there * size) if is_metric else None,
    )
