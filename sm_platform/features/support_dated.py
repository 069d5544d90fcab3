"""Vegetation and weather at the support: native cells averaged where finer than its cells.

Tiles of one day are averaged together, so that a cell on their seam is the mean of all of it; later
revisions stay apart, because a recipe may have to do without them.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import groupby
from typing import Any

import numpy as np

from sm_platform.features.layers import LATE_RAIN_BANDS, NDVI_BANDS, WEATHER_BANDS
from sm_platform.features.support_footprint import Index, footprint, in_range_mean, is_finer
from sm_platform.features.support_vegetation import Bands, reduced_composite
from sm_platform.grid.window import DatedRaster, GridWindow, Raster

Reduce = Callable[[Bands, Index, int, datetime | None], Bands]
"""Bands of k native cells, the coarse cell of each, the number of coarse cells and the moment it
became available to the bands of the coarse cells."""


def coarse_ndvi(rasters: Sequence[DatedRaster], coarse: GridWindow) -> list[DatedRaster]:
    """Composites on the coarse window; what a cell shows: `support_vegetation`."""
    return list(_reduced(rasters, coarse, NDVI_BANDS, reduced_composite))


def coarse_weather(rasters: Sequence[DatedRaster], coarse: GridWindow) -> list[DatedRaster]:
    """Days on the coarse window: means over the cells in range; preliminary if any cell is."""
    return list(_reduced(rasters, coarse, WEATHER_BANDS, _reduced_day))


def coarse_late_rain(rasters: Sequence[DatedRaster], coarse: GridWindow) -> list[DatedRaster]:
    """Days of late rain on the coarse window: means over the cells that are known."""
    return list(_reduced(rasters, coarse, LATE_RAIN_BANDS, _reduced_rain))


def _reduced(
    rasters: Sequence[DatedRaster], coarse: GridWindow, bands: Mapping[str, Any], reduce: Reduce
) -> Iterator[DatedRaster]:
    """Finer rasters averaged; the others as they are, to be read at the cells' centres.

    Those of two sensors stay apart: a mean over both would be of neither.
    """
    finer = {one: is_finer(one, coarse) for one in {dated.raster.window for dated in rasters}}
    yield from (dated for dated in rasters if not finer[dated.raster.window])
    ordered = sorted((d for d in rasters if finer[d.raster.window]), key=_order)
    for (day, sensor), of_day in groupby(ordered, key=lambda dated: (dated.day, dated.sensor)):
        for made in _of_day(day, list(of_day), coarse, (bands, reduce)):
            yield replace(made, sensor=sensor)


def _of_day(
    day: date,
    rasters: Sequence[DatedRaster],
    coarse: GridWindow,
    how: tuple[Mapping[str, Any], Reduce],
) -> Iterator[DatedRaster]:
    """One raster for each moment of the day: what its tiles, each at its newest, say together.

    A tile that is brought twice at one moment gives two rasters, so that a contradiction between
    them is found where it always is.
    """
    newest: dict[GridWindow, Raster] = {}
    for moment, group in groupby(rasters, key=lambda dated: dated.available_utc):
        waiting = list(group)
        while waiting:
            tiles: dict[GridWindow, Raster] = {}
            again = [one for one in waiting if not _placed(tiles, one.raster)]
            newest |= tiles
            yield DatedRaster(day, moment, _joined(newest.values(), coarse, how, moment))
            waiting = again


def _placed(tiles: dict[GridWindow, Raster], raster: Raster) -> bool:
    """Whether the raster is the first of its grid, and then keep it."""
    return tiles.setdefault(raster.window, raster) is raster


def _order(dated: DatedRaster) -> tuple[date, str, datetime, bool]:
    preliminary = dated.raster.values.get("is_preliminary")
    is_final = preliminary is None or not bool(np.any(preliminary))
    moment = dated.available_utc or datetime.min.replace(tzinfo=UTC)
    return dated.day, dated.sensor or "", moment, is_final


def _joined(
    tiles: Collection[Raster],
    coarse: GridWindow,
    how: tuple[Mapping[str, Any], Reduce],
    moment: datetime | None,
) -> Raster:
    bands, reduce = how
    links = [footprint(tile.window, coarse) for tile in tiles]
    cell = np.concatenate([link.cell for link in links])
    read = {
        name: np.concatenate(
            [
                np.asarray(tile.values[name]).ravel()[link.fine]
                if name in tile.values
                else np.full(link.fine.size, outside)
                for tile, link in zip(tiles, links, strict=True)
            ]
        )
        for name, outside in bands.items()
    }
    made = reduce(read, cell, coarse.size, moment)
    return Raster(coarse, {name: band.reshape(coarse.shape) for name, band in made.items()})


def _reduced_rain(bands: Bands, cell: Index, size: int, _: datetime | None) -> Bands:
    in_range = np.zeros(cell.size, np.int8)
    return {"precipitation_m": in_range_mean(bands["precipitation_m"], in_range, cell, size)[0]}


def _reduced_day(bands: Bands, cell: Index, size: int, _: datetime | None) -> Bands:
    temperature, temperature_code = in_range_mean(
        bands["temperature_k"], bands["temperature_range_code"], cell, size
    )
    rain, rain_code = in_range_mean(
        bands["precipitation_m"], bands["precipitation_range_code"], cell, size
    )
    preliminary = np.asarray(bands["is_preliminary"], np.bool_)
    return {
        "temperature_k": temperature,
        "precipitation_m": rain,
        "temperature_range_code": temperature_code,
        "precipitation_range_code": rain_code,
        "is_preliminary": np.bincount(cell[preliminary], minlength=size) > 0,
    }
