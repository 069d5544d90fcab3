from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as nps
from numpy.typing import NDArray

from sm_platform.errors import RecipeError
from sm_platform.schema.rows import FeatureRows, dense, from_dense, take


@st.composite
def all_rows(draw: st.DrawFn) -> FeatureRows:
    """Up to 12 rows over up to 4 different series, some inputs missing."""
    n, m = draw(st.integers(0, 12)), draw(st.integers(1, 4))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    scalars = rng.random((n, 15), np.float32)
    scalars[rng.random((n, 15)) < 0.1] = np.nan
    series = rng.random((m, 3, 46), np.float32)
    series[rng.random((m, 3, 46)) < 0.01] = np.nan
    index = rng.integers(0, m, n, dtype=np.int32)
    return FeatureRows(scalars, series, index, "sm-100m-v1", "0123456789abcdef")


def again(inputs: NDArray[np.float32]) -> FeatureRows:
    return from_dense(inputs, "sm-100m-v1", "0123456789abcdef")


@given(all_rows())
def test_matrix_and_rows_turn_into_each_other(rows: FeatureRows) -> None:
    matrix = dense(rows)
    assert matrix.shape == (len(rows), 153)
    assert matrix.dtype == np.float32
    np.testing.assert_array_equal(dense(again(matrix)), matrix)


@given(all_rows())
def test_equal_series_are_kept_once(rows: FeatureRows) -> None:
    matrix = dense(rows)
    distinct = {row[15:].tobytes() for row in matrix}
    assert len(again(matrix).series) == len(distinct)


@given(all_rows(), st.data())
def test_taken_rows_are_those_of_the_matrix(rows: FeatureRows, data: st.DataObject) -> None:
    n = len(rows)
    mask = data.draw(nps.arrays(np.bool_, n))
    np.testing.assert_array_equal(dense(take(rows, mask)), dense(rows)[mask])
    if n:
        order = data.draw(nps.arrays(np.int64, st.integers(0, 20), elements=st.integers(0, n - 1)))
        taken = take(rows, order)
        np.testing.assert_array_equal(dense(taken), dense(rows)[order])
        assert set(taken.series_index.tolist()) == set(range(len(taken.series)))


@given(all_rows())
def test_taking_all_rows_changes_no_value_and_no_recipe(rows: FeatureRows) -> None:
    taken = take(rows, np.ones(len(rows), bool))
    np.testing.assert_array_equal(dense(taken), dense(rows))
    assert (taken.recipe_id, taken.recipe_fingerprint) == ("sm-100m-v1", "0123456789abcdef")


def test_order_of_the_153_inputs() -> None:
    matrix = np.arange(153, dtype=np.float32)[None]
    rows = again(matrix)
    np.testing.assert_array_equal(rows.scalars[0], np.arange(15))
    ndvi, temperature, rain = rows.series[0]
    assert (ndvi[0], ndvi[45], temperature[0], temperature[45]) == (15, 60, 61, 106)
    assert (rain[0], rain[45]) == (107, 152)


def test_no_rows_at_all_are_rows() -> None:
    rows = again(np.empty((0, 153), np.float32))
    assert len(rows) == 0
    assert dense(rows).shape == (0, 153)
    assert dense(take(rows, np.empty(0, np.int64))).shape == (0, 153)


@pytest.mark.parametrize("shape", [(4, 152), (4, 154), (153,)])
def test_matrix_of_another_width_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(RecipeError, match="153 columns"):
        again(np.zeros(shape, np.float32))


def test_rows_that_do_not_fit_together_are_refused() -> None:
    rows = again(np.zeros((2, 153), np.float32))
    with pytest.raises(RecipeError, match="shapes"):
        replace(rows, series_index=np.zeros(3, np.int32))
    with pytest.raises(RecipeError, match="shapes"):
        replace(rows, scalars=np.zeros((2, 14), np.float32))
    for index in (1, -1):
        with pytest.raises(RecipeError, match="outside its 1 series"):
            replace(rows, series_index=np.full(2, index, np.int32))
