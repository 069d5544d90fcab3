"""Training of an ensemble: best practice in seconds to minutes on two cores.

AdamW over one cycle of the learning rate, mean squared error, averaged weights whose norms are
taken anew, early stopping on rows of other sites. Networks learn on standardised series and labels;
the standardisation ends up inside the first convolution and the last layer, so that what is
returned is the published architecture on raw scaled inputs. Members start at random or from an
earlier checkpoint, and may be drawn towards unlabelled rows of the region to be mapped.
"""

from dataclasses import dataclass
from functools import partial

import torch

from sm_platform.densesm.admission import admit, admit_target, check_one_recipe, check_varied
from sm_platform.densesm.checkpoint import Checkpoint
from sm_platform.densesm.domain import NO_DOMAIN_LOSS
from sm_platform.densesm.fitting import begin
from sm_platform.densesm.member_run import Epoch, Progress, Report, TrainedMember, drive_all
from sm_platform.densesm.prediction import find_device
from sm_platform.densesm.snapshots import Snapshots, training_fingerprint
from sm_platform.densesm.starting import check_start, starting_states
from sm_platform.densesm.task import Task
from sm_platform.densesm.training_data import LabelledRows
from sm_platform.densesm.training_settings import (
    REDUCED_MEMBERS,
    TrainingSettings,
    architectures,
    check_settings,
)
from sm_platform.errors import UsageError
from sm_platform.schema.rows import FeatureRows

__all__ = [
    "REDUCED_MEMBERS",
    "Epoch",
    "LabelledRows",
    "Progress",
    "Snapshots",
    "TrainedEnsemble",
    "TrainedMember",
    "TrainingSettings",
    "train",
    "training_fingerprint",
]


@dataclass(frozen=True, slots=True, eq=False)
class TrainedEnsemble:
    """What a training gives; the caller makes a checkpoint of it."""

    members: tuple[TrainedMember, ...]
    recipe_id: str
    recipe_fingerprint: str
    n_target: int = 0
    """Whole rows of the target region that were used; the others had a missing input."""


def train(
    learn: LabelledRows,
    steer: LabelledRows,
    settings: TrainingSettings,
    *,
    start: Checkpoint | None = None,
    start_recipe: str | None = None,
    target: FeatureRows | None = None,
    snapshots: Snapshots | None = None,
    progress: Report | None = None,
    device: str = "auto",
) -> TrainedEnsemble:
    """Train the members; the same arguments give the same bits on one machine.

    Args:
        learn: rows without a missing input.
        steer: rows of the same recipe, of other sites; they decide which epoch is kept and when to
            stop.
        settings: members, epochs and the rest.
        start: members start from its weights instead of at random.
        start_recipe: recipe of the start, to be named where it is not that of the rows.
        target: unlabelled rows of the region to be mapped, for a domain loss; those with a missing
            input are left out.
        snapshots: where each member's state is kept after each epoch; a training that was stopped
            goes on from there.
        progress: called after each epoch, from the thread that trains the member.
        device: "auto", "cpu" or "cuda".

    Raises:
        DataError: a missing input or label, labels that are constant, in percent or negative, too
            few rows, lengths that differ, or a start without one of the members.
        RecipeError: rows of another recipe, or a start of another that was not named.
        UsageError: settings that cannot be, or with which the weights grew beyond all bounds.
    """
    check_settings(settings)
    wanted = architectures(settings)
    check_one_recipe(learn.rows, steer.rows, "validation")
    if start is not None:
        check_start(start, learn.rows, start_recipe)
    states = {} if start is None else starting_states(start, wanted, settings.repeat)
    task = _task(learn, steer, settings, target, find_device(device))
    members = drive_all(
        [partial(begin, each, task, states.get(each)) for each in wanted],
        snapshots,
        training_fingerprint(settings, learn, steer, start=start, target=target)
        + f"|{task.device.type}",
        progress,
        device=task.device,
    )
    n_target = 0 if task.target is None else len(task.target)
    recipe = learn.rows.recipe_id, learn.rows.recipe_fingerprint
    return TrainedEnsemble(members, *recipe, n_target)


def _task(
    learn: LabelledRows,
    steer: LabelledRows,
    settings: TrainingSettings,
    target: FeatureRows | None,
    device: torch.device,
) -> Task:
    """Checked and on the device; the target is left behind where no domain loss is wanted."""
    if settings.domain_loss == NO_DOMAIN_LOSS:
        target = None
    elif target is None:
        raise UsageError(
            f"Domain loss '{settings.domain_loss}' needs rows of the region to be mapped: name a "
            f"target, or choose '{NO_DOMAIN_LOSS}'."
        )
    else:
        check_one_recipe(learn.rows, target, "target")
    learnt, judged = admit("training", learn, device), admit("validation", steer, device)
    check_varied(learnt)
    brought = None if target is None else admit_target(target, device)
    return Task.of(learnt, judged, settings, brought)
