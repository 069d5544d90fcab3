from dataclasses import FrozenInstanceError, fields, replace
from enum import StrEnum
from typing import Any

import pytest

from sm_platform.errors import RecipeError
from sm_platform.schema import recipes
from sm_platform.schema.recipes import Input, Recipe


def other(value: object) -> Any:  # noqa: ANN401 - whatever type the field has
    """A value of the same type that is not the same."""
    if isinstance(value, StrEnum):
        return next(member for member in type(value) if member is not value)
    if isinstance(value, bool):
        return not value
    if isinstance(value, float):
        return value + 0.5
    if isinstance(value, tuple):
        return tuple(reversed(value))
    assert isinstance(value, str)
    return value + "x"


@pytest.mark.parametrize("recipe", recipes.RECIPES, ids=lambda recipe: recipe.recipe_id)
@pytest.mark.parametrize("name", [field.name for field in fields(Recipe)])
def test_any_changed_field_changes_the_fingerprint(recipe: Recipe, name: str) -> None:
    changed = replace(recipe, **{name: other(getattr(recipe, name))})
    assert changed.fingerprint != recipe.fingerprint


@pytest.mark.parametrize("name", [field.name for field in fields(Input)])
@pytest.mark.parametrize("position", [0, 7, 14])
def test_any_changed_input_changes_the_fingerprint(name: str, position: int) -> None:
    recipe = recipes.SM_100M_V1
    old = recipe.scalars[position]
    new = replace(old, **{name: other(getattr(old, name))})
    scalars = (*recipe.scalars[:position], new, *recipe.scalars[position + 1 :])
    assert replace(recipe, scalars=scalars).fingerprint != recipe.fingerprint


def test_fingerprint_depends_on_the_value_alone() -> None:
    recipe = recipes.EOV_2025
    copy = replace(recipe, scalars=tuple(replace(i) for i in recipe.scalars))
    assert copy is not recipe
    assert copy.fingerprint == recipe.fingerprint
    assert len(recipe.fingerprint) == 16
    int(recipe.fingerprint, 16)


def test_recipes_are_distinct_and_found_by_their_id() -> None:
    prints = {recipe.fingerprint for recipe in recipes.RECIPES}
    assert len(prints) == len(recipes.RECIPES) == 6
    for recipe in recipes.RECIPES:
        assert recipes.find_recipe(recipe.recipe_id) is recipe


def test_unknown_recipe_is_refused_with_the_known_ones() -> None:
    with pytest.raises(RecipeError, match="densesm-2024, eov-2025, sm-100m-v1"):
        recipes.find_recipe("densesm-2023")


@pytest.mark.parametrize("recipe", recipes.RECIPES, ids=lambda recipe: recipe.recipe_id)
def test_inputs_have_a_range_and_a_name_of_their_own(recipe: Recipe) -> None:
    inputs = recipe.scalars + recipe.series
    assert (len(recipe.scalars), len(recipe.series), recipes.N_INPUTS) == (15, 3, 153)
    assert len({i.name for i in inputs}) == 18
    assert all(i.low < i.high for i in inputs)
    assert [i.name for i in recipe.series] == ["ndvi", "temperature_2m", "precipitation"]


def test_only_temperature_range_differs_between_the_scales() -> None:
    authors, seed, ours, *_ = recipes.RECIPES
    assert authors.scalars == seed.scalars == ours.scalars
    assert authors.series == ours.series
    differing = [a.name for a, b in zip(authors.series, seed.series, strict=True) if a != b]
    assert differing == ["temperature_2m"]


def test_scalars_stand_in_the_order_of_the_network() -> None:
    names = [i.name for i in recipes.SCALARS]
    order = ["s1_vv", "s1_vh", "incidence_angle", "day_sin", "day_cos", "sand", "clay"]
    order += ["bulk_density", "elevation", "slope", "aspect_sin", "aspect_cos"]
    assert names == [*order, "grid_row", "grid_col_sin", "grid_col_cos"]


def test_recipe_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        recipes.EOV_2025.zero_is_missing = False  # type: ignore[misc]
