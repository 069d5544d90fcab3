"""The card of a checkpoint: what every kind of saved ensemble says of itself, and how it is kept.

A checkpoint is a folder of two files: `members.safetensors` (the numbers) and `checkpoint.json`
(everything else, with hashes over both). Nothing is pickled. The folder is written aside and put in
place by its owner; a card says which kind of estimator the numbers are.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sm_platform.errors import CheckpointError, RecipeError, UsageError
from sm_platform.schema.recipes import find_recipe

WEIGHTS_NAME = "members.safetensors"
CARD_NAME = "checkpoint.json"
DENSESM = "densesm"
TREES = "trees"
FORMATS = {DENSESM: "densesm-checkpoint-1", TREES: "trees-checkpoint-1"}
"""How the numbers of each kind are laid out; a card without a kind is of `densesm`."""
CHECKPOINT_ID = re.compile(r"[a-z0-9][a-z0-9._-]{1,60}")
TEXTS = ("checkpoint_id", "fingerprint", "recipe_id", "recipe_fingerprint", "weights_sha256")
"""Entries of the file that are texts, by their name in `Card`."""
AGAIN = "take the checkpoint from its origin again."


@dataclass(frozen=True, slots=True)
class Card:
    """What is known of a checkpoint without its numbers."""

    kind: str
    """`densesm` or `trees`."""
    checkpoint_id: str
    fingerprint: str
    """Sixteen hex digits over recipe, member names and every bit of the numbers."""
    recipe_id: str
    recipe_fingerprint: str
    members: tuple[Mapping[str, Any], ...]
    """For each member its `name`, and what its kind adds."""
    metadata: Mapping[str, Any]
    """JSON values: training cut-off, region, parent, metrics, licences, passes, loss curves ..."""
    weights_sha256: str
    """Of the file with the numbers."""

    def __post_init__(self) -> None:
        check_checkpoint_id(self.checkpoint_id)
        if self.kind not in FORMATS:
            raise CheckpointError(
                f"{self.checkpoint_id} is of kind '{self.kind}': known are {', '.join(FORMATS)}."
            )
        check_member_names(self.names, self.checkpoint_id)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the members, in their order."""
        return tuple(member["name"] for member in self.members)


def check_checkpoint_id(checkpoint_id: str) -> None:
    """Raise UsageError unless it is 2-61 of a-z 0-9 . _ - and begins with a letter or digit."""
    if CHECKPOINT_ID.fullmatch(checkpoint_id) is None:
        raise UsageError(
            f"'{checkpoint_id}' cannot name a checkpoint: take 2 to 61 of a-z, 0-9, '.', '_', '-', "
            "beginning with a letter or digit."
        )


def check_member_names(names: Sequence[str], checkpoint_id: str) -> None:
    """Raise CheckpointError unless there is a member, and none of the same name twice."""
    are_texts = all(isinstance(name, str) for name in names)
    if not names or not are_texts or len(set(names)) < len(names):
        raise CheckpointError(
            f"{checkpoint_id}: members are {list(names) or 'none'}; names must be unique."
        )


def fingerprint_of(recipe_fingerprint: str, weights: Iterable[tuple[str, bytes]]) -> str:
    """Sixteen hex digits over a recipe and, in their order, each array's description and bytes."""
    digest = hashlib.sha256(recipe_fingerprint.encode())
    for described, content in weights:
        digest.update(f"|{described}|".encode())
        digest.update(content)
    return digest.hexdigest()[:16]


def write_checkpoint(folder: Path, card: Card, weights: bytes) -> None:
    """Write both files into `folder`, which exists and is empty; the same checkpoint, same bytes.

    Raises:
        CheckpointError: the folder is not empty, or the metadata are not JSON values (NaN is none).
    """
    if any(folder.iterdir()):
        raise CheckpointError(f"{folder} is not empty: give a new folder.")
    text = _text(card)
    (folder / WEIGHTS_NAME).write_bytes(weights)
    (folder / CARD_NAME).write_text(text)


