import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sm_platform.errors import DataError
from sm_platform.observations.rejection import MEANINGS, Rejection, count_reasons, first_reason
from sm_platform.observations.values import (
    FILLS,
    INTEGER_FILLS,
    is_fill,
    is_in_range,
    reasons_of_values,
)

MASKS = st.lists(st.sets(st.sampled_from(Rejection)), max_size=8)


def test_every_reason_has_a_sentence() -> None:
    assert list(MEANINGS) == list(Rejection)
    assert all(sentence.endswith(".") for sentence in MEANINGS.values())
    assert len(set(MEANINGS.values())) == len(Rejection)


@given(MASKS)
def test_of_several_reasons_the_first_is_told_and_none_is_lost(rows: list[set[Rejection]]) -> None:
    found = {r: np.array([r in row for row in rows], bool) for r in reversed(Rejection)}
    expected = [next((r.value for r in Rejection if r in row), None) for row in rows]
    told = first_reason(found)
    assert told.to_pylist() == expected
    assert told.type == pa.string()
    counts = count_reasons(pa.table({"reason": told}))
    assert list(counts) == [*Rejection, "good"]
    assert sum(counts.values()) == len(rows)
    assert counts["good"] == sum(not row for row in rows)


def test_a_reason_that_does_not_exist_is_not_counted_away() -> None:
    with pytest.raises(DataError, match="'flagged' is no reason"):
        count_reasons(pa.table({"reason": ["flagged", None]}))


@pytest.mark.parametrize("fill", [*FILLS, *INTEGER_FILLS, 1e20, 9.969209968386869e36, -3.4e38])
def test_fill_values_are_known_in_either_width(fill: float) -> None:
    for kind in (np.float32, np.float64):
        found = reasons_of_values(np.array([fill, 0.25], kind), in_percent=True)
        assert found[Rejection.FILL_VALUE].tolist() == [True, False]
        assert found[Rejection.OUT_OF_RANGE].tolist() == [True, False]


def test_infinity_is_a_fill_and_missing_is_none() -> None:
    assert is_fill(np.array([np.inf, -np.inf, np.nan, 0.0, 1.0])).tolist() == [True, True] + 3 * [
        False
    ]


def test_upper_bound_is_kept_whichever_way_a_float_is_rounded() -> None:
    bound = np.float32(0.7)
    lowest, highest = (np.nextafter(bound, np.float32(end)) for end in (0, 1))
    sm = np.array([lowest, highest, 0.7005, 0.001, -0.001, 0, np.nan], np.float32)
    assert is_in_range(sm).tolist() == [True, True, False, True, False, False, False]
