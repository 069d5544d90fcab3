"""Which recipe and which checkpoint a region's days use: said now, stored, or found."""

from dataclasses import dataclass
from datetime import date

from sm_platform.densesm.checkpoint import Checkpoint, load
from sm_platform.errors import MissingInputError
from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.lake.models import ModelStore
from sm_platform.schema.model_tables import CHECKPOINTS
from sm_platform.schema.recipes import DEFAULT_RECIPE, Recipe, find_recipe
from sm_platform.schema.region import Region


@dataclass(frozen=True, slots=True)
class Chosen:
    """A checkpoint with the first day that it must not have seen."""

    checkpoint: Checkpoint
    cut_off: date

    def is_in_sample(self, day: date) -> bool:
        """Whether labels of that day may have been used to train it."""
        return day < self.cut_off


def choose_recipe(region: Region, said: str | None, models: ModelStore) -> Recipe:
    """The recipe said, else the region's, else that of its chosen checkpoint, else the default."""
    if said or region.recipe_id:
        return find_recipe(said or str(region.recipe_id))
    if region.checkpoint_id:
        return find_recipe(load(models.folder(region.checkpoint_id)).recipe_id)
    return DEFAULT_RECIPE


def choose_checkpoint(
    layout: Layout, models: ModelStore, region: Region, said: str | None, day: date
) -> Chosen:
    """The checkpoint said, else the region's, else the newest with a cut-off up to the day.

    An older day is mapped with the oldest there is, and its lineage says `in_sample`.

    Raises:
        MissingInputError: the region has none.
        CheckpointError: it is not in the store or not whole.
    """
    named = said or region.checkpoint_id
    if named:
        checkpoint = load(models.folder(named))
        return Chosen(checkpoint, _cut_off(checkpoint))
    cut_offs = [
        when
        for when in store.days_made(layout, CHECKPOINTS, region.region_id)
        if _registered(layout, region, when)
    ]
    if not cut_offs:
        raise MissingInputError(
            f"Region {region.region_id} has no checkpoint: materialize `checkpoints` for it, or "
            "import one with `sm-platform models import` and name it with --checkpoint."
        )
    fitting = [when for when in cut_offs if when <= day]
    cut_off = max(fitting) if fitting else min(cut_offs)
    name = _registered(layout, region, cut_off)[-1]
    return Chosen(load(models.folder(name)), cut_off)


def _registered(layout: Layout, region: Region, day: date) -> list[str]:
    made = store.read(layout, CHECKPOINTS, region.region_id, day, columns=["checkpoint_id"])
    return [] if made is None else [str(name) for name in made.rows["checkpoint_id"].to_pylist()]


def _cut_off(checkpoint: Checkpoint) -> date:
    text = checkpoint.metadata.get("trained_until")
    return date.fromisoformat(str(text)) if text else date.max
