from dataclasses import replace

import numpy as np

from sm_platform.schema.rows import FeatureRows, dense, take, whole_rows
from sm_platform.trees.columns import N_COLUMNS, columns_of
from sm_platform_tests.trees.making import rows_of_blocks


def counting() -> FeatureRows:
    """Two rows; rain of the second is 1, 2 ... 46, the oldest first, NDVI and warmth are 0."""
    rows = rows_of_blocks(1)
    series = np.zeros((2, 3, 46), np.float32)
    series[1, 2] = np.arange(1, 47)
    index = np.array([0, 1], np.int32)
    return replace(rows, scalars=rows.scalars[:2], series=series, series_index=index)


def test_the_inputs_come_first_and_then_means_of_the_last_steps_by_series() -> None:
    rows = counting()
    columns = columns_of(rows, np.array([0, 1]))
    assert columns.shape == (N_COLUMNS, 2) == (168, 2)
    np.testing.assert_array_equal(columns[:153], dense(rows).T)
    assert not columns[153:163, :].any(), "of NDVI and temperature"
    # the mean of the numbers from 47 - k to 46 is 46.5 - k / 2
    np.testing.assert_array_equal(columns[163:, 1], [45.5, 44.5, 42.5, 38.5, 23.5])
    assert not columns[163:, 0].any()


def test_a_row_has_the_same_bits_whatever_stands_beside_it() -> None:
    rows = rows_of_blocks(3)
    all_of_them = columns_of(rows, np.arange(len(rows)))
    chosen = np.array([100, 3, 3, 57])
    np.testing.assert_array_equal(columns_of(rows, chosen), all_of_them[:, chosen])
    np.testing.assert_array_equal(
        columns_of(take(rows, chosen), np.arange(4)), all_of_them[:, chosen]
    )
    assert columns_of(rows, np.array([], int)).shape == (168, 0)


def test_rows_with_a_missing_input_are_not_whole() -> None:
    rows = rows_of_blocks(1)
    rows.scalars[4, 14] = np.nan
    rows.series[1, 0, 0] = np.inf
    found = np.flatnonzero(whole_rows(rows))
    assert list(found) == [n for n in range(40) if n != 4 and not 10 <= n < 20]
