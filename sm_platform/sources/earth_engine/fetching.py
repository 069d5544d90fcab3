"""Granules of Earth Engine brought into a folder, driver by driver."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from pyproj import CRS
from pyproj.exceptions import CRSError

from sm_platform.errors import SourceError
from sm_platform.grid.window import GridWindow, reproject_points
from sm_platform.sources.earth_engine.client import asking
from sm_platform.sources.earth_engine.collections import RADAR_FRAMES, collection_of
from sm_platform.sources.earth_engine.grids import (
    WGS84,
    NativeGrid,
    common,
    covering,
    grid_told,
    snapped,
)
from sm_platform.sources.earth_engine.images import (
    ELEVATION,
    LAND_COVER,
    RADAR,
    SOIL_PROPERTIES,
    in_digits,
    radar_db,
    soil_asset,
    soil_bands,
    stored,
    tiled,
)
from sm_platform.sources.earth_engine.images import GLO30 as ELEVATION_ASSET
from sm_platform.sources.earth_engine.images import WORLDCOVER as LAND_COVER_ASSET
from sm_platform.sources.earth_engine.listing import PRELIMINARY_STAMP, moment_of
from sm_platform.sources.earth_engine.pixels import Haste, Picture, fetch_picture
from sm_platform.sources.earth_engine.static import tile_window
from sm_platform.sources.protocol import Granule, Product

FOOTPRINT_MARGIN_CELLS = 30
"""Around a frame's outline, whose sides are bent on the ground."""
HOMOLOSINE = "+proj=igh +lat_0=0 +lon_0=0 +datum=WGS84 +units=m +no_defs"
"""CRS of SoilGrids (ISRIC's description of its files)."""
HOMOLOSINE_NAMES = ("152160", "homolosine")
"""In ISRIC's code of it, which PROJ does not know, and in descriptions that PROJ cannot read."""
MILLISECONDS = 1000


def fetch_granule(
    ee: Any,  # noqa: ANN401
    granule: Granule,
    window: GridWindow,
    folder: Path,
    haste: Haste,
) -> None:
    """Write the granule's files into the folder.

    Raises:
        SourceError: the service refuses, does not answer, or tells no grid.
    """
    if granule.product is Product.S1_GRD:
        pictures = _radar(ee, granule, window, folder)
    elif granule.product is Product.SOIL:
        pictures = _soil(ee, granule, window)
    elif granule.day is None:
        pictures = iter([_tile(ee, granule, window)])
    else:
        pictures = iter([_dated(ee, granule, window)])
    for picture, name in zip(pictures, _images_of(granule), strict=True):
        fetch_picture(ee, picture, folder / name, haste)


def _images_of(granule: Granule) -> list[str]:
    return [name for name in granule.files if name.endswith(".tif")]


def _radar(
    ee: Any,  # noqa: ANN401
    granule: Granule,
    window: GridWindow,
    folder: Path,
) -> Iterator[Picture]:
    """The frame on the region's own grid, as much of it as it covers, and its properties."""
    image_id = RADAR_FRAMES.image_id(granule.granule_id)
    with asking(granule.granule_id):
        image = ee.data.getAsset(image_id)
    content = json.dumps(properties_of(image, granule.granule_id), indent=1, sort_keys=True)
    (folder / f"{granule.granule_id}.json").write_text(content + "\n", encoding="utf-8")
    seen = seen_part(window, image.get("geometry"))
    yield Picture(radar_db(ee, granule.granule_id), RADAR, seen, asked=granule.granule_id)


def _dated(ee: Any, granule: Granule, window: GridWindow) -> Picture:  # noqa: ANN401
    """A composite or a day of weather on its collection's grid."""
    collection = collection_of(granule.granule_id, granule.product)
    image_id = collection.image_id(granule.granule_id)
    grid = collection.grid
    assert grid is not None  # noqa: S101 - only the radar has none
    image = stored(ee, image_id, collection.bands.names)
    if collection.bands.is_digits:
        with asking(granule.granule_id):
            description = ee.data.getAsset(image_id)
        image = in_digits(image, collection.bands, description)
    return Picture(
        image,
        collection.bands,
        covering(grid, window),
        grid.code,
        granule.granule_id,
        _weather_tags(granule) if granule.product is Product.WEATHER else {},
    )


