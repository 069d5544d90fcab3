"""A checkpoint of trees: forests and how they came to be, saved beside their card.

All arrays lie in one safetensors file, named `{member}/{array}`; `schema.card` says the rest.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load as arrays_from_bytes
from safetensors.numpy import save as arrays_to_bytes

from sm_platform.errors import CheckpointError
from sm_platform.schema.card import (
    TREES,
    WEIGHTS_NAME,
    Card,
    card_in,
    check_checkpoint_id,
    check_fingerprint,
    check_recipe,
    fingerprint_of,
    read_weights,
    write_checkpoint,
)
from sm_platform.trees.ensemble import TreeEnsemble
from sm_platform.trees.forest import Forest

DTYPES = {
    "baseline": np.float64,
    "first": np.int32,
    "column": np.int16,
    "threshold": np.float32,
    "left": np.int32,
    "right": np.int32,
    "value": np.float32,
}
"""Each array of a `Forest`."""


@dataclass(frozen=True, slots=True, eq=False)
class TreeCheckpoint:
    """An ensemble of trees and how it came to be."""

    checkpoint_id: str
    ensemble: TreeEnsemble
    metadata: Mapping[str, Any]
    """JSON values: training cut-off, region, metrics, licences, passes ..."""

    def __post_init__(self) -> None:
        check_checkpoint_id(self.checkpoint_id)

    @property
    def fingerprint(self) -> str:
        """Sixteen hex digits over recipe, member names and every bit of the arrays."""
        weights = (
            (f"{key}|{array.dtype}|{array.shape}", array.tobytes())
            for key, array in sorted(_flat(self.ensemble).items())
        )
        return fingerprint_of(self.ensemble.recipe_fingerprint, weights)


def save(checkpoint: TreeCheckpoint, folder: Path) -> None:
    """Write both files into `folder`, which exists and is empty; the same checkpoint, same bytes.

    Raises:
        CheckpointError: the folder is not empty, or the metadata are not JSON values (NaN is none).
    """
    ensemble = checkpoint.ensemble
    weights = arrays_to_bytes(_flat(ensemble))
    members = [
        {"name": name, "trees": len(forest.first)}
        for name, forest in zip(ensemble.names, ensemble.forests, strict=True)
    ]
    card = Card(
        kind=TREES,
        checkpoint_id=checkpoint.checkpoint_id,
        fingerprint=checkpoint.fingerprint,
        recipe_id=ensemble.recipe_id,
        recipe_fingerprint=ensemble.recipe_fingerprint,
        members=tuple(members),
        metadata=checkpoint.metadata,
        weights_sha256=hashlib.sha256(weights).hexdigest(),
    )
    write_checkpoint(folder, card, weights)


def load(folder: Path) -> TreeCheckpoint:
    """The checkpoint in `folder`, refused unless it is whole, unchanged and of a current recipe.

    Raises:
        CheckpointError: a file is absent, unreadable or changed; a member is missing; a forest is
            not sound; it is of another kind.
        RecipeError: its recipe is unknown here, or means something else today.
    """
    card = card_in(folder)
    if card.kind != TREES:
        raise CheckpointError(
            f"{folder} holds {card.kind}, not trees: name a checkpoint of kind {TREES}."
        )
    arrays = _arrays(folder, card)
    forests = tuple(_forest(arrays, name, folder) for name in card.names)
    try:
        ensemble = TreeEnsemble(forests, card.recipe_id, card.recipe_fingerprint)
    except CheckpointError as error:
        raise CheckpointError(f"{folder / WEIGHTS_NAME}: {error}") from error
    if ensemble.names != card.names:
        raise CheckpointError(
            f"{folder}: members are {', '.join(card.names)}, not {', '.join(ensemble.names)}: "
            "fit these trees again."
        )
    checkpoint = TreeCheckpoint(card.checkpoint_id, ensemble, card.metadata)
    check_fingerprint(folder, card, checkpoint.fingerprint)
    check_recipe(card)
    return checkpoint


def _flat(ensemble: TreeEnsemble) -> dict[str, NDArray[Any]]:
    return {
        f"{name}/{field.name}": np.ascontiguousarray(getattr(forest, field.name))
        for name, forest in zip(ensemble.names, ensemble.forests, strict=True)
        for field in fields(Forest)
    }


def _arrays(folder: Path, card: Card) -> dict[str, NDArray[Any]]:
    """The arrays of the file, just those of the listed members."""
    path, weights = folder / WEIGHTS_NAME, read_weights(folder, card)
    try:
        arrays = arrays_from_bytes(weights)
    except (SafetensorError, KeyError) as error:  # KeyError: a type that numpy does not have
        raise CheckpointError(f"{path} is no safetensors file of arrays ({error}).") from error
    listed = {f"{name}/{array}" for name in card.names for array in DTYPES}
    for word, keys in (("missing", listed - set(arrays)), ("unexpected", set(arrays) - listed)):
        if keys:
            raise CheckpointError(
                f"{path}: {len(keys)} arrays {word}, such as '{min(keys)}': "
                "take the checkpoint from its origin again."
            )
    return arrays


def _forest(arrays: Mapping[str, NDArray[Any]], name: str, folder: Path) -> Forest:
    own = {array: arrays[f"{name}/{array}"] for array in DTYPES}
    for array, dtype in DTYPES.items():
        if own[array].dtype != dtype:
            raise CheckpointError(
                f"{folder / WEIGHTS_NAME}: '{name}/{array}' holds {own[array].dtype}, "
                f"not {np.dtype(dtype)}."
            )
    return Forest(**own)
