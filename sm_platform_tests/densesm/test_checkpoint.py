import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from sm_platform.densesm.checkpoint import Checkpoint, Member, load, save
from sm_platform.densesm.network import Architecture
from sm_platform.errors import CheckpointError, RecipeError, UsageError
from sm_platform.schema.recipes import DENSESM_2024
from sm_platform_tests.densesm.making import random_checkpoint, random_member, random_state
from sm_platform_tests.edited_card import edit_card


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "one"
    path.mkdir()
    save(random_checkpoint(), path)
    return path


def test_what_is_loaded_is_what_was_saved_bit_for_bit(folder: Path) -> None:
    saved, loaded = random_checkpoint(), load(folder)
    assert loaded.metadata == saved.metadata
    assert (loaded.checkpoint_id, loaded.recipe_id) == (saved.checkpoint_id, saved.recipe_id)
    assert loaded.fingerprint == saved.fingerprint
    assert [m.name for m in loaded.members] == ["1_8", "2_16", "3_8"]
    for ours, theirs in zip(saved.members, loaded.members, strict=True):
        assert list(ours.state) == list(theirs.state)
        assert all(torch.equal(ours.state[name], theirs.state[name]) for name in ours.state)


def test_saving_again_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    again = tmp_path / "two"
    again.mkdir()
    save(load(folder), again)
    assert {p.name for p in again.iterdir()} == {"members.safetensors", "checkpoint.json"}
    for path in again.iterdir():
        assert path.read_bytes() == (folder / path.name).read_bytes()


@pytest.mark.parametrize("where", [0, 200, -1])
def test_one_changed_byte_is_refused(folder: Path, where: int) -> None:
    path = folder / "members.safetensors"
    content = bytearray(path.read_bytes())
    content[where] ^= 1
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"members.safetensors was changed"):
        load(folder)


@pytest.mark.parametrize(
    ("before", "after"), [("2025-10-31", "2025-10-30"), ("0.25", "0.26"), ("test-1", "test-2")]
)
def test_one_changed_character_of_the_card_is_refused(
    folder: Path, before: str, after: str
) -> None:
    path = folder / "checkpoint.json"
    assert before in path.read_text()
    path.write_text(path.read_text().replace(before, after))
    with pytest.raises(CheckpointError, match=r"checkpoint.json was changed"):
        load(folder)


def rewrite(folder: Path, tensors: dict[str, torch.Tensor]) -> None:
    """Other tensors with a fitting hash, as someone might who edits both files."""
    path = folder / "members.safetensors"
    save_file(tensors, path)
    edit_card(folder, weights_sha256=hashlib.sha256(path.read_bytes()).hexdigest())


def test_a_missing_member_is_named(folder: Path) -> None:
    tensors = load_file(folder / "members.safetensors")
    rewrite(folder, {k: t for k, t in tensors.items() if not k.startswith("2_16/")})
    with pytest.raises(CheckpointError, match=r"member 2_16: keys .*missing"):
        load(folder)


def test_a_member_that_is_not_listed_is_named(folder: Path) -> None:
    tensors = load_file(folder / "members.safetensors")
    rewrite(folder, tensors | {"5_8/out.bias": torch.zeros(1)})
    with pytest.raises(CheckpointError, match=r"'5_8/out.bias' belongs to no listed member"):
        load(folder)


def test_a_weight_that_differs_from_the_fingerprint_is_refused(folder: Path) -> None:
    tensors = load_file(folder / "members.safetensors")
    tensors["1_8/out.bias"] += 1e-6
    rewrite(folder, tensors)
    with pytest.raises(CheckpointError, match="fingerprint is"):
        load(folder)


def test_a_recipe_that_means_something_else_today_is_refused_by_both_names(folder: Path) -> None:
    foreign = replace(random_checkpoint(), recipe_fingerprint="0123456789abcdef")
    edit_card(folder, recipe_fingerprint="0123456789abcdef", fingerprint=foreign.fingerprint)
    with pytest.raises(RecipeError, match="sm-100m-v1.*0123456789abcdef.*today's is"):
        load(folder)
    edit_card(folder, recipe_id="sm-1km")
    with pytest.raises(RecipeError, match="no recipe 'sm-1km'"):
        load(folder)


@pytest.mark.parametrize(
    "card", ["", "[]", "{}", '{"format": "densesm-checkpoint-1"}', '{"format": 3}']
)
def test_a_card_that_is_none_is_refused(folder: Path, card: str) -> None:
    (folder / "checkpoint.json").write_text(card)
    with pytest.raises(CheckpointError, match=str(folder)):
        load(folder)


@pytest.mark.parametrize(
    "changes", [{"members": [{}]}, {"members": 3}, {"checkpoint_id": "../x"}, {"metadata": None}]
)
def test_a_card_with_a_spoilt_field_is_refused(folder: Path, changes: dict[str, object]) -> None:
    edit_card(folder, **changes)
    with pytest.raises(CheckpointError, match=r"checkpoint.json is not a checkpoint's card"):
        load(folder)


@pytest.mark.parametrize("name", ["checkpoint.json", "members.safetensors"])
def test_an_absent_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(CheckpointError, match=name):
        load(folder)


@pytest.mark.parametrize(
    "checkpoint_id", ["", "a", "../x", "a b", "A1", "-ab", ".ab", "a/b", "ab\n", "a" * 62]
)
def test_an_id_that_could_leave_its_folder_is_refused(checkpoint_id: str) -> None:
    with pytest.raises(UsageError, match="cannot name a checkpoint"):
        replace(random_checkpoint(), checkpoint_id=checkpoint_id)


def test_the_fingerprint_follows_weights_and_recipe_and_nothing_else() -> None:
    one = random_checkpoint()
    assert one.fingerprint == replace(one, checkpoint_id="other", metadata={}).fingerprint
    assert one.fingerprint == replace(one, members=one.members[::-1]).fingerprint
    others = [
        random_checkpoint(seed=1),
        random_checkpoint(recipe=DENSESM_2024),
        replace(one, members=one.members[:2]),
    ]
    assert len({c.fingerprint for c in (one, *others)}) == 4
    assert len(one.fingerprint) == 16


def test_members_must_be_there_be_unique_and_named_by_their_architecture() -> None:
    member = random_member(Architecture(1, 8))
    repeat = replace(member, name="1_8_r2")

    def build(*members: Member) -> Checkpoint:
        return replace(random_checkpoint(), members=members)

    assert len(build(member, repeat).members) == 2
    for wrong in ((), (member, member), (replace(member, name="1_16"),)):
        with pytest.raises(CheckpointError):
            build(*wrong)


def test_saving_refuses_a_full_folder_unsound_weights_and_metadata_that_are_no_json(
    folder: Path, tmp_path: Path
) -> None:
    one, empty = random_checkpoint(), tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(CheckpointError, match="not empty"):
        save(one, folder)
    state = random_state(Architecture(1, 8))
    del state["out.bias"]
    broken = replace(one, members=(Member("1_8", Architecture(1, 8), state),))
    with pytest.raises(CheckpointError, match=r"member 1_8: keys 1 missing \(out.bias\)"):
        save(broken, empty)
    for metadata in ({"rmse": float("nan")}, {"day": object()}):
        with pytest.raises(CheckpointError, match="not JSON values"):
            save(replace(one, metadata=metadata), empty)
    assert list(empty.iterdir()) == []
