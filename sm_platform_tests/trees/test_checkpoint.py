import hashlib
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from sm_platform.errors import CheckpointError, RecipeError, UsageError
from sm_platform.schema.card import card_in
from sm_platform.trees.boosting import fit_trees
from sm_platform.trees.checkpoint import TreeCheckpoint, load, save
from sm_platform.trees.ensemble import TreeEnsemble
from sm_platform_tests.edited_card import edit_card
from sm_platform_tests.trees.making import QUICK, blocks_of, moisture, rows_of_blocks

ROWS = rows_of_blocks(10)
Arrays = dict[str, np.ndarray]


@cache
def checkpoint() -> TreeCheckpoint:
    ensemble = fit_trees(ROWS, moisture(ROWS), blocks_of(ROWS), QUICK)
    return TreeCheckpoint("trees-1", ensemble, {"trained_until": "2025-10-31", "parent": None})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "one"
    path.mkdir()
    save(checkpoint(), path)
    return path


def rewrite(folder: Path, change: Callable[[Arrays], object]) -> None:
    """Other arrays with a fitting hash, as someone might who edits both files."""
    path = folder / "members.safetensors"
    arrays = load_file(path)
    change(arrays)
    save_file(arrays, path)
    edit_card(folder, weights_sha256=hashlib.sha256(path.read_bytes()).hexdigest())


def test_what_is_loaded_predicts_bit_for_bit_what_was_saved(folder: Path) -> None:
    loaded, saved = load(folder), checkpoint()
    assert (loaded.checkpoint_id, loaded.metadata) == (saved.checkpoint_id, saved.metadata)
    assert loaded.fingerprint == saved.fingerprint
    ours, theirs = (one.ensemble.predict(ROWS, members=True) for one in (saved, loaded))
    np.testing.assert_array_equal(ours.members, theirs.members)
    card = card_in(folder)
    assert (card.kind, card.names) == ("trees", ("trees_1", "trees_2"))
    assert [member["trees"] for member in card.members] == [8, 8]


def test_saving_again_gives_the_same_bytes_and_nothing_is_pickled(
    folder: Path, tmp_path: Path
) -> None:
    again = tmp_path / "two"
    again.mkdir()
    save(load(folder), again)
    assert {p.name for p in again.iterdir()} == {"members.safetensors", "checkpoint.json"}
    for path in again.iterdir():
        assert path.read_bytes() == (folder / path.name).read_bytes()
        assert b"sklearn" not in path.read_bytes()


@pytest.mark.parametrize("where", [0, 200, -1])
def test_one_changed_byte_is_refused(folder: Path, where: int) -> None:
    path = folder / "members.safetensors"
    content = bytearray(path.read_bytes())
    content[where] ^= 1
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"members.safetensors was changed"):
        load(folder)


def put(name: str, place: int, number: float) -> Callable[[Arrays], object]:
    def change(arrays: Arrays) -> None:
        arrays[f"trees_2/{name}"][place] = number

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda arrays: arrays.pop("trees_2/left"), "1 arrays missing, such as 'trees_2/left'"),
        (
            lambda arrays: arrays.update({"trees_3/left": arrays["trees_2/left"]}),
            "1 arrays unexpected, such as 'trees_3/left'",
        ),
        (
            lambda arrays: arrays.update({"trees_2/left": arrays["trees_2/left"].astype(np.int64)}),
            "'trees_2/left' holds int64, not int32",
        ),
        (put("left", 0, 10**6), "member trees_2: node 0 has the child 1000000"),
        (put("left", 0, 0), "member trees_2: node 0 has the child 0"),
        (put("column", 0, 168), "member trees_2: a node compares a column outside"),
        (put("baseline", 0, np.nan), "member trees_2: it holds NaN"),
        (put("baseline", 0, 0.31), "fingerprint is"),
    ],
)
def test_arrays_that_are_not_those_that_were_fitted_are_refused(
    folder: Path, change: Callable[[Arrays], object], said: str
) -> None:
    rewrite(folder, change)
    with pytest.raises(CheckpointError, match=said):
        load(folder)


def test_members_of_other_names_are_refused(folder: Path) -> None:
    def swap(arrays: Arrays) -> None:
        for key in [key for key in arrays if key.startswith("trees_1/")]:
            arrays[key.replace("trees_1/", "oak/")] = arrays.pop(key)

    rewrite(folder, swap)
    edit_card(folder, members=[{"name": "oak"}, {"name": "trees_2"}])
    with pytest.raises(CheckpointError, match="members are oak, trees_2, not trees_1, trees_2"):
        load(folder)


def test_pickled_content_is_not_read(folder: Path) -> None:
    path = folder / "members.safetensors"
    path.write_bytes(b"\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x94.")
    edit_card(folder, weights_sha256=hashlib.sha256(path.read_bytes()).hexdigest())
    with pytest.raises(CheckpointError, match="is no safetensors file"):
        load(folder)


def test_a_recipe_that_means_something_else_today_is_refused(folder: Path) -> None:
    ours = checkpoint().ensemble
    foreign = replace(checkpoint(), ensemble=replace(ours, recipe_fingerprint="0123456789abcdef"))
    edit_card(folder, recipe_fingerprint="0123456789abcdef", fingerprint=foreign.fingerprint)
    with pytest.raises(RecipeError, match=r"sm-100m-v1.*0123456789abcdef.*today's is"):
        load(folder)


def test_an_id_that_leaves_its_folder_an_empty_ensemble_and_a_folder_in_use_are_refused(
    folder: Path,
) -> None:
    with pytest.raises(UsageError, match="cannot name a checkpoint"):
        replace(checkpoint(), checkpoint_id="../x")
    with pytest.raises(CheckpointError, match="no trees"):
        TreeEnsemble((), "sm-100m-v1", "0")
    with pytest.raises(CheckpointError, match="not empty"):
        save(checkpoint(), folder)
