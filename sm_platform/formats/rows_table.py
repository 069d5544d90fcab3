"""Rows of network inputs as people bring them: CSV or Parquet with the columns `0`..`152`."""

import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from sm_platform.errors import DataError, UsageError
from sm_platform.schema.recipes import N_INPUTS

RECIPE_COLUMNS = ("recipe_id", "recipe_fingerprint")
TOLERANCE = 1e-6
"""How far outside 0..1 a value may lie from rounding alone."""


@dataclass(frozen=True, slots=True)
class RowsTable:
    """Inputs already scaled to 0..1, with the recipe where the file names it."""

    inputs: NDArray[np.float32]
    """(n, 153), NaN where missing."""
    recipe_id: str | None
    recipe_fingerprint: str | None


def read_rows(path: Path) -> RowsTable:
    """Rows of a CSV or Parquet file; other columns are passed over.

    Raises:
        UsageError: there is no such file, or it is of another kind.
        DataError: columns are absent, hold text, or a value lies outside 0..1 (row and column
            are named; rows count from 1 after the header).
    """
    if not path.is_file():
        raise UsageError(f"There is no file {path}.")
    if path.suffix.lower() not in (".csv", ".parquet"):
        raise UsageError(
            f"{path.name} is neither .csv nor .parquet: write the rows as one of them."
        )
    is_csv = path.suffix.lower() == ".csv"
    frame, recipe = (_csv(path), (None, None)) if is_csv else _parquet(path)
    frame.columns = [str(name).strip() for name in frame.columns]
    if recipe == (None, None):
        recipe = _recipe_of_columns(frame, path)
    wanted = [str(number) for number in range(N_INPUTS)]
    _check_names(list(frame.columns), wanted, path)
    inputs = np.stack([_numbers(frame[name], path) for name in wanted], axis=1)
    _check_range(inputs, path)
    return RowsTable(np.clip(inputs, 0, 1).astype(np.float32), *recipe)


def _recipe_of_columns(frame: pd.DataFrame, path: Path) -> tuple[str | None, str | None]:
    """The recipe that columns name, as in exported samples: one for all rows."""
    if not set(RECIPE_COLUMNS) <= set(frame.columns):
        return None, None
    told = frame[list(RECIPE_COLUMNS)].drop_duplicates()
    if len(told) != 1 or told.isna().any(axis=None):
        names = ", ".join(sorted({str(name) for name in told[RECIPE_COLUMNS[0]]}))
        raise DataError(f"{path.name} holds rows of several recipes ({names}): score them apart.")
    recipe_id, fingerprint = (str(told[name].iloc[0]) for name in RECIPE_COLUMNS)
    return recipe_id, fingerprint


def _check_names(found: list[str], wanted: list[str], path: Path) -> None:
    absent = [name for name in wanted if name not in found]
    if absent:
        shown = ", ".join(absent[:5]) + (", ..." if len(absent) > 5 else "")
        raise DataError(
            f"{path.name} has {len(wanted) - len(absent)} of the {len(wanted)} columns 0..152; "
            f"absent: {shown}. Write one column for each input."
        )
    # pandas calls the second column 3 of a CSV 3.1
    twice = [name for name in wanted if found.count(name) > 1 or f"{name}.1" in found]
    if twice:
        raise DataError(f"{path.name} has column {twice[0]} twice: keep one.")


def _csv(path: Path) -> pd.DataFrame:
    """Without `index_col=False` a field more than the header has names shifts every column."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            texts = dict.fromkeys(RECIPE_COLUMNS, "str")  # a fingerprint may look like a number
            return pd.read_csv(path, encoding="utf-8-sig", index_col=False, dtype=texts)
    except (ValueError, pd.errors.ParserWarning) as error:
        raise DataError(f"{path.name} cannot be read as CSV: {error}") from error


def _parquet(path: Path) -> tuple[pd.DataFrame, tuple[str | None, str | None]]:
    try:
        table = pq.read_table(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise DataError(f"{path.name} cannot be read as Parquet: {error}") from error
    told = table.schema.metadata or {}
    names = (b"recipe_id", b"recipe_fingerprint")
    recipe_id, fingerprint = (
        told[key].decode(errors="replace") if key in told else None for key in names
    )
    return table.to_pandas(), (recipe_id, fingerprint)


def _numbers(column: pd.Series, path: Path) -> NDArray[np.float64]:
    values = pd.to_numeric(column, errors="coerce")
    is_text = np.flatnonzero((values.isna() & column.notna()).to_numpy())
    if len(is_text):
        row = int(is_text[0])
        raise DataError(
            f"{path.name}: row {row + 1}, column {column.name} holds '{column.iloc[row]}', "
            "not a number: leave the cell empty when it is missing."
        )
    return values.to_numpy(dtype=np.float64)


def _check_range(inputs: NDArray[np.float64], path: Path) -> None:
    bad = np.argwhere((inputs < -TOLERANCE) | (inputs > 1 + TOLERANCE))
    if len(bad):
        row, col = (int(part) for part in bad[0])
        raise DataError(
            f"{path.name}: row {row + 1}, column {col} is {inputs[row, col]:g}, outside 0..1 "
            f"({len(bad)} such values): scale the rows by the recipe first."
        )
