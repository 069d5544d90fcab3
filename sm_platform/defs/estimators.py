"""Estimators of every kind from their folders: networks or trees, behind one interface."""

from dataclasses import dataclass
from pathlib import Path

from sm_platform.densesm import checkpoint as densesm_checkpoint
from sm_platform.densesm.prediction import Ensemble, predict, prepare
from sm_platform.schema.card import TREES, Card, card_in, check_recipe, read_weights
from sm_platform.schema.prediction import Estimator, Prediction
from sm_platform.schema.rows import FeatureRows
from sm_platform.trees import checkpoint as trees_checkpoint


@dataclass(frozen=True, slots=True)
class Networks:
    """A DenseSM ensemble as an `Estimator`."""

    ensemble: Ensemble

    @property
    def names(self) -> tuple[str, ...]:
        """`{blocks}_{width}` of each member, with `_r2`, `_r3` ... for repeats."""
        return self.ensemble.names

    @property
    def recipe_id(self) -> str:
        """Recipe of the rows it reads."""
        return self.ensemble.recipe_id

    @property
    def recipe_fingerprint(self) -> str:
        """Fingerprint of that recipe."""
        return self.ensemble.recipe_fingerprint

    def predict(self, rows: FeatureRows, *, members: bool = False) -> Prediction:
        """Predict every row; raises RecipeError for rows of another recipe."""
        return predict(self.ensemble, rows, members=members)


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
        return trees_checkpoint.load(folder).ensemble
    return networks(densesm_checkpoint.load(folder), device)


def networks(checkpoint: densesm_checkpoint.Checkpoint, device: str = "auto") -> Networks:
    """An estimator of networks that are at hand already."""
    return Networks(prepare(checkpoint, device=device))
