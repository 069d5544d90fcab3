"""Rasters as tables: a row per cell of a native grid, the grid itself in the partition's note."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from affine import Affine
from numpy.typing import NDArray

from sm_platform.grid.window import GridWindow, Raster
from sm_platform.lake.store import Partition


def window_note(window: GridWindow) -> dict[str, Any]:
    """A window as JSON values."""
    return {"crs": window.crs, "affine": list(window.affine)[:6], "shape": list(window.shape)}


def window_from(note: Mapping[str, Any]) -> GridWindow:
    """The window that `window_note` wrote."""
    rows, cols = note["shape"]
    return GridWindow(note["crs"], Affine(*note["affine"]), (rows, cols))


def raster_rows(raster: Raster, keep: NDArray[np.bool_] | None = None) -> pa.Table:
    """A row per cell (only those where `keep`, of the window's shape); NaN becomes null."""
    cells = np.arange(raster.window.size, dtype=np.int32)
    chosen = cells if keep is None else cells[keep.ravel()]
    columns: dict[str, pa.Array] = {"cell_id": pa.array(chosen)}
    for name, values in raster.values.items():
        columns[name] = column(values.ravel()[chosen])
    return pa.table(columns)


def column(values: NDArray[Any]) -> pa.Array:
    """An Arrow column; NaN becomes null."""
    is_float = np.issubdtype(values.dtype, np.floating)
    return pa.array(values, mask=np.isnan(values) if is_float else None)


def raster_from(partition: Partition, names: Sequence[str] | None = None) -> Raster:
    """The raster of a partition; cells without a row are NaN (floats) or 0."""
    window = window_from(partition.note["grid"])
    cells = partition.rows["cell_id"].to_numpy()
    wanted = names or [n for n in partition.rows.column_names if n not in ("cell_id", "scene_id")]
    return Raster(window, {n: _spread(partition.rows[n], cells, window) for n in wanted})


def values_of(values: pa.ChunkedArray) -> NDArray[Any]:
    """A column as numpy; null becomes NaN in a float column."""
    return np.asarray(values.to_numpy(zero_copy_only=False))


def _spread(values: pa.ChunkedArray, cells: NDArray[np.int32], window: GridWindow) -> NDArray[Any]:
    array = values_of(values)
    fill = np.nan if np.issubdtype(array.dtype, np.floating) else 0
    out = np.full(window.size, fill, dtype=array.dtype)
    out[cells] = array
    return out.reshape(window.shape)
