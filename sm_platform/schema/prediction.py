"""What an estimator is, whatever its kind: rows of features in, mean and spread out."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sm_platform.schema.rows import FeatureRows


@dataclass(frozen=True, slots=True)
class Prediction:
    """Soil moisture of n rows in m3/m3, not clipped; NaN where one of a row's inputs is missing."""

    mean: NDArray[np.float32]
    """(n,): mean over the members."""
    sd: NDArray[np.float32]
    """(n,): population standard deviation over the members (divided by k; 0 for one member)."""
    members: NDArray[np.float32] | None
    """(n, k) in the ensemble's order, when asked for."""


class Estimator(Protocol):
    """An ensemble of any kind, ready to predict; equal rows give equal bits."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of its k members, the order of `Prediction.members`."""

    @property
    def recipe_id(self) -> str:
        """Recipe of the rows it reads."""

    @property
    def recipe_fingerprint(self) -> str:
        """Fingerprint of that recipe."""

    def predict(self, rows: FeatureRows, *, members: bool = False) -> Prediction:
        """Predict every row; raises RecipeError for rows of another recipe."""
