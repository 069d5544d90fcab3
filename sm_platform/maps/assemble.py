"""From rows of predictions to the grid of a map: masked, clipped, flagged."""

import re

import numpy as np
from numpy.typing import NDArray

from sm_platform.errors import ProductError, UsageError
from sm_platform.grid.window import GridWindow
from sm_platform.maps.invariants import Mask, age_days
from sm_platform.maps.product import MapLineage, MapPass, MapProduct
from sm_platform.schema.product import AGE, NODATA, QA, QA_OUTSIDE_REGION, SD, SM, Qa

PASS_ID = re.compile(r"[AD]\d{3}")


def assemble(
    window: GridWindow,
    *,
    cell_id: NDArray[np.integer],
    mean: NDArray[np.floating],
    sd: NDArray[np.floating],
    qa: NDArray[np.integer],
    ndvi_age_d: NDArray[np.generic],
    inside: Mask | None,
    seen: MapPass,
    lineage: MapLineage,
    majority_pass: str | None,
    revision: int = 0,
) -> MapProduct:
    """The map of n predicted rows; cells without a row have no radar (bit 0).

    Args:
        window: grid of the map.
        cell_id: (n,) flat row-major index of each row's cell in the window, each at most once.
        mean: (n,) ensemble mean in m3/m3, NaN missing; outside 0..1 it is clipped with bit 12.
        sd: (n,) standard deviation of the members in m3/m3, known wherever the mean is;
            above 1, what a map can hold, it is cut with bit 12.
        qa: (n,) quality bits known before the prediction.
        ndvi_age_d: (n,) days, NaN or 65535 missing, known wherever the mean is.
        inside: True in cells of the region, of the window's shape; None: everywhere.
        seen: the pass.
        lineage: what made the rows; its critical mask decides which bits take the value away.
        majority_pass: pass id that most training rows came from, as `D091`; another known pass
            sets bit 14 everywhere. None: not known, no bit.
        revision: 0 for the first map of the pass.

    Raises:
        ProductError: rows do not fit the window, or the result breaks a rule of the product.
        UsageError: the majority pass is no pass id.
    """
    _check_rows(window, cell_id, (mean, sd, qa, ndvi_age_d))
    known = ~np.isnan(mean)
    is_beyond = known & ((mean < 0) | (mean > 1) | (sd > 1))
    bits = qa.astype(np.uint16) | is_beyond * np.uint16(Qa.PREDICTION_CLIPPED)
    bits |= np.uint16(_minority(seen, majority_pass))
    kept = known & ((bits & lineage.qa_critical_mask) == 0)
    within = np.ones(window.shape, bool) if inside is None else inside
    kept &= within.ravel()[cell_id]
    age = np.where(kept, age_days(ndvi_age_d), NODATA)
    layers: dict[str, NDArray[np.generic]] = {
        SM.name: _scatter(window, cell_id, np.where(kept, np.clip(mean, 0, 1), np.nan)),
        SD.name: _scatter(window, cell_id, np.where(kept, np.minimum(sd, 1), np.nan)),
        AGE.name: _grid(window, cell_id, age.astype(np.uint16), NODATA),
        QA.name: _quality(window, cell_id, bits, within),
    }
    return MapProduct(window, layers, revision, seen, lineage)


def _check_rows(
    window: GridWindow, cell_id: NDArray[np.integer], columns: tuple[NDArray[np.generic], ...]
) -> None:
    if any(column.shape != cell_id.shape for column in columns) or cell_id.ndim != 1:
        shapes = ", ".join(str(column.shape) for column in columns)
        raise ProductError(f"Rows of {cell_id.shape} cells come with columns of {shapes}.")
    if len(cell_id) and (cell_id.min() < 0 or cell_id.max() >= window.size):
        raise ProductError(
            f"A row's cell lies outside the map's {window.size} cells: "
            "compute the features again for this grid."
        )
    if len(np.unique(cell_id)) != len(cell_id):
        raise ProductError("Two rows share one cell: compute the features again.")


def _minority(seen: MapPass, majority_pass: str | None) -> int:
    """Bit 14 when the pass is known and is another than the training majority's, else 0."""
    if majority_pass is None:
        return 0
    if not PASS_ID.fullmatch(majority_pass):
        raise UsageError(f"'{majority_pass}' is no pass: write it like D091.")
    is_known = seen.orbit_state != "X" and seen.relative_orbit is not None
    return int(Qa.MINORITY_PASS) if is_known and seen.pass_id != majority_pass else 0


def _scatter(
    window: GridWindow, cell_id: NDArray[np.integer], values: NDArray[np.floating]
) -> NDArray[np.float32]:
    grid = np.full(window.size, np.nan, np.float32)
    grid[cell_id] = values
    return grid.reshape(window.shape)


def _grid(
    window: GridWindow, cell_id: NDArray[np.integer], values: NDArray[np.uint16], fill: int
) -> NDArray[np.uint16]:
    grid = np.full(window.size, fill, np.uint16)
    grid[cell_id] = values
    return grid.reshape(window.shape)


def _quality(
    window: GridWindow, cell_id: NDArray[np.integer], bits: NDArray[np.uint16], within: Mask
) -> NDArray[np.uint16]:
    if not within.any():
        raise ProductError("No cell of the map lies in its region: check the region's outline.")
    grid = _grid(window, cell_id, bits, int(Qa.NO_SENTINEL1))
    return np.where(within, grid, np.uint16(QA_OUTSIDE_REGION))
