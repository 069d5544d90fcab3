"""Trainings as functions: lessons in, something that predicts rows out."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.arguments import Arguments
from experiments.samples import load
from experiments.splits import Lesson, joined, labelled
from sm_platform.densesm.checkpoint import Checkpoint, Member
from sm_platform.densesm.parity import ParitySettings, train_parity
from sm_platform.densesm.prediction import predict, prepare
from sm_platform.densesm.published import read_published
from sm_platform.densesm.training import TrainedEnsemble, TrainingSettings, train
from sm_platform.densesm.training_data import LabelledRows
from sm_platform.schema.recipes import DENSESM_2024
from sm_platform.schema.rows import FeatureRows, take
from sm_platform.trees.boosting import SteerRows, TreeSettings, fit_trees

Predictor = Callable[[FeatureRows], NDArray[np.float32]]
"""(n,) m3/m3 of n rows."""
COARSE_SOURCES = ("spl4smgp", "spl3smp_e")
STEERING_SHARE = 4
"""One in so many coarse rows steers the pre-training."""


def densesm(lesson: Lesson, settings: TrainingSettings, **more: Any) -> Predictor:  # noqa: ANN401  as `train`
    """The recommended training; `more` goes to `train`."""
    return predictor(checkpoint(train(lesson.taught, lesson.steering, settings, **more)))


def trees(lesson: Lesson, settings: TreeSettings) -> Predictor:
    """Gradient boosting on the same rows, stopped by the same rows."""
    steer = SteerRows(lesson.steer.rows, lesson.steer.label)
    learn = lesson.learn
    found = fit_trees(learn.rows, learn.label, learn.block_id, settings, steer=steer)
    return lambda rows: found.predict(rows).mean


def parity(
    lesson: Lesson,
    held_out: LabelledRows,
    settings: ParitySettings,
    *,
    start: Checkpoint | None,
    target: FeatureRows,
) -> Predictor:
    """The published fine-tuning; its start may be of the published recipe."""
    named = None if start is None else start.recipe_id
    ensemble = train_parity(
        lesson.taught, held_out, settings, start=start, start_recipe=named, target=target
    )
    return predictor(checkpoint(ensemble))


def boosting(told: Arguments, seed: int) -> TreeSettings:
    """Settings of the trees: as many members as networks."""
    few = {"max_iter": 20} if told.quick else {}
    return TreeSettings(members=len(told.members), seed=seed, **few)


def predictor(of: Checkpoint) -> Predictor:
    """What a checkpoint says of rows."""
    ensemble = prepare(of)
    return lambda rows: predict(ensemble, rows).mean


def checkpoint(ensemble: TrainedEnsemble) -> Checkpoint:
    """The ensemble as something to predict with or to start from."""
    members = tuple(Member(one.name, one.architecture, one.state) for one in ensemble.members)
    recipe = ensemble.recipe_id, ensemble.recipe_fingerprint
    return Checkpoint("experiment", *recipe, members, {})


def published(told: Arguments) -> Checkpoint | None:
    """The published networks, None when no folder of them was named."""
    if told.weights is None:
        return None
    states = read_published(told.weights)
    members = tuple(Member(one.name, one, state) for one, state in states.items())
    recipe = DENSESM_2024.recipe_id, DENSESM_2024.fingerprint
    return Checkpoint("published", *recipe, members, {})


def pretrained(told: Arguments, seed: int) -> Checkpoint:
    """Networks that saw nothing but 9 km labels of the regions, which anybody has anywhere.

    Every fourth day steers: of two 9 km cells a region none can be left out.
    """
    parts = [load(one, told.cache, source) for one in told.regions for source in COARSE_SOURCES]
    learn: list[LabelledRows] = []
    steer: list[LabelledRows] = []
    for part in parts:
        steers = part.day.astype("datetime64[D]").astype(int) % STEERING_SHARE == 0
        for into, own in ((learn, ~steers), (steer, steers)):
            into.append(LabelledRows(take(part.rows, own), labelled(part).sm_m3m3[own]))
    return checkpoint(train(joined(learn), joined(steer), told.training(seed)))
