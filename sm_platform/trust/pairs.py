"""Pairs of prediction and reference: the one place where missing values leave the scores."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from sm_platform.errors import DataError

Names = NDArray[np.str_] | NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class Pairs:
    """n predictions beside what they are compared with, and where and when; all are known."""

    predicted: NDArray[np.floating]
    """(n,) in m3/m3, not clipped."""
    reference: NDArray[np.floating]
    """(n,) in m3/m3."""
    site_id: Names
    """(n,)"""
    block_id: NDArray[np.integer]
    """(n,): 3 km cell of the site's centre, the unit that is resampled."""
    day: NDArray[np.datetime64]
    """(n,): UTC day."""
    coarse_id: NDArray[np.integer]
    """(n,): 9 km cell of the site's centre."""

    def __post_init__(self) -> None:
        for field in fields(self):
            shape = getattr(self, field.name).shape
            if shape != (len(self),):
                raise DataError(
                    f"Pairs: {field.name} has shape {shape} beside {len(self)} predictions: "
                    "bring one value for each."
                )
        for name in ("predicted", "reference"):
            missing = int(np.count_nonzero(~np.isfinite(getattr(self, name))))
            if missing:
                raise DataError(f"Pairs: {missing} of {name} are missing: make them by pair_up.")

    def __len__(self) -> int:
        return len(self.predicted)


@dataclass(frozen=True, slots=True)
class Pairing:
    """The pairs among m rows, and what became of the other rows."""

    pairs: Pairs
    kept: NDArray[np.bool_]
    """(m,): rows in which both sides are known, in the order of `pairs`."""
    n_without_prediction: int
    n_without_reference: int
    """Rows without a reference; those that lack both are counted here and above."""


def pair_up(
    predicted: NDArray[np.floating],
    reference: NDArray[np.floating],
    *,
    site_id: Names,
    block_id: NDArray[np.integer],
    day: NDArray[np.datetime64],
    coarse_id: NDArray[np.integer],
) -> Pairing:
    """The rows (m,) in which prediction and reference (m3/m3) are both finite.

    Raises:
        DataError: arrays of different lengths.
    """
    columns = (predicted, reference, site_id, block_id, day, coarse_id)
    lengths = [len(column) for column in columns]
    if len(set(lengths)) > 1:
        raise DataError(f"Columns of {lengths} rows cannot be paired: bring one value a row.")
    is_predicted, is_referenced = np.isfinite(predicted), np.isfinite(reference)
    kept = is_predicted & is_referenced
    return Pairing(
        pairs=Pairs(*(column[kept] for column in columns)),
        kept=kept,
        n_without_prediction=int(np.count_nonzero(~is_predicted)),
        n_without_reference=int(np.count_nonzero(~is_referenced)),
    )


def choose(pairs: Pairs, chosen: NDArray[np.bool_]) -> Pairs:
    """The pairs where `chosen` (n,) is true, for example one season or one land cover."""
    return Pairs(*(getattr(pairs, field.name)[chosen] for field in fields(pairs)))


def alike(first: Pairing, second: Pairing) -> tuple[Pairs, Pairs]:
    """The pairs of two predictions of the same m rows, where both know the row.

    Raises:
        DataError: the two were made from different numbers of rows.
    """
    if len(first.kept) != len(second.kept):
        raise DataError(
            f"{len(first.kept)} and {len(second.kept)} rows were paired: "
            "compare two predictions of the same rows."
        )
    return (
        choose(first.pairs, second.kept[first.kept]),
        choose(second.pairs, first.kept[second.kept]),
    )
