"""Which cells can be sites, and by which rule the others cannot."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from sm_platform.errors import DataError
from sm_platform.grid.window import GridWindow, Raster
from sm_platform.sites.cell_cover import CellCover, cover_of, mean_of, texture_of
from sm_platform.sites.cells import SITE_LEVELS, Ints, WindowCells, cells_of, centre_pixel, parts
from sm_platform.sites.cover_classes import legend_of, share_bands
from sm_platform.sites.pixel_layers import PixelLayers
from sm_platform.sites.rules import SiteRules

Flags = NDArray[np.bool_]


class Rejection(StrEnum):
    """Why a cell is no site; the first that applies, in this order."""

    OUTSIDE_REGION = "outside_region"
    """Less than `min_valid_share` of its pixels lie in the region, or its centre in none."""
    NO_LAND_COVER = "no_land_cover"
    """Less than that share of its pixels have land cover."""
    OTHER_CLASS = "other_class"
    MIXED = "mixed"
    """Its largest class reaches less than `min_purity`."""
    SAME_SQUARE = "same_square"
    """Another cell of its spacing square came first."""
    NOT_DRAWN = "not_drawn"
    """It could be a site: there were enough."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """The `n` cells that can be sites, in order of their place on the globe."""

    cells: WindowCells
    """All cells of the window."""
    flat: Ints
    """(n,) row * columns + col on the globe."""
    pixel: Ints
    """(n,) flat index of the region's pixel at the centre."""
    land_cover_code: NDArray[np.uint8]
    purity: NDArray[np.float32]
    texture: NDArray[np.int8]
    mean_sm: NDArray[np.float32]
    class_names: Mapping[int, str]
    """The wanted classes by their code."""
    rejected: Mapping[Rejection, int]
    """Cells that cannot; with the candidates they are all cells of the window."""


def find_candidates(
    window: GridWindow, land_cover: Raster, layers: PixelLayers, rules: SiteRules
) -> Candidates:
    """Cells of the wanted level that are in the region, of a wanted class and pure enough.

    Raises:
        DataError: there is none, or the land cover's bands cannot be read.
        UsageError: a wanted class is not in the land cover's numbering.
    """
    legend = legend_of(land_cover)
    names = legend.names(rules.classes or legend.soil_classes)
    cells = cells_of(window, SITE_LEVELS[rules.level])
    cover = cover_of(cells, land_cover, share_bands(land_cover, legend), layers.is_inside)
    pixel = centre_pixel(window, cells.flat, cells.level)
    reason = _first_reason(cells, cover, pixel >= 0, rules, classes=list(names))
    fit = np.flatnonzero(reason == len(Rejection))
    rejected = {kind: int((reason == n).sum()) for n, kind in enumerate(Rejection)}
    if not fit.size:
        raise DataError(_nothing_left(len(cells), rejected, rules, names))
    return Candidates(
        cells=cells,
        flat=cells.flat[fit],
        pixel=pixel[fit],
        land_cover_code=cover.land_cover_code[fit],
        purity=cover.purity[fit],
        texture=_texture(cells, layers, fit),
        mean_sm=_mean_sm(cells, layers, fit),
        class_names=names,
        rejected=rejected,
    )


def _first_reason(
    cells: WindowCells,
    cover: CellCover,
    has_centre: Flags,
    rules: SiteRules,
    *,
    classes: list[int],
) -> NDArray[np.int8]:
    """Place in `Rejection` of the first reason of each cell; its length for a candidate."""
    found = np.empty(len(cells), np.int8)
    for part in parts(len(cells)):
        needed = np.ceil(rules.min_valid_share * cells.n_pixels[part] - 1e-6)  # 0.9 of 10 is 9
        reasons = [
            (cover.n_inside[part] < needed) | ~has_centre[part],
            cover.n_valid[part] < needed,
            ~np.isin(cover.land_cover_code[part], classes),
            cover.purity[part] < np.float32(rules.min_purity),
        ]
        found[part] = np.select(reasons, list(range(len(reasons))), len(Rejection))
    return found


def _texture(cells: WindowCells, layers: PixelLayers, wanted: Ints) -> NDArray[np.int8]:
    if layers.texture is None:
        return np.zeros(len(wanted), np.int8)
    return texture_of(cells, layers.texture, layers.is_inside, wanted)


def _mean_sm(cells: WindowCells, layers: PixelLayers, wanted: Ints) -> NDArray[np.float32]:
    if layers.mean_sm is None:
        return np.full(len(wanted), np.nan, np.float32)
    return mean_of(cells, layers.mean_sm, layers.is_inside, wanted)


def _nothing_left(
    n: int, rejected: Mapping[Rejection, int], rules: SiteRules, names: Mapping[int, str]
) -> str:
    """What a person reads when no cell is left."""
    wanted = ", ".join(f"{code} {name}" for code, name in names.items())
    share = f"{rules.min_valid_share:.0%}"
    said = {
        Rejection.OUTSIDE_REGION: f"have less than {share} of their pixels in the region, or their "
        "centre outside it",
        Rejection.NO_LAND_COVER: f"have land cover on less than {share} of their pixels",
        Rejection.OTHER_CLASS: f"are of another class than {wanted}",
        Rejection.MIXED: f"have no class with {rules.min_purity:.0%} or more",
    }
    parts = "; ".join(f"{rejected[kind]} {text}" for kind, text in said.items() if rejected[kind])
    return f"None of the {n} cells of {rules.level} can be a site: {parts}. {_advice(rejected)}"


def _advice(rejected: Mapping[Rejection, int]) -> str:
    worst = max(rejected, key=lambda kind: rejected[kind])
    return {
        Rejection.OUTSIDE_REGION: "Choose smaller cells or a larger region.",
        Rejection.NO_LAND_COVER: "Bring land cover for the whole region, or ask for a lower "
        "min_valid_share.",
        Rejection.OTHER_CLASS: "Allow more classes.",
        Rejection.MIXED: "Ask for a lower min_purity or smaller cells.",
    }[worst]
