"""Rows of a table that belong together: numbers for groups, and where sorted ones begin."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray


def group_numbers(rows: pa.Table, names: Sequence[str]) -> NDArray[np.int64]:
    """(n,): a number, 0 and up, for each row; equal where all the named columns are (null too)."""
    numbers = np.zeros(rows.num_rows, np.int64)
    for name in names:
        codes = _codes(rows[name])
        numbers = numbers * (codes.max(initial=0) + 1) + codes
        numbers = np.unique(numbers, return_inverse=True)[1]
    return numbers


def group_starts(*keys: NDArray[np.generic]) -> NDArray[np.int64]:
    """Index of the first row of each group among rows sorted by the keys (n,)."""
    if not len(keys[0]):
        return np.zeros(0, np.int64)
    is_first = np.any([key[1:] != key[:-1] for key in keys], axis=0)
    return np.flatnonzero(np.r_[True, is_first])


def _codes(column: pa.ChunkedArray) -> NDArray[np.int64]:
    encoded = pc.dictionary_encode(column, null_encoding="encode").combine_chunks()
    return np.asarray(encoded.indices.to_numpy(zero_copy_only=False)).astype(np.int64)
