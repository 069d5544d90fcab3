"""Which regions take late rain: those whose recipe declares it. All others never look for it."""

from sm_platform.defs.resources import settings
from sm_platform.errors import SmPlatformError
from sm_platform.lake.models import ModelStore
from sm_platform.schema.card import card_in
from sm_platform.schema.recipes import LateRain, find_recipe
from sm_platform.schema.region import Region


def takes_late_rain(region: Region, said: str | None = None) -> bool:
    """Whether the features of a region are built by a recipe with late rain.

    The recipe is the one that `choose_recipe` finds: that said, the region's, that of its named
    checkpoint. It is asked at each tick of the sensors, so of a checkpoint only the card is read.
    What cannot be found takes none: whoever builds features says what is wrong with it.
    """
    try:
        recipe_id = said or region.recipe_id or _of_checkpoint(region)
        return recipe_id is not None and find_recipe(recipe_id).late_rain is not LateRain.NONE
    except SmPlatformError:
        return False


def _of_checkpoint(region: Region) -> str | None:
    """Recipe of the checkpoint that the region names; None when it names none."""
    if not region.checkpoint_id:
        return None
    return card_in(ModelStore(settings().models).folder(region.checkpoint_id)).recipe_id
