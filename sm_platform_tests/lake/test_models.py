from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from sm_platform.errors import LakeError, UsageError
from sm_platform.lake.models import ModelStore

Save = Callable[[Path], None]


@pytest.fixture
def models(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "models")


def saving(text: str, names: Sequence[str] = ("checkpoint.json", "weights")) -> Save:
    def save(folder: Path) -> None:
        for name in names:
            (folder / name).write_text(text)

    return save


def failing(folder: Path) -> None:
    (folder / "weights").write_text("half")
    raise LakeError("no more")


def texts(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_an_added_checkpoint_is_found_by_its_name(models: ModelStore) -> None:
    folder = models.add("eov-2025", saving("a"))
    assert models.folder("eov-2025") == folder == models.root / "eov-2025"
    assert texts(folder) == {"checkpoint.json": "a", "weights": "a"}


def test_names_are_those_of_whole_checkpoints_in_order(models: ModelStore) -> None:
    assert models.names() == []
    for name in ("b", "a"):
        models.add(name, saving(name))
    models.add("without-card", saving("x", ("weights",)))
    aside = models.root / ".aside"
    (aside / "checkpoint.json").write_text("x")
    assert models.names() == ["a", "b"]


def test_an_absent_checkpoint_is_an_error_listing_those_there(models: ModelStore) -> None:
    with pytest.raises(UsageError, match="no checkpoint 'c'.*none yet"):
        models.folder("c")
    for name in ("b", "a"):
        models.add(name, saving(name))
    with pytest.raises(UsageError, match=r"there: a, b\).*models import"):
        models.folder("c")


@pytest.mark.parametrize("name", ["../x", "a b", "", ".aside", "a/b"])
def test_names_that_leave_the_store_are_refused(models: ModelStore, name: str) -> None:
    with pytest.raises(UsageError, match="cannot be part of a path"):
        models.folder(name)
    with pytest.raises(UsageError, match="cannot be part of a path"):
        models.add(name, saving("a"))
    assert not models.root.exists()


def test_a_second_of_the_same_name_is_refused_before_it_is_written(models: ModelStore) -> None:
    folder = models.add("a", saving("old"))
    with pytest.raises(UsageError, match="'a' already: choose another name"):
        models.add("a", failing)
    assert set(texts(folder).values()) == {"old"}


def test_a_second_takes_the_place_of_the_first_when_told(models: ModelStore) -> None:
    models.add("a", saving("old", ("checkpoint.json", "weights", "more")))
    folder = models.add("a", saving("new"), replace=True)
    assert texts(folder) == {"checkpoint.json": "new", "weights": "new"}
    assert models.names() == ["a"]


def test_a_save_that_fails_leaves_the_first_as_it_was(models: ModelStore) -> None:
    folder = models.add("a", saving("old"))
    with pytest.raises(LakeError, match="no more"):
        models.add("a", failing, replace=True)
    with pytest.raises(LakeError, match="no more"):
        models.add("b", failing)
    assert texts(folder) == {"checkpoint.json": "old", "weights": "old"}
    assert models.names() == ["a"]
    assert not list((models.root / ".aside").glob("*/*"))


def full_disk(folder: Path) -> None:
    (folder / "weights").write_text("half")
    (folder / "checkpoint.json").symlink_to("/dev/full")  # every write to it finds the disk full
    (folder / "checkpoint.json").write_text("x" * 10)


def test_a_full_disk_is_named_and_leaves_nothing_half_written(models: ModelStore) -> None:
    folder = models.add("a", saving("old"))
    for name in ("a", "b"):
        with pytest.raises(LakeError, match=f"Cannot write .*{name}: No space left"):
            models.add(name, full_disk, replace=True)
    assert texts(folder) == {"checkpoint.json": "old", "weights": "old"}
    assert models.names() == ["a"]
    assert not list((models.root / ".aside").glob("*/*"))
