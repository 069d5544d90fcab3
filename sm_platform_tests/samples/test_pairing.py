from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sm_platform.errors import DataError
from sm_platform.samples.pairing import nearest, pair, whole_inputs
from sm_platform.schema.recipes import N_INPUTS

START = datetime(2025, 3, 7, 22, 51, tzinfo=UTC)
NAN = float("nan")


def labels(*rows: tuple[str, str, float, float]) -> pa.Table:
    """Site, source, hours after the pass, value."""
    n = len(rows)
    site, source, hours, sm = zip(*rows, strict=True) if rows else ([], [], [], [])
    return pa.table(
        {
            "site_id": pa.array(site, pa.string()),
            "source": pa.array(source, pa.string()),
            "time_difference_h": pa.array(hours, pa.float32()),
            "sensed_utc": pa.array(
                [START + timedelta(hours=h) for h in hours], pa.timestamp("us", "UTC")
            ),
            "granule_id": pa.array([f"g{k}" for k in range(n)], pa.string()),
            "reading_no": pa.array([0] * n, pa.int32()),
            "sm_m3m3": pa.array(sm, pa.float32()),
        }
    )


def features(*rows: tuple[str, float, float]) -> pa.Table:
    """Site, share of its footprint seen, and what all its inputs are."""
    site, share, value = zip(*rows, strict=True) if rows else ([], [], [])
    inputs = np.repeat(np.array(value, np.float32), N_INPUTS)
    return pa.table(
        {
            "site_id": pa.array(site, pa.string()),
            "footprint_share": pa.array(share, pa.float32()),
            "inputs": pa.FixedSizeListArray.from_arrays(
                pa.array(inputs, mask=np.isnan(inputs)), N_INPUTS
            ),
        }
    )


def values(table: pa.Table) -> list[float]:
    return [round(sm, 4) for sm in table["sm_m3m3"].to_pylist()]


def test_of_each_site_and_source_the_nearest_in_time_is_taken() -> None:
    found = nearest(
        labels(
            ("b", "ismn", 2, 0.1),
            ("a", "planet_swc", -3, 0.2),
            ("a", "planet_swc", 2.5, 0.3),
            ("b", "ismn", -1, 0.4),
            ("b", "planet_swc", 11, 0.5),
        )
    )
    assert found["site_id"].to_pylist() == ["a", "b", "b"]
    assert values(found) == [0.3, 0.4, 0.5]


def test_of_two_as_near_the_earlier_is_taken_then_the_first_granule() -> None:
    assert values(nearest(labels(("a", "ismn", 2, 0.1), ("a", "ismn", -2, 0.2)))) == [0.2]
    assert values(nearest(labels(("a", "ismn", 2, 0.1), ("a", "ismn", 2, 0.2)))) == [0.1]


def test_names_that_run_together_are_not_mixed_up() -> None:
    assert len(nearest(labels(("a|x", "y", 1, 0.1), ("a", "x|y", 1, 0.2)))) == 2


def test_of_nothing_nothing_is_near() -> None:
    assert nearest(labels()).num_rows == 0


@given(st.integers(0, 2**31))
def test_order_of_the_labels_does_not_matter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = [
        (str(rng.choice(["a", "b", "c"])), str(rng.choice(["x", "y"])), float(h), 0.01 * n)
        for n, h in enumerate(rng.integers(-12, 12, 30))
    ]
    table = labels(*rows)
    again = table.take(pa.array(rng.permutation(30)))
    assert nearest(table).equals(nearest(again))


def test_labels_find_the_row_of_their_site() -> None:
    given_labels = labels(("s7", "x", 0, 0.1), ("s3", "x", 0, 0.2), ("s7", "y", 0, 0.3))
    rows = features(("s9", 1, 0.9), ("s7", 1, 0.7), ("s3", 1, 0.3))
    found = pair(given_labels, rows, min_footprint_share=0.5)
    assert values(found.labels) == [0.1, 0.2, 0.3]
    assert found.rows["site_id"].to_pylist() == ["s7", "s3", "s7"]
    assert [row[152] for row in found.rows["inputs"].to_pylist()] == [
        np.float32(0.7),
        np.float32(0.3),
        np.float32(0.7),
    ]


def test_what_is_dropped_is_counted_by_its_first_reason() -> None:
    rows = features(("a", 1, 0.5), ("b", 1, NAN), ("c", 0.4, 0.5), ("d", 0.4, NAN), ("e", NAN, 1))
    asked = labels(*((site, "x", 0, 0.2) for site in "abcdefg"))
    found = pair(asked, rows, min_footprint_share=0.5)
    assert found.dropped == {"no_features": 2, "missing_input": 2, "small_footprint": 2}
    assert found.labels["site_id"].to_pylist() == ["a"]


@given(st.integers(0, 1000))
def test_kept_and_dropped_add_up_and_nothing_kept_is_missing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    sites = rng.permutation(12)[: rng.integers(0, 12)]
    rows = features(
        *(
            (f"s{site}", float(rng.choice([0.2, 1.0])), float(rng.choice([NAN, 0.5, 0.6])))
            for site in sites
        )
    )
    asked = [(f"s{site}", "x", 0.0, 0.2) for site in rng.integers(0, 15, rng.integers(0, 40))]
    found = pair(labels(*asked), rows, min_footprint_share=0.5)
    assert found.labels.num_rows == found.rows.num_rows
    assert found.labels.num_rows + sum(found.dropped.values()) == len(asked)
    assert found.labels["site_id"].to_pylist() == found.rows["site_id"].to_pylist()
    assert whole_inputs(found.rows["inputs"]).all()


@pytest.mark.parametrize("place", [0, 14, 15, 152])
def test_one_missing_input_makes_a_row_incomplete(place: int) -> None:
    inputs = [[0.5] * N_INPUTS for _ in range(4)]
    inputs[1][place], inputs[2][place] = None, NAN  # type: ignore[call-overload]
    column = pa.chunked_array([pa.array(inputs, pa.list_(pa.float32(), N_INPUTS))])
    assert whole_inputs(column).tolist() == [True, False, False, True]
    assert whole_inputs(column.slice(2)).tolist() == [False, True]
    assert whole_inputs(column.slice(4)).tolist() == []


def test_rows_of_two_passes_at_once_are_refused() -> None:
    with pytest.raises(DataError, match="2 rows of inputs belong to 1 sites"):
        pair(labels(), features(("a", 1, 0.5), ("a", 1, 0.6)), min_footprint_share=0.5)
