"""Prediction: mean and spread of an ensemble over rows of features.

Rows are ordered by their series, so that each is evaluated once, cut into batches and shared among
threads. Beyond the result and the order of the rows, memory depends on the batch alone.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from sm_platform.densesm.checkpoint import Checkpoint
from sm_platform.densesm.engine import evaluate
from sm_platform.densesm.folding import FoldedMember, fold
from sm_platform.densesm.threads import side_by_side
from sm_platform.errors import RecipeError, UsageError
from sm_platform.schema.prediction import Prediction
from sm_platform.schema.rows import FeatureRows, whole_rows

BATCH_CPU = 2048
"""Rows at a time: measured best on two cores; the widest buffer is 671 x 2048 floats."""
BATCH_GPU = 1 << 16


@dataclass(frozen=True, slots=True)
class Ensemble:
    """A checkpoint ready to predict with: an `Estimator`."""

    members: tuple[FoldedMember, ...]
    names: tuple[str, ...]
    """`{blocks}_{width}` of each member, the order of `Prediction.members`."""
    recipe_id: str
    recipe_fingerprint: str
    device: torch.device

    def predict(self, rows: FeatureRows, *, members: bool = False) -> Prediction:
        """Predict every row; raises RecipeError for rows of another recipe."""
        return predict(self, rows, members=members)


def prepare(checkpoint: Checkpoint, *, device: str = "auto") -> Ensemble:
    """Fold a checkpoint for prediction on "cpu", "cuda", or ("auto") the GPU if there is one.

    Raises:
        UsageError: another device, or a GPU that is not there.
    """
    chosen = find_device(device)
    return Ensemble(
        members=tuple(fold(m.architecture, m.state, chosen) for m in checkpoint.members),
        names=tuple(member.name for member in checkpoint.members),
        recipe_id=checkpoint.recipe_id,
        recipe_fingerprint=checkpoint.recipe_fingerprint,
        device=chosen,
    )


def find_device(device: str) -> torch.device:
    """The torch device of that name; "auto" takes a GPU when there is one."""
    if device not in ("auto", "cpu", "cuda"):
        raise UsageError(f"There is no device '{device}': choose auto, cpu or cuda.")
    if device == "cuda" and not torch.cuda.is_available():
        raise UsageError("No CUDA device is visible here: choose cpu, or install torch with CUDA.")
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(device)


def predict(
    ensemble: Ensemble, rows: FeatureRows, *, batch: int | None = None, members: bool = False
) -> Prediction:
    """Predict every row; `members` keeps each member's value too.

    Args:
        ensemble: from `prepare`.
        rows: n rows of the recipe the ensemble was trained on.
        batch: rows evaluated at a time; by default what suits the device.
        members: also return the (n, k) values of the members.

    Raises:
        RecipeError: the rows were built by another recipe.
        UsageError: `batch` is not positive.
    """
    _check(ensemble, rows, batch)
    n, k = len(rows), len(ensemble.members)
    found = Prediction(
        mean=np.full(n, np.nan, np.float32),
        sd=np.full(n, np.nan, np.float32),
        members=np.full((n, k), np.nan, np.float32) if members else None,
    )
    order = _complete_rows_by_series(rows)
    on_cpu = ensemble.device.type == "cpu"
    size = batch or (BATCH_CPU if on_cpu else BATCH_GPU)
    batches = [order[start : start + size] for start in range(0, len(order), size)]
    workers = min(torch.get_num_threads(), len(batches)) if on_cpu else 1
    side_by_side(lambda chosen: _fill(ensemble, rows, chosen, found), batches, workers)
    return found


def _check(ensemble: Ensemble, rows: FeatureRows, batch: int | None) -> None:
    if batch is not None and batch < 1:
        raise UsageError(f"A batch of {batch} rows cannot be: give a positive number.")
    ours, theirs = ensemble.recipe_fingerprint, rows.recipe_fingerprint
    if (ensemble.recipe_id, ours) != (rows.recipe_id, theirs):
        raise RecipeError(
            f"The networks were trained on recipe '{ensemble.recipe_id}' ({ours}), the rows are of "
            f"'{rows.recipe_id}' ({theirs}): build the rows again with the checkpoint's recipe."
        )


def _complete_rows_by_series(rows: FeatureRows) -> NDArray[np.intp]:
    """Positions of the rows without a missing input, rows of one series side by side."""
    chosen = np.flatnonzero(whole_rows(rows))
    return chosen[np.argsort(rows.series_index[chosen], kind="stable")]


@torch.inference_mode()
def _fill(ensemble: Ensemble, rows: FeatureRows, chosen: NDArray[np.intp], out: Prediction) -> None:
    """Evaluate the chosen rows and write their places in `out`."""
    used, index = np.unique(rows.series_index[chosen], return_inverse=True)
    scalars, series = (
        torch.from_numpy(array).to(ensemble.device, torch.float32)
        for array in (rows.scalars[chosen], rows.series[used])
    )
    at = torch.from_numpy(index).to(ensemble.device)
    values = evaluate(ensemble.members, scalars, series, at)  # (k, chosen)
    out.mean[chosen] = values.mean(dim=0).cpu().numpy()
    out.sd[chosen] = values.std(dim=0, correction=0).cpu().numpy()
    if out.members is not None:
        out.members[chosen] = values.T.cpu().numpy()
