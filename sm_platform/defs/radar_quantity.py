"""What backscatter is normalised by: told by the frames' format, kept, never mixed."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sm_platform.errors import DataError, RecipeError
from sm_platform.lake.granules import LandedGranule
from sm_platform.schema.recipes import RECIPES, RadarQuantity, Recipe

QUANTITY = "radar_quantity"
"""Name in the note of a day's backscatter; notes of before do not have it and mean sigma0."""
QUANTITIES = {
    "s1_earth_engine": RadarQuantity.SIGMA0_ELLIPSOID,
    "seed_layout": RadarQuantity.SIGMA0_ELLIPSOID,
    "opera_rtc": RadarQuantity.GAMMA0_TERRAIN,
    "rtc_planetary_computer": RadarQuantity.GAMMA0_TERRAIN,
}
"""By the format of a frame."""


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
    if stored is recipe.radar_quantity:
        return
    fitting = [one.recipe_id for one in RECIPES if one.radar_quantity is stored]
    raise RecipeError(
        f"Backscatter of region {region} on {day} is {stored}; the recipe {recipe.recipe_id} takes "
        f"{recipe.radar_quantity}: choose the recipe {' or '.join(fitting)} with a checkpoint of "
        "it, or another source of sentinel1."
    )
