"""A checkpoint: a saved ensemble that explains itself.

A folder of two files: `members.safetensors` (all tensors, named `{member}/{tensor}`) and
`checkpoint.json` (everything else, with the hash of the former). Nothing is pickled. The folder is
written aside and put in place by its owner.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load as tensors_from_bytes
from safetensors.torch import save as tensors_to_bytes
from torch import Tensor

from sm_platform.densesm.network import Architecture
from sm_platform.densesm.states import sound_state
from sm_platform.errors import CheckpointError, RecipeError, UsageError
from sm_platform.schema.recipes import find_recipe

WEIGHTS_NAME = "members.safetensors"
CARD_NAME = "checkpoint.json"
FORMAT = "densesm-checkpoint-1"
CHECKPOINT_ID = re.compile(r"[a-z0-9][a-z0-9._-]{1,60}")
REPEAT = re.compile(r"(_r\d+)?")
"""What may follow the architecture in a member's name, where one is trained several times."""


@dataclass(frozen=True, slots=True, eq=False)
class Member:
    """One network of an ensemble."""

    name: str
    """`{blocks}_{width}`, with `_r2`, `_r3` ... for repeats; unique in its checkpoint."""
    architecture: Architecture
    state: Mapping[str, Tensor]
    """Float32 weights and int64 counters on the CPU, by their name in `DenseSM`."""


@dataclass(frozen=True, slots=True, eq=False)
class Checkpoint:
    """An ensemble, the recipe of its inputs and how it came to be."""

    checkpoint_id: str
    recipe_id: str
    recipe_fingerprint: str
    members: tuple[Member, ...]
    metadata: Mapping[str, Any]
    """JSON values: training cut-off, region, parent, metrics, licences, passes, loss curves ..."""

    def __post_init__(self) -> None:
        check_checkpoint_id(self.checkpoint_id)
        names = [member.name for member in self.members]
        if not names or len(set(names)) < len(names):
            raise CheckpointError(
                f"{self.checkpoint_id}: members are {names or 'none'}; names must be unique."
            )
        for member in self.members:
            stem = member.architecture.name
            if not (member.name.startswith(stem) and REPEAT.fullmatch(member.name[len(stem) :])):
                raise CheckpointError(f"{self.checkpoint_id}: '{member.name}' is not a {stem}.")

    @property
    def fingerprint(self) -> str:
        """Sixteen hex digits over recipe, member names and every bit of the weights."""
        digest = hashlib.sha256(self.recipe_fingerprint.encode())
        for key, tensor in sorted(_flat(self.members).items()):
            digest.update(f"|{key}|{tensor.dtype}|{tuple(tensor.shape)}|".encode())
            digest.update(tensor.numpy().tobytes())
        return digest.hexdigest()[:16]


def check_checkpoint_id(checkpoint_id: str) -> None:
    """Raise UsageError unless it is 2-61 of a-z 0-9 . _ - and begins with a letter or digit."""
    if CHECKPOINT_ID.fullmatch(checkpoint_id) is None:
        raise UsageError(
            f"'{checkpoint_id}' cannot name a checkpoint: take 2 to 61 of a-z, 0-9, '.', '_', '-', "
            "beginning with a letter or digit."
        )


def save(checkpoint: Checkpoint, folder: Path) -> None:
    """Write both files into `folder`, which exists and is empty; the same checkpoint, same bytes.

    Raises:
        CheckpointError: the folder is not empty, a member's state is not sound, or the metadata are
            not JSON values (NaN is none).
    """
    if any(folder.iterdir()):
        raise CheckpointError(f"{folder} is not empty: give a new folder.")
    sound = [_sound(member, checkpoint.checkpoint_id) for member in checkpoint.members]
    weights = tensors_to_bytes(_flat(tuple(sound)))
    card = _card(replace(checkpoint, members=tuple(sound)), weights)
    (folder / WEIGHTS_NAME).write_bytes(weights)
    (folder / CARD_NAME).write_text(card)


def load(folder: Path) -> Checkpoint:
    """The checkpoint in `folder`, refused unless it is whole, unchanged and of a current recipe.

    Raises:
        CheckpointError: a file is absent, unreadable or changed; a member is missing or not sound.
        RecipeError: its recipe is unknown here, or means something else today.
    """
    card = _read_card(folder)
    weights = _read_weights(folder, card)
    try:
        check_checkpoint_id(card["checkpoint_id"])
        checkpoint = Checkpoint(
            checkpoint_id=card["checkpoint_id"],
            recipe_id=card["recipe_id"],
            recipe_fingerprint=card["recipe_fingerprint"],
            members=_members(card["members"], weights, folder),
            metadata=dict(card["metadata"]),
        )
        stored = card["fingerprint"]
    except (KeyError, TypeError, UsageError) as error:
        raise _spoilt(folder, error) from error
    if checkpoint.fingerprint != stored:
        raise CheckpointError(
            f"{folder}: fingerprint is {checkpoint.fingerprint}, not {stored} as written: "
            "the checkpoint was changed; take it from its origin again."
        )
    _check_recipe(checkpoint)
    return checkpoint


