"""The published fine-tuning to the letter, for comparison (Zhu et al. 2024, RSE 301:113944).

A step minimises alpha * SM(labelled rows) + beta * D(labelled, target rows), with ft13 also
(1 - alpha) * SM(coarse rows), by Adam on raw scaled inputs with dropout of 0.5 in the series
branch. The learning rate falls when the error on the held-out rows does not. What is returned is
the equal mean of the state after each epoch from number 40 on, counted from 0: of the weights and
also of the norms' running statistics, which are therefore not quite those of the mean weights. No
epoch is chosen, and none is saved by stopping early.

Its known flaws belong to it: MAPE is biased low, and the held-out rows steer. In the published way
the held-out rows are the target rows too, a choice that is the caller's here. One thing is not
repeated: the seed system's automatic beta compares features with labels; here, as in the paper, it
compares the features of labelled and target rows.
"""

from functools import partial

import numpy as np
import torch

from sm_platform.densesm.admission import admit, admit_target, check_one_recipe, check_varied
from sm_platform.densesm.checkpoint import Checkpoint
from sm_platform.densesm.member_run import Report, drive_all
from sm_platform.densesm.network import Architecture
from sm_platform.densesm.parity_run import begin
from sm_platform.densesm.parity_settings import MULTI_SCALE, ParitySettings, check_parity
from sm_platform.densesm.parity_step import ParityRows
from sm_platform.densesm.prediction import find_device
from sm_platform.densesm.snapshots import Snapshots, training_fingerprint
from sm_platform.densesm.starting import check_start, starting_states
from sm_platform.densesm.training import TrainedEnsemble
from sm_platform.densesm.training_data import LabelledRows, Table
from sm_platform.errors import UsageError
from sm_platform.schema.rows import FeatureRows, take

__all__ = ["ParitySettings", "train_parity"]

WETTEST = 0.7
"""m3/m3: labels are kept where they are above 0 and not above this."""


def train_parity(
    learn: LabelledRows,
    held_out: LabelledRows,
    settings: ParitySettings,
    *,
    target: FeatureRows,
    start: Checkpoint | None = None,
    start_recipe: str | None = None,
    coarse: LabelledRows | None = None,
    snapshots: Snapshots | None = None,
    progress: Report | None = None,
    device: str = "auto",
) -> TrainedEnsemble:
    """Fine-tune the members side by side; the same arguments give the same bits on one machine.

    Args:
        learn: labelled rows; no row weighs more than another.
        held_out: labelled rows that steer the learning rate.
        settings: members, stage, losses and the rest.
        target: rows without labels whose features are to be like those of `learn`.
        start: checkpoint with the members to go on from; random weights without.
        start_recipe: the start's recipe, to start from it on rows of another one.
        coarse: labelled rows of 9 km, with ft13 and only then.
        snapshots: where each member's state is kept after each epoch, to go on from.
        progress: called after each epoch, from the thread that trains the member; the training
            loss is the joint one, the validation loss the held-out rows' mean squared error.
        device: "cpu", "cuda", or "auto" for the GPU if there is one.

    Raises:
        DataError: rows or labels that cannot teach, or target rows that are the labelled ones.
        RecipeError: rows of different recipes, or a start of another one that was not named.
        UsageError: settings that cannot be, weights of rows, coarse rows that do not fit the stage.
        CheckpointError: a member that the start lacks or that does not exist.
    """
    check_parity(settings)
    _check_coarse(settings, coarse)
    wanted = [Architecture(blocks, width) for blocks, width in settings.members]
    if start is not None:
        check_start(start, learn.rows, start_recipe)
    states = {} if start is None else starting_states(start, wanted, settings.repeat)
    rows = _admitted(learn, held_out, target, coarse, find_device(device))
    members = drive_all(
        [partial(begin, each, rows, settings, states.get(each)) for each in wanted],
        snapshots,
        training_fingerprint(settings, learn, held_out, coarse, start=start, target=target)
        + f"|{rows.device.type}",
        progress,
        device=rows.device,
    )
    recipe = learn.rows.recipe_id, learn.rows.recipe_fingerprint
    return TrainedEnsemble(members, *recipe, n_target=len(rows.target))


def _check_coarse(settings: ParitySettings, coarse: LabelledRows | None) -> None:
    if settings.stage == MULTI_SCALE and coarse is None:
        raise UsageError("ft13 needs coarse labelled rows of 9 km: bring them, or choose ft12.")
    if settings.stage != MULTI_SCALE and coarse is not None:
        raise UsageError(
            f"{settings.stage} has no place for coarse rows: leave out, or choose ft13."
        )


def _admitted(
    learn: LabelledRows,
    held_out: LabelledRows,
    target: FeatureRows,
    coarse: LabelledRows | None,
    device: torch.device,
) -> ParityRows:
    """Checked rows on the device, without the labels that the published way leaves out."""
    for role, rows in (("held-out", held_out.rows), ("target", target)):
        check_one_recipe(learn.rows, rows, role)
    if coarse is not None:
        check_one_recipe(learn.rows, coarse.rows, "coarse")
    learnt = _kept("training", learn, device)
    check_varied(learnt)
    return ParityRows(
        learn=learnt,
        held_out=_kept("held-out", held_out, device),
        target=admit_target(target, device),
        coarse=None if coarse is None else _kept("coarse", coarse, device),
    )


def _kept(role: str, labelled: LabelledRows, device: torch.device) -> Table:
    """The rows whose label is in the published range."""
    weight = labelled.weight
    if weight is not None and len(weight) and np.ptp(weight) > 0:
        raise UsageError(
            f"The published fine-tuning weighs all rows alike, the {role} rows have weights: leave "
            "the weights out, or train the recommended way."
        )
    admit(role, labelled)  # what is no label at all is refused, not left out
    label = labelled.sm_m3m3
    kept = (label > 0) & (label <= WETTEST)
    return admit(role, LabelledRows(take(labelled.rows, kept), label[kept]), device)
