import json
from datetime import date

import numpy as np
import pyarrow as pa
import pytest
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from sm_platform.grid.window import GridWindow, Raster
from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.lake.rasters import (
    column,
    raster_from,
    raster_rows,
    values_of,
    window_from,
    window_note,
)
from sm_platform.lake.store import Partition
from sm_platform.schema.driver_tables import NDVI

SINUSOIDAL = "+proj=sinu +lon_0=0 +x_0=0 +y_0=0 +R=6371007.181 +units=m +no_defs"
KINDS = (np.float32, np.float64, np.int8, np.uint8, np.uint16, np.int32, np.bool_)
# Two rows, three columns; band ndvi misses one cell.
WINDOW = GridWindow("EPSG:4326", Affine(0.25, 0, 105, 0, -0.25, 21), (2, 3))
SMALL = Raster(
    WINDOW,
    {
        "ndvi": np.array([[0.1, np.nan, 0.3], [0.4, 0.5, 0.6]], np.float32),
        "ndvi_range_code": np.array([[0, -1, 0], [0, 0, 1]], np.int8),
        "reliability_code": np.array([[0, 3, 0], [1, 0, -1]], np.int8),
        "observed_day": np.array([[7, -1, 9], [9, 9, 9]], np.int32),
    },
)


@st.composite
def windows(draw: st.DrawFn) -> GridWindow:
    side = draw(st.floats(1e-4, 5e4))
    x, y = draw(st.floats(-2e7, 2e7)), draw(st.floats(-1e7, 1e7))
    shape = draw(st.tuples(st.integers(1, 6), st.integers(1, 6)))
    crs = draw(st.sampled_from(["EPSG:6933", "EPSG:4326", SINUSOIDAL]))
    return GridWindow(crs, Affine(side, 0, x, 0, -side / 3, y), shape)


@st.composite
def rasters(draw: st.DrawFn) -> Raster:
    """One band of each kind; floats miss some cells."""
    window = draw(windows())
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    bands: dict[str, NDArray[np.generic]] = {}
    for kind in KINDS:
        values = rng.normal(0, 50, window.shape).astype(kind)
        if np.issubdtype(kind, np.floating):
            values[rng.random(window.shape) < 0.3] = np.nan
        bands[np.dtype(kind).name] = values
    return Raster(window, bands)


def partition(rows: pa.Table, window: GridWindow) -> Partition:
    return Partition(rows, {"grid": json.loads(json.dumps(window_note(window)))})


def assert_same(found: Raster, expected: Raster) -> None:
    assert found.window == expected.window
    assert list(found.values) == list(expected.values)
    for name, values in expected.values.items():
        assert found.values[name].dtype == values.dtype
        np.testing.assert_array_equal(found.values[name], values)


@given(windows())
def test_a_window_comes_back_exactly_from_its_note(window: GridWindow) -> None:
    assert window_from(json.loads(json.dumps(window_note(window)))) == window


@given(rasters())
def test_a_raster_comes_back_from_its_rows(raster: Raster) -> None:
    rows = raster_rows(raster)
    assert rows.num_rows == raster.window.size
    assert_same(raster_from(partition(rows, raster.window)), raster)


@given(rasters(), st.integers(0, 2**32 - 1), st.floats(0, 1))
def test_cells_that_are_not_kept_come_back_missing(raster: Raster, seed: int, share: float) -> None:
    keep = np.random.default_rng(seed).random(raster.window.shape) < share
    rows = raster_rows(raster, keep)
    assert rows["cell_id"].to_pylist() == np.flatnonzero(keep).tolist()
    missing = {
        name: np.nan if np.issubdtype(values.dtype, np.floating) else 0
        for name, values in raster.values.items()
    }
    expected = {
        name: np.where(keep, values, missing[name]).astype(values.dtype)
        for name, values in raster.values.items()
    }
    assert_same(raster_from(partition(rows, raster.window)), Raster(raster.window, expected))


@given(rasters(), st.integers(0, 2**32 - 1))
def test_the_order_of_rows_does_not_matter(raster: Raster, seed: int) -> None:
    rows = raster_rows(raster)
    order = np.random.default_rng(seed).permutation(rows.num_rows)
    assert_same(raster_from(partition(rows.take(order), raster.window)), raster)


def test_rows_of_two_by_three_cells() -> None:
    rows = raster_rows(SMALL).select(["cell_id", "ndvi", "observed_day"]).to_pydict()
    assert rows["cell_id"] == [0, 1, 2, 3, 4, 5]
    assert rows["ndvi"] == pytest.approx([0.1, None, 0.3, 0.4, 0.5, 0.6])
    assert rows["observed_day"] == [7, -1, 9, 9, 9, 9]


def test_through_the_lake_with_its_contract(layout: Layout) -> None:
    day, note = date(2025, 3, 6), {"grid": window_note(WINDOW)}
    store.write(layout, NDVI, raster_rows(SMALL), region="red-river", day=day, note=note)
    stored = store.read(layout, NDVI, "red-river", day)
    assert stored is not None
    assert stored.rows["ndvi"].null_count == 1
    assert_same(raster_from(stored), SMALL)
    assert list(raster_from(stored, ["observed_day"]).values) == ["observed_day"]


def test_keys_are_no_bands() -> None:
    rows = raster_rows(SMALL).append_column("scene_id", pa.array(["s"] * 6))
    assert list(raster_from(partition(rows, WINDOW)).values) == list(SMALL.values)


def test_missing_is_null_in_arrow_and_nan_in_numpy() -> None:
    made = column(np.array([1.0, np.nan, 3.0], np.float32))
    assert made.to_pylist() == [1, None, 3]
    np.testing.assert_array_equal(values_of(pa.chunked_array([made])), [1, np.nan, 3])
    assert column(np.array([1, 2], np.int8)).to_pylist() == [1, 2]
