"""Estimators of every kind from their folders: networks or trees, behind one interface.

PyTorch is loaded when networks are opened, not by whoever may open some.
"""

from pathlib import Path

from sm_platform.schema.card import TREES, Card, card_in, check_recipe, read_weights
from sm_platform.schema.prediction import Estimator


def read_card(folder: Path) -> Card:
    """The card in `folder`, refused unless both files are as they were written.

    Quicker than opening the estimator: the numbers are hashed, not read into it.

    Raises:
        CheckpointError: a file is absent, unreadable or changed.
        RecipeError: its recipe is unknown here, or means something else today.
    """
    card = card_in(folder)
    read_weights(folder, card)
    check_recipe(card)
    return card


def open_estimator(folder: Path, device: str = "auto") -> Estimator:
    """The estimator in `folder`, whatever its kind; trees know no device.

    Raises:
        CheckpointError: a file is absent, unreadable or changed, or a member is not sound.
        RecipeError: its recipe is unknown here, or means something else today.
        UsageError: networks, and there is no such device.
    """
    if card_in(folder).kind == TREES:
        from sm_platform.trees.checkpoint import load as load_trees

        return load_trees(folder).ensemble
    from sm_platform.densesm.checkpoint import load as load_networks
    from sm_platform.densesm.prediction import prepare

    return prepare(load_networks(folder), device=device)
