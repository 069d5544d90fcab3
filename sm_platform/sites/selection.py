"""Selecting sites: pure cells of the wanted land cover, even over classes and over space."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sm_platform.errors import DataError, GridError, UsageError
from sm_platform.grid import ease2
from sm_platform.grid.window import GridWindow, Raster, lonlat

SOIL_CLASSES = (20, 30, 40, 60, 90)
"""WorldCover v200 codes where C-band radar sees soil: shrub, grass, crop, bare, wetland.

Wetland stays in because flooded paddies are often classified so; trees hide the soil.
"""
SHARE = "_share"


@dataclass(frozen=True, slots=True)
class SiteSelection:
    """Sites of one window, in order of their id; every array has shape (n,)."""

    site_id: NDArray[np.int32]
    """Flat row-major index of the cell in the window: the same cell has always the same id."""
    row: NDArray[np.int32]
    col: NDArray[np.int32]
    lon: NDArray[np.float64]
    """Degrees (WGS 84) of the cell's centre."""
    lat: NDArray[np.float64]
    land_cover_code: NDArray[np.uint8]
    block_id: NDArray[np.int32]
    """Flat row-major index of the EASE-Grid 2.0 block that holds the centre."""
    rejected: Mapping[str, int]
    """Cells that are no site, by reason; with the sites they add up to the window."""

    def __len__(self) -> int:
        return len(self.site_id)


def select_sites(
    window: GridWindow,
    land_cover: Raster,
    *,
    count: int,
    seed: int,
    min_purity: float = 0.6,
    classes: Sequence[int] = SOIL_CLASSES,
    block_km: int = 3,
) -> SiteSelection:
    """Up to `count` sites: class by class in turn, within a class block by block in turn.

    `land_cover` lies on the window: bands `*_share` (0..1, NaN where missing) and
    `land_cover_code` (uint8, 0 where missing). A cell qualifies when its class is wanted and its
    largest share reaches `min_purity`. The same seed and window give the same sites.

    Raises:
        GridError: the land cover lies on another window.
        DataError: no cell qualifies.
        UsageError: `count` is below 1, or the grid has no level of `block_km`.
    """
    if count < 1:
        raise UsageError(f"{count} sites cannot be selected: ask for 1 or more.")
    if land_cover.window != window:
        raise GridError("Land cover and region lie on different windows: aggregate it again.")
    code = land_cover.values["land_cover_code"].ravel().astype(np.uint8)
    reasons = _reasons(code, _purity(land_cover), min_purity, classes)
    fit = np.flatnonzero(~np.logical_or.reduce(list(reasons.values())))
    rejected = {reason: int(mask.sum()) for reason, mask in reasons.items()}
    if not len(fit):
        raise DataError(f"No cell can be a site ({rejected}): allow more classes or less purity.")
    lon, lat = (part.ravel() for part in lonlat(window))
    block_id = blocks(lon[fit], lat[fit], block_km=block_km)
    draw = np.random.default_rng(seed).random(window.size)[fit]
    chosen = np.sort(_in_turn(code[fit], block_id, draw)[:count])
    cell = fit[chosen]
    row, col = np.divmod(cell.astype(np.int32), window.shape[1])
    left = {"not_drawn": len(fit) - len(chosen)}
    return SiteSelection(
        site_id=cell.astype(np.int32),
        row=row,
        col=col,
        lon=lon[cell],
        lat=lat[cell],
        land_cover_code=code[cell],
        block_id=block_id[chosen],
        rejected=rejected | left,
    )


def blocks(lon: ArrayLike, lat: ArrayLike, *, block_km: int = 3) -> NDArray[np.int32]:
    """Flat index of the EASE-Grid 2.0 cell of `block_km` that holds each place (degrees).

    Raises:
        UsageError: the grid has no level of that size.
    """
    levels = {level.name: level for level in ease2.LEVELS[:-1]}
    level = levels.get(f"{block_km}km")
    if level is None:
        raise UsageError(
            f"There are no blocks of {block_km} km: choose one of {', '.join(levels)}."
        )
    row, col = ease2.cells(level, *ease2.project(lon, lat))
    return (row * level.shape[1] + col).astype(np.int32)


def _purity(land_cover: Raster) -> NDArray[np.float32]:
    """Largest share of any class in each cell, (cells,); NaN where a share is missing."""
    shares = [band.ravel() for name, band in land_cover.values.items() if name.endswith(SHARE)]
    if not shares:
        raise DataError(f"The land cover has no band '*{SHARE}': aggregate it again.")
    return np.asarray(np.max(shares, axis=0), np.float32)


def _reasons(
    code: NDArray[np.uint8],
    purity: NDArray[np.float32],
    min_purity: float,
    classes: Sequence[int],
) -> dict[str, NDArray[np.bool_]]:
    """Which cells are no candidates, by the first reason that applies."""
    is_missing = (code == 0) | np.isnan(purity)
    is_other = ~is_missing & ~np.isin(code, list(classes))
    is_mixed = ~is_missing & ~is_other & (purity < min_purity)
    return {"missing": is_missing, "other_class": is_other, "mixed": is_mixed}


def _in_turn(
    code: NDArray[np.uint8], block: NDArray[np.int32], draw: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Indices in order of drawing: each class gives one in turn, each block of a class too."""
    wide = code.astype(np.int64)
    of_block = _rank((wide << 32) | block, (draw,))
    of_class = _rank(wide, (draw, of_block))
    return np.lexsort((draw, of_class))


def _rank(group: NDArray[np.int64], keys: tuple[NDArray[np.generic], ...]) -> NDArray[np.int64]:
    """Place (from 0) of each element in its group, sorted by the last key first."""
    order = np.lexsort((*keys, group))
    ordered = group[order]
    rank = np.empty(len(group), np.int64)
    rank[order] = np.arange(len(group)) - np.searchsorted(ordered, ordered)
    return rank
