"""Training of an ensemble from scratch: best practice in seconds to minutes on two cores.

AdamW over one cycle of the learning rate, mean squared error, averaged weights whose norms are
taken anew, early stopping on validation rows. Networks learn on standardised series and labels; the
standardisation ends up inside the first convolution and the last layer, so that what is returned
is the published architecture on raw scaled inputs.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from sm_platform.densesm.fitting import Epoch, TrainedMember, TrainingSettings, fit
from sm_platform.densesm.network import Architecture
from sm_platform.densesm.threads import side_by_side
from sm_platform.densesm.training_data import Scales, Table
from sm_platform.errors import DataError, RecipeError, UsageError
from sm_platform.schema.rows import FeatureRows

__all__ = ["Epoch", "Progress", "TrainedEnsemble", "TrainedMember", "TrainingSettings", "train"]

FEWEST_ROWS = 64
"""Below this the norms of a batch mean nothing."""
NARROWEST = 1e-4
"""m3/m3: labels whose sd is smaller are one constant."""
Labels = NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class Progress:
    """One finished epoch of one member."""

    member: str
    """`{blocks}_{width}`"""
    epoch: int
    """0 for the first."""
    epochs: int
    """At most so many."""
    losses: Epoch


@dataclass(frozen=True, slots=True, eq=False)
class TrainedEnsemble:
    """What `train` gives; the caller makes a checkpoint of it."""

    members: tuple[TrainedMember, ...]
    recipe_id: str
    recipe_fingerprint: str


def train(
    rows: FeatureRows,
    target: Labels,
    settings: TrainingSettings,
    *,
    validation_rows: FeatureRows,
    validation_target: Labels,
    weights: Labels | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> TrainedEnsemble:
    """Train the members side by side; the same arguments give the same bits on one machine.

    Args:
        rows: n training rows, without a missing input.
        target: (n,) soil moisture in m3/m3.
        settings: members, epochs and the rest.
        validation_rows: rows of the same recipe, of other sites, that decide when to stop.
        validation_target: their soil moisture.
        weights: (n,) weight of each training row, 0 or more; all alike by default.
        progress: called after each epoch, from the thread that trains the member.

    Raises:
        DataError: a missing input or label, labels that are constant, in percent or negative, too
            few rows, or lengths that differ.
        RecipeError: validation rows of another recipe.
        UsageError: settings that cannot be.
    """
    architectures = _architectures(settings)
    if rows.recipe_fingerprint != validation_rows.recipe_fingerprint:
        raise RecipeError(
            f"Training rows are of recipe '{rows.recipe_id}' ({rows.recipe_fingerprint}), "
            f"validation rows of '{validation_rows.recipe_id}' "
            f"({validation_rows.recipe_fingerprint}): build both with one recipe."
        )
    learnt = _table("training", rows, target, weights)
    judged = _table("validation", validation_rows, validation_target, None)
    if Scales.of(learnt).target_sd < NARROWEST:
        raise DataError(
            f"All {len(rows)} training labels are about {float(learnt.target[0]):.4f} m3/m3: "
            "there is nothing to learn; choose more days or sites."
        )

    def fit_member(architecture: Architecture) -> TrainedMember:
        def report(number: int, losses: Epoch) -> None:
            if progress is not None:
                progress(Progress(architecture.name, number, settings.epochs, losses))

        return fit(architecture, learnt, judged, settings, report)

    workers = min(torch.get_num_threads(), len(architectures))
    members = side_by_side(fit_member, architectures, workers)
    return TrainedEnsemble(tuple(members), rows.recipe_id, rows.recipe_fingerprint)


def _architectures(settings: TrainingSettings) -> list[Architecture]:
    if not settings.members or len(set(settings.members)) < len(settings.members):
        raise UsageError(f"Members {settings.members}: name at least one, and none twice.")
    for name in ("epochs", "batch", "learning_rate", "patience"):
        if getattr(settings, name) <= 0:
            raise UsageError(f"{name} is {getattr(settings, name)}: it must be above 0.")
    for name in ("feature_dropout", "series_dropout"):
        if not 0 <= getattr(settings, name) < 1:
            raise UsageError(f"{name} is {getattr(settings, name)}: it must be in 0..1.")
    return [Architecture(blocks, width) for blocks, width in settings.members]


def _table(role: str, rows: FeatureRows, target: Labels, weights: Labels | None) -> Table:
    """Checked tensors of the rows."""
    weights = np.ones(len(rows)) if weights is None else weights
    if not len(rows) == len(target) == len(weights):
        raise DataError(
            f"{len(rows)} {role} rows have {len(target)} labels and {len(weights)} weights."
        )
    _check_rows(role, rows)
    _check_labels(role, target)
    if not np.isfinite(weights).all() or weights.min() < 0 or weights.sum() <= 0:
        raise DataError(f"Weights of {role} rows must be 0 or more, not all 0, and never missing.")
    return Table(
        scalars=torch.tensor(rows.scalars, dtype=torch.float32),
        series=torch.tensor(rows.series, dtype=torch.float32),
        series_index=torch.tensor(rows.series_index, dtype=torch.int64),
        target=torch.tensor(target, dtype=torch.float32),
        weight=torch.tensor(weights / weights.mean(), dtype=torch.float32),
    )


def _check_rows(role: str, rows: FeatureRows) -> None:
    if len(rows) < FEWEST_ROWS:
        raise DataError(f"{len(rows)} {role} rows: at least {FEWEST_ROWS} are needed.")
    whole_series = np.isfinite(rows.series.sum(axis=(1, 2)))  # one NaN spoils its sum
    whole = np.isfinite(rows.scalars.sum(axis=1)) & whole_series[rows.series_index]
    spoilt = int((~whole).sum())
    if spoilt:
        raise DataError(
            f"{spoilt} of {len(rows)} {role} rows have a missing input: leave these rows out."
        )


def _check_labels(role: str, target: Labels) -> None:
    missing = int((~np.isfinite(target)).sum())
    if missing:
        raise DataError(f"{missing} {role} labels are missing: leave these rows out.")
    low, high = float(target.min()), float(target.max())
    if high > 1:
        raise DataError(
            f"{role} labels reach {high:g}: that is percent or another unit; divide, so that they "
            "are m3/m3 in 0..1."
        )
    if low < 0:
        raise DataError(f"{role} labels go down to {low:g} m3/m3: negative moisture is an error.")
