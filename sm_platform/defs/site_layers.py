"""What sites are chosen by: land cover, texture and mean moisture of every pixel of a region."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sm_platform.defs.label_readers import read_fields
from sm_platform.defs.lake_access import hash_of, static_raster
from sm_platform.defs.region_area import inside_of
from sm_platform.grid.window import Raster, link
from sm_platform.lake.granules import LandedGranule, landed, landed_days
from sm_platform.lake.layout import Layout
from sm_platform.schema.driver_tables import LAND_COVER_CELLS, SOIL
from sm_platform.schema.region import Region
from sm_platform.sites.texture import texture_codes
from sm_platform.sources.protocol import Product


@dataclass(frozen=True, slots=True)
class SiteLayers:
    """What is known of every pixel of a region's window."""

    cover: Raster
    texture: NDArray[np.int8]
    """1 coarse, 2 medium, 3 fine, 0 not known."""
    mean_sm: NDArray[np.float32] | None
    """m3/m3, NaN not known; None: not known anywhere."""
    inside: NDArray[np.bool_] | None
    """Whether a pixel lies in the outline; None: everywhere."""
    inputs: str
    """Hash of all that was used."""
    damaged: tuple[str, ...]
    """A sentence for each label granule that was set aside meanwhile."""


def read_layers(layout: Layout, region: Region, moisture_granules: int) -> SiteLayers:
    """Land cover and soil from the lake, and the mean moisture of so many label granules.

    Raises:
        MissingInputError: land cover or soil has not been made.
    """
    cover, cover_hash = static_raster(layout, LAND_COVER_CELLS, region.region_id, "--extract")
    soil, soil_hash = static_raster(layout, SOIL, region.region_id, "--extract")
    granules = _label_granules(layout, region, moisture_granules)
    read = read_fields(layout, region, granules)
    used = sorted({granule.sha256 for granule, _ in read.fields})
    return SiteLayers(
        cover=cover,
        texture=_texture(region, soil),
        mean_sm=_mean_sm(region, [field.raster for _, field in read.fields]),
        inside=inside_of(region),
        inputs=hash_of(cover_hash, soil_hash, used),
        damaged=tuple(read.damaged),
    )


def _label_granules(layout: Layout, region: Region, most: int) -> list[LandedGranule]:
    """Landed 100 m label granules, spread evenly over the days they are there for."""
    days = landed_days(layout, Product.SWC.value, region.region_id) if most else []
    step = max(len(days) / most, 1.0) if most else 1.0
    chosen = [days[int(n)] for n in np.arange(0, len(days), step)]
    found = (landed(layout, Product.SWC.value, region.region_id, day) for day in chosen)
    return [granule for granules in found for granule in granules]


def _mean_sm(region: Region, fields: Sequence[Raster]) -> NDArray[np.float32] | None:
    """Mean label of each pixel over the fields, NaN where none has one; None without fields."""
    if not fields:
        return None
    total, count = np.zeros(region.window.shape), np.zeros(region.window.shape)
    for field in fields:
        sm = np.where(field.values["is_flagged"], np.nan, field.values["sm_m3m3"])
        there = _taken(np.asarray(sm, np.float64), link(region.window, field.window))
        total += np.nan_to_num(there)
        count += ~np.isnan(there)
    with np.errstate(invalid="ignore"):  # 0 / 0 is a pixel without a label
        return (total / count).astype(np.float32)


def _texture(region: Region, soil: Raster) -> NDArray[np.int8]:
    """Texture code of each pixel, from the soil cell at its centre."""
    place = link(region.window, soil.window)
    sand, clay = (
        _taken(soil.values[name].astype(np.float64), place) for name in ("sand_g_kg", "clay_g_kg")
    )
    return texture_codes(sand, clay)


def _taken(values: NDArray[np.float64], place: NDArray[np.int64]) -> NDArray[np.float64]:
    """The value at each flat place, NaN at -1."""
    return np.where(place < 0, np.nan, values.ravel()[place])
