"""Layers: dated rasters reduced to the distinct native cells that pixels fall into.

Several 100 m pixels share a 250 m vegetation cell or a 0.1 degree weather cell. Pixels with equal
links to every native grid form one *place*; a series is computed once per place.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sm_platform.errors import DataError
from sm_platform.grid.window import DatedRaster, GridWindow, cell_index, centres, reproject_points

Index = NDArray[np.int64]
Band = NDArray[Any]

NDVI_BANDS: Mapping[str, Any] = {
    "ndvi": np.float32(np.nan),
    "ndvi_range_code": np.int8(0),
    "reliability_code": np.int8(-1),
    "observed_day": np.int32(-1),
}
"""Bands read from a composite and what stands outside its raster, or for a band it lacks."""
WEATHER_BANDS: Mapping[str, Any] = {
    "temperature_k": np.float32(np.nan),
    "precipitation_m": np.float32(np.nan),
    "temperature_range_code": np.int8(0),
    "precipitation_range_code": np.int8(0),
    "is_preliminary": np.bool_(False),
}
LATE_RAIN_BANDS: Mapping[str, Any] = {"precipitation_m": np.float32(np.nan)}


@dataclass(frozen=True, slots=True)
class Layer:
    """One dated raster at `m` places."""

    day: int
    """Proleptic ordinal of its UTC day."""
    available_utc: datetime | None
    is_inside: NDArray[np.bool_]
    """(m,): the place lies in this raster."""
    bands: Mapping[str, Band]
    """(m,) each."""
    sensor: str | None = None
    """Who measured it; None: the usual one."""

    def usable_at(self, issued: datetime | None) -> bool:
        """Whether it was available at that moment (None: any time; unknown counts as yes)."""
        return issued is None or self.available_utc is None or self.available_utc <= issued

    def is_foreign_to(self, sensor: str) -> bool:
        """Whether another sensor measured it; a layer that names none is of any recipe's own."""
        return self.sensor is not None and self.sensor != sensor


@dataclass(frozen=True, slots=True)
class Layers:
    """All layers of one driver, oldest first, later revisions of a day after earlier ones."""

    layers: tuple[Layer, ...]
    place: NDArray[np.int32]
    """(n,): place of each pixel, 0..m-1."""
    late_rain: tuple[Layer, ...] = ()
    """Rain that stands in on days without a layer, at the same places; ordered likewise."""

    def at(self, pixels: NDArray[np.intp]) -> "Layers":
        """The layers of the chosen pixels (positions in `place`) alone, places repacked."""
        used, place = np.unique(self.place[pixels], return_inverse=True)
        own, late_rain = (
            tuple(_packed(one, used) for one in layers) for layers in (self.layers, self.late_rain)
        )
        return Layers(own, place.astype(np.int32), late_rain)


def _packed(layer: Layer, places: NDArray[np.integer]) -> Layer:
    """The layer at these of its places."""
    bands = {name: band[places] for name, band in layer.bands.items()}
    return replace(layer, is_inside=layer.is_inside[places], bands=bands)


def read_layers(
    window: GridWindow,
    cells: Index,
    rasters: Sequence[DatedRaster],
    bands: Mapping[str, Any],
    *,
    late_rain: Sequence[DatedRaster] = (),
) -> Layers:
    """The dated rasters at the places of the given flat pixels of the window.

    The order of `rasters` does not matter: they are sorted by day, then by the moment they became
    available (unknown first), preliminary values before final ones. A pixel reads the native cell
    that it lies in, also of the late rain (`precipitation_m`, m/day).

    Raises:
        DataError: two rasters of one day, grid and moment hold different values.
    """
    ordered, late = sorted(rasters, key=_order), sorted(late_rain, key=_order)
    _refuse_contradiction(ordered)
    _refuse_contradiction(late)
    grids = sorted({dated.raster.window for dated in (*ordered, *late)}, key=_grid_order)
    links, place = _places(window, cells, grids)
    own, stand_in = (
        tuple(_layer(dated, links[dated.raster.window], names) for dated in some)
        for some, names in ((ordered, bands), (late, LATE_RAIN_BANDS))
    )
    return Layers(own, place, stand_in)


def _grid_order(window: GridWindow) -> tuple[Any, ...]:
    return window.crs, tuple(window.affine), window.shape


def _order(dated: DatedRaster) -> tuple[Any, ...]:
    moment = dated.available_utc or datetime.min.replace(tzinfo=UTC)
    preliminary = dated.raster.values.get("is_preliminary")
    is_final = preliminary is None or not bool(np.any(preliminary))
    return dated.day, moment, is_final, _grid_order(dated.raster.window)


def _refuse_contradiction(ordered: Sequence[DatedRaster]) -> None:
    for one, other in zip(ordered, ordered[1:], strict=False):
        if one.day != other.day or _order(one) != _order(other):
            continue
        first, second = one.raster.values, other.raster.values
        same = (np.array_equal(first[n], second[n], equal_nan=True) for n in first if n in second)
        if first.keys() != second.keys() or not all(same):
            raise DataError(
                f"Two rasters of {one.day} on the same grid hold different {', '.join(first)}: "
                "keep the newer one, or say when each became available."
            )


def _places(
    window: GridWindow, cells: Index, grids: Iterable[GridWindow]
) -> tuple[dict[GridWindow, Index], NDArray[np.int32]]:
    """Flat cell of each place in each grid (-1 outside), and the place of each pixel."""
    x, y = (np.asarray(part).ravel()[cells] for part in centres(window))
    links: dict[GridWindow, Index] = {}
    key = np.zeros(cells.size, np.int64)
    for grid in grids:
        links[grid] = cell_index(grid, *reproject_points(x, y, window.crs, grid.crs))
        key = np.unique(key * (grid.size + 1) + links[grid] + 1, return_inverse=True)[1]
    _, first, place = np.unique(key, return_index=True, return_inverse=True)
    return {grid: link[first] for grid, link in links.items()}, place.astype(np.int32)


def _layer(dated: DatedRaster, link: Index, bands: Mapping[str, Any]) -> Layer:
    is_inside, values = link >= 0, dated.raster.values
    read = {
        name: np.where(is_inside, np.asarray(values[name]).ravel()[link], outside)
        if name in values
        else np.full(link.size, outside)
        for name, outside in bands.items()
    }
    return Layer(dated.day.toordinal(), dated.available_utc, is_inside, read, dated.sensor)