def _weather_tags(granule: Granule) -> dict[str, str]:
    """What formats/era5_land_earth_engine.py reads besides the bands."""
    is_preliminary = (granule.stamp or "").startswith(PRELIMINARY_STAMP)
    return {"day": str(granule.day), "is_preliminary": "yes" if is_preliminary else "no"}


def _soil(ee: Any, granule: Granule, window: GridWindow) -> Iterator[Picture]:  # noqa: ANN401
    """Each property on the grid that its own metadata tell."""
    for name in SOIL_PROPERTIES:
        asset, bands = soil_asset(name), soil_bands(name)
        with asking(f"{granule.granule_id} ({asset})"):
            description = ee.data.getAsset(asset)
            told = {band["id"]: band for band in description["bands"]}
            band = told[bands.names[0]]
        grid = readable(grid_told(band, asset), asset)
        image = in_digits(stored(ee, asset, bands.names), bands, description)
        yield Picture(
            image, bands, covering(grid, window), grid.code, f"{granule.granule_id} {name}"
        )


def _tile(ee: Any, granule: Granule, window: GridWindow) -> Picture:  # noqa: ANN401
    """What of an elevation or land cover tile covers the window."""
    is_elevation = granule.product is Product.ELEVATION
    asset = ELEVATION_ASSET if is_elevation else LAND_COVER_ASSET
    bands = ELEVATION if is_elevation else LAND_COVER
    part = tile_window(granule.product, granule.granule_id, window)
    return Picture(tiled(ee, asset, bands.names), bands, part, asked=granule.granule_id)


def readable(grid: NativeGrid, name: str) -> NativeGrid:
    """The grid with a CRS that PROJ knows; the service is asked with its own name of it.

    Raises:
        SourceError: it is unknown, and not the projection of SoilGrids.
    """
    try:
        CRS.from_user_input(grid.crs)
    except CRSError as error:
        if any(one in grid.crs.lower() for one in HOMOLOSINE_NAMES):
            return NativeGrid(HOMOLOSINE, grid.affine, grid.crs)
        raise SourceError(
            f"Google Earth Engine tells {name} on a grid in {grid.crs[:60]!r}, which is not known "
            "here: choose another service for this driver."
        ) from error
    return grid


def properties_of(image: Mapping[str, Any], granule_id: str) -> dict[str, Any]:
    """The image's properties with its name and times, which the service tells beside them."""
    told = dict(image.get("properties", {}))
    told.setdefault("system:index", granule_id)
    for name, key in (("system:time_start", "startTime"), ("system:time_end", "endTime")):
        if key in image:
            told.setdefault(name, round(moment_of(image[key]).timestamp() * MILLISECONDS))
    return told


def seen_part(window: GridWindow, outline: Mapping[str, Any] | None) -> GridWindow:
    """The cells of the window within the box around an outline (GeoJSON, degrees), with a margin.

    The whole window where the outline is not told or lies elsewhere.
    """
    points = list(_points((outline or {}).get("coordinates", [])))
    if not points:
        return window
    lon, lat = np.array(points, np.float64).T
    x, y = reproject_points(lon, lat, WGS84, window.crs)
    box = (float(x.min()), float(y.min()), float(x.max()), float(y.max()))
    if not np.isfinite(box).all():
        return window
    grid = NativeGrid(window.crs, window.affine)
    part = common(window, snapped(grid, box, FOOTPRINT_MARGIN_CELLS))
    return window if part is None else replace(window, affine=part.affine, shape=part.shape)


def _points(coordinates: Any) -> Iterator[tuple[float, float]]:  # noqa: ANN401
    """Every point of nested GeoJSON coordinates."""
    if len(coordinates) >= 2 and not isinstance(coordinates[0], list):
        yield float(coordinates[0]), float(coordinates[1])
        return
    for one in coordinates:
        yield from _points(one)
