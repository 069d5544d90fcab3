"""From the samples of a region to a checkpoint and how well it does."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sm_platform import __version__
from sm_platform.defs.sample_set import SampleSet
from sm_platform.densesm.checkpoint import Checkpoint, Member
from sm_platform.densesm.prediction import predict, prepare
from sm_platform.densesm.training import Progress, TrainedEnsemble, TrainingSettings, train
from sm_platform.samples.splits import Role
from sm_platform.schema.recipes import Recipe
from sm_platform.schema.rows import take
from sm_platform.trust.metrics import Agreement, agreement

EPOCHS_PER_LINE = 5


@dataclass(frozen=True, slots=True)
class Trained:
    """A checkpoint with how it did on blocks that it has not seen."""

    checkpoint: Checkpoint
    test: Agreement
    n_samples: int
    truth: NDArray[np.float32]
    predicted: NDArray[np.float32]
    ensemble: TrainedEnsemble


def fit(
    samples: SampleSet,
    stem: str,
    settings: TrainingSettings,
    *,
    told: dict[str, object],
    progress: Callable[[str], None],
) -> Trained:
    """Train on the rows of one role, steer on another's, and judge on rows used for neither.

    The checkpoint is named `stem` and the first digits of its fingerprint: other weights have
    another name.
    """
    training, validation, test = (
        _rows_of(samples, role) for role in (Role.TRAIN, Role.VALIDATION, Role.TEST)
    )
    ensemble = train(
        take(samples.rows, training),
        samples.sm_m3m3[training],
        settings,
        weights=samples.weight[training],
        validation_rows=take(samples.rows, validation),
        validation_target=samples.sm_m3m3[validation],
        progress=lambda told: _tell(told, progress),
    )
    metadata = told | {
        "majority_pass": samples.majority_pass,
        "n_samples": len(training),
        "split_scheme": samples.scheme,
        "reference": "product" if samples.labels == ("product",) else ", ".join(samples.labels),
        "code_version": __version__,
        "profile": "reduced: few members and epochs, to show the whole path",
    }
    checkpoint = _checkpoint(samples.recipe, stem, ensemble, metadata)
    found = predict(prepare(checkpoint), take(samples.rows, test))
    truth = samples.sm_m3m3[test]
    score = agreement(found.mean, truth)
    scored = dict(checkpoint.metadata) | {
        "test": {"rmse_m3m3": score.rmse, "bias_m3m3": score.bias, "r": score.r, "n": score.n}
    }
    name = f"{stem}-{checkpoint.fingerprint[:6]}"
    final = _checkpoint(samples.recipe, name, ensemble, scored)
    return Trained(final, score, len(training), truth, found.mean, ensemble)


def _rows_of(samples: SampleSet, role: Role) -> NDArray[np.int64]:
    """Rows of a role; of the training rows those with a weight."""
    is_own = samples.role == role.value
    return np.flatnonzero(is_own & (samples.weight > 0) if role is Role.TRAIN else is_own)


def _tell(told: Progress, say: Callable[[str], None]) -> None:
    if told.epoch % EPOCHS_PER_LINE == 0:
        rmse = told.losses.validation_loss**0.5
        say(
            f"network {told.member}, epoch {told.epoch + 1} of {told.epochs}: "
            f"validation RMSE {rmse:.4f} m3/m3"
        )


def _checkpoint(
    recipe: Recipe, checkpoint_id: str, ensemble: TrainedEnsemble, metadata: dict[str, object]
) -> Checkpoint:
    return Checkpoint(
        checkpoint_id=checkpoint_id,
        recipe_id=recipe.recipe_id,
        recipe_fingerprint=recipe.fingerprint,
        members=tuple(
            Member(one.architecture.name, one.architecture, one.state) for one in ensemble.members
        ),
        metadata=metadata,
    )
