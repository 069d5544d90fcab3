"""Selecting sites: pure cells of the wanted land cover, spread over classes, strata and space."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sm_platform.errors import GridError
from sm_platform.grid import ease2
from sm_platform.grid.window import GridWindow, Raster
from sm_platform.sites.candidates import Candidates, Rejection, find_candidates
from sm_platform.sites.catalog import catalog_rows
from sm_platform.sites.cells import Ints, block_of, row_col
from sm_platform.sites.drawing import draws, first_of_squares, known_first, strata
from sm_platform.sites.pixel_layers import pixel_layers
from sm_platform.sites.rules import SiteRules

SITE_KIND = "cell"


@dataclass(frozen=True, slots=True)
class SiteSelection:
    """Sites of one region, in order of their id; every array has shape (n,)."""

    level: str
    """EASE-Grid 2.0 level of all their cells."""
    site_id: NDArray[np.str_]
    """`level-row-col` of the cell on the globe: the same in every region and for every seed."""
    cell_row: NDArray[np.int32]
    cell_col: NDArray[np.int32]
    cell_id: NDArray[np.int32]
    """Flat row-major index of the region's pixel that holds the cell's centre. The centre of a 1,
    3 or 9 km cell is a corner of four 100 m cells: the south-eastern one counts."""
    lon: NDArray[np.float64]
    """Degrees (WGS 84) of the cell's centre."""
    lat: NDArray[np.float64]
    land_cover_code: NDArray[np.uint8]
    purity: NDArray[np.float32]
    texture_code: NDArray[np.int8]
    mean_sm_m3m3: NDArray[np.float32]
    """NaN where not known."""
    block_id: NDArray[np.int32]
    """Flat index of the 3 km cell at the centre; a 9 km cell reaches one block farther on each
    side."""
    rejected: Mapping[str, int]
    """Cells that are no site, by the first reason; with the sites they are all cells of the
    window."""
    class_counts: Mapping[str, int]
    """Sites of each wanted class, by its name; 0 where none was found."""

    def __len__(self) -> int:
        return len(self.site_id)

    def rows(self) -> pa.Table:
        """The sites as rows of the site catalog."""
        n = len(self)
        columns = {
            "site_id": self.site_id,
            "site_kind": [SITE_KIND] * n,
            "level": [self.level] * n,
            "cell_row": self.cell_row,
            "cell_col": self.cell_col,
            "cell_id": self.cell_id,
            "lon_deg": self.lon,
            "lat_deg": self.lat,
            "land_cover_code": self.land_cover_code,
            "purity": self.purity,
            "texture_code": self.texture_code,
            "mean_sm_m3m3": self.mean_sm_m3m3,
            "block_id": self.block_id,
            "station_id": [None] * n,
        }
        return catalog_rows(columns)


def select_sites(
    window: GridWindow,
    land_cover: Raster,
    rules: SiteRules,
    *,
    texture: NDArray[np.int8] | None = None,
    mean_sm: NDArray[np.float32] | None = None,
    inside: NDArray[np.bool_] | None = None,
) -> SiteSelection:
    """Up to `rules.count` cells: classes in turn, then their strata, then 3 km blocks in each.

    Where moisture or texture is known somewhere, cells without it come last: no label, or no soil,
    was ever read there.

    Args:
        window: the region's pixels, in any CRS.
        land_cover: on the window, bands `*_share` (0..1, NaN where missing) and
            `land_cover_code` in WorldCover codes or Dynamic World labels.
        rules: what is wanted.
        texture: per pixel 1 coarse, 2 medium, 3 fine, 0 not known; None: not known anywhere.
        mean_sm: per pixel mean of the labels, m3/m3, NaN not known; None: not known anywhere.
        inside: whether a pixel lies in the region's outline; None: the whole window does.

    Raises:
        GridError: an array does not lie on the window.
        DataError: no cell can be a site, or the land cover's bands cannot be read.
        UsageError: a wanted class is not in the land cover's numbering.
    """
    if land_cover.window != window:
        raise GridError("Land cover and region lie on different windows: aggregate it again.")
    layers = pixel_layers(window, texture=texture, mean_sm=mean_sm, inside=inside)
    found = find_candidates(window, land_cover, layers, rules)
    order = _order(found, rules)
    chosen = order[: rules.count]
    left = {
        Rejection.SAME_SQUARE: len(found.flat) - len(order),
        Rejection.NOT_DRAWN: len(order) - len(chosen),
    }
    return _selection(found, chosen, {**found.rejected, **left})


def _order(found: Candidates, rules: SiteRules) -> Ints:
    """Candidates in the order of drawing, without those whose spacing square is taken."""
    level = found.cells.level
    stratum = strata(found.land_cover_code, found.texture, found.mean_sm)
    block, draw = block_of(found.flat, level), draws(found.flat, level, rules.seed)
    order = known_first(stratum, block, draw)
    if rules.square_cells is None:
        return order
    kept = first_of_squares(order, found.flat, level, rules.square_cells)
    return np.asarray(kept[known_first(stratum[kept], block[kept], draw[kept])])


def _selection(found: Candidates, chosen: Ints, rejected: Mapping[Rejection, int]) -> SiteSelection:
    level = found.cells.level
    row, col = row_col(found.flat[chosen], level)
    names = [f"{level.name}-{r}-{c}" for r, c in zip(row.tolist(), col.tolist(), strict=True)]
    by_name = np.argsort(names)
    chosen, row, col = chosen[by_name], row[by_name], col[by_name]
    lon, lat = ease2.centre_lonlat(level, row, col)
    code = found.land_cover_code[chosen]
    return SiteSelection(
        level=level.name,
        site_id=np.array(names)[by_name],
        cell_row=row.astype(np.int32),
        cell_col=col.astype(np.int32),
        cell_id=found.pixel[chosen].astype(np.int32),
        lon=lon,
        lat=lat,
        land_cover_code=code,
        purity=found.purity[chosen],
        texture_code=found.texture[chosen],
        mean_sm_m3m3=found.mean_sm[chosen],
        block_id=block_of(found.flat[chosen], level),
        rejected={reason.value: n for reason, n in rejected.items()},
        class_counts={name: int((code == c).sum()) for c, name in found.class_names.items()},
    )
