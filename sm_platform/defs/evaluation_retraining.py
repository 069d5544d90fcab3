"""The same training on another split: what a checkpoint would be, had it learned elsewhere."""

from dataclasses import dataclass, replace
from typing import Any

from sm_platform.defs.evaluation_subject import Subject
from sm_platform.defs.lesson import prepare_lesson
from sm_platform.defs.training import Means, teach
from sm_platform.defs.training_choice import TrainingChoice, choice_from
from sm_platform.densesm.checkpoint import load
from sm_platform.errors import UsageError
from sm_platform.lake.layout import Layout
from sm_platform.lake.models import ModelStore
from sm_platform.schema.prediction import Estimator


@dataclass(frozen=True, slots=True)
class Reduced:
    """How much smaller the training is, so that several splits can be tried."""

    members: int = 5
    epochs: int | None = None
    """As the checkpoint's own, if not said."""


def trained_anew(
    stores: tuple[Layout, ModelStore], subject: Subject, scheme: str, reduced: Reduced
) -> Estimator:
    """The checkpoint's own training with few members, one repeat and the roles of the scheme.

    Raises:
        UsageError: the checkpoint was not trained here, so its training is not known.
        DataError: the split leaves too few rows to learn from.
    """
    layout, models = stores
    choice = smaller(subject, scheme, reduced)
    start = load(models.folder(choice.start)) if choice.start else None
    lesson = prepare_lesson(layout, subject.entry.region_id, subject.entry.cut_off, choice)
    return teach(lesson, choice, Means(start=start))


def smaller(subject: Subject, scheme: str, reduced: Reduced) -> TrainingChoice:
    """What to train: as the checkpoint's card tells, reduced."""
    told: dict[str, Any] | None = subject.card.metadata.get("choice")
    if told is None:
        raise UsageError(
            f"{subject.name} was not trained here, so it cannot be trained anew by scheme "
            f"{scheme}: leave the further schemes out."
        )
    own = choice_from(told)
    members = min(reduced.members, own.n_members)
    return replace(
        own, scheme=scheme, members=members, repeats=1, epochs=reduced.epochs or own.epochs
    )
