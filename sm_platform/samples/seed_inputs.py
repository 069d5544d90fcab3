"""The 153 inputs between a table's list column and CSV columns `0`..`152`."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sm_platform.errors import DataError
from sm_platform.schema.recipes import N_INPUTS

INPUT_NAMES = tuple(str(number) for number in range(N_INPUTS))
TOLERANCE = 1e-6
"""How far outside 0..1 a value may lie from rounding alone."""


def input_columns(inputs: pa.ChunkedArray, told: str) -> dict[str, pa.Array]:
    """One column for each input; `told` names the table in an error.

    Raises:
        DataError: a row has no inputs, or one lies outside 0..1.
    """
    if inputs.null_count:
        raise DataError(f"{told}: {inputs.null_count} rows have no inputs: build them first.")
    whole = inputs.combine_chunks().cast(pa.list_(pa.float32(), N_INPUTS))
    columns = {name: pc.list_element(whole, place) for place, name in enumerate(INPUT_NAMES)}
    _check_range(columns, told)
    return columns


def inputs_from(table: pa.Table, told: str) -> pa.Array:
    """The list column (float32, 153 values) of a table with the columns `0`..`152`.

    What lies outside 0..1 by rounding alone is clipped.

    Raises:
        DataError: a value lies outside 0..1, named by row (from 1 after the header) and column.
    """
    columns = {name: table[name] for name in INPUT_NAMES}
    _check_range(columns, told)
    matrix = np.empty((table.num_rows, N_INPUTS), np.float32)
    is_null = np.zeros(matrix.shape, np.bool_)
    for place, column in enumerate(columns.values()):
        matrix[:, place] = column.to_numpy()
        if column.null_count:
            is_null[:, place] = column.is_null().to_numpy(zero_copy_only=False)
    np.clip(matrix, 0, 1, out=matrix)
    values = pa.array(matrix.ravel(), mask=is_null.ravel() if is_null.any() else None)
    return pa.FixedSizeListArray.from_arrays(values, N_INPUTS)


def _check_range(columns: dict[str, pa.Array], told: str) -> None:
    for name, column in columns.items():
        limits = pc.min_max(column)
        low, high = limits["min"].as_py(), limits["max"].as_py()
        if low is not None and (low < -TOLERANCE or high > 1 + TOLERANCE):
            values = column.to_numpy(zero_copy_only=False)
            row = int(np.flatnonzero((values < -TOLERANCE) | (values > 1 + TOLERANCE))[0])
            raise DataError(
                f"{told}: row {row + 1}, column {name} is {values[row]:g}, outside 0..1: scale "
                "the inputs by their recipe first."
            )
