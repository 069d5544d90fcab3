"""FeatureRows: scaled inputs of the network, with each series kept once however often it is used.

Position of the 153 inputs: 15 scalars, then NDVI, temperature, precipitation (46 each, oldest
first). A 250 m vegetation cell and a 0.1 degree weather cell serve many 100 m pixels, so the
series are stored once per distinct combination and rows point to theirs.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sm_platform.errors import RecipeError
from sm_platform.grid.calendar import N_STEPS
from sm_platform.schema.recipes import N_INPUTS, N_SCALARS, N_SERIES


@dataclass(frozen=True, slots=True)
class FeatureRows:
    """Inputs of `n` rows, scaled to 0..1, NaN where missing.

    A row with one missing input has a missing result.
    """

    scalars: NDArray[np.float32]
    """(n, 15)"""
    series: NDArray[np.float32]
    """(m, 3, 46): NDVI, temperature, precipitation of each distinct series, oldest step first."""
    series_index: NDArray[np.int32]
    """(n,): row of `series` for each row, 0..m-1."""
    recipe_id: str
    recipe_fingerprint: str

    def __post_init__(self) -> None:
        n, m = len(self.scalars), len(self.series)
        shapes = self.scalars.shape, self.series.shape, self.series_index.shape
        if shapes != ((n, N_SCALARS), (m, N_SERIES, N_STEPS), (n,)):
            raise RecipeError(f"Rows have shapes {shapes}, not (n, 15), (m, 3, 46), (n,).")
        if n and (self.series_index.min() < 0 or self.series_index.max() >= m):
            raise RecipeError(f"A row points outside its {m} series.")

    def __len__(self) -> int:
        return len(self.scalars)


def dense(rows: FeatureRows) -> NDArray[np.float32]:
    """All 153 inputs, (n, 153), in the order of the recipe."""
    flat = rows.series.reshape(-1, N_SERIES * N_STEPS)
    return np.concatenate([rows.scalars, flat[rows.series_index]], axis=1)


def whole_rows(rows: FeatureRows) -> NDArray[np.bool_]:
    """(n,): whether a row has all of its inputs, so that it has a result."""
    whole_series = np.isfinite(rows.series.sum(axis=(1, 2)))  # one NaN spoils its sum
    whole = np.isfinite(rows.scalars.sum(axis=1)) & whole_series[rows.series_index]
    return np.asarray(whole, dtype=np.bool_)


def take(rows: FeatureRows, chosen: NDArray[np.integer] | NDArray[np.bool_]) -> FeatureRows:
    """The chosen rows, in that order; series that no row uses any more are dropped."""
    index = rows.series_index[chosen]
    used, packed = np.unique(index, return_inverse=True)
    return FeatureRows(
        scalars=rows.scalars[chosen],
        series=rows.series[used],
        series_index=packed.astype(np.int32),
        recipe_id=rows.recipe_id,
        recipe_fingerprint=rows.recipe_fingerprint,
    )


def from_dense(
    inputs: NDArray[np.floating], recipe_id: str, recipe_fingerprint: str
) -> FeatureRows:
    """Rows from a (n, 153) matrix; equal series are found and kept once."""
    if inputs.ndim != 2 or inputs.shape[1] != N_INPUTS:
        raise RecipeError(f"Rows have shape {inputs.shape}; the network reads {N_INPUTS} columns.")
    flat = np.ascontiguousarray(inputs[:, N_SCALARS:], dtype=np.float32)
    keys = flat.view(np.dtype((np.void, flat.shape[1] * flat.itemsize))).ravel()
    _, first, index = np.unique(keys, return_index=True, return_inverse=True)
    return FeatureRows(
        scalars=np.asarray(inputs[:, :N_SCALARS], dtype=np.float32),
        series=flat[first].reshape(-1, N_SERIES, N_STEPS),
        series_index=index.astype(np.int32),
        recipe_id=recipe_id,
        recipe_fingerprint=recipe_fingerprint,
    )
