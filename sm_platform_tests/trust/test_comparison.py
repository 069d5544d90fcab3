from dataclasses import replace

import numpy as np
import pytest

from sm_platform.errors import DataError
from sm_platform.trust.comparison import compare
from sm_platform.trust.pairs import Pairs, choose
from sm_platform.trust.scoring import score_pooled
from sm_platform_tests.trust.pair_worlds import pairs_from, world


def rivals(rng: np.random.Generator, *, extra: float, blocks: int = 30) -> tuple[Pairs, Pairs]:
    """Two predictions that share most of their error; the first has `extra` variance of its own."""
    truth = rng.random((blocks * 2, 10))
    shared = rng.normal(0, 1, truth.shape)
    own = [rng.normal(0, np.sqrt(0.02 + more), truth.shape) for more in (extra, 0.0)]
    first, second = (world(shared + one, truth, sites_per_block=2) for one in own)
    return first, second


def test_the_difference_worked_by_hand() -> None:
    place = {"site": ["a", "b", "c"], "block": [1, 2, 3], "day": [0, 0, 0]}
    worse = pairs_from([0.3, 0.3, 0.3], [0.1, 0.1, 0.1], **place)
    better = pairs_from([0.0, 0.2, 0.0], [0.1, 0.1, 0.1], **place)
    found = compare(worse, better)
    assert found.value == pytest.approx(0.2 - 0.1)
    assert (found.low, found.high) == pytest.approx((0.1, 0.1))
    assert (found.n, found.n_sites, found.n_blocks) == (3, 3, 3)
    assert compare(better, worse).value == pytest.approx(-0.1)


def test_a_prediction_is_as_good_as_itself() -> None:
    pairs, _ = rivals(np.random.default_rng(0), extra=0.0)
    found = compare(pairs, pairs)
    assert (found.value, found.low, found.high) == (0.0, 0.0, 0.0)


def test_pairing_tells_a_difference_that_two_intervals_do_not() -> None:
    first, second = rivals(np.random.default_rng(4), extra=0.1)
    found = compare(first, second)
    of_first, of_second = score_pooled(first)[0], score_pooled(second)[0]
    assert 0 < found.low < found.value < found.high
    assert of_second.high > of_first.low
    assert found.high - found.low < (of_first.high - of_first.low) / 1.5


def test_equal_rivals_differ_by_nothing_in_nineteen_of_twenty_worlds() -> None:
    rng = np.random.default_rng(8)
    worlds = 200
    found = [compare(*rivals(rng, extra=0.0), seed=seed) for seed in range(worlds)]
    held = sum(one.low <= 0 <= one.high for one in found)
    assert 0.91 <= held / worlds <= 0.985


def test_other_rows_are_refused() -> None:
    first, second = rivals(np.random.default_rng(0), extra=0.0)
    with pytest.raises(DataError, match="differ in reference"):
        compare(first, replace(second, reference=second.reference + 1))
    with pytest.raises(DataError, match="differ in site_id"):
        compare(first, replace(second, site_id=second.site_id[::-1]))
    none = choose(first, np.zeros(len(first), dtype=np.bool_))
    with pytest.raises(DataError, match="No pairs to compare"):
        compare(none, none)


def test_two_blocks_compare_without_an_interval() -> None:
    first, second = rivals(np.random.default_rng(0), extra=0.5, blocks=2)
    found = compare(first, second)
    assert found.value > 0
    assert np.isnan([found.low, found.high]).all()
    assert found.note.startswith("2 blocks")
