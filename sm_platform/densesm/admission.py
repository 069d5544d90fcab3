"""What a training is given, checked before any time is spent, and brought to the device."""

import numpy as np
import torch
from numpy.typing import NDArray

from sm_platform.densesm.training_data import Inputs, LabelledRows, Scales, Table
from sm_platform.errors import DataError, RecipeError
from sm_platform.schema.rows import FeatureRows, take, whole_rows

FEWEST_ROWS = 64
"""Rows that train: below this the norms of a batch mean nothing."""
FEWEST_JUDGING = 20
"""Rows that only steer."""
TRAINING = "training"
NARROWEST_SD = 1e-4
"""m3/m3: labels whose sd is smaller are one constant."""
Labels = NDArray[np.floating]
CPU = torch.device("cpu")


def admit(
    role: str,
    labelled: LabelledRows,
    device: torch.device = CPU,
    dtype: torch.dtype = torch.float32,
) -> Table:
    """Labelled rows as tensors; `role` names them in messages.

    Raises:
        DataError: a missing input or label, labels in percent or negative, too few rows, weights
            that weigh nothing, or lengths that differ.
    """
    weight = np.ones(len(labelled)) if labelled.weight is None else labelled.weight
    if not len(labelled) == len(labelled.sm_m3m3) == len(weight):
        raise DataError(
            f"{len(labelled)} {role} rows have {len(labelled.sm_m3m3)} labels and "
            f"{len(weight)} weights: give each row one of both."
        )
    check_number(role, len(labelled))
    spoilt = int((~whole_rows(labelled.rows)).sum())
    if spoilt:
        raise DataError(
            f"{spoilt} of {len(labelled)} {role} rows have a missing input: leave these rows out."
        )
    _check_labels(role, labelled.sm_m3m3)
    if not np.isfinite(weight).all() or weight.min() < 0 or weight.sum() <= 0:
        raise DataError(f"Weights of {role} rows must be 0 or more, not all 0, and never missing.")
    return Table(
        inputs=_inputs(labelled.rows, device, dtype),
        target=torch.tensor(labelled.sm_m3m3, dtype=dtype, device=device),
        weight=torch.tensor(weight / weight.mean(), dtype=dtype, device=device),
    )


def admit_target(
    target: FeatureRows, device: torch.device = CPU, dtype: torch.dtype = torch.float32
) -> Inputs:
    """Unlabelled rows of the region to be mapped, those with a missing input left out.

    Raises:
        DataError: too few whole rows are left, as where there is no radar.
    """
    whole = whole_rows(target)
    if int(whole.sum()) < FEWEST_ROWS:
        raise DataError(
            f"The target region has {int(whole.sum())} whole rows of {len(target)}, at least "
            f"{FEWEST_ROWS} are needed: it is a target region without radar rows or another "
            "input; download its days, or train without a target."
        )
    return _inputs(take(target, whole), device, dtype)


def check_one_recipe(learn: FeatureRows, other: FeatureRows, role: str) -> None:
    """Raise RecipeError, naming both, when `other` (its role in words) is of another recipe."""
    if learn.recipe_fingerprint != other.recipe_fingerprint:
        raise RecipeError(
            f"Training rows are of recipe '{learn.recipe_id}' ({learn.recipe_fingerprint}), "
            f"{role} rows of '{other.recipe_id}' ({other.recipe_fingerprint}): "
            "build both with one recipe."
        )


def check_varied(table: Table) -> None:
    """Raise DataError when the labels of the training rows are one constant."""
    if Scales.of(table).target_sd < NARROWEST_SD:
        raise DataError(
            f"All {len(table)} training labels are about {float(table.target[0]):.4f} m3/m3: "
            "there is nothing to learn; choose more days or sites."
        )


def _inputs(rows: FeatureRows, device: torch.device, dtype: torch.dtype) -> Inputs:
    return Inputs(
        scalars=torch.tensor(rows.scalars, dtype=dtype, device=device),
        series=torch.tensor(rows.series, dtype=dtype, device=device),
        series_index=torch.tensor(rows.series_index, dtype=torch.int64, device=device),
    )


def check_number(role: str, n: int) -> None:
    """Raise DataError for fewer rows of a role than mean anything."""
    fewest = FEWEST_ROWS if role == TRAINING else FEWEST_JUDGING
    if n < fewest:
        raise DataError(
            f"{n} {role} rows: at least {fewest} are needed; choose more days or sites."
        )


def _check_labels(role: str, labels: Labels) -> None:
    missing = int((~np.isfinite(labels)).sum())
    if missing:
        raise DataError(f"{missing} {role} labels are missing: leave these rows out.")
    low, high = float(labels.min()), float(labels.max())
    if high > 1:
        raise DataError(
            f"{role} labels reach {high:g}: that is percent or another unit; divide, so that they "
            "are m3/m3 in 0..1."
        )
    if low < 0:
        raise DataError(f"{role} labels go down to {low:g} m3/m3: negative moisture is an error.")
