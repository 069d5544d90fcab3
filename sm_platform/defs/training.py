"""From the stored samples of a region to a checkpoint in the store."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sm_platform import __version__
from sm_platform.defs.lake_access import rows_of_days
from sm_platform.defs.scenes import read_scenes
from sm_platform.densesm.checkpoint import Checkpoint, Member
from sm_platform.densesm.prediction import predict, prepare
from sm_platform.densesm.training import Progress, TrainedEnsemble, TrainingSettings, train
from sm_platform.errors import MissingInputError
from sm_platform.grid.calendar import days_between
from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.lake.rasters import values_of
from sm_platform.samples.splits import Role, split_by_block
from sm_platform.schema.model_tables import TRAINING_SAMPLES
from sm_platform.schema.product import QA_CRITICAL_MASK
from sm_platform.schema.recipes import N_INPUTS, Recipe, find_recipe
from sm_platform.schema.rows import FeatureRows, from_dense, take
from sm_platform.trust.metrics import Agreement, agreement

EPOCHS_PER_LINE = 5


@dataclass(frozen=True, slots=True)
class SampleSet:
    """Samples of one region before a cut-off day, all of one recipe."""

    recipe: Recipe
    rows: FeatureRows
    sm_m3m3: NDArray[np.float32]
    block_id: NDArray[np.int32]
    majority_pass: str | None
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Trained:
    """A checkpoint with how it did on blocks that it has not seen."""

    checkpoint: Checkpoint
    test: Agreement
    n_samples: int
    truth: NDArray[np.float32]
    predicted: NDArray[np.float32]
    ensemble: TrainedEnsemble


def gather(layout: Layout, region: str, cut_off: date, days: int, most: int) -> SampleSet:
    """Samples of the `days` days before the cut-off, thinned evenly to `most`.

    Critical pixels (water, border, flooded) are left out: they are never mapped.

    Raises:
        MissingInputError: there are none.
    """
    span = days_between(cut_off - timedelta(days), cut_off - timedelta(1))
    parts = rows_of_days(layout, TRAINING_SAMPLES, region, span)
    if not parts:
        raise MissingInputError(
            f"Region {region} has no training samples before {cut_off}: materialize "
            "`training_samples` for the days before it first."
        )
    note = store.note_of(layout, TRAINING_SAMPLES, region, parts[0][0]) or {}
    table = pa.concat_tables([rows for _, rows in parts])
    clear = np.flatnonzero((values_of(table["qa"]) & QA_CRITICAL_MASK) == 0)
    step = max(len(clear) / most, 1.0)
    kept = table.take(clear[np.arange(0, len(clear), step).astype(np.int64)])
    recipe = find_recipe(note["recipe_id"])
    return SampleSet(
        recipe=recipe,
        rows=_feature_rows(kept, recipe),
        sm_m3m3=values_of(kept["sm_m3m3"]).astype(np.float32),
        block_id=values_of(kept["block_id"]),
        majority_pass=_majority(layout, region, [day for day, _ in parts]),
        labels=tuple(sorted(set(kept["label_type"].to_pylist()))),
    )


def fit(
    samples: SampleSet,
    checkpoint_id: str,
    settings: TrainingSettings,
    *,
    told: dict[str, object],
    progress: Callable[[str], None],
) -> Trained:
    """Train on whole 3 km blocks, steer on others, and judge on blocks used for neither."""
    role = split_by_block(samples.block_id, seed=settings.seed)
    parts = {name: np.flatnonzero(role == name.value) for name in (Role.TRAIN, Role.VALIDATION)}
    test = np.flatnonzero(role == Role.TEST.value)
    training, validation = parts[Role.TRAIN], parts[Role.VALIDATION]
    ensemble = train(
        take(samples.rows, training),
        samples.sm_m3m3[training],
        settings,
        validation_rows=take(samples.rows, validation),
        validation_target=samples.sm_m3m3[validation],
        progress=lambda told: _tell(told, progress),
    )
    metadata = told | {
        "majority_pass": samples.majority_pass,
        "n_samples": len(training),
        "reference": "product" if samples.labels == ("product",) else ", ".join(samples.labels),
        "code_version": __version__,
        "profile": "reduced: few members and epochs, to show the whole path",
    }
    checkpoint = _checkpoint(samples.recipe, checkpoint_id, ensemble, metadata)
    found = predict(prepare(checkpoint), take(samples.rows, test))
    truth = samples.sm_m3m3[test]
    score = agreement(found.mean, truth)
    scored = dict(checkpoint.metadata) | {
        "test": {"rmse_m3m3": score.rmse, "bias_m3m3": score.bias, "r": score.r, "n": score.n}
    }
    final = _checkpoint(samples.recipe, checkpoint_id, ensemble, scored)
    return Trained(final, score, len(training), truth, found.mean, ensemble)


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


def _feature_rows(table: pa.Table, recipe: Recipe) -> FeatureRows:
    flat = pa.chunked_array([chunk.flatten() for chunk in table["inputs"].chunks])
    matrix = values_of(flat).reshape(-1, N_INPUTS)
    return from_dense(matrix, recipe.recipe_id, recipe.fingerprint)


def _majority(layout: Layout, region: str, days: Sequence[date]) -> str | None:
    """The track that most training passes came from, as `D091`."""
    scenes = [scene for day in days for scene in read_scenes(layout, region, day)]
    tracks = Counter(
        f"{scene.orbit_state}{scene.relative_orbit:03d}"
        for scene in scenes
        if scene.relative_orbit is not None
    )
    return tracks.most_common(1)[0][0] if tracks else None
