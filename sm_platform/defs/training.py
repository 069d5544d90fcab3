"""From a lesson to an estimator, by the profile that was chosen; and how well it does."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from sm_platform.defs.learned import Learned, LearnedNetworks, LearnedTrees
from sm_platform.defs.lesson import Lesson, labelled
from sm_platform.defs.sample_set import SampleSet
from sm_platform.defs.training_choice import MEMBER_ORDER, Profile, TrainingChoice
from sm_platform.densesm.checkpoint import Checkpoint
from sm_platform.densesm.member_run import Progress
from sm_platform.densesm.parity import train_parity
from sm_platform.densesm.parity_settings import ParitySettings
from sm_platform.densesm.snapshots import Snapshots
from sm_platform.densesm.training import TrainedEnsemble, train
from sm_platform.densesm.training_settings import TrainingSettings
from sm_platform.samples.splits import Role
from sm_platform.trees.boosting import SteerRows, TreeSettings, fit_trees
from sm_platform.trust.metrics import Agreement, agreement


@dataclass(frozen=True, slots=True, eq=False)
class Means:
    """What a training is given beside rows and choice; none of it changes the result but `start`.

    For one start the same rows and choice give the same weights, stopped in between or not.
    """

    start: Checkpoint | None = None
    snapshots: Snapshots | None = None
    """Where members are kept after each epoch."""
    progress: Callable[[Progress], None] | None = None
    device: str = "auto"


@dataclass(frozen=True, slots=True, eq=False)
class TestedOn:
    """Labels of the region that were used for nothing else, with what was predicted; (n,)."""

    label: NDArray[np.float32]
    predicted: NDArray[np.float32]
    score: Agreement


def teach(lesson: Lesson, choice: TrainingChoice, means: Means) -> Learned:
    """Train what the choice asks for; the same arguments give the same bits on one machine.

    Raises:
        DataError: rows or labels that cannot be learnt from, or a start that lacks a member.
        RecipeError: a start of another recipe that was not named.
        UsageError: settings that cannot be.
    """
    if choice.is_trees:
        return _trees(lesson, choice)
    by_profile = _parity if choice.profile == Profile.PARITY else _recommended
    ensembles = [by_profile(lesson, choice, means, n + 1) for n in range(choice.n_repeats)]
    members = tuple(member for ensemble in ensembles for member in ensemble.members)
    return LearnedNetworks(lesson.samples.recipe, members)


def training_key(lesson: Lesson, choice: TrainingChoice, start: Checkpoint | None) -> str:
    """Sixteen hex digits that name the snapshots of a training: what is learnt, and how.

    Numbers of members and repeats are left out: an ensemble may grow.
    """
    fields = asdict(choice)
    for name in ("members", "repeats", "fewest_sites", "fewest_blocks"):
        del fields[name]
    told = [lesson.fingerprint, fields, start.fingerprint if start else None]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]


def test(learned: Learned, own: SampleSet | None) -> TestedOn | None:
    """How the estimator does on the region's own test rows; None where it has none."""
    rows = labelled(own, Role.TEST) if own is not None else None
    if rows is None or len(rows) < 2:
        return None
    found = learned.predict(rows.rows).mean
    label = rows.sm_m3m3.astype(np.float32)
    return TestedOn(label, found, agreement(found, label))


def _recommended(
    lesson: Lesson, choice: TrainingChoice, means: Means, repeat: int
) -> TrainedEnsemble:
    settings = TrainingSettings(
        members=MEMBER_ORDER[: choice.n_members],
        repeat=repeat,
        epochs=choice.epochs or TrainingSettings().epochs,
        seed=choice.seed,
        domain_loss=choice.domain,
        domain_weight=choice.domain_weight,
    )
    rows = lesson.repeats[repeat - 1]
    return train(
        rows.learn,
        rows.steer,
        settings,
        start=means.start,
        start_recipe=choice.start_recipe or None,
        target=lesson.target,
        snapshots=means.snapshots,
        progress=means.progress,
        device=means.device,
    )


def _parity(lesson: Lesson, choice: TrainingChoice, means: Means, repeat: int) -> TrainedEnsemble:
    """As published the held-out rows are the target, unless the target is another region."""
    rows = lesson.repeats[repeat - 1]
    return train_parity(
        rows.learn,
        rows.steer,
        parity_settings(choice, repeat),
        target=rows.steer.rows if lesson.target is None else lesson.target,
        start=means.start,
        start_recipe=choice.start_recipe or None,
        coarse=lesson.coarse,
        snapshots=means.snapshots,
        progress=means.progress,
        device=means.device,
    )


def parity_settings(choice: TrainingChoice, repeat: int = 1) -> ParitySettings:
    """The published values but for what was chosen; a short training averages its second half."""
    published = ParitySettings()
    epochs = choice.epochs or published.epochs
    return ParitySettings(
        members=MEMBER_ORDER[: choice.n_members],
        repeat=repeat,
        stage=choice.stage,
        domain=choice.domain,
        loss=choice.loss,
        alpha=choice.alpha,
        beta=choice.beta,
        beta_divisor=choice.beta_divisor,
        epochs=epochs,
        average_from=min(published.average_from, epochs // 2),
        seed=choice.seed,
    )


def _trees(lesson: Lesson, choice: TrainingChoice) -> LearnedTrees:
    """Trees on the same rows; an epoch would be a tree, so a number of epochs says how many."""
    rows = lesson.repeats[0]
    settings = TreeSettings(
        members=choice.n_members,
        max_iter=choice.epochs or TreeSettings().max_iter,
        seed=choice.seed,
    )
    ensemble = fit_trees(
        rows.learn.rows,
        rows.learn.sm_m3m3,
        rows.block_id,
        settings,
        weight=rows.learn.weight,
        steer=SteerRows(rows.steer.rows, rows.steer.sm_m3m3),
    )
    return LearnedTrees(ensemble)