def _flat(members: tuple[Member, ...]) -> dict[str, Tensor]:
    return {f"{m.name}/{key}": tensor for m in members for key, tensor in m.state.items()}


def _sound(member: Member, where: str) -> Member:
    state = sound_state(member.architecture, member.state, f"{where}, member {member.name}")
    return replace(member, state=state)


def _card(checkpoint: Checkpoint, weights: bytes) -> str:
    card = {
        "format": FORMAT,
        "checkpoint_id": checkpoint.checkpoint_id,
        "fingerprint": checkpoint.fingerprint,
        "recipe_id": checkpoint.recipe_id,
        "recipe_fingerprint": checkpoint.recipe_fingerprint,
        "weights_sha256": hashlib.sha256(weights).hexdigest(),
        "members": [
            {"name": m.name, "blocks": m.architecture.blocks, "width": m.architecture.width}
            for m in checkpoint.members
        ],
        "metadata": dict(checkpoint.metadata),
    }
    try:
        card["card_sha256"] = _card_sha256(card)
        return json.dumps(card, indent=1, sort_keys=True, allow_nan=False) + "\n"
    except (TypeError, ValueError) as error:
        raise CheckpointError(
            f"{checkpoint.checkpoint_id}: the metadata are not JSON values ({error})."
        ) from error


def _card_sha256(card: dict[str, Any]) -> str:
    """Hash over the card's other entries: neither a day nor a licence in it can change unseen."""
    rest = {key: value for key, value in card.items() if key != "card_sha256"}
    text = json.dumps(rest, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _spoilt(folder: Path, error: Exception) -> CheckpointError:
    return CheckpointError(
        f"{folder / CARD_NAME} is not a checkpoint's card ({type(error).__name__}: {error}): "
        "take the checkpoint from its origin again."
    )


def _read_card(folder: Path) -> dict[str, Any]:
    try:
        card = json.loads((folder / CARD_NAME).read_text())
    except FileNotFoundError as error:
        raise CheckpointError(
            f"{folder} is no checkpoint, it has no {CARD_NAME}: name another, or import one."
        ) from error
    except (OSError, ValueError) as error:
        raise _spoilt(folder, error) from error
    if not isinstance(card, dict) or card.get("format") != FORMAT:
        raise _spoilt(folder, ValueError(f"its format is not {FORMAT}"))
    if card.get("card_sha256") != _card_sha256(card):
        raise CheckpointError(
            f"{folder / CARD_NAME} was changed after it was written (card_sha256 differs): "
            "take the checkpoint from its origin again."
        )
    return card


def _read_weights(folder: Path, card: dict[str, Any]) -> dict[str, Tensor]:
    path = folder / WEIGHTS_NAME
    try:
        weights = path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read ({error}): import it again.") from error
    if hashlib.sha256(weights).hexdigest() != card.get("weights_sha256"):
        raise CheckpointError(
            f"{path} was changed after it was written (sha256 differs from {CARD_NAME}): "
            "take the checkpoint from its origin again."
        )
    try:
        return tensors_from_bytes(weights)
    except SafetensorError as error:
        raise CheckpointError(f"{path} is no safetensors file ({error}).") from error


def _members(
    cards: list[dict[str, Any]], weights: dict[str, Tensor], folder: Path
) -> tuple[Member, ...]:
    states: dict[str, dict[str, Tensor]] = {card["name"]: {} for card in cards}
    for key, tensor in weights.items():
        name, _, inner = key.partition("/")
        if name not in states:
            raise CheckpointError(f"{folder / WEIGHTS_NAME}: '{key}' belongs to no listed member.")
        states[name][inner] = tensor
    built = [
        Member(card["name"], Architecture(card["blocks"], card["width"]), states[card["name"]])
        for card in cards
    ]
    return tuple(_sound(member, str(folder / WEIGHTS_NAME)) for member in built)


def _check_recipe(checkpoint: Checkpoint) -> None:
    today = find_recipe(checkpoint.recipe_id).fingerprint
    if today != checkpoint.recipe_fingerprint:
        raise RecipeError(
            f"Checkpoint {checkpoint.checkpoint_id} was trained on recipe '{checkpoint.recipe_id}' "
            f"with fingerprint {checkpoint.recipe_fingerprint}; today's is {today}: "
            "train or import it again."
        )
