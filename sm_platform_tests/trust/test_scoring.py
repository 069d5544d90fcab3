from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sm_platform.errors import DataError
from sm_platform.trust.metrics import agreement, kge
from sm_platform.trust.pairs import Pairs, choose
from sm_platform.trust.scoring import METRICS, Score, score_by_site, score_pooled
from sm_platform_tests.trust.pair_worlds import pairs_from, shared_in_blocks, world


def named(scores: tuple[Score, ...]) -> dict[str, Score]:
    return {score.metric: score for score in scores}


def three_sites() -> Pairs:
    """Site a errs by .1 always, b by 0 and .2, c by -.3; each in a block of its own."""
    return pairs_from(
        [0.2, 0.3, 0.4, 0.1, 0.5, 0.6, 0.1],
        [0.1, 0.2, 0.3, 0.1, 0.3, 0.4, 0.4],
        site=["a", "a", "a", "b", "b", "b", "c"],
        block=[1, 1, 1, 2, 2, 2, 3],
        day=[0, 3, 6, 0, 3, 6, 0],
    )


def test_pooled_scores_are_those_of_all_pairs_together() -> None:
    pairs = three_sites()
    found = named(score_pooled(pairs, draws=50))
    whole = agreement(pairs.predicted, pairs.reference)
    assert tuple(found) == METRICS
    assert found["rmse"].value == pytest.approx(whole.rmse)
    assert found["bias"].value == pytest.approx((0.1 * 3 + 0.4 - 0.3) / 7)
    assert found["ubrmse"].value == pytest.approx(whole.ubrmse)
    assert found["r"].value == pytest.approx(whole.r)
    assert found["kge"].value == pytest.approx(kge(pairs.predicted, pairs.reference).kge[0])
    assert [found["r"].n, found["r"].n_sites, found["r"].n_blocks] == [7, 3, 3]
    assert [found["rmse"].unit, found["r"].unit] == ["m3/m3", "1"]


def test_pooled_anomalies_are_taken_site_by_site() -> None:
    """a: -.1, 0, .1 on both sides; b: -.3, .1, .2 beside -.5/3, .1/3, .4/3; c has none."""
    found = named(score_pooled(three_sites(), draws=50))["anomaly_r"]
    x = np.array([-0.1, 0, 0.1, -0.3, 0.1, 0.2])
    y = np.array([-0.1, 0, 0.1, -0.5 / 3, 0.1 / 3, 0.4 / 3])
    assert found.value == pytest.approx(np.sum(x * y) / np.sqrt(np.sum(x**2) * np.sum(y**2)))
    assert (found.n, found.n_sites, found.n_blocks) == (6, 2, 2)


def test_scores_by_site_are_means_over_sites() -> None:
    found = named(score_by_site(three_sites(), min_n=3, draws=50))
    assert found["bias"].value == pytest.approx((0.1 + 0.4 / 3) / 2)
    assert found["rmse"].value == pytest.approx((0.1 + np.sqrt(0.08 / 3)) / 2)
    assert found["r"].value == pytest.approx(
        (1 + agreement(np.array([0.1, 0.5, 0.6]), np.array([0.1, 0.3, 0.4])).r) / 2
    )
    assert (found["rmse"].n, found["rmse"].n_sites, found["rmse"].n_blocks) == (6, 2, 2)


def test_every_site_weighs_the_same_however_often_it_was_seen() -> None:
    pairs = pairs_from(
        [0.3] * 6 + [0.2] * 2,
        [0.2] * 8,
        site=["a"] * 6 + ["b"] * 2,
        block=[1] * 6 + [2] * 2,
        day=[*range(6), 0, 1],
    )
    assert named(score_by_site(pairs, min_n=2))["bias"].value == pytest.approx(0.05)
    assert named(score_pooled(pairs))["bias"].value == pytest.approx(0.075)


