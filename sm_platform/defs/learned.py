"""What came out of a training, of either kind: an estimator that is not stored yet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from sm_platform.densesm.checkpoint import Checkpoint, Member
from sm_platform.densesm.checkpoint import save as save_networks
from sm_platform.densesm.member_run import Epoch, TrainedMember
from sm_platform.densesm.prediction import predict, prepare
from sm_platform.schema.card import DENSESM, TREES
from sm_platform.schema.prediction import Estimator, Prediction
from sm_platform.schema.recipes import Recipe
from sm_platform.schema.rows import FeatureRows
from sm_platform.trees.checkpoint import TreeCheckpoint
from sm_platform.trees.checkpoint import save as save_trees
from sm_platform.trees.ensemble import TreeEnsemble

Curves = Mapping[str, Sequence[Epoch]]
"""Losses after each epoch by member."""
UNNAMED = "unnamed"
"""Until it is judged: name and metadata tell how well it does."""


class Learned(Estimator, Protocol):
    """An estimator just trained; its name and what is known of it come with saving."""

    @property
    def kind(self) -> str:
        """Either `densesm` or `trees`."""

    @property
    def fingerprint(self) -> str:
        """Sixteen hex digits over recipe and members, whatever the name."""

    @property
    def curves(self) -> Curves:
        """How the members got there; empty for trees."""

    def save(self, checkpoint_id: str, metadata: Mapping[str, Any], folder: Path) -> None:
        """Write the checkpoint into an empty folder."""


@dataclass(frozen=True, slots=True, eq=False)
class LearnedNetworks:
    """Networks just trained."""

    recipe: Recipe
    trained: tuple[TrainedMember, ...]
    """Of all repeats, in order."""

    @property
    def kind(self) -> str:
        """`densesm`."""
        return DENSESM

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the members."""
        return tuple(one.name for one in self.trained)

    @property
    def recipe_id(self) -> str:
        """Recipe of the rows."""
        return self.recipe.recipe_id

    @property
    def recipe_fingerprint(self) -> str:
        """Fingerprint of that recipe."""
        return self.recipe.fingerprint

    @property
    def fingerprint(self) -> str:
        """Over recipe and weights."""
        return self._checkpoint(UNNAMED, {}).fingerprint

    @property
    def curves(self) -> Curves:
        """Losses after each epoch by member."""
        return {one.name: one.history for one in self.trained}

    def predict(self, rows: FeatureRows, *, members: bool = False) -> Prediction:
        """Predict every row; raises RecipeError for rows of another recipe."""
        return predict(prepare(self._checkpoint(UNNAMED, {})), rows, members=members)

    def save(self, checkpoint_id: str, metadata: Mapping[str, Any], folder: Path) -> None:
        """Write the checkpoint into an empty folder."""
        save_networks(self._checkpoint(checkpoint_id, metadata), folder)

    def _checkpoint(self, checkpoint_id: str, metadata: Mapping[str, Any]) -> Checkpoint:
        return Checkpoint(
            checkpoint_id=checkpoint_id,
            recipe_id=self.recipe_id,
            recipe_fingerprint=self.recipe_fingerprint,
            members=tuple(Member(one.name, one.architecture, one.state) for one in self.trained),
            metadata=metadata,
        )


@dataclass(frozen=True, slots=True, eq=False)
class LearnedTrees:
    """Trees just fitted."""

    ensemble: TreeEnsemble

    @property
    def kind(self) -> str:
        """`trees`."""
        return TREES

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the members."""
        return self.ensemble.names

    @property
    def recipe_id(self) -> str:
        """Recipe of the rows."""
        return self.ensemble.recipe_id

    @property
    def recipe_fingerprint(self) -> str:
        """Fingerprint of that recipe."""
        return self.ensemble.recipe_fingerprint

    @property
    def fingerprint(self) -> str:
        """Over recipe and trees."""
        return TreeCheckpoint(UNNAMED, self.ensemble, {}).fingerprint

    @property
    def curves(self) -> Curves:
        """None: trees have no epochs."""
        return {}

    def predict(self, rows: FeatureRows, *, members: bool = False) -> Prediction:
        """Predict every row; raises RecipeError for rows of another recipe."""
        return self.ensemble.predict(rows, members=members)

    def save(self, checkpoint_id: str, metadata: Mapping[str, Any], folder: Path) -> None:
        """Write the checkpoint into an empty folder."""
        save_trees(TreeCheckpoint(checkpoint_id, self.ensemble, metadata), folder)
