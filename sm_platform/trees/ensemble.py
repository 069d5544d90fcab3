"""An ensemble of forests: mean and spread over rows of features."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sm_platform.errors import CheckpointError, RecipeError
from sm_platform.schema.prediction import Prediction
from sm_platform.schema.rows import FeatureRows, whole_rows
from sm_platform.trees.columns import columns_of
from sm_platform.trees.evaluation import Splits, evaluate, splits_of
from sm_platform.trees.forest import Forest, check_forest

BATCH = 16_384
"""Rows at a time: measured best on one core; their 168 columns take 11 MB."""


@dataclass(frozen=True, slots=True, eq=False)
class TreeEnsemble:
    """Forests of one recipe, checked; implements `schema.prediction.Estimator`."""

    forests: tuple[Forest, ...]
    recipe_id: str
    recipe_fingerprint: str

    def __post_init__(self) -> None:
        if not self.forests:
            raise CheckpointError("An ensemble of no trees cannot be: fit at least one member.")
        for name, forest in zip(self.names, self.forests, strict=True):
            check_forest(forest, f"member {name}")

    @property
    def names(self) -> tuple[str, ...]:
        """`trees_1`, `trees_2` ..., the order of `Prediction.members`."""
        return tuple(f"trees_{number + 1}" for number in range(len(self.forests)))

    def predict(self, rows: FeatureRows, *, members: bool = False) -> Prediction:
        """Predict every row; raises RecipeError for rows of another recipe."""
        self._check_recipe(rows)
        n, k = len(rows), len(self.forests)
        found = Prediction(
            mean=np.full(n, np.nan, np.float32),
            sd=np.full(n, np.nan, np.float32),
            members=np.full((n, k), np.nan, np.float32) if members else None,
        )
        whole = np.flatnonzero(whole_rows(rows))
        ready = [splits_of(forest) for forest in self.forests]
        for start in range(0, len(whole), BATCH):
            _fill(ready, rows, whole[start : start + BATCH], found)
        return found

    def _check_recipe(self, rows: FeatureRows) -> None:
        ours, theirs = self.recipe_fingerprint, rows.recipe_fingerprint
        if (self.recipe_id, ours) != (rows.recipe_id, theirs):
            raise RecipeError(
                f"The trees were fitted on recipe '{self.recipe_id}' ({ours}), the rows are of "
                f"'{rows.recipe_id}' ({theirs}): build the rows again with the checkpoint's recipe."
            )


def _fill(
    ready: list[Splits], rows: FeatureRows, chosen: NDArray[np.intp], out: Prediction
) -> None:
    """Evaluate the chosen rows and write their places in `out`."""
    columns = columns_of(rows, chosen)
    values = np.stack([evaluate(splits, columns) for splits in ready])  # (k, chosen)
    out.mean[chosen] = values.mean(axis=0)
    out.sd[chosen] = values.std(axis=0)
    if out.members is not None:
        out.members[chosen] = values.T
