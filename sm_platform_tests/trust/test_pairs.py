import numpy as np
import pytest

from sm_platform.errors import DataError
from sm_platform.trust.pairs import Pairing, Pairs, alike, choose, pair_up

NAN = np.nan


def paired(predicted: list[float], reference: list[float]) -> Pairing:
    n = len(predicted)
    return pair_up(
        np.array(predicted),
        np.array(reference),
        site_id=np.array([f"s{k}" for k in range(n)], dtype=object),
        block_id=np.arange(n),
        day=np.datetime64("2025-01-01") + np.arange(n),
        coarse_id=np.zeros(n, dtype=np.int64),
    )


def test_what_is_missing_on_either_side_leaves_and_is_counted() -> None:
    found = paired([0.1, NAN, 0.3, NAN, np.inf], [0.2, 0.2, NAN, NAN, 0.2])
    assert found.kept.tolist() == [True, False, False, False, False]
    assert found.pairs.site_id.tolist() == ["s0"]
    assert (found.n_without_prediction, found.n_without_reference) == (3, 2)


def test_a_chosen_part_keeps_its_columns_together() -> None:
    pairs = paired([0.1, 0.2, 0.3], [0.4, 0.5, 0.6]).pairs
    found = choose(pairs, np.array([False, True, True]))
    assert found.predicted.tolist() == [0.2, 0.3]
    assert found.reference.tolist() == [0.5, 0.6]
    assert found.block_id.tolist() == [1, 2]


def test_two_predictions_keep_the_rows_that_both_know() -> None:
    first = paired([NAN, 0.2, 0.3, 0.4], [0.1, 0.1, NAN, 0.1])
    second = paired([0.5, NAN, 0.7, 0.8], [0.1, 0.1, NAN, 0.1])
    ours, theirs = alike(first, second)
    assert (ours.predicted.tolist(), theirs.predicted.tolist()) == ([0.4], [0.8])
    assert ours.site_id.tolist() == theirs.site_id.tolist() == ["s3"]


def test_columns_of_other_lengths_are_refused() -> None:
    pairs = paired([0.1, 0.2], [0.3, 0.4]).pairs
    with pytest.raises(DataError, match=r"\[2, 1, 2, 2, 2, 2\] rows"):
        pair_up(
            pairs.predicted,
            pairs.reference[:1],
            site_id=pairs.site_id,
            block_id=pairs.block_id,
            day=pairs.day,
            coarse_id=pairs.coarse_id,
        )
    with pytest.raises(DataError, match=r"day has shape \(1,\) beside 2"):
        Pairs(
            pairs.predicted,
            pairs.reference,
            pairs.site_id,
            pairs.block_id,
            pairs.day[:1],
            pairs.coarse_id,
        )
    with pytest.raises(DataError, match="3 and 2 rows were paired"):
        alike(paired([0.1] * 3, [0.1] * 3), paired([0.1] * 2, [0.1] * 2))


def test_pairs_hold_no_missing_value() -> None:
    pairs = paired([0.1, 0.2], [0.3, 0.4]).pairs
    with pytest.raises(DataError, match="1 of reference are missing"):
        Pairs(
            pairs.predicted,
            np.array([0.1, NAN]),
            pairs.site_id,
            pairs.block_id,
            pairs.day,
            pairs.coarse_id,
        )
