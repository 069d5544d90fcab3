"""Which recipe and which checkpoint a region's days use: said now, stored, or found."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from sm_platform.defs.estimators import read_card
from sm_platform.defs.registry import Entry, accepted, entries
from sm_platform.errors import CheckpointError, MissingInputError, UsageError
from sm_platform.grid.calendar import parse_day
from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.lake.models import ModelStore
from sm_platform.schema.card import Card
from sm_platform.schema.model_tables import SCENE_FEATURES
from sm_platform.schema.recipes import DEFAULT_RECIPE, Recipe, find_recipe
from sm_platform.schema.region import Region

Read = Callable[[str], Card]
"""Reads the card of a checkpoint of the store by its name."""
MOST_TOLD = 5
"""Candidates that a message lists, the newest."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A checkpoint with the first day that it must not have seen."""

    checkpoint: Card
    cut_off: date

    def is_in_sample(self, day: date) -> bool:
        """Whether labels of that day may have been used to train it."""
        return day < self.cut_off


def choose_recipe(region: Region, said: str | None, models: ModelStore) -> Recipe:
    """The recipe said, else the region's, else that of its chosen checkpoint, else the default."""
    if said or region.recipe_id:
        return find_recipe(said or str(region.recipe_id))
    if region.checkpoint_id:
        return find_recipe(read_card(models.folder(region.checkpoint_id)).recipe_id)
    return DEFAULT_RECIPE


def choose_checkpoint(
    layout: Layout, read: Read, region: Region, said: str | None, day: date
) -> Chosen:
    """The checkpoint said, else the region's, else the newest accepted with a cut-off by the day.

    Of the accepted ones those count whose recipe the day's features were built by; without one all
    do, and the mapping names both recipes. An older day is mapped with the oldest there is, and its
    lineage says `in_sample`. What is named is used whatever its stage.

    Raises:
        MissingInputError: nothing is named and none is accepted; what the candidates lack is told.
        CheckpointError: it is not in the store or not whole.
    """
    named = said or region.checkpoint_id
    if named:
        checkpoint = read(named)
        return Chosen(checkpoint, trained_until(checkpoint) or date.max)
    features = store.note_of(layout, SCENE_FEATURES, region.region_id, day) or {}
    found = accepted(layout, region.region_id, day, features.get("recipe_fingerprint"))
    if found is None:
        raise MissingInputError(_none_accepted(region.region_id, entries(layout, region.region_id)))
    checkpoint = read(found.checkpoint_id)
    return Chosen(checkpoint, max(found.cut_off, trained_until(checkpoint) or found.cut_off))


def _none_accepted(region: str, known: Sequence[Entry]) -> str:
    """What to do where no checkpoint may be used, with the verdict on each that there is."""
    if not known:
        return (
            f"Region {region} has no checkpoint: materialize `checkpoints` and `evaluations` for "
            "it, or import one with `sm-platform models import` and name it with --checkpoint."
        )
    told = "\n".join(f"- {_verdict(one)}" for one in known[-MOST_TOLD:])
    last = known[-1].checkpoint_id
    return (
        f"Region {region} has no accepted checkpoint:\n{told}\n"
        "Train a better one and materialize `evaluations`, name one with --checkpoint, or override "
        f'the gate: sm-platform models promote {last} --region {region} --reason "..."'
    )


def _verdict(entry: Entry) -> str:
    decision = entry.decision
    why = decision.reason if decision else "not evaluated yet, materialize `evaluations`"
    return f"{entry.checkpoint_id} ({entry.stage.value}, cut-off {entry.cut_off}): {why}"


def trained_until(checkpoint: Card) -> date | None:
    """The day from which on no label was used; raises CheckpointError when it is no day."""
    text = checkpoint.metadata.get("trained_until")
    try:
        return parse_day(str(text)) if text else None
    except UsageError as error:
        raise CheckpointError(f"{checkpoint.checkpoint_id}: trained_until: {error}") from error
