"""`sm-platform models import` and `export`: checkpoints that go and come, and damaged ones."""

import hashlib
import pickle
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from sm_platform.defs.estimators import open_estimator, read_card
from sm_platform.defs.exchange import MODEL_CARD
from sm_platform.densesm.network import Architecture
from sm_platform.schema.card import (
    CARD_NAME,
    WEIGHTS_NAME,
    Card,
    card_in,
    read_weights,
    write_checkpoint,
)
from sm_platform_tests.defs.models_seat import Seat, judged_seat
from sm_platform_tests.densesm.making import random_rows, random_state


@pytest.fixture
def seat(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Seat:
    return judged_seat(tmp_path, capsys)


@pytest.mark.parametrize("name", ["out", "out.zip"])
def test_an_export_comes_back_under_its_own_name_or_another(name: str, seat: Seat) -> None:
    path = seat.root / name
    seat.done("export", "good", "--out", path)
    assert "'good' already" in seat.refused(2, "import", path)
    seat.done("import", path, "--name", "again", "--recipe", "sm-100m-v1")
    ours, theirs = (read_card(seat.models.folder(one)) for one in ("good", "again"))
    assert (ours.fingerprint, ours.metadata) == (theirs.fingerprint, theirs.metadata)
    rows = random_rows(5, 2)
    first, second = (
        open_estimator(seat.models.folder(one)).predict(rows).mean for one in ("good", "again")
    )
    assert np.array_equal(first, second)
    other = Seat(seat.root / "elsewhere", seat.capture)
    other.done("import", path)
    assert other.models.names() == ["good"]
    assert card_in(other.models.folder("good")) == ours
    folders = [one.models.folder("good") for one in (seat, other)]
    contents = [{p.name: p.read_bytes() for p in folder.iterdir()} for folder in folders]
    assert contents[0] == contents[1]


def test_an_export_says_itself_what_it_is(seat: Seat) -> None:
    seat.done("export", "good", "--out", seat.root / "out")
    path = seat.root / "out"
    line = seat.refused(2, "import", path, "--name", "x1", "--recipe", "eov-2025")
    assert "recipe sm-100m-v1, not eov-2025" in line
    line = seat.refused(2, "import", path, "--name", "x1", "--trained-until", "2026-01-01")
    assert "leave --trained-until out" in line
    text = (path / "MODEL_CARD.md").read_text()
    assert text.startswith("# good\n")


def test_an_onnx_export_holds_the_model_and_its_card(seat: Seat) -> None:
    seat.done("export", "good", "--out", seat.root / "out", "--format", "onnx")
    assert {one.name for one in (seat.root / "out").iterdir()} == {"good.onnx", "MODEL_CARD.md"}


Damage = Callable[[Path], object]


def _flip(folder: Path) -> None:
    path = folder / "members.safetensors"
    content = bytearray(path.read_bytes())
    content[-7] ^= 1
    path.write_bytes(content)


def _edit_card(folder: Path) -> None:
    path = folder / "checkpoint.json"
    path.write_text(path.read_text().replace("2025-10-31", "2026-10-31"))


def _rewrite(folder: Path, card: Card, weights: bytes) -> None:
    """Both files anew, with hashes that agree: by somebody who knows how they are made."""
    for name in (CARD_NAME, WEIGHTS_NAME):
        (folder / name).unlink()
    kept = (folder / MODEL_CARD).read_bytes()
    (folder / MODEL_CARD).unlink()
    made = replace(card, weights_sha256=hashlib.sha256(weights).hexdigest())
    write_checkpoint(folder, made, weights)
    (folder / MODEL_CARD).write_bytes(kept)


def _lose_member(folder: Path) -> None:
    """The card lists one member more than there is."""
    card = card_in(folder)
    more = {"name": "1_16", "blocks": 1, "width": 16}
    _rewrite(folder, replace(card, members=(*card.members, more)), read_weights(folder, card))


def _pickle(folder: Path) -> None:
    _rewrite(folder, card_in(folder), pickle.dumps({"a": 1}))


def _change_weight(folder: Path) -> None:
    """Finite numbers, hashes that agree, but not what the fingerprint was taken of."""
    card = card_in(folder)
    content = bytearray(read_weights(folder, card))
    content[-7] ^= 1
    _rewrite(folder, card, bytes(content))


DAMAGES: list[tuple[Damage, str]] = [
    (_flip, "members.safetensors was changed"),
    (_edit_card, "checkpoint.json was changed"),
    (_lose_member, "missing"),
    (_pickle, "is no safetensors file"),
    (_change_weight, "the checkpoint was changed"),
    (lambda folder: (folder / "members.safetensors").unlink(), "cannot be read"),
    (lambda folder: (folder / "checkpoint.json").write_text("{"), "is not a checkpoint's card"),
    (lambda folder: (folder / "more.pkl").write_bytes(b"x"), "holds more.pkl beside"),
]


@pytest.mark.parametrize(("damage", "said"), DAMAGES)
@pytest.mark.parametrize("as_zip", [False, True])
def test_a_damaged_export_is_refused(damage: Damage, said: str, as_zip: bool, seat: Seat) -> None:
    path = seat.root / "out"
    seat.done("export", "good", "--out", path)
    damage(path)
    if as_zip:
        path = seat.root / "out.zip"
        with zipfile.ZipFile(path, "w") as packed:
            for one in (seat.root / "out").iterdir():
                packed.write(one, one.name)
    assert said in seat.refused(1, "import", path, "--name", "hurt")
    assert "hurt" not in seat.models.names()


def test_published_networks_are_imported_as_before(seat: Seat) -> None:
    folder = seat.root / "published"
    folder.mkdir()
    torch.save(random_state(Architecture(1, 8)), folder / "coarse_1_8.pt")
    assert "say one with --name" in seat.refused(2, "import", folder, "--recipe", "eov-2025")
    assert "say it with --recipe" in seat.refused(2, "import", folder, "--name", "theirs")
    words = "import", folder, "--name", "theirs", "--recipe", "eov-2025"
    seat.done(*words, "--trained-until", "2024-01-01")
    card = read_card(seat.models.folder("theirs"))
    assert (card.recipe_id, card.names) == ("eov-2025", ("1_8",))
    assert card.metadata["trained_until"] == "2024-01-01"
    assert "theirs  eov-2025" in seat.done("list").out
