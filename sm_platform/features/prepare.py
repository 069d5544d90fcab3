"""Prepared drivers: what many passes of one region share, done once."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sm_platform.errors import GridError
from sm_platform.features.drivers import Drivers
from sm_platform.features.layers import NDVI_BANDS, WEATHER_BANDS, Layers, read_layers
from sm_platform.features.quality import Relief, Shares
from sm_platform.features.soil import PixelSoil, filled_soil_at, soil_at
from sm_platform.features.support_place import site_positions
from sm_platform.features.terrain import BANDS as PIXEL_BANDS
from sm_platform.features.terrain import CELL_BANDS
from sm_platform.features.vector import Ground, ground_inputs
from sm_platform.grid.window import GridWindow, Raster
from sm_platform.schema.recipes import LateRain, Recipe, TerrainRule

Cells = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class PreparedDrivers:
    """Drivers of `n` pixels, linked and scaled as far as no pass is needed for it."""

    recipe: Recipe
    window: GridWindow
    cells: Cells
    """(n,): flat pixel index of each row."""
    ground: NDArray[np.float32]
    """(n, 10): inputs 5..14, scaled."""
    is_soil_filled: NDArray[np.bool_]
    relief: Relief
    shares: Shares
    ndvi: Layers
    weather: Layers
    pairs: tuple[NDArray[np.int32], NDArray[np.int32]]
    """NDVI and weather place of each distinct series, (m,) each."""
    series_index: NDArray[np.int32]
    """(n,): distinct series of each row."""


def prepare(recipe: Recipe, drivers: Drivers, *, cells: Cells | None = None) -> PreparedDrivers:
    """Link, average and scale what all passes share, for all pixels or the given flat ones.

    Raises:
        GridError: a cell lies outside the window.
        DataError: two rasters of one day contradict each other.
        RecipeError: the window's cells are larger than those the recipe knows.
    """
    chosen = _checked(drivers.window, cells)
    soil = _soil(recipe, drivers, chosen)
    ndvi = read_layers(drivers.window, chosen, drivers.ndvi, NDVI_BANDS)
    late_rain = drivers.late_rain if recipe.late_rain is not LateRain.NONE else ()
    weather = read_layers(
        drivers.window, chosen, drivers.weather, WEATHER_BANDS, late_rain=late_rain
    )
    pairs, series_index = _pairs(ndvi, weather)
    return PreparedDrivers(
        recipe=recipe,
        window=drivers.window,
        cells=chosen,
        ground=ground_inputs(recipe, _ground(recipe, drivers, chosen, soil)),
        is_soil_filled=soil.is_filled,
        relief=Relief(*_bands(drivers.terrain, PIXEL_BANDS[1:], chosen)),
        shares=_shares(drivers.land_cover, chosen),
        ndvi=ndvi,
        weather=weather,
        pairs=pairs,
        series_index=series_index,
    )


def only(prepared: PreparedDrivers, cells: Cells) -> PreparedDrivers:
    """The prepared drivers of the given flat pixels alone, in that order.

    Raises:
        GridError: a pixel was not prepared.
    """
    order = np.argsort(prepared.cells, kind="stable")
    place = np.searchsorted(prepared.cells, cells, sorter=order)
    pixels = order[np.minimum(place, order.size - 1)]
    if not np.array_equal(prepared.cells[pixels], cells):
        raise GridError("A cell is not among the prepared ones: prepare the drivers with it.")
    ndvi, weather = prepared.ndvi.at(pixels), prepared.weather.at(pixels)
    pairs, series_index = _pairs(ndvi, weather)
    return replace(
        prepared,
        cells=prepared.cells[pixels],
        ground=prepared.ground[pixels],
        is_soil_filled=prepared.is_soil_filled[pixels],
        relief=Relief(*(getattr(prepared.relief, name)[pixels] for name in Relief.__slots__)),
        shares=Shares(*(getattr(prepared.shares, name)[pixels] for name in Shares.__slots__)),
        ndvi=ndvi,
        weather=weather,
        pairs=pairs,
        series_index=series_index,
    )


def _checked(window: GridWindow, cells: Cells | None) -> Cells:
    if cells is None:
        return np.arange(window.size)
    outside = (cells < 0) | (cells >= window.size)
    if outside.any():
        raise GridError(
            f"{int(outside.sum())} cells lie outside the region's {window.size} pixels "
            f"(first: {int(cells[outside][0])}): drop them, they have no drivers."
        )
    return np.asarray(cells, np.int64)


def _soil(recipe: Recipe, drivers: Drivers, cells: Cells) -> PixelSoil:
    take = soil_at if recipe.zero_is_missing else filled_soil_at
    return take(drivers.window, cells, drivers.soil)


def _ground(recipe: Recipe, drivers: Drivers, cells: Cells, soil: PixelSoil) -> Ground:
    place = site_positions(recipe, drivers.window, cells)
    if recipe.terrain is TerrainRule.PIXEL_VECTOR_ASPECT:
        elevation, slope, sine, cosine = _bands(drivers.terrain, PIXEL_BANDS, cells)
    else:
        elevation, slope, aspect = _bands(drivers.terrain, CELL_BANDS, cells)
        sine, cosine = np.sin(np.radians(aspect)), np.cos(np.radians(aspect))
    return Ground(soil.values, elevation, slope, sine, cosine, place)


def _bands(raster: Raster, names: Sequence[str], cells: Cells) -> list[NDArray[np.floating]]:
    return [np.asarray(raster.values[name]).ravel()[cells] for name in names]


def _shares(land_cover: Raster | None, cells: Cells) -> Shares:
    if land_cover is None:
        unknown = np.full(cells.size, np.nan, np.float32)
        return Shares(unknown, unknown, unknown, unknown)
    names = "tree_share", "built_share", "water_share", "crop_share", "wetland_share"
    tree, built, water, crop, wetland = _bands(land_cover, names, cells)
    return Shares(tree, built, water, crop + wetland)


def _pairs(
    ndvi: Layers, weather: Layers
) -> tuple[tuple[NDArray[np.int32], NDArray[np.int32]], NDArray[np.int32]]:
    """Distinct combinations of an NDVI and a weather place, and the one of each pixel."""
    width = int(weather.place.max(initial=0)) + 1
    key = ndvi.place.astype(np.int64) * width + weather.place
    distinct, index = np.unique(key, return_inverse=True)
    first, second = np.divmod(distinct, width)
    return (first.astype(np.int32), second.astype(np.int32)), index.astype(np.int32)
