"""Stations as sites: where sensors stand in the soil of a region."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sm_platform.errors import DataError, GridError
from sm_platform.grid import ease2
from sm_platform.grid.ease2 import LEVEL_100M
from sm_platform.grid.window import GridWindow, Raster, cell_index, reproject_points
from sm_platform.sites.areas import slug
from sm_platform.sites.catalog import catalog_rows
from sm_platform.sites.cells import LONLAT, Floats, Ints, block_of
from sm_platform.sites.cover_classes import legend_of, share_bands
from sm_platform.sites.pixel_layers import PixelLayers, pixel_layers

SITE_KIND = "station"
PREFIX = "st-"
COLUMNS = "station_id", "lon_deg", "lat_deg"
DIGEST_LENGTH = 6
NO_PLACE, OUTSIDE_REGION = "no_place", "outside_region"


@dataclass(frozen=True, slots=True)
class StationSites:
    """Stations of one region."""

    rows: pa.Table
    """Rows of the site catalog, in order of their id; lon, lat are the sensor's."""
    rejected: Mapping[str, str]
    """Stations that are no site by their `station_id`: `no_place` (no or impossible coordinates)
    or `outside_region`."""


def station_site_id(station_id: str) -> str:
    """Id of a station's site, safe in a path: `st-`, its name in a-z, 0-9, a digest of it.

    The digest keeps names apart that differ in capitals or signs alone, in every region alike.
    """
    digest = hashlib.sha256(station_id.encode()).hexdigest()[:DIGEST_LENGTH]
    return PREFIX + "-".join(part for part in (slug(station_id), digest) if part)


def station_sites(
    window: GridWindow,
    stations: pa.Table,
    *,
    land_cover: Raster | None = None,
    texture: NDArray[np.int8] | None = None,
    mean_sm: NDArray[np.float32] | None = None,
    inside: NDArray[np.bool_] | None = None,
) -> StationSites:
    """Stations that stand in the region, each with what is known of the pixel it stands in.

    Args:
        window: the region's pixels.
        stations: `station_id`, `lon_deg`, `lat_deg` (WGS 84); of several rows of a station
            the first counts.
        land_cover: on the window, as for `select_sites`; any class is good for a station.
        texture: as for `select_sites`.
        mean_sm: as for `select_sites`.
        inside: as for `select_sites`.

    Raises:
        DataError: a column is absent, or a station has no name.
        GridError: a layer does not lie on the window.
    """
    if land_cover is not None and land_cover.window != window:
        raise GridError("Land cover and region lie on different windows: aggregate it again.")
    layers = pixel_layers(window, texture=texture, mean_sm=mean_sm, inside=inside)
    names, lon, lat = _distinct(stations)
    pixel, reason = _pixels(window, layers, lon, lat)
    ids = np.array([station_site_id(name) for name in names], dtype=np.str_)
    fit = np.flatnonzero(pixel >= 0)
    fit = fit[np.argsort(ids[fit])]
    columns = {
        "site_id": ids[fit],
        "station_id": [names[n] for n in fit],
        "site_kind": [SITE_KIND] * len(fit),
        "cell_id": pixel[fit],
        "lon_deg": lon[fit],
        "lat_deg": lat[fit],
        **_cells_at(lon[fit], lat[fit]),
        **_cover_at(land_cover, pixel[fit]),
        **_known_at(layers, pixel[fit]),
    }
    rejected = {names[n]: str(reason[n]) for n in np.flatnonzero(pixel < 0)}
    return StationSites(catalog_rows(columns), rejected)


def _distinct(stations: pa.Table) -> tuple[list[str], Floats, Floats]:
    """Name, longitude and latitude of each station, from its first row."""
    absent = [name for name in COLUMNS if name not in stations.column_names]
    if absent:
        raise DataError(f"The list of stations has no column {', '.join(absent)}: add it.")
    names = stations["station_id"].to_pylist()
    if not all(names):
        raise DataError("A station has no station_id: name it by its network and station.")
    rows: dict[str, int] = {}
    for row, name in enumerate(names):
        rows.setdefault(name, row)
    first = list(rows.values())
    lon, lat = (
        np.asarray(stations[name].cast(pa.float64()).to_numpy(zero_copy_only=False))[first]
        for name in COLUMNS[1:]
    )
    return list(rows), lon, lat


def _pixels(
    window: GridWindow, layers: PixelLayers, lon: Floats, lat: Floats
) -> tuple[Ints, NDArray[np.str_]]:
    """Flat index of the region's pixel at each place, or -1 and why there is none."""
    is_place = (np.abs(lon) <= 180) & (np.abs(lat) <= 90)
    pixel = np.full(len(lon), -1, np.int64)
    x, y = reproject_points(lon[is_place], lat[is_place], LONLAT, window.crs)
    pixel[is_place] = cell_index(window, x, y)
    pixel[~layers.is_inside[pixel]] = -1
    return pixel, np.where(is_place, OUTSIDE_REGION, NO_PLACE)


def _cells_at(lon: Floats, lat: Floats) -> dict[str, object]:
    """The 100 m cell and the 3 km block of each place."""
    row, col = ease2.cells(LEVEL_100M, *ease2.project(lon, lat))
    block = block_of(row * LEVEL_100M.shape[1] + col, LEVEL_100M)
    return {
        "level": [LEVEL_100M.name] * len(row),
        "cell_row": row,
        "cell_col": col,
        "block_id": block,
    }


def _cover_at(land_cover: Raster | None, pixel: Ints) -> dict[str, object]:
    """Class and purity of pixels; 0 and NaN where there is no land cover."""
    code, purity = np.zeros(len(pixel), np.uint8), np.full(len(pixel), np.nan, np.float32)
    if land_cover is not None:
        bands = share_bands(land_cover, legend_of(land_cover))
        shares = np.stack([land_cover.values[band].ravel()[pixel] for band in bands.values()])
        purity = shares.max(axis=0).astype(np.float32)
        largest = np.array(list(bands), np.uint8)[shares.argmax(axis=0)]
        code = np.where(np.isnan(purity), np.uint8(0), largest)
    return {"land_cover_code": code, "purity": purity}


def _known_at(layers: PixelLayers, pixel: Ints) -> dict[str, object]:
    n = len(pixel)
    texture, mean_sm = layers.texture, layers.mean_sm
    return {
        "texture_code": np.zeros(n, np.int8) if texture is None else texture[pixel],
        "mean_sm_m3m3": np.full(n, np.nan) if mean_sm is None else mean_sm[pixel],
    }
