"""What backscatter is normalised by: told by the frames' format, kept, never mixed.

Which one a service brings is known before: a recipe of the other is refused before the download.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sm_platform.defs.live_sources import configuration
from sm_platform.errors import DataError, RecipeError
from sm_platform.lake.granules import LandedGranule
from sm_platform.schema.recipes import DEFAULT_RECIPE, RECIPES, RadarQuantity, Recipe
from sm_platform.schema.region import LIVE, Region
from sm_platform.sources.configuration import Choice
from sm_platform.sources.protocol import Product

QUANTITY = "radar_quantity"
"""Name in the note of a day's backscatter; notes of before do not have it and mean sigma0."""
QUANTITIES = {
    "s1_earth_engine": RadarQuantity.SIGMA0_ELLIPSOID,
    "seed_layout": RadarQuantity.SIGMA0_ELLIPSOID,
    "opera_rtc": RadarQuantity.GAMMA0_TERRAIN,
    "rtc_planetary_computer": RadarQuantity.GAMMA0_TERRAIN,
}
"""By the format of a frame."""
CORRECTED = frozenset({"earthdata:OPERA_RTC", "planetary_computer:RTC"})
"""Choices of sentinel1 that bring gamma0; all others bring sigma0."""


def quantity_of(granules: Sequence[LandedGranule]) -> RadarQuantity:
    """The quantity of a day's frames; sigma0 where there is none.

    Raises:
        DataError: a format measures something unknown, or frames of two quantities are landed.
    """
    first: dict[RadarQuantity, LandedGranule] = {}
    for granule in granules:
        quantity = QUANTITIES.get(granule.format)
        if quantity is None:
            raise DataError(
                f"{granule.granule_id}: what the format {granule.format} measures is not known: "
                "leave this granule out."
            )
        first.setdefault(quantity, granule)
    if len(first) > 1:
        told = " and ".join(f"{one.granule_id} ({what})" for what, one in first.items())
        raise DataError(
            f"Frames of two quantities are landed for {granules[0].day}, which must not be mixed: "
            f"{told}. Keep those of one service in {granules[0].folder.parent} and run --extract "
            "again."
        )
    return next(iter(first), RadarQuantity.SIGMA0_ELLIPSOID)


def stored_quantity(note: Mapping[str, Any] | None) -> RadarQuantity:
    """The quantity in the note of a day's backscatter."""
    name = (note or {}).get(QUANTITY, RadarQuantity.SIGMA0_ELLIPSOID.name)
    return RadarQuantity[name]


def check_quantity(region: str, day: date, stored: RadarQuantity, recipe: Recipe) -> None:
    """Raise RecipeError when a recipe wants another quantity than a day's backscatter is."""
    _check(f"Backscatter of region {region} on {day}", stored, recipe)


def check_source(region: Region, recipe: Recipe) -> None:
    """Raise RecipeError when a region's service of radar brings another quantity than the recipe's.

    Of regions from folders nothing is checked: their files tell it when they are read.

    Raises:
        UsageError: SM_SOURCES cannot be read.
    """
    choice = _radar_of(region)
    if choice is not None:
        _check(f"Backscatter of region {region.region_id} from {choice.told}", _of(choice), recipe)


def only_for(region: Region) -> str | None:
    """A sentence when the default recipe does not take the radar of a region's service.

    Raises:
        UsageError: SM_SOURCES cannot be read.
    """
    choice = _radar_of(region)
    if choice is None or _of(choice) is DEFAULT_RECIPE.radar_quantity:
        return None
    quantity = _of(choice)
    return (
        f"sentinel1 from {choice.told} is {quantity}: this radar serves the recipe "
        f"{_fitting(quantity)} only."
    )


def _radar_of(region: Region) -> Choice | None:
    chosen = configuration() if region.source == LIVE else None
    return chosen.choices.get(Product.S1_GRD) if chosen else None


def _of(choice: Choice) -> RadarQuantity:
    is_corrected = choice.told in CORRECTED
    return RadarQuantity.GAMMA0_TERRAIN if is_corrected else RadarQuantity.SIGMA0_ELLIPSOID


def _fitting(quantity: RadarQuantity) -> str:
    return " or ".join(one.recipe_id for one in RECIPES if one.radar_quantity is quantity)


def _check(what: str, found: RadarQuantity, recipe: Recipe) -> None:
    if found is not recipe.radar_quantity:
        raise RecipeError(
            f"{what} is {found}; the recipe {recipe.recipe_id} takes {recipe.radar_quantity}: "
            f"choose the recipe {_fitting(found)} with a checkpoint of it, or another source of "
            "sentinel1."
        )
