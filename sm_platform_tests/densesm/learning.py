"""Rows with something to learn in them, and quick trainings on them, for the tests of this room."""

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from sm_platform.densesm.checkpoint import Checkpoint, Member
from sm_platform.densesm.prediction import predict, prepare
from sm_platform.densesm.training import LabelledRows, TrainedEnsemble, TrainingSettings, train
from sm_platform.schema.rows import FeatureRows
from sm_platform_tests.densesm.making import random_rows

QUICK = TrainingSettings(members=((1, 16), (2, 8)), epochs=6, batch=128)
Values = NDArray[np.float32]


def moisture(rows: FeatureRows) -> Values:
    """Of radar and recent rain, as a field would have it: one scalar, one end of one series."""
    rain = rows.series[rows.series_index, 2, -4:].mean(axis=1)
    return np.asarray(0.1 + 0.2 * rows.scalars[:, 0] + 0.2 * rain, dtype=np.float32)


def samples(n: int, seed: int) -> LabelledRows:
    """Rain is small and temperature lies high, so that standardisation has something to do."""
    rows = replace(random_rows(n, n, seed), series_index=np.arange(n, dtype=np.int32))
    rows.series[:, 1] = 0.8 + 0.05 * rows.series[:, 1]
    rows.series[:, 2] *= rows.series[:, 2, -1:]
    return LabelledRows(rows, moisture(rows))


LEARN, STEER = samples(1200, 1), samples(300, 2)


def run(
    settings: TrainingSettings = QUICK,
    learn: LabelledRows = LEARN,
    steer: LabelledRows = STEER,
    **named: object,
) -> TrainedEnsemble:
    return train(learn, steer, settings, **named)  # type: ignore[arg-type]


def checkpoint_of(trained: TrainedEnsemble) -> Checkpoint:
    members = tuple(Member(m.name, m.architecture, m.state) for m in trained.members)
    recipe = trained.recipe_id, trained.recipe_fingerprint
    return Checkpoint("trained", *recipe, members, {})


def estimate(checkpoint: Checkpoint, rows: FeatureRows) -> Values:
    """(n, k) values of the members."""
    found = predict(prepare(checkpoint), rows, members=True)
    assert found.members is not None
    return found.members


def is_same(one: TrainedEnsemble, other: TrainedEnsemble) -> bool:
    """Whether names, losses and every bit of the weights agree."""
    return len(one.members) == len(other.members) and all(
        a.name == b.name
        and a.history == b.history
        and a.best_epoch == b.best_epoch
        and all(torch.equal(a.state[key], b.state[key]) for key in (*a.state, *b.state))
        for a, b in zip(one.members, other.members, strict=True)
    )
