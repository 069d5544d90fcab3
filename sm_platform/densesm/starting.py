"""Where members start from: the weights of an earlier checkpoint, if its recipe allows it."""

from collections.abc import Mapping, Sequence
from dataclasses import fields

from torch import Tensor

from sm_platform.densesm.checkpoint import Checkpoint
from sm_platform.densesm.network import Architecture
from sm_platform.densesm.training_settings import member_name
from sm_platform.errors import CheckpointError, RecipeError
from sm_platform.schema.recipes import RECIPES, Input, Recipe
from sm_platform.schema.rows import FeatureRows

State = Mapping[str, Tensor]


def check_start(start: Checkpoint, rows: FeatureRows, start_recipe: str | None) -> None:
    """Refuse a start of another recipe, unless it was chosen by naming its recipe.

    Raises:
        RecipeError: naming both recipes and what differs between them.
    """
    if start.recipe_fingerprint == rows.recipe_fingerprint or start_recipe == start.recipe_id:
        return
    said = f", not of '{start_recipe}'" if start_recipe else ""
    raise RecipeError(
        f"Start '{start.checkpoint_id}' is of recipe '{start.recipe_id}' "
        f"({start.recipe_fingerprint}){said}, the rows are of '{rows.recipe_id}' "
        f"({rows.recipe_fingerprint}). {_difference(start, rows)} Build the rows with the start's "
        f"recipe, or name start_recipe '{start.recipe_id}' to start from it all the same."
    )


def starting_states(
    start: Checkpoint, wanted: Sequence[Architecture], repeat: int
) -> dict[Architecture, State]:
    """The weights each wanted member starts from: those of the same repeat, else of the first.

    Raises:
        CheckpointError: naming the wanted members that the checkpoint lacks.
    """
    there = {member.name: member.state for member in start.members}
    found = {a: there.get(member_name(a, repeat), there.get(a.name)) for a in wanted}
    missing = [a.name for a, state in found.items() if state is None]
    if missing:
        raise CheckpointError(
            f"Start '{start.checkpoint_id}' has no member {', '.join(missing)}: train the members "
            f"that it has ({', '.join(there)}), or start at random."
        )
    return {a: state for a, state in found.items() if state is not None}


def _difference(start: Checkpoint, rows: FeatureRows) -> str:
    """A sentence on what differs, as far as both recipes are known here."""
    known = {recipe.fingerprint: recipe for recipe in RECIPES}
    one, other = known.get(start.recipe_fingerprint), known.get(rows.recipe_fingerprint)
    if one is None or other is None:
        return "At least one of these recipes is not known here."
    told = [
        f"{field.name} ({_said(one, other, field.name)} / {_said(other, one, field.name)})"
        for field in fields(Recipe)
        if field.name != "recipe_id" and getattr(one, field.name) != getattr(other, field.name)
    ]
    return f"They differ in {', '.join(told)}."


def _said(recipe: Recipe, other: Recipe, name: str) -> str:
    """One recipe's value of a field; of a list of inputs those that are not in the other's."""
    value = getattr(recipe, name)
    if not isinstance(value, tuple):
        return str(value)
    inputs: list[Input] = [each for each in value if each not in getattr(other, name)]
    return ", ".join(f"{each.name} {each.low:g}..{each.high:g} {each.unit}" for each in inputs)
