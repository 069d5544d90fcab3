import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from sm_platform.errors import DataError
from sm_platform.samples.pairing import SiteIds, pair
from sm_platform.schema.rows import FeatureRows, dense


def features(n: int, seed: int = 0) -> FeatureRows:
    """Rows over two series; scalar 0 is the row's own number."""
    rng = np.random.default_rng(seed)
    scalars = rng.random((n, 15), np.float32)
    scalars[:, 0] = np.arange(n)
    series = rng.random((2, 3, 46), np.float32)
    return FeatureRows(scalars, series, np.arange(n, dtype=np.int32) % 2, "sm-100m-v1", "0" * 16)


def labels(*values: float) -> NDArray[np.float32]:
    return np.array(values, np.float32)


def ids(*numbers: int) -> NDArray[np.str_]:
    return np.array([f"100m-{number}-7" for number in numbers], np.str_)


def test_labels_find_the_row_of_their_site() -> None:
    rows = features(4)
    found = pair(ids(7, 3, 7), labels(0.1, 0.2, 0.3), rows, ids(9, 7, 5, 3))
    assert found.rows.scalars[:, 0].tolist() == [1, 3, 1]
    np.testing.assert_array_equal(dense(found.rows), dense(rows)[[1, 3, 1]])
    assert found.sm_m3m3.tolist() == pytest.approx([0.1, 0.2, 0.3])
    assert found.rows.recipe_fingerprint == rows.recipe_fingerprint


def test_what_is_dropped_is_counted_by_its_first_reason() -> None:
    rows = features(5)
    rows.scalars[1, 4] = np.nan  # site 11
    found = pair(
        ids(10, 11, 12, 99, 99, -1, 11),
        labels(0.1, 0.2, np.nan, 0.3, np.nan, 0.4, np.nan),
        rows,
        ids(*range(10, 15)),
    )
    assert found.dropped == {"missing_label": 3, "no_features": 2, "missing_input": 1}
    assert found.label_index.tolist() == [0]
    assert len(found) == len(found.rows) == 1


def test_one_missing_value_in_a_series_drops_all_rows_of_that_series() -> None:
    rows = features(4)
    rows.series[1, 2, 45] = np.nan  # series of rows 1 and 3
    found = pair(ids(*range(4)), labels(0.1, 0.2, 0.3, 0.4), rows, ids(*range(4)))
    assert found.label_index.tolist() == [0, 2]
    assert found.dropped["missing_input"] == 2


@given(st.integers(0, 1000))
def test_kept_and_dropped_add_up_and_nothing_kept_is_missing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = features(int(rng.integers(1, 20)), seed)
    rows.scalars[rng.random(rows.scalars.shape) < 0.02] = np.nan
    n = int(rng.integers(0, 40))
    sm = rng.random(n).astype(np.float32)
    sm[rng.random(n) < 0.2] = np.nan
    site_id = ids(*rng.integers(0, 60, n).tolist())
    known = ids(*rng.permutation(50)[: len(rows)].tolist())
    found = pair(site_id, sm, rows, known)
    assert len(found) + sum(found.dropped.values()) == n
    assert not np.isnan(dense(found.rows)).any()
    np.testing.assert_array_equal(found.sm_m3m3, sm[found.label_index])
    own = found.rows.scalars[:, 0].astype(int)
    np.testing.assert_array_equal(known[own], site_id[found.label_index])


def test_no_labels_or_no_rows_pair_nothing() -> None:
    assert len(pair(ids(), labels(), features(2), ids(1, 2))) == 0
    empty = pair(ids(1, -1), labels(0.1, 0.2), features(0), ids())
    assert empty.dropped == {"missing_label": 0, "no_features": 2, "missing_input": 0}


@pytest.mark.parametrize("numbers", [[1, 1], [1], [1, 2, 3]])
def test_rows_without_an_id_of_their_own_are_refused(numbers: list[int]) -> None:
    with pytest.raises(DataError, match="2 feature rows"):
        pair(ids(1), labels(0.1), features(2), ids(*numbers))


def test_ids_as_arrow_gives_them_are_read_alike() -> None:
    rows = features(3)
    asked, known = ids(3, 1, 8), ids(1, 2, 3)
    plain = pair(asked, labels(0.1, 0.2, 0.3), rows, known)
    objects = pair(asked.astype(object), labels(0.1, 0.2, 0.3), rows, known.astype(object))
    np.testing.assert_array_equal(plain.label_index, objects.label_index)
    assert plain.rows.scalars[:, 0].tolist() == [2, 0]


def test_ids_that_begin_alike_are_not_mixed_up() -> None:
    known = np.array(["9km-1-2", "9km-1-22", "9km-1"], np.str_)
    found = pair(np.array(["9km-1-22"], np.str_), labels(0.1), features(3), known)
    assert found.rows.scalars[:, 0].tolist() == [1]


@pytest.mark.parametrize(
    "wrong", [np.array([None, "100m-1-7"], object), np.array([1, 2]), np.array([1.5, "a"], object)]
)
def test_ids_that_are_no_text_are_refused(wrong: SiteIds) -> None:
    with pytest.raises(DataError, match="[Ss]ite ids"):
        pair(wrong, labels(0.1, 0.2), features(1), ids(1))


def test_labels_without_a_site_each_are_refused() -> None:
    with pytest.raises(DataError, match="2 labels come with 1 site ids"):
        pair(ids(1), labels(0.1, 0.2), features(1), ids(1))


def test_several_sources_of_one_site_stay_several_samples() -> None:
    found = pair(ids(5, 5), labels(0.1, 0.3), features(1), ids(5))
    np.testing.assert_array_equal(found.sm_m3m3, labels(0.1, 0.3))
    assert found.rows.series_index.tolist() == [0, 0]


def test_a_hundred_thousand_labels_are_paired_in_less_than_two_seconds() -> None:
    n = 100_000
    rows = features(1000)
    asked = ids(*(np.arange(n) % 1250).tolist())
    started = time.perf_counter()
    found = pair(asked, np.full(n, 0.2, np.float32), rows, ids(*range(1000)))
    assert time.perf_counter() - started < 2
    assert len(found) == 80_000
    assert found.dropped["no_features"] == 20_000
