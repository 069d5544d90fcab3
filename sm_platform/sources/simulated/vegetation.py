"""True NDVI: of the crop that fills a pixel, and of the pixel with what else lies inside it."""

from dataclasses import dataclass
from math import cos, pi

import numpy as np

from sm_platform.sources.simulated.cover import OWN_FRACTION, Codes, Cover
from sm_platform.sources.simulated.fields import Field, Mask, Streams
from sm_platform.sources.simulated.land import Patches
from sm_platform.sources.simulated.seasons import Calendar, Season

BARE = 0.20
"""NDVI of a flooded or freshly tilled field."""
VILLAGE = 0.40
WATER = 0.05
TREES = (0.62, 0.78)
DRY_CROP = (0.36, 0.75)
"""Lowest and highest NDVI of the year."""
TREES_PEAK_DAY = 258
"""Mid-September, the end of the rains."""
DRY_CROP_PEAK_DAY = 227
"""Mid-August; lowest in mid-February."""


@dataclass(frozen=True, slots=True)
class Vegetation:
    """What is needed for the NDVI of any day, (rows, cols)."""

    plan: Calendar
    is_paddy: Mask
    is_dry_crop: Mask
    crop_share: Field
    """Share of paddy or dry crop in the pixel; 0 in the other classes."""
    tree_share: Field
    village_share: Field
    water_share: Field
    vigour: Field
    """Lasting departure of the group's own NDVI, of dry crops and trees."""


def vegetation(
    codes: Codes, shares: dict[str, Field], plan: Calendar, land: Patches, streams: Streams
) -> Vegetation:
    """Gather the shares and draw the vigour of the groups."""
    return Vegetation(
        plan=plan,
        is_paddy=codes == Cover.PADDY,
        is_dry_crop=np.isin(codes, [c for c, name in OWN_FRACTION.items() if name == "dry_crop"]),
        crop_share=shares["paddy"] + shares["dry_crop"],
        tree_share=shares["trees"],
        village_share=shares["village"],
        water_share=shares["water"],
        vigour=0.03 * streams.per_patch("vigour", land.group),
    )


def crop_ndvi(green: Vegetation, day: int, day_of_year: int, wetness: Field) -> Field:
    """NDVI of the pixel's own crop; `wetness` is soil moisture above the wilting point, m3/m3."""
    stubble = np.float32(0.22) + np.float32(0.12) * np.tanh(6 * wetness)
    rice = stubble
    for season in green.plan.rice:
        stage = season.stage(day)
        if stage is not None:
            rice = _grown(rice, season, stage, shape=0.8)
    for season in green.plan.winter:
        stage = season.stage(day)
        if stage is not None:
            rice = _grown(rice, season, np.where(stage < 0, np.float32(2), stage), shape=1.0)
    dry = np.float32(_yearly(DRY_CROP, DRY_CROP_PEAK_DAY, day_of_year)) + green.vigour
    return np.where(green.is_paddy, rice, dry)


def _grown(before: Field, season: Season, stage: Field, *, shape: float) -> Field:
    """NDVI .20 + (peak - .20) sin(pi x^shape)^1.3 in the season, at least stubble when it ripens.

    Before stage 0 the field is flooded or tilled: bare.
    """
    x = np.clip(stage, 0, 1)
    leaf = (season.peak_ndvi - BARE) * np.maximum(np.sin(pi * x**shape), 0) ** np.float32(1.3)
    green = BARE + leaf
    green = np.where(stage > 0.5, np.maximum(green, before), green)
    is_now = season.is_grown & (stage >= -0.15) & (stage < 1)
    return np.where(is_now, green, before).astype(np.float32)


def tree_ndvi(green: Vegetation, day_of_year: int) -> Field:
    """NDVI of trees and coffee."""
    return np.float32(_yearly(TREES, TREES_PEAK_DAY, day_of_year)) + green.vigour


def _yearly(limits: tuple[float, float], peak_day: int, day_of_year: int) -> float:
    low, high = limits
    swing = cos(2 * pi * (day_of_year - peak_day) / 365)
    return (low + high) / 2 + (high - low) / 2 * swing


def pixel_ndvi(green: Vegetation, crop: Field, trees: Field) -> Field:
    """NDVI of the whole pixel from its parts."""
    return crop * green.crop_share + trees * green.tree_share + _fixed(green)


def crop_part(green: Vegetation, pixel: Field, trees: Field) -> Field:
    """NDVI of the crop from that of the whole pixel: the inverse of `pixel_ndvi`.

    Where there is no crop the value means nothing, and weighs nothing.
    """
    rest = pixel - trees * green.tree_share - _fixed(green)
    return np.asarray(rest / np.maximum(green.crop_share, np.float32(0.05)), np.float32)


def _fixed(green: Vegetation) -> Field:
    return np.float32(VILLAGE) * green.village_share + np.float32(WATER) * green.water_share
