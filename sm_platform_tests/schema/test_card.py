import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from sm_platform.errors import CheckpointError, RecipeError, UsageError
from sm_platform.schema.card import (
    Card,
    card_in,
    check_fingerprint,
    check_recipe,
    fingerprint_of,
    read_weights,
    write_checkpoint,
)
from sm_platform.schema.recipes import DEFAULT_RECIPE
from sm_platform_tests.edited_card import edit_card

WEIGHTS = b"numbers"
CARD = Card(
    kind="trees",
    checkpoint_id="delta-1",
    fingerprint="0123456789abcdef",
    recipe_id=DEFAULT_RECIPE.recipe_id,
    recipe_fingerprint=DEFAULT_RECIPE.fingerprint,
    members=({"name": "b", "rounds": 3}, {"name": "a", "rounds": 4}),
    metadata={"trained_until": "2025-10-31", "licences": ["none"], "parent": None},
    weights_sha256=hashlib.sha256(WEIGHTS).hexdigest(),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "one"
    path.mkdir()
    write_checkpoint(path, CARD, WEIGHTS)
    return path


def test_a_card_and_its_numbers_come_back_as_they_were_written(folder: Path) -> None:
    assert card_in(folder) == CARD
    assert card_in(folder).names == ("b", "a")
    assert read_weights(folder, CARD) == WEIGHTS
    assert {path.name for path in folder.iterdir()} == {"checkpoint.json", "members.safetensors"}


def test_a_card_written_before_there_were_kinds_is_of_densesm(folder: Path) -> None:
    edit_card(folder, format="densesm-checkpoint-1", kind=None)
    assert card_in(folder) == replace(CARD, kind="densesm")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"kind": "densesm"}, "format trees-checkpoint-1 is not one of kind densesm"),
        ({"kind": None}, "not one of kind densesm"),
        ({"kind": "forest"}, "not one of kind forest"),
        ({"format": "trees-checkpoint-2"}, "its format is not densesm-checkpoint-1 or trees"),
        ({"fingerprint": 7}, "fingerprint is 7, not a text"),
        ({"fingerprint": None}, "KeyError: 'fingerprint'"),
        ({"metadata": 3}, "TypeError"),
        ({"members": [3]}, "TypeError"),
        ({"members": [{"rounds": 3}]}, "KeyError: 'name'"),
        ({"members": []}, "members are none"),
        ({"members": [{"name": "a"}, {"name": "a"}]}, "names must be unique"),
        ({"members": [{"name": 3}]}, r"members are \[3\]"),
        ({"checkpoint_id": "../x"}, "cannot name a checkpoint"),
    ],
)
def test_a_card_of_wrong_entries_is_refused_by_what_is_wrong(
    folder: Path, changes: dict[str, object], said: str
) -> None:
    edit_card(folder, **changes)
    with pytest.raises(CheckpointError, match=said):
        card_in(folder)


NO_CARDS = ("", "[]", "[" * 100_000, "\0", '{"format": "trees-checkpoint-1"}')


@pytest.mark.parametrize("text", NO_CARDS, ids=range(5))
def test_a_file_that_is_no_card_is_named(folder: Path, text: str) -> None:
    (folder / "checkpoint.json").write_text(text)
    with pytest.raises(CheckpointError, match=str(folder / "checkpoint.json")):
        card_in(folder)


def test_a_changed_character_a_changed_byte_and_an_absent_file_are_told_apart(
    folder: Path,
) -> None:
    path, weights = folder / "checkpoint.json", folder / "members.safetensors"
    whole = path.read_text()
    path.write_text(whole.replace("2025-10-31", "2025-10-30"))
    with pytest.raises(CheckpointError, match=r"checkpoint.json was changed"):
        card_in(folder)
    path.unlink()
    with pytest.raises(CheckpointError, match=r"has no checkpoint.json"):
        card_in(folder)
    weights.write_bytes(b"Numbers")
    with pytest.raises(CheckpointError, match=r"members.safetensors was changed"):
        read_weights(folder, CARD)
    weights.unlink()
    with pytest.raises(CheckpointError, match=r"members.safetensors cannot be read"):
        read_weights(folder, CARD)


def test_a_folder_in_use_and_metadata_that_are_no_json_are_not_written(
    folder: Path, tmp_path: Path
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(CheckpointError, match="not empty"):
        write_checkpoint(folder, CARD, WEIGHTS)
    for metadata in ({"rmse": float("nan")}, {"day": object()}):
        with pytest.raises(CheckpointError, match="not JSON values"):
            write_checkpoint(empty, replace(CARD, metadata=metadata), WEIGHTS)
    assert list(empty.iterdir()) == []


def test_a_card_of_an_unknown_kind_or_an_id_that_leaves_its_folder_cannot_be_made() -> None:
    with pytest.raises(CheckpointError, match="kind 'forest': known are densesm, trees"):
        replace(CARD, kind="forest")
    with pytest.raises(UsageError, match="cannot name a checkpoint"):
        replace(CARD, checkpoint_id="a/b")


def test_other_numbers_and_another_meaning_of_the_recipe_are_named(folder: Path) -> None:
    check_fingerprint(folder, CARD, CARD.fingerprint)
    with pytest.raises(CheckpointError, match="fingerprint is ffff, not 0123456789abcdef"):
        check_fingerprint(folder, CARD, "ffff")
    check_recipe(CARD)
    with pytest.raises(RecipeError, match=f"ffff; today's is {DEFAULT_RECIPE.fingerprint}"):
        check_recipe(replace(CARD, recipe_fingerprint="ffff"))
    with pytest.raises(RecipeError, match="no recipe 'sm-1km'"):
        check_recipe(replace(CARD, recipe_id="sm-1km"))


def test_a_fingerprint_follows_recipe_description_content_and_order() -> None:
    told = [("a|1", b"x"), ("b|1", b"y")]
    others = [
        fingerprint_of("r", told),
        fingerprint_of("s", told),
        fingerprint_of("r", told[::-1]),
        fingerprint_of("r", [("a|2", b"x"), ("b|1", b"y")]),
        fingerprint_of("r", [("a|1", b"x"), ("b|1", b"z")]),
    ]
    assert len(set(others)) == 5
    assert fingerprint_of("r", iter(told)) == others[0]
    assert others[0] == hashlib.sha256(b"r|a|1|x|b|1|y").hexdigest()[:16]
