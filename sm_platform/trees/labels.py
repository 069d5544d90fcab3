"""What is refused before any tree is fitted: rows, labels, weights and blocks that cannot teach."""

import numpy as np
from numpy.typing import NDArray

from sm_platform.errors import DataError
from sm_platform.schema.rows import FeatureRows, whole_rows

FEWEST_ROWS = 64
"""Of a role; as the networks ask for."""
FEWEST_BLOCKS = 5
"""Below this a draw of blocks often holds but one or two."""
NARROWEST = 1e-4
"""m3/m3: labels whose sd is smaller are one constant."""
Labels = NDArray[np.floating]


def check_learnable(role: str, rows: FeatureRows, sm_m3m3: Labels) -> None:
    """Raise DataError unless the rows are whole, enough, and have labels in m3/m3 that differ."""
    if len(sm_m3m3) != len(rows):
        raise DataError(f"{len(rows)} {role} rows have {len(sm_m3m3)} labels: one each is needed.")
    if len(rows) < FEWEST_ROWS:
        raise DataError(f"{len(rows)} {role} rows: at least {FEWEST_ROWS} are needed.")
    spoilt = int((~whole_rows(rows)).sum())
    if spoilt:
        raise DataError(
            f"{spoilt} of {len(rows)} {role} rows have a missing input: leave these rows out."
        )
    _check_labels(role, sm_m3m3)


def _check_labels(role: str, sm_m3m3: Labels) -> None:
    missing = int((~np.isfinite(sm_m3m3)).sum())
    if missing:
        raise DataError(f"{missing} {role} labels are missing: leave these rows out.")
    low, high = float(sm_m3m3.min()), float(sm_m3m3.max())
    if high > 1 or low < 0:
        raise DataError(
            f"{role} labels go from {low:g} to {high:g}: m3/m3 lies in 0..1; divide percent by "
            "100, and leave negative values out."
        )
    if float(sm_m3m3.std()) < NARROWEST:
        raise DataError(
            f"All {len(sm_m3m3)} {role} labels are about {low:.4f} m3/m3: there is nothing to "
            "learn; choose more days or sites."
        )


def check_weight(weight: Labels, n: int) -> None:
    """Raise DataError unless there are n weights of 0 or more, some of them above."""
    if len(weight) != n:
        raise DataError(f"{n} training rows have {len(weight)} weights: one each is needed.")
    if not np.isfinite(weight).all() or weight.min() < 0 or weight.sum() <= 0:
        raise DataError("Weights of training rows must be 0 or more, not all 0, never missing.")


def check_blocks(group: NDArray[np.integer], weight: Labels) -> None:
    """Raise DataError unless each row has a block id, and those of a weight enough blocks."""
    if len(group) != len(weight):
        raise DataError(
            f"{len(weight)} training rows have {len(group)} block ids: one each is needed."
        )
    blocks = len(np.unique(group[weight > 0]))
    if blocks < FEWEST_BLOCKS:
        raise DataError(
            f"Training rows lie in {blocks} blocks: at least {FEWEST_BLOCKS} are needed; "
            "choose more sites."
        )
