import numpy as np
import pytest

from sm_platform.trust.pairs import Pairs
from sm_platform.trust.scoring import Score, score_spatial
from sm_platform_tests.trust.pair_worlds import START, pairs_from, world


def of(pairs: Pairs, *, min_sites: int = 3) -> Score:
    (found,) = score_spatial(pairs, min_sites=min_sites)
    return found


def two_cells() -> Pairs:
    """Day 0: cell 0 has r 1 though its mean is off; cell 1 has r 1/2. Day 1: cell 0 has r -1."""
    return pairs_from(
        [0.5, 0.6, 0.7, 0.1, 0.2, 0.3, 0.1, 0.2, 0.3],
        [0.1, 0.2, 0.3, 0.1, 0.3, 0.2, 0.3, 0.2, 0.1],
        site=["a", "b", "c", "d", "e", "f", "a", "b", "c"],
        block=[0, 1, 2, 9, 10, 11, 0, 1, 2],
        day=[0] * 6 + [1] * 3,
        coarse=[0] * 3 + [1] * 3 + [0] * 3,
    )


def test_r_is_the_mean_over_cells_and_days() -> None:
    found = of(two_cells())
    assert found.metric == "r"
    assert found.value == pytest.approx((1 + 0.5 - 1) / 3)
    assert (found.n, found.n_sites, found.n_blocks) == (9, 6, 6)


def test_a_cell_of_too_few_sites_does_not_count() -> None:
    pairs = two_cells()
    fewer = Pairs(
        pairs.predicted[:-1],
        pairs.reference[:-1],
        pairs.site_id[:-1],
        pairs.block_id[:-1],
        pairs.day[:-1],
        pairs.coarse_id[:-1],
    )
    assert of(fewer).value == pytest.approx(0.75)
    assert of(fewer).n == 6
    assert of(fewer, min_sites=4).note == "no 9 km cell has 4 sites on a day"
    assert np.isnan(of(fewer, min_sites=4).value)


def test_passes_of_one_day_are_averaged_before() -> None:
    """Site b is seen at .1 and .3; without the mean it would count twice, as two sites."""
    pairs = pairs_from(
        [0.1, 0.1, 0.3, 0.3],
        [0.1, 0.3, 0.3, 0.2],
        site=["a", "b", "b", "c"],
        block=[0, 1, 1, 2],
        day=[0, 0, 0, 0],
    )
    assert of(pairs).value == pytest.approx(0.5)  # (.1, .2, .3) beside (.1, .3, .2)
    assert of(pairs).n == 3
    assert np.isnan(of(pairs, min_sites=4).value)


def test_a_mean_that_is_right_is_worth_nothing_here() -> None:
    """A product that is constant within each cell has no pattern, however well it knows the day."""
    rng = np.random.default_rng(2)
    level = rng.normal(0, 0.1, (1, 12))
    truth = 0.25 + level + rng.normal(0, 0.03, (18, 12))
    coarse = np.repeat(0.25 + level, 18, axis=0)
    found = of(world(coarse - truth, truth))
    assert np.isnan(found.value)
    assert found.note == "a side is constant, or pairs are too few"


def test_a_shift_of_a_cell_and_day_changes_nothing() -> None:
    pairs = two_cells()
    shift = 0.1 * pairs.coarse_id + 0.05 * (pairs.day > START)
    moved = Pairs(
        pairs.predicted + shift,
        pairs.reference,
        pairs.site_id,
        pairs.block_id,
        pairs.day,
        pairs.coarse_id,
    )
    assert of(moved).value == pytest.approx(of(pairs).value)


def test_intervals_hold_zero_where_patterns_are_chance() -> None:
    """Static errors and truths, both alike within a block, as 25 to 36 blocks of a region have."""
    rng = np.random.default_rng(7)
    worlds, held = 200, 0
    for seed in range(worlds):
        truth, guess = (
            np.repeat(rng.normal(0, 0.7, (36, 1)), 5, axis=0)
            + rng.normal(0, 1, (180, 1))
            + rng.normal(0, 0.5, (180, 6))
            for _ in range(2)
        )
        pairs = world(guess - truth, truth, sites_per_block=5)
        (found,) = score_spatial(pairs, seed=seed)
        held += found.low <= 0 <= found.high
    assert 0.91 <= held / worlds <= 0.985


def test_a_known_share_of_the_pattern_is_found() -> None:
    """Prediction = truth + noise of the same variance: r = 1 / sqrt(2)."""
    rng = np.random.default_rng(1)
    truth = rng.normal(0, 1, (180, 20))
    found = of(world(rng.normal(0, 1, truth.shape), truth, sites_per_block=5), min_sites=8)
    assert found.value == pytest.approx(np.sqrt(0.5), abs=0.02)
    assert found.low < np.sqrt(0.5) < found.high
