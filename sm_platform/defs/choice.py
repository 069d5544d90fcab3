"""Which recipe and which checkpoint a region's days use: said now, stored, or found."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from sm_platform.densesm.checkpoint import Checkpoint, load
from sm_platform.errors import CheckpointError, MissingInputError, UsageError
from sm_platform.grid.calendar import parse_day
from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.lake.models import ModelStore
from sm_platform.schema.model_tables import SCENE_FEATURES
from sm_platform.schema.recipes import DEFAULT_RECIPE, Recipe, find_recipe
from sm_platform.schema.region import Region
from sm_platform.schema.registry_tables import CHECKPOINTS

Read = Callable[[str], Checkpoint]
"""Reads a checkpoint of the store by its name."""


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
    layout: Layout, read: Read, region: Region, said: str | None, day: date
) -> Chosen:
    """The checkpoint said, else the region's, else the newest with a cut-off up to the day.

    Of the region's checkpoints those count whose recipe the day's features were built by; without
    one all do, and the mapping names both recipes. An older day is mapped with the oldest there
    is, and its lineage says `in_sample`.

    Raises:
        MissingInputError: the region has none.
        CheckpointError: it is not in the store or not whole.
    """
    named = said or region.checkpoint_id
    if named:
        checkpoint = read(named)
        return Chosen(checkpoint, trained_until(checkpoint) or date.max)
    features = store.note_of(layout, SCENE_FEATURES, region.region_id, day) or {}
    known = _registered(layout, region.region_id)
    fitting = [one for one in known if one.recipe_fingerprint == features.get("recipe_fingerprint")]
    if not known:
        raise MissingInputError(
            f"Region {region.region_id} has no checkpoint: materialize `checkpoints` for it, or "
            "import one with `sm-platform models import` and name it with --checkpoint."
        )
    chosen = _newest(fitting or known, day)
    checkpoint = read(chosen.checkpoint_id)
    return Chosen(checkpoint, max(chosen.cut_off, trained_until(checkpoint) or chosen.cut_off))


@dataclass(frozen=True, slots=True)
class _Registered:
    """A checkpoint of a region, with the day of its partition."""

    cut_off: date
    checkpoint_id: str
    recipe_fingerprint: str


def _registered(layout: Layout, region: str) -> list[_Registered]:
    """By cut-off; of one day in the order of their registration."""
    names = ["checkpoint_id", "recipe_fingerprint"]
    days = store.days_made(layout, CHECKPOINTS, region)
    parts = [(day, store.read(layout, CHECKPOINTS, region, day, columns=names)) for day in days]
    return [_Registered(day, **row) for day, part in parts if part for row in part.rows.to_pylist()]


def _newest(known: Sequence[_Registered], day: date) -> _Registered:
    """The last up to the day; on an older day the last of the oldest cut-off."""
    limit = max(day, min(one.cut_off for one in known))
    return [one for one in known if one.cut_off <= limit][-1]


def trained_until(checkpoint: Checkpoint) -> date | None:
    """The day from which on no label was used; raises CheckpointError when it is no day."""
    text = checkpoint.metadata.get("trained_until")
    try:
        return parse_day(str(text)) if text else None
    except UsageError as error:
        raise CheckpointError(f"{checkpoint.checkpoint_id}: trained_until: {error}") from error