def card_in(folder: Path) -> Card:
    """The card in `folder`, refused unless it is as it was written; the numbers are not read.

    Raises:
        CheckpointError: it is absent, unreadable, changed, incomplete, or of an unknown kind.
    """
    said = _said(folder)
    try:
        kind = said.get("kind", DENSESM)
        if said["format"] != FORMATS.get(kind):
            raise ValueError(f"its format {said['format']} is not one of kind {kind}")
        members, metadata = tuple(said["members"]), dict(said["metadata"])
        return Card(
            kind=kind,
            members=members,
            metadata=metadata,
            **{name: _text_of(said, name) for name in TEXTS},
        )
    except (KeyError, TypeError, ValueError, UsageError) as error:
        raise spoilt(folder, error) from error


def read_weights(folder: Path, card: Card) -> bytes:
    """The file with the numbers; raises CheckpointError unless it is the one the card was made for.

    The hash is compared before anything is parsed.
    """
    path = folder / WEIGHTS_NAME
    try:
        weights = path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read ({error}): import it again.") from error
    if hashlib.sha256(weights).hexdigest() != card.weights_sha256:
        raise CheckpointError(
            f"{path} was changed after it was written (sha256 differs from {CARD_NAME}): {AGAIN}"
        )
    return weights


def check_fingerprint(folder: Path, card: Card, fingerprint: str) -> None:
    """Raise CheckpointError unless the numbers that were read have the card's fingerprint."""
    if fingerprint != card.fingerprint:
        raise CheckpointError(
            f"{folder}: fingerprint is {fingerprint}, not {card.fingerprint} as written: "
            f"the checkpoint was changed; {AGAIN}"
        )


def check_recipe(card: Card) -> None:
    """Raise RecipeError when the card's recipe is unknown here, or means something else today."""
    today = find_recipe(card.recipe_id).fingerprint
    if today != card.recipe_fingerprint:
        raise RecipeError(
            f"Checkpoint {card.checkpoint_id} was trained on recipe '{card.recipe_id}' "
            f"with fingerprint {card.recipe_fingerprint}; today's is {today}: "
            "train or import it again."
        )


def spoilt(folder: Path, error: Exception) -> CheckpointError:
    """What to raise for a card in which something is absent or of a wrong type."""
    return CheckpointError(
        f"{folder / CARD_NAME} is not a checkpoint's card ({type(error).__name__}: {error}): "
        f"{AGAIN}"
    )


def _text_of(said: Mapping[str, Any], name: str) -> str:
    if not isinstance(said[name], str):
        raise TypeError(f"{name} is {said[name]!r}, not a text")
    return str(said[name])


def _text(card: Card) -> str:
    said: dict[str, Any] = {
        "format": FORMATS[card.kind],
        "kind": card.kind,
        **{name: getattr(card, name) for name in TEXTS},
        "members": [dict(member) for member in card.members],
        "metadata": dict(card.metadata),
    }
    try:
        said["card_sha256"] = _card_sha256(said)
        return json.dumps(said, indent=1, sort_keys=True, allow_nan=False) + "\n"
    except (TypeError, ValueError) as error:
        raise CheckpointError(
            f"{card.checkpoint_id}: the metadata are not JSON values ({error})."
        ) from error


def _card_sha256(said: Mapping[str, Any]) -> str:
    """Hash over the card's other entries: neither a day nor a licence in it can change unseen."""
    rest = {key: value for key, value in said.items() if key != "card_sha256"}
    text = json.dumps(rest, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _said(folder: Path) -> dict[str, Any]:
    """The entries of the card's file, as they were written."""
    try:
        said = json.loads((folder / CARD_NAME).read_text())
    except FileNotFoundError as error:
        raise CheckpointError(
            f"{folder} is no checkpoint, it has no {CARD_NAME}: name another, or import one."
        ) from error
    except (OSError, ValueError, RecursionError) as error:
        raise spoilt(folder, error) from error
    if not isinstance(said, dict) or said.get("format") not in FORMATS.values():
        known = " or ".join(FORMATS.values())
        raise spoilt(folder, ValueError(f"its format is not {known}"))
    if said.get("card_sha256") != _card_sha256(said):
        raise CheckpointError(
            f"{folder / CARD_NAME} was changed after it was written (card_sha256 differs): {AGAIN}"
        )
    return said
