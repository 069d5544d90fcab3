"""Checkpoints leave the store and come back: as they are (safetensors), or as ONNX to run."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from sm_platform.defs.estimators import open_estimator
from sm_platform.defs.model_card import whole_card
from sm_platform.densesm.checkpoint import load
from sm_platform.densesm.onnx_export import to_onnx
from sm_platform.errors import RecipeError, UsageError
from sm_platform.lake.exported import opened_export, write_exported
from sm_platform.lake.layout import Layout
from sm_platform.lake.models import ModelStore
from sm_platform.schema.card import (
    CARD_NAME,
    DENSESM,
    WEIGHTS_NAME,
    Card,
    card_in,
    read_weights,
    write_checkpoint,
)

MODEL_CARD = "MODEL_CARD.md"
Files = Mapping[str, bytes]


def export_checkpoint(
    stores: tuple[Layout, ModelStore], checkpoint_id: str, out: Path, format_name: str
) -> list[str]:
    """Write a stored checkpoint with its model card to a new folder or zip; names of the files.

    Raises:
        UsageError: an unknown format or name, or something is at `out` already.
        CheckpointError: the stored one is not whole.
    """
    layout, models = stores
    if format_name not in FORMATS:
        raise UsageError(f"There is no format '{format_name}': use {' or '.join(FORMATS)}.")
    folder = models.folder(checkpoint_id)
    open_estimator(folder, device="cpu")  # refuses one that is not whole
    card = whole_card(layout, models, checkpoint_id)
    files = {**FORMATS[format_name](folder), MODEL_CARD: card.encode()}
    write_exported(out, files)
    return sorted(files)


def import_exported(
    models: ModelStore, path: Path, name: str | None, recipe_id: str | None = None
) -> Card:
    """Store an exported checkpoint under a name, by default its own; its card is kept as it is.

    Raises:
        CheckpointError: it is not whole, was changed, or holds files that do not belong to it.
        RecipeError: its recipe is not known here, or is not the one that was said.
        UsageError: one of that name is there.
    """
    with opened_export(path, (CARD_NAME, WEIGHTS_NAME, MODEL_CARD)) as folder:
        card = card_in(folder)
        if recipe_id not in (None, card.recipe_id):
            raise RecipeError(
                f"{path} holds a checkpoint of recipe {card.recipe_id}, not {recipe_id}: leave "
                "--recipe out."
            )
        open_estimator(folder, device="cpu")
        weights = read_weights(folder, card)
        named = replace(card, checkpoint_id=name or card.checkpoint_id)
        models.add(named.checkpoint_id, lambda draft: write_checkpoint(draft, named, weights))
    return named


def _as_stored(folder: Path) -> Files:
    return {name: (folder / name).read_bytes() for name in (CARD_NAME, WEIGHTS_NAME)}


def _as_onnx(folder: Path) -> Files:
    card = card_in(folder)
    if card.kind != DENSESM:
        raise UsageError(
            f"{card.checkpoint_id} is of kind {card.kind}, ONNX is for {DENSESM}: export it with "
            "--format safetensors."
        )
    return {f"{card.checkpoint_id}.onnx": to_onnx(load(folder))}


FORMATS: Mapping[str, Callable[[Path], Files]] = {"safetensors": _as_stored, "onnx": _as_onnx}
"""How a checkpoint is written, by the format's name."""
