"""A checkpoint of networks: tensors and how they came to be, saved beside their card.

All tensors lie in one safetensors file, named `{member}/{tensor}`; `schema.card` says the rest.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load as tensors_from_bytes
from safetensors.torch import save as tensors_to_bytes
from torch import Tensor

from sm_platform.densesm.network import Architecture
from sm_platform.densesm.states import sound_state
from sm_platform.errors import CheckpointError
from sm_platform.schema.card import (
    DENSESM,
    WEIGHTS_NAME,
    Card,
    card_in,
    check_checkpoint_id,
    check_fingerprint,
    check_member_names,
    check_recipe,
    fingerprint_of,
    read_weights,
    spoilt,
    write_checkpoint,
)

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
        check_member_names([member.name for member in self.members], self.checkpoint_id)
        for member in self.members:
            stem = member.architecture.name
            if not (member.name.startswith(stem) and REPEAT.fullmatch(member.name[len(stem) :])):
                raise CheckpointError(f"{self.checkpoint_id}: '{member.name}' is not a {stem}.")

    @property
    def fingerprint(self) -> str:
        """Sixteen hex digits over recipe, member names and every bit of the weights."""
        weights = (
            (f"{key}|{tensor.dtype}|{tuple(tensor.shape)}", tensor.numpy().tobytes())
            for key, tensor in sorted(_flat(self.members).items())
        )
        return fingerprint_of(self.recipe_fingerprint, weights)


def save(checkpoint: Checkpoint, folder: Path) -> None:
    """Write both files into `folder`, which exists and is empty; the same checkpoint, same bytes.

    Raises:
        CheckpointError: the folder is not empty, a member's state is not sound, or the metadata are
            not JSON values (NaN is none).
    """
    sound = tuple(_sound(member, checkpoint.checkpoint_id) for member in checkpoint.members)
    weights = tensors_to_bytes(_flat(sound))
    write_checkpoint(folder, _card(replace(checkpoint, members=sound), weights), weights)


def load(folder: Path) -> Checkpoint:
    """The checkpoint in `folder`, refused unless it is whole, unchanged and of a current recipe.

    Raises:
        CheckpointError: a file is absent, unreadable or changed; a member is missing or not sound;
            it is of another kind.
        RecipeError: its recipe is unknown here, or means something else today.
    """
    card = card_in(folder)
    if card.kind != DENSESM:
        raise CheckpointError(
            f"{folder} holds {card.kind}, not networks: name a checkpoint of kind {DENSESM}."
        )
    weights = _tensors(folder, card)
    try:
        members = _members(card.members, weights, folder)
    except (KeyError, TypeError) as error:
        raise spoilt(folder, error) from error
    checkpoint = Checkpoint(
        checkpoint_id=card.checkpoint_id,
        recipe_id=card.recipe_id,
        recipe_fingerprint=card.recipe_fingerprint,
        members=members,
        metadata=card.metadata,
    )
    check_fingerprint(folder, card, checkpoint.fingerprint)
    check_recipe(card)
    return checkpoint


def _flat(members: tuple[Member, ...]) -> dict[str, Tensor]:
    return {f"{m.name}/{key}": tensor for m in members for key, tensor in m.state.items()}


def _sound(member: Member, where: str) -> Member:
    state = sound_state(member.architecture, member.state, f"{where}, member {member.name}")
    return replace(member, state=state)


def _card(checkpoint: Checkpoint, weights: bytes) -> Card:
    return Card(
        kind=DENSESM,
        checkpoint_id=checkpoint.checkpoint_id,
        fingerprint=checkpoint.fingerprint,
        recipe_id=checkpoint.recipe_id,
        recipe_fingerprint=checkpoint.recipe_fingerprint,
        members=tuple(
            {"name": m.name, "blocks": m.architecture.blocks, "width": m.architecture.width}
            for m in checkpoint.members
        ),
        metadata=checkpoint.metadata,
        weights_sha256=hashlib.sha256(weights).hexdigest(),
    )


def _tensors(folder: Path, card: Card) -> dict[str, Tensor]:
    weights = read_weights(folder, card)
    try:
        return tensors_from_bytes(weights)
    except SafetensorError as error:
        raise CheckpointError(
            f"{folder / WEIGHTS_NAME} is no safetensors file ({error})."
        ) from error


def _members(
    cards: Sequence[Mapping[str, Any]], weights: Mapping[str, Tensor], folder: Path
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