def test_a_site_without_a_score_is_left_out_of_that_score_alone() -> None:
    pairs = pairs_from(
        [0.1, 0.2, 0.4, 0.3, 0.3, 0.3],
        [0.1, 0.2, 0.3, 0.2, 0.3, 0.4],
        site=["a"] * 3 + ["flat"] * 3,
        block=[1] * 3 + [2] * 3,
        day=[0, 1, 2] * 2,
    )
    found = named(score_by_site(pairs, min_n=3))
    assert (found["r"].n, found["r"].n_sites) == (3, 1)
    assert found["r"].value == pytest.approx(agreement(pairs.predicted[:3], pairs.reference[:3]).r)
    assert found["rmse"].n_sites == 2


def test_a_site_of_too_few_pairs_does_not_count() -> None:
    pairs = three_sites()
    found = named(score_by_site(pairs, min_n=4))["rmse"]
    assert np.isnan([found.value, found.low, found.high]).all()
    assert found.note == "no site has 4 pairs"
    assert (found.n, found.n_sites, found.n_blocks) == (0, 0, 0)
    assert named(score_by_site(pairs, min_n=1))["rmse"].n_sites == 3


def test_two_blocks_have_scores_and_no_interval() -> None:
    pairs = three_sites()
    found = named(score_pooled(choose(pairs, pairs.block_id < 3)))["bias"]
    assert found.value == pytest.approx(0.7 / 6)
    assert np.isnan([found.low, found.high]).all()
    assert found.note == "2 blocks: an interval needs at least 3"


def test_no_pairs_have_no_scores() -> None:
    pairs = three_sites()
    none = choose(pairs, np.zeros(len(pairs), dtype=np.bool_))
    for scores in (score_pooled(none), score_by_site(none)):
        assert [score.n for score in scores] == [0] * len(METRICS)
        assert np.isnan([score.value for score in scores]).all()


def test_a_site_in_two_blocks_is_refused() -> None:
    pairs = pairs_from([0.1, 0.2], [0.1, 0.2], site=["a", "a"], block=[4, 5], day=[0, 1])
    with pytest.raises(DataError, match="Site a is in blocks 4 and 5"):
        score_by_site(pairs, min_n=2)


def test_a_score_lies_in_its_interval_and_a_seed_repeats_it() -> None:
    rng = np.random.default_rng(5)
    truth = rng.normal(0.25, 0.05, (60, 30))
    pairs = world(rng.normal(0.01, 0.04, truth.shape), truth)
    for score_all in (score_pooled, score_by_site):
        first, again, other = (score_all(pairs, seed=seed) for seed in (1, 1, 2))
        assert first == again
        assert first != other
        assert all(one.low < one.value < one.high for one in first)


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1))
def test_the_order_of_the_rows_does_not_matter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth = rng.random((6, 4))
    pairs = world(rng.normal(0, 0.1, truth.shape), truth, sites_per_block=2)
    order = rng.permutation(len(pairs))
    mixed = Pairs(
        pairs.predicted[order],
        pairs.reference[order],
        pairs.site_id[order],
        pairs.block_id[order],
        pairs.day[order],
        pairs.coarse_id[order],
    )
    for ours, theirs in (
        (score_pooled(pairs, draws=20), score_pooled(mixed, draws=20)),
        (score_by_site(pairs, min_n=3, draws=20), score_by_site(mixed, min_n=3, draws=20)),
    ):
        for one, other in zip(ours, theirs, strict=True):
            assert astuple(one)[2:8] == pytest.approx(astuple(other)[2:8], abs=1e-9)


def test_no_skill_at_all_is_told_in_nineteen_of_twenty_worlds() -> None:
    """Predictions that know nothing; errors of neighbours, and truths, are alike."""
    rng = np.random.default_rng(11)
    inside = {"r": 0, "anomaly_r": 0}
    worlds = 200
    for seed in range(worlds):
        truth, guess = (
            shared_in_blocks(rng, blocks=25, sites_per_block=4, days=20, share=0.3)
            for _ in range(2)
        )
        found = named(score_pooled(world(guess - truth, truth, sites_per_block=4), seed=seed))
        for name in inside:
            inside[name] += found[name].low <= 0 <= found[name].high
    assert all(0.91 <= count / worlds <= 0.985 for count in inside.values()), inside
